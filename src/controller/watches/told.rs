//! What a watch tells of our own kinds, and whom that concerns. Also of what it did not tell: after a watch broke off, the
//! list that begins the next one is compared with what was known, and what is missing in it is gone.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use super::wake::{self, leaving_platforms, mended_binding};
use crate::api::{Platform, RoleBinding, TechnicalUser};
use crate::controller::Context;
use crate::controller::index::{Key, key};
use crate::controller::technical_user::source;

/// What others must know of a kind.
pub trait Told: Resource<DynamicType = ()> + Clone + Sized {
    /// What is remembered of each object of this kind.
    type Known: Default + Send;
    /// An object came or changed.
    fn came(&self, known: &mut Self::Known, context: &Context);
    /// An object is gone, told or not.
    fn went(key: &Key, known: &mut Self::Known, context: &Context);
    /// Everything that was known.
    fn known(known: &Self::Known, context: &Context) -> BTreeSet<Key>;
}

/// Listens to one kind's watch.
pub struct Listener<K: Told> {
    known: K::Known,
    /// What the list shows that is just being told, if one is.
    listed: Option<BTreeSet<Key>>,
}

impl<K: Told> Default for Listener<K> {
    fn default() -> Self {
        Self { known: K::Known::default(), listed: None }
    }
}

impl<K: Told> Listener<K> {
    /// The watch told this. The cache has it already.
    pub fn told(&mut self, event: &Event<K>, context: &Context) {
        match event {
            Event::Init => self.listed = Some(BTreeSet::new()),
            Event::InitApply(object) => {
                self.listed.get_or_insert_default().insert(key_of(object));
                object.came(&mut self.known, context);
            }
            Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                for missed in K::known(&self.known, context).difference(&listed) {
                    K::went(missed, &mut self.known, context);
                }
                context.stores.filled.mark(&K::kind(&()));
            }
            Event::Apply(object) => object.came(&mut self.known, context),
            Event::Delete(object) => K::went(&key_of(object), &mut self.known, context),
        }
    }
}

fn key_of<K: Resource<DynamicType = ()>>(object: &K) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// A Platform's spec says what others may do: its change concerns everything that names it.
impl Told for Platform {
    type Known = Seen;

    fn came(&self, known: &mut Seen, context: &Context) {
        if let Some(place) = self.status.as_ref().and_then(|status| status.place.as_ref()) {
            context.index.place(&self.name_any(), place);
        }
        if known.changed(key_of(self), &self.metadata.generation) {
            wake::dependents(context, &self.name_any());
        }
    }

    fn went(key: &Key, known: &mut Seen, context: &Context) {
        known.forget(key);
        context.connections.forget(&key.1);
        wake::dependents(context, &key.1);
    }

    fn known(known: &Seen, _: &Context) -> BTreeSet<Key> {
        known.keys()
    }
}

/// What RoleBindings need to know of a TechnicalUser: whether it is there, who it is, which user, which roles it carries. A
/// Platform that waits for its last user looks again when one is gone.
impl Told for TechnicalUser {
    type Known = Seen;

    fn came(&self, known: &mut Seen, context: &Context) {
        let key = key_of(self);
        if let Some(credential) = &self.spec.credential {
            context.index.publishes(&key, &credential.secret_name);
        }
        context.sources.takes(&key, source::name(self));
        let identity = self.status.as_ref().and_then(|status| status.identity.as_ref());
        let carried = identity.map(|identity| (&identity.user, &identity.roles, &identity.roles_asked_for));
        if known.changed(key.clone(), &(self.metadata.uid.as_ref(), self.metadata.generation, carried)) {
            wake_naming(&key, context);
        }
    }

    fn went(key: &Key, known: &mut Seen, context: &Context) {
        known.forget(key);
        context.turns.gone::<Self>(key);
        context.index.publishes_no_more(key);
        context.sources.takes(key, None);
        wake_naming(key, context);
        leaving_platforms(context);
    }

    fn known(known: &Seen, _: &Context) -> BTreeSet<Key> {
        known.keys()
    }
}

fn wake_naming((namespace, name): &Key, context: &Context) {
    context.index.naming(namespace, name).into_iter().for_each(|one| mended_binding(context, one));
}

impl Told for RoleBinding {
    type Known = ();

    fn came(&self, (): &mut (), context: &Context) {
        debug_assert_eq!(key(self), key_of(self));
        wake::concerned(context, context.index.applied(self));
    }

    fn went(key: &Key, (): &mut (), context: &Context) {
        context.turns.gone::<Self>(key);
        wake::concerned(context, context.index.deleted(key));
        leaving_platforms(context);
    }

    fn known((): &(), context: &Context) -> BTreeSet<Key> {
        context.index.bindings()
    }
}

/// What was last seen of each object, as a hash: tells whether what others depend on has changed.
#[derive(Default)]
pub struct Seen(HashMap<Key, u64>);

impl Seen {
    /// Whether what others depend on is not what it was.
    pub(super) fn changed(&mut self, key: Key, view: &impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        view.hash(&mut hasher);
        let hash = hasher.finish();
        self.0.insert(key, hash) != Some(hash)
    }

    fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    fn keys(&self) -> BTreeSet<Key> {
        self.0.keys().cloned().collect()
    }
}

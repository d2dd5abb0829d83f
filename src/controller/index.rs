//! Who uses what, kept up to date from the watches: which RoleBindings name a TechnicalUser, and which record a grant.
//!
//! It answers "who is concerned?" in the time of a look-up. It is as old as the watch: what it says wakes objects and
//! spares shared grants; it never proves that something may be done. Platforms that are the same place share their
//! grants.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{Role, RoleBinding, Subject};
use crate::plan::grant::Grant;
use crate::plan::role_binding::Ledger;

use super::role_binding::record::ledger_of;
use super::several::Several;

/// Names a RoleBinding or a TechnicalUser: namespace and name.
pub type Key = (String, String);

/// The index.
#[derive(Default)]
pub struct Index {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    bindings: HashMap<Key, Arc<Entry>>,
    by_user: Several<Key>,
    by_grant: Several<Grant>,
    /// The RoleBindings that name a role and were not reconciled since: what they want of it is not on record yet.
    unread: Several<Role>,
    /// The RoleBindings that let go of a grant of this role.
    leaving: Several<Role>,
    /// What each Platform is, as far as it is known.
    places: HashMap<String, String>,
    /// Which TechnicalUsers publish in which Secret.
    by_secret: Several<Key>,
    secrets: HashMap<Key, Key>,
}

/// What is known of one RoleBinding.
#[derive(Default)]
struct Entry {
    platform: String,
    generation: Option<i64>,
    deleting: bool,
    users: Box<[Key]>,
    ledger: Ledger,
    /// The roles that its spec names, until it was reconciled as it is.
    unread: BTreeSet<Role>,
}

/// Who must look again because a RoleBinding changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    /// TechnicalUsers, as the roles that they carry themselves may have changed.
    pub users: BTreeSet<Key>,
    /// Other RoleBindings that share a grant with it.
    pub bindings: BTreeSet<Key>,
}

impl Index {
    /// A RoleBinding came or changed.
    pub fn applied(&self, binding: &RoleBinding) -> Concerned {
        self.inner().replace(&key(binding), Some(Arc::new(entry(binding))))
    }

    /// A RoleBinding is gone.
    pub fn deleted(&self, key: &Key) -> Concerned {
        self.inner().replace(key, None)
    }

    /// Every RoleBinding that is known, to be compared with a whole list of them.
    pub fn bindings(&self) -> BTreeSet<Key> {
        self.inner().bindings.keys().cloned().collect()
    }

    /// What a Platform is.
    pub fn place(&self, platform: &str, place: &str) {
        self.inner().places.insert(platform.to_owned(), place.to_owned());
    }

    /// A TechnicalUser publishes in this Secret of its namespace.
    pub fn publishes(&self, user: &Key, secret: &str) {
        let secret = (user.0.clone(), secret.to_owned());
        let mut inner = self.inner();
        inner.by_secret.insert(&secret, user);
        inner.secrets.insert(user.clone(), secret);
    }

    /// A TechnicalUser is gone.
    pub fn publishes_no_more(&self, user: &Key) {
        let mut inner = self.inner();
        if let Some(secret) = inner.secrets.remove(user) {
            inner.by_secret.remove(&secret, user);
        }
    }

    /// The TechnicalUsers that publish in a Secret; of several all but one find it taken.
    pub fn publishers(&self, secret: &Key) -> BTreeSet<Key> {
        self.inner().by_secret.of(secret).cloned().collect()
    }

    /// Every Secret that somebody publishes in.
    pub fn published(&self) -> BTreeSet<Key> {
        self.inner().by_secret.keys().cloned().collect()
    }

    /// The RoleBindings that name this TechnicalUser.
    pub fn naming(&self, namespace: &str, name: &str) -> Vec<ObjectRef<RoleBinding>> {
        let inner = self.inner();
        let user = (namespace.to_owned(), name.to_owned());
        inner.by_user.of(&user).map(reference).collect()
    }

    /// The grants that RoleBindings of this Platform record.
    pub fn recorded(&self, platform: &str) -> BTreeSet<Grant> {
        let inner = self.inner();
        let entries = inner.bindings.values().filter(|entry| entry.platform == platform);
        entries.flat_map(|entry| entry.ledger.keys().cloned()).collect()
    }

    /// The RoleBindings that record this grant, at the place that a Platform is.
    pub fn holding(&self, platform: &str, grant: &Grant) -> Vec<ObjectRef<RoleBinding>> {
        let inner = self.inner();
        inner.at_place(platform, grant).map(|(key, _)| reference(key)).collect()
    }

    /// Of these grants, those that another RoleBinding made, and those that another live RoleBinding wants.
    pub fn elsewhere<'a>(
        &self,
        me: &Key,
        platform: &str,
        grants: impl Iterator<Item = &'a Grant>,
    ) -> (BTreeSet<Grant>, BTreeSet<Grant>) {
        let inner = self.inner();
        let (mut owned, mut wanted) = (BTreeSet::new(), BTreeSet::new());
        for grant in grants {
            for (_, entry) in inner.at_place(platform, grant).filter(|(key, _)| *key != me) {
                let Some(recorded) = entry.ledger.get(grant) else { continue };
                if recorded.owned {
                    owned.insert(grant.clone());
                }
                if recorded.wanted && !entry.deleting {
                    wanted.insert(grant.clone());
                }
            }
        }
        (owned, wanted)
    }

    /// Whether another RoleBinding of the namespace names this role and has not been reconciled since: it may want the
    /// grant, as when one is renamed. What other namespaces write before anybody has judged it holds nothing back.
    pub fn may_be_wanted(&self, me: &Key, platform: &str, role: &Role) -> bool {
        let inner = self.inner();
        let others = inner.unread.of(role).filter(|key| *key != me && key.0 == me.0);
        let mut entries = others.filter_map(|key| inner.bindings.get(key));
        entries.any(|entry| inner.place(&entry.platform) == inner.place(platform))
    }

    /// Whether the watch has told of this RoleBinding as it is known here.
    pub fn has_seen(&self, key: &Key, known: &RoleBinding) -> bool {
        let deleting = known.metadata.deletion_timestamp.is_some();
        let inner = self.inner();
        inner
            .bindings
            .get(key)
            .is_some_and(|seen| seen.generation >= known.metadata.generation && seen.deleting == deleting)
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What a Platform is: its place, or itself while that is not known.
    fn place<'a>(&'a self, platform: &'a str) -> &'a str {
        self.places.get(platform).map_or(platform, String::as_str)
    }

    fn at_place<'a>(&'a self, platform: &str, grant: &'a Grant) -> impl Iterator<Item = (&'a Key, &'a Arc<Entry>)> {
        let place = self.place(platform).to_owned();
        let sharing = self.by_grant.of(grant);
        let entries = sharing.filter_map(|key| Some((key, self.bindings.get(key)?)));
        entries.filter(move |(_, entry)| self.place(&entry.platform) == place)
    }

    fn replace(&mut self, key: &Key, entry: Option<Arc<Entry>>) -> Concerned {
        let before = self.bindings.get(key).cloned();
        let spec = |entry: &Arc<Entry>| (entry.generation, entry.deleting);
        let edited = before.as_ref().map(spec) != entry.as_ref().map(spec);
        let mut concerned = Concerned::default();
        if edited {
            concerned.users.extend(before.iter().chain(&entry).flat_map(|entry| &entry.users).cloned());
        }
        let empty = Arc::default();
        let (old, new) = (before.as_ref().unwrap_or(&empty), entry.as_ref().unwrap_or(&empty));
        for grant in changed(old, new) {
            let sharing = self.by_grant.of(grant);
            concerned.bindings.extend(sharing.filter(|other| *other != key).cloned());
        }
        for role in old.unread.difference(&new.unread) {
            let leaving = self.leaving.of(role);
            concerned.bindings.extend(leaving.filter(|other| *other != key).cloned());
        }
        if self.holds_on_in_vain(key, old, new) {
            concerned.bindings.insert(key.clone());
        }
        self.remove(key);
        if let Some(entry) = entry {
            self.insert(key, entry);
        }
        concerned
    }

    /// Whether it has come to rest with something that it lets go of, and whoever might have wanted that was read in the
    /// meantime: before anybody knew whom to tell.
    fn holds_on_in_vain(&self, key: &Key, old: &Entry, new: &Entry) -> bool {
        if new.deleting || !new.unread.is_empty() {
            return false;
        }
        let rested = |role: &Role| old.unread.is_empty() && old.leaving().any(|one| one == role);
        let is_named = |role: &Role| self.unread.of(role).any(|other| other != key);
        new.leaving().any(|role| !rested(role) && !is_named(role))
    }

    fn insert(&mut self, key: &Key, entry: Arc<Entry>) {
        for user in &entry.users {
            self.by_user.insert(user, key);
        }
        for grant in entry.ledger.keys() {
            self.by_grant.insert(grant, key);
        }
        for role in &entry.unread {
            self.unread.insert(role, key);
        }
        for role in entry.leaving() {
            self.leaving.insert(role, key);
        }
        self.bindings.insert(key.clone(), entry);
    }

    fn remove(&mut self, key: &Key) {
        let Some(entry) = self.bindings.remove(key) else {
            return;
        };
        for user in &entry.users {
            self.by_user.remove(user, key);
        }
        for grant in entry.ledger.keys() {
            self.by_grant.remove(grant, key);
        }
        for role in &entry.unread {
            self.unread.remove(role, key);
        }
        for role in entry.leaving() {
            self.leaving.remove(role, key);
        }
    }
}

impl Entry {
    /// The roles of the grants that it lets go of.
    fn leaving(&self) -> impl Iterator<Item = &Role> {
        self.ledger.iter().filter(|(_, entry)| self.deleting || !entry.wanted).map(|(grant, _)| &grant.role)
    }
}

/// The grants of which those who share them must know: another owns them now, or wants them no more. That a try failed
/// concerns nobody else.
fn changed<'a>(old: &'a Entry, new: &'a Entry) -> Vec<&'a Grant> {
    let says = |entry: &Entry, grant: &Grant| {
        let recorded = entry.ledger.get(grant);
        recorded.map(|recorded| (recorded.owned, recorded.wanted && !entry.deleting))
    };
    let both: BTreeSet<&Grant> = old.ledger.keys().chain(new.ledger.keys()).collect();
    both.into_iter().filter(|grant| says(old, grant) != says(new, grant)).collect()
}

/// The key of a RoleBinding.
pub fn key(binding: &RoleBinding) -> Key {
    (binding.namespace().unwrap_or_default(), binding.name_any())
}

fn reference(key: &Key) -> ObjectRef<RoleBinding> {
    ObjectRef::new(&key.1).within(&key.0)
}

fn entry(binding: &RoleBinding) -> Entry {
    let namespace = binding.namespace().unwrap_or_default();
    let users = binding.spec.subjects.iter().filter_map(|subject| match subject {
        Subject::TechnicalUser(user) => Some((namespace.clone(), user.name.clone())),
        _ => None,
    });
    Entry {
        platform: binding.spec.platform_ref.name.clone(),
        generation: binding.metadata.generation,
        deleting: binding.metadata.deletion_timestamp.is_some(),
        users: users.collect(),
        ledger: binding.status.as_ref().map(|status| ledger_of(&status.ledger)).unwrap_or_default(),
        unread: unread(binding),
    }
}

/// The roles of a spec that no status speaks of yet.
fn unread(binding: &RoleBinding) -> BTreeSet<Role> {
    let observed = binding.status.as_ref().and_then(|status| status.observed_generation);
    let gone = binding.metadata.deletion_timestamp.is_some();
    if gone || observed == binding.metadata.generation {
        return BTreeSet::new();
    }
    binding.spec.roles.iter().cloned().collect()
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;

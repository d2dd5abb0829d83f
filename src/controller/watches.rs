//! What wakes what: the watches, the caches they fill, and the objects of other kinds that a change concerns.
//!
//! A kind's own watch passes only changes of its spec and annotations, and its deletion, which counts as a new
//! generation: our status and finalizer writes do not wake their writer. Everything across kinds goes through [`Wake`],
//! by name, and the object then looks for itself. A Secret that is as we wrote it wakes nobody.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Config as ControllerConfig;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, store};
use kube::runtime::watcher::{self, Config, Event};
use kube::runtime::{Controller, Predicate, PredicateConfig, WatchStreamExt, predicates};
use kube::{Api, Client, Resource, ResourceExt};

use super::index::Concerned;
use super::runner::{Reconcile, reconcile};
use super::{Context, Filled, Stores};
use crate::api::{MANAGED_BY_LABEL, OPERATOR, Platform, RoleBinding, TechnicalUser};

/// The sending ends: wakes an object by name.
#[derive(Clone)]
pub struct Wake {
    platforms: UnboundedSender<ObjectRef<Platform>>,
    users: UnboundedSender<ObjectRef<TechnicalUser>>,
    bindings: UnboundedSender<ObjectRef<RoleBinding>>,
}

/// The receiving ends, and the writers of the caches.
pub struct Wiring {
    platforms: Wired<Platform>,
    users: Wired<TechnicalUser>,
    bindings: Wired<RoleBinding>,
    namespaces: Writer<PartialObjectMeta<Namespace>>,
}

struct Wired<K: Resource<DynamicType = ()> + Clone + 'static> {
    writer: Writer<K>,
    woken: UnboundedReceiver<ObjectRef<K>>,
}

/// Caches and wake-up calls, not yet connected to any watch.
pub fn wire() -> (Stores, Wake, Wiring) {
    let (platforms, platform_writer) = store();
    let (technical_users, user_writer) = store();
    let (role_bindings, binding_writer) = store();
    let (namespaces, namespace_writer) = store();
    let (wake_platforms, woken_platforms) = unbounded();
    let (wake_users, woken_users) = unbounded();
    let (wake_bindings, woken_bindings) = unbounded();
    let wiring = Wiring {
        platforms: Wired { writer: platform_writer, woken: woken_platforms },
        users: Wired { writer: user_writer, woken: woken_users },
        bindings: Wired { writer: binding_writer, woken: woken_bindings },
        namespaces: namespace_writer,
    };
    let wake = Wake { platforms: wake_platforms, users: wake_users, bindings: wake_bindings };
    (Stores { platforms, technical_users, role_bindings, namespaces, filled: Filled::default() }, wake, wiring)
}

impl Wake {
    /// Wakes a Platform. When the controllers are gone there is nobody to wake, which is no error.
    pub fn platform(&self, name: &str) {
        let _ = self.platforms.unbounded_send(ObjectRef::new(name));
    }

    /// Wakes a TechnicalUser.
    pub fn user(&self, user: ObjectRef<TechnicalUser>) {
        let _ = self.users.unbounded_send(user);
    }

    /// Wakes a RoleBinding.
    pub fn binding(&self, binding: ObjectRef<RoleBinding>) {
        let _ = self.bindings.unbounded_send(binding);
    }

    /// Wakes everything that names a Platform.
    pub fn dependents(&self, platform: &str, stores: &Stores) {
        self.all(stores, |_, named| named == platform);
    }

    /// Wakes everything in a namespace.
    fn namespace(&self, namespace: &str, stores: &Stores) {
        self.all(stores, |within, _| within == namespace);
    }

    fn all(&self, stores: &Stores, concerned: impl Fn(&str, &str) -> bool) {
        for user in stores.technical_users.state() {
            if concerned(&user.namespace().unwrap_or_default(), &user.spec.platform_ref.name) {
                self.user(ObjectRef::from_obj(&*user));
            }
        }
        for binding in stores.role_bindings.state() {
            if concerned(&binding.namespace().unwrap_or_default(), &binding.spec.platform_ref.name) {
                self.binding(ObjectRef::from_obj(&*binding));
            }
        }
    }

    fn concerned(&self, concerned: Concerned) {
        for (namespace, name) in concerned.users {
            self.user(ObjectRef::new(&name).within(&namespace));
        }
        for (namespace, name) in concerned.bindings {
            self.binding(ObjectRef::new(&name).within(&namespace));
        }
    }
}

/// Runs watches and controllers until `shutdown` resolves; running reconciles are finished. `watching` is a client
/// without a read time-out, since a quiet watch is not a broken one.
pub async fn run(context: Arc<Context>, wiring: Wiring, watching: Client, concurrency: u16, shutdown: Shutdown) {
    let Wiring { platforms, users, bindings, namespaces } = wiring;
    let platforms = controller(platforms, &watching, &context, concurrency, &shutdown, platform_changed());
    let users = controller(users, &watching, &context, concurrency, &shutdown, user_changed());
    let bindings = controller(bindings, &watching, &context, concurrency, &shutdown, binding_changed);
    let others = future::join3(
        namespaces_watched(watching.clone(), namespaces, Arc::clone(&context)),
        published_secrets_watched(watching.clone(), Arc::clone(&context)),
        admin_secrets_watched(watching, Arc::clone(&context)),
    );
    let controllers = future::join3(platforms, users, bindings);
    future::select(controllers.boxed(), others.boxed()).await;
}

/// Resolves when the process is to end.
pub type Shutdown = future::Shared<BoxFuture<'static, ()>>;

/// One kind's controller: its watch fills the cache and tells `changed`; what passes the predicate is reconciled.
fn controller<K: Reconcile + Unpin>(
    wired: Wired<K>,
    watching: &Client,
    context: &Arc<Context>,
    concurrency: u16,
    shutdown: &Shutdown,
    mut changed: impl FnMut(&Context, &K, bool) + Send + 'static,
) -> BoxFuture<'static, ()> {
    let reader = wired.writer.as_reader();
    let told = Arc::clone(context);
    let objects = watcher::watcher(K::api(watching.clone(), None), Config::default())
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(wired.writer)
        .inspect(move |event| match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => changed(&told, object, false),
            Ok(Event::Delete(object)) => changed(&told, object, true),
            Ok(Event::InitDone) => told.stores.filled.mark(&K::kind(&())),
            _ => {}
        })
        .applied_objects()
        .predicate_filter(predicates::generation.combine(predicates::annotations), PredicateConfig::default());
    Controller::for_stream(objects, reader)
        .with_config(ControllerConfig::default().concurrency(concurrency))
        .reconcile_on(wired.woken)
        .graceful_shutdown_on(shutdown.clone())
        .run(reconcile::<K>, |_, error: &Infallible, _| match *error {}, Arc::clone(context))
        .for_each(|_| future::ready(()))
        .boxed()
}

/// A Platform's spec says what others may do: its change concerns everything that names it.
fn platform_changed() -> impl FnMut(&Context, &Platform, bool) + Send + 'static {
    let mut seen = Seen::default();
    move |context, platform, gone| {
        if seen.changed(platform, gone, &platform.metadata.generation) {
            context.wake.dependents(&platform.name_any(), &context.stores);
        }
    }
}

/// What RoleBindings need to know of a TechnicalUser: whether it is there, who it is, which roles it carries. A
/// Platform that waits for its last user looks again when one is gone.
fn user_changed() -> impl FnMut(&Context, &TechnicalUser, bool) + Send + 'static {
    let mut seen = Seen::default();
    move |context, user, gone| {
        let carried = user.status.as_ref().and_then(|status| status.identity.as_ref()).map(|identity| &identity.roles);
        if seen.changed(user, gone, &(user.metadata.uid.as_ref(), user.metadata.generation, carried)) {
            let namespace = user.namespace().unwrap_or_default();
            context.index.naming(&namespace, &user.name_any()).into_iter().for_each(|one| context.wake.binding(one));
        }
        if gone {
            wake_leaving_platform(context, &user.spec.platform_ref.name);
        }
    }
}

fn binding_changed(context: &Context, binding: &RoleBinding, gone: bool) {
    let concerned = if gone { context.index.deleted(binding) } else { context.index.applied(binding) };
    context.wake.concerned(concerned);
    if gone {
        wake_leaving_platform(context, &binding.spec.platform_ref.name);
    }
}

fn wake_leaving_platform(context: &Context, name: &str) {
    if context.stores.platform(name).is_some_and(|platform| platform.metadata.deletion_timestamp.is_some()) {
        context.wake.platform(name);
    }
}

/// Access rules choose namespaces by label: other labels concern everything in the namespace.
async fn namespaces_watched(client: Client, writer: Writer<PartialObjectMeta<Namespace>>, context: Arc<Context>) {
    let mut seen = Seen::default();
    watcher::watcher(Api::<PartialObjectMeta<Namespace>>::all(client), Config::default())
        .default_backoff()
        .modify(|namespace| {
            namespace.managed_fields_mut().clear();
            namespace.annotations_mut().clear();
        })
        .reflect(writer)
        .inspect(|event| {
            if let Ok(Event::InitDone) = event {
                context.stores.filled.mark("Namespace");
            }
        })
        .touched_objects()
        .for_each(|namespace| {
            if let Ok(namespace) = namespace
                && seen.changed(&namespace, false, namespace.labels())
            {
                context.wake.namespace(&namespace.name_any(), &context.stores);
            }
            future::ready(())
        })
        .await;
}

/// The Secrets we wrote, as metadata only and without a cache: any change but our own
/// wakes the TechnicalUser that owns it.
async fn published_secrets_watched(client: Client, context: Arc<Context>) {
    let ours = Config::default().labels(&format!("{MANAGED_BY_LABEL}={OPERATOR}"));
    watcher::watcher(Api::<PartialObjectMeta<Secret>>::all(client), ours)
        .default_backoff()
        .touched_objects()
        .for_each(|secret| {
            if let Ok(secret) = secret
                && !context.written.tells_of(secret.meta())
            {
                wake_owner(&secret, &context);
            }
            future::ready(())
        })
        .await;
}

fn wake_owner(secret: &PartialObjectMeta<Secret>, context: &Context) {
    let namespace = secret.namespace().unwrap_or_default();
    for owner in secret.owner_references().iter().filter(|owner| owner.kind == "TechnicalUser") {
        context.wake.user(ObjectRef::new(&owner.name).within(&namespace));
    }
}

/// The admin Secrets, in the operator's own namespace: a change wakes the Platforms that name it.
async fn admin_secrets_watched(client: Client, context: Arc<Context>) {
    let api = Api::<PartialObjectMeta<Secret>>::namespaced(client, &context.namespace);
    let no_releases = Config::default().fields("type!=helm.sh/release.v1");
    watcher::watcher(api, no_releases)
        .default_backoff()
        .touched_objects()
        .for_each(|secret| {
            let name = secret.map(|secret| secret.name_any()).unwrap_or_default();
            for platform in context.stores.platforms.state() {
                if platform.spec.environment.secrets().iter().any(|reference| reference.name == name) {
                    context.wake.platform(&platform.name_any());
                }
            }
            future::ready(())
        })
        .await;
}

/// What was last seen of each object, as a hash: tells whether what others depend on has changed.
#[derive(Default)]
struct Seen(HashMap<(String, String), u64>);

impl Seen {
    fn changed<K: Resource<DynamicType = ()>>(&mut self, object: &K, gone: bool, view: &impl Hash) -> bool {
        let key = (object.namespace().unwrap_or_default(), object.name_any());
        if gone {
            return self.0.remove(&key).is_some();
        }
        let mut hasher = DefaultHasher::new();
        view.hash(&mut hasher);
        let hash = hasher.finish();
        self.0.insert(key, hash) != Some(hash)
    }
}

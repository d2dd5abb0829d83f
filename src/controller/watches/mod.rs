//! What wakes what: the watches, the caches they fill, and the objects of other kinds that a change concerns.
//!
//! A kind's own watch passes only changes of its spec and annotations, its deletion, which counts as a new generation,
//! and the loss of our finalizer: our status and finalizer writes do not wake their writer.
//!
//! - [`told`]: whom a change of our own kinds concerns. [`secrets`], [`in_the_way`]: the watches of Secrets, ours and those of
//!   others. [`wake`]: by name.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures::channel::mpsc::UnboundedReceiver;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Config as ControllerConfig;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, store};
use kube::runtime::watcher::{self, Config, Event};
use kube::runtime::{Controller, PredicateConfig, WatchStreamExt};
use kube::{Api, Client, ResourceExt};

use super::runner::{Reconcile, reconcile};
use super::{Context, Filled, Stores};
use crate::api::{Platform, RoleBinding, TechnicalUser};

mod in_the_way;
pub mod secrets;
#[cfg(test)]
mod tests;
pub mod told;
pub mod wake;

pub use wake::Wake;

use told::{Listener, Seen, Told};

/// The receiving ends, and the writers of the caches.
pub struct Wiring {
    /// Fills the cache of Platforms.
    pub platforms: Writer<Platform>,
    /// Fills the cache of TechnicalUsers.
    pub users: Writer<TechnicalUser>,
    /// Fills the cache of RoleBindings.
    pub bindings: Writer<RoleBinding>,
    /// Fills the cache of namespaces.
    pub namespaces: Writer<PartialObjectMeta<Namespace>>,
    /// Who was woken.
    pub woken: wake::Woken,
}

/// Caches and wake-up calls, not yet connected to any watch.
pub fn wire() -> (Stores, Wake, Wiring) {
    let (platforms, platform_writer) = store();
    let (technical_users, user_writer) = store();
    let (role_bindings, binding_writer) = store();
    let (namespaces, namespace_writer) = store();
    let (wake, woken) = wake::wake();
    let wiring = Wiring {
        platforms: platform_writer,
        users: user_writer,
        bindings: binding_writer,
        namespaces: namespace_writer,
        woken,
    };
    (Stores { platforms, technical_users, role_bindings, namespaces, filled: Filled::default() }, wake, wiring)
}

/// Runs watches and controllers until `shutdown` resolves; running reconciles are finished. `context.watching` is a
/// client without a read time-out, since a quiet watch is not a broken one.
pub async fn run(context: Arc<Context>, wiring: Wiring, concurrency: u16, shutdown: Shutdown) {
    let Wiring { platforms, users, bindings, namespaces, woken } = wiring;
    let platforms = controller(platforms, woken.platforms, &context, concurrency, &shutdown);
    let users = controller(users, woken.users, &context, concurrency, &shutdown);
    let bindings = controller(bindings, woken.bindings, &context, concurrency, &shutdown);
    let watching = || context.watching.clone();
    let others = future::join5(
        namespaces_watched(watching(), namespaces, Arc::clone(&context)),
        secrets::published(watching(), Arc::clone(&context)),
        secrets::admin(watching(), Arc::clone(&context)),
        secrets::sources(watching(), Arc::clone(&context)),
        in_the_way::in_the_way(watching(), woken.in_the_way, Arc::clone(&context)),
    );
    let controllers = future::join3(platforms, users, bindings);
    future::select(controllers.boxed(), others.boxed()).await;
}

/// Resolves when the process is to end.
pub type Shutdown = future::Shared<BoxFuture<'static, ()>>;

/// One kind's controller: its watch fills the cache and tells whom it concerns; what passes the predicate is reconciled.
fn controller<K: Reconcile + Told + Unpin>(
    writer: Writer<K>,
    woken: UnboundedReceiver<ObjectRef<K>>,
    context: &Arc<Context>,
    concurrency: u16,
    shutdown: &Shutdown,
) -> BoxFuture<'static, ()> {
    let reader = writer.as_reader();
    let told = Arc::clone(context);
    let mut listener = Listener::<K>::default();
    let objects = watcher::watcher(K::api(context.watching.clone(), None), Config::default())
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .inspect(move |event| {
            if let Ok(event) = event {
                listener.told(event, &told);
            }
        })
        .applied_objects()
        .predicate_filter(concerns_itself::<K>, PredicateConfig::default());
    Controller::for_stream(objects, reader)
        .with_config(ControllerConfig::default().concurrency(concurrency))
        .reconcile_on(woken)
        .graceful_shutdown_on(shutdown.clone())
        .run(reconcile::<K>, |_, error: &Infallible, _| match *error {}, Arc::clone(context))
        .for_each(|_| future::ready(()))
        .boxed()
}

/// What of an object makes it look at itself again: its spec, its annotations, and a finalizer that was taken off.
#[expect(clippy::unnecessary_wraps, reason = "the form of a predicate")]
fn concerns_itself<K: Reconcile>(object: &K) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    (object.meta().generation, object.annotations(), object.was_dropped()).hash(&mut hasher);
    Some(hasher.finish())
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
                && seen.changed((String::new(), namespace.name_any()), namespace.labels())
            {
                wake::namespace(&context, &namespace.name_any());
            }
            future::ready(())
        })
        .await;
}

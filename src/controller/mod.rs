//! The shell: the only place that touches Kubernetes.
//!
//! A watch wakes an object, one live read decides, the plan says what to do, and the effects are carried out. One
//! generic [`runner`] does for every kind what is the same for every kind; a kind supplies `apply` and `cleanup`.
//!
//! - [`runner`]: live read, time limit, panic guard, conditions, retry. [`live`]: the object under reconcile, its
//!   finalizer, and its status as a compare-and-swap record.
//! - [`platform`], [`technical_user`], [`role_binding`]: the kinds.
//! - [`connections`]: one connection for each Platform. [`secret`]: the one Secret of a TechnicalUser.
//! - [`watches`]: what wakes what. [`index`]: who uses what.
//! - [`error`], [`report`], [`event`]: what went wrong, and how the object says so.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::{Platform, RoleBinding, TechnicalUser};
use crate::metrics::Metrics;
use crate::plan::access;

pub mod connections;
pub mod error;
pub mod event;
pub mod index;
pub mod leader;
pub mod live;
pub mod platform;
pub mod report;
pub mod retry;
pub mod role_binding;
pub mod runner;
pub mod secret;
pub mod technical_user;
pub mod watches;

/// What every reconcile needs. Nothing in it is global.
pub struct Context {
    /// For calls; bounded in time, unlike the client of the watches.
    pub client: Client,
    /// Publishes events.
    pub events: event::Publisher,
    /// The uid of the `kube-system` namespace: which cluster we are, on platforms that many clusters share.
    pub cluster: String,
    /// The operator's namespace, where admin Secrets are.
    pub namespace: String,
    /// The connections to platforms.
    pub connections: connections::Connections,
    /// The watched objects.
    pub stores: Stores,
    /// Who uses what.
    pub index: index::Index,
    /// Wakes objects of other kinds.
    pub wake: watches::Wake,
    /// When failing objects may be tried again.
    pub retries: retry::Retries,
    /// Counters for the people who run this.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// The watched objects as the cache has them: to find out who is concerned, never to decide an effect.
pub struct Stores {
    /// All Platforms.
    pub platforms: Store<Platform>,
    /// All TechnicalUsers.
    pub technical_users: Store<TechnicalUser>,
    /// All RoleBindings.
    pub role_bindings: Store<RoleBinding>,
    /// The names and labels of all namespaces.
    pub namespaces: Store<PartialObjectMeta<Namespace>>,
}

impl Stores {
    /// Waits until every cache has been filled once. Before that, what is missing in one proves nothing.
    pub async fn filled(&self) {
        // An error says that the watch has ended, and with it the process.
        let _ = self.platforms.wait_until_ready().await;
        let _ = self.technical_users.wait_until_ready().await;
        let _ = self.role_bindings.wait_until_ready().await;
        let _ = self.namespaces.wait_until_ready().await;
    }

    /// A namespace as access rules see it; one that is not known has no labels.
    pub fn namespace(&self, name: &str) -> access::Namespace {
        let found = self.namespaces.get(&ObjectRef::new(name));
        let labels = found.and_then(|namespace| namespace.metadata.labels.clone()).unwrap_or_default();
        access::Namespace { name: name.to_owned(), labels }
    }

    /// The Platform of this name.
    pub fn platform(&self, name: &str) -> Option<Arc<Platform>> {
        self.platforms.get(&ObjectRef::new(name))
    }

    /// The TechnicalUser of this name in a namespace.
    pub fn technical_user(&self, namespace: &str, name: &str) -> Option<Arc<TechnicalUser>> {
        self.technical_users.get(&ObjectRef::new(name).within(namespace))
    }
}

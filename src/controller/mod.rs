//! The shell: the only place that touches Kubernetes.
//!
//! A watch wakes an object, the plan says what to do, and what it says is confirmed before it is carried out. One
//! generic [`runner`] does for every kind what is the same for every kind; a kind supplies `apply` and `cleanup`.
//!
//! - [`runner`]: whose turn it is, time limit, panic guard, conditions, retry. [`live`]: the object under reconcile, its
//!   finalizer, and its status as a compare-and-swap record.
//! - [`platform`], [`technical_user`], [`role_binding`]: the kinds.
//! - [`connections`]: one connection for each Platform. [`secret`]: the one Secret of a TechnicalUser.
//! - [`watches`]: what wakes what. [`index`], [`several`]: who uses what. [`turns`], [`retry`]: who comes first, and when again.
//! - [`versions`], [`rules`], [`orders`], [`overlaps`]: what keeps an old cache, a lost answer and a clock that was set from
//!   doing harm.
//! - [`workloads`]: which pods use a Secret.
//! - [`error`], [`report`], [`event`]: what went wrong, and how the object says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::watch;

use crate::api::{Platform, RoleBinding, TechnicalUser};
use crate::metrics::Metrics;
use crate::plan::access;
use crate::plan::rollout::Margins;

pub mod connections;
pub mod error;
pub mod event;
pub mod index;
pub mod leader;
pub mod live;
pub mod orders;
pub mod overlaps;
pub mod platform;
pub mod report;
pub mod retry;
pub mod role_binding;
pub mod rules;
pub mod runner;
pub mod secret;
pub mod several;
pub mod sources;
pub mod technical_user;
pub mod turns;
pub mod unclaimed;
pub mod versions;
pub mod watches;
pub mod workloads;

/// What every reconcile needs. Nothing in it is global.
pub struct Context {
    /// For calls; bounded in time, unlike the client of the watches.
    pub client: Client,
    /// For watches, which are quiet for long.
    pub watching: Client,
    /// Publishes events.
    pub events: event::Publisher,
    /// The uid of the `kube-system` namespace: which cluster we are, on platforms that many clusters share.
    pub cluster: String,
    /// The operator's namespace, where admin Secrets are.
    pub namespace: String,
    /// The connections to platforms.
    pub connections: connections::Connections,
    /// Makes them.
    pub outside: Arc<dyn connections::Connect>,
    /// The watched objects.
    pub stores: Stores,
    /// Who uses what.
    pub index: index::Index,
    /// Wakes objects of other kinds.
    pub wake: watches::Wake,
    /// Whose turn it is.
    pub turns: Arc<turns::Turns>,
    /// Whether Platforms are as the cache has them.
    pub rules: rules::Rules,
    /// What was ordered and not answered.
    pub orders: orders::Orders,
    /// For how long superseded credentials have been watched.
    pub overlaps: overlaps::Overlaps,
    /// Which pods use a Secret.
    pub workloads: workloads::Workloads,
    /// How far from the publication of a credential is far enough, as long as nobody says how long its readers take.
    pub margins: Margins,
    /// The versions that the cache has yet to show.
    pub versions: Arc<versions::Versions>,
    /// Who takes a certificate from which Secret.
    pub sources: sources::Sources,
    /// The Secrets that were just written.
    pub written: secret::written::Written,
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
    /// Which of them have been filled once, by kind.
    pub filled: Filled,
}

/// The kinds whose cache has been filled once. Any number of tasks may wait for them, which a `Store` by itself does not
/// allow: its own `wait_until_ready` wakes only the one that asked last, and its controller is always among those that ask.
#[derive(Default)]
pub struct Filled(watch::Sender<BTreeSet<String>>);

impl Filled {
    /// The cache of this kind is filled.
    pub fn mark(&self, kind: &str) {
        self.0.send_if_modified(|kinds| kinds.insert(kind.to_owned()));
    }

    async fn all(&self) {
        // It cannot fail: the sender is ours.
        let _ = self.0.subscribe().wait_for(|kinds| kinds.len() == Stores::KINDS).await;
    }
}

impl Stores {
    /// How many kinds are cached.
    const KINDS: usize = 4;

    /// Waits until every cache has been filled once. Before that, what is missing in one proves nothing.
    pub async fn filled(&self) {
        self.filled.all().await;
    }

    /// A namespace as access rules see it. One that the cache does not know yet is waited for: nothing can be said of
    /// its labels.
    pub fn namespace(&self, name: &str) -> error::Result<access::Namespace> {
        let unknown = || error::Error::waiting("NamespaceUnknown", format!("namespace {name} is not known yet"));
        let found = self.namespaces.get(&ObjectRef::new(name)).ok_or_else(unknown)?;
        let labels = found.metadata.labels.clone().unwrap_or_default();
        Ok(access::Namespace { name: name.to_owned(), labels })
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

//! One process of the operator: the product's `Context` over what is outside, and reconciles that can stop anywhere.
//!
//! It calls the product's own runner. Which object is reconciled when, how far, and what its caches have seen is the
//! test's to say.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::runtime::reflector::ObjectRef;
use technical_user_operator::controller::connections::{Connection, Connections, State};
use technical_user_operator::controller::event::Publisher;
use technical_user_operator::controller::index::Index;
use technical_user_operator::controller::retry::Retries;
use technical_user_operator::controller::runner::{Reconcile, reconcile};
use technical_user_operator::controller::secret::written::Written;
use technical_user_operator::controller::{Context, watches};
use technical_user_operator::metrics::Metrics;
use technical_user_operator::platform::mirror::Mirror;

use crate::caches::Caches;
use crate::clock::now;
use crate::kubernetes::{Address, Kind, door};
use crate::leash::{FREE, Leash};
use crate::outside::Shared;
use crate::subaccount::driver::driver;

/// The cluster that all operators here are of.
pub const CLUSTER: &str = "cluster";

/// Longer than any reconcile may take.
const HUNG: Duration = Duration::from_mins(30);

type UnderWay = Pin<Box<dyn Future<Output = ()>>>;

/// How far a reconcile came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It ended.
    ToItsEnd,
    /// It stands at the end of its leash.
    ToTheLeash,
    /// There was nothing to reconcile.
    Nowhere,
}

/// One process.
pub struct Operator {
    outside: Shared,
    context: Arc<Context>,
    leash: Arc<Leash>,
    caches: Caches,
    /// What is under way, and how much of the news there was when it began.
    under_way: BTreeMap<Address, (usize, UnderWay)>,
}

impl Operator {
    /// A process that has just started, its caches filled.
    pub fn start(outside: &Shared) -> Self {
        let leash = Arc::new(Leash::default());
        let client = door::client(outside, &leash);
        let (stores, caches) = Caches::new();
        let (_, wake, _) = watches::wire();
        let context = Context {
            events: Publisher::new(client.clone(), "operator".to_owned(), now),
            client,
            cluster: CLUSTER.to_owned(),
            namespace: "operator".to_owned(),
            connections: Connections::default(),
            stores,
            index: Index::default(),
            wake,
            written: Written::default(),
            retries: Retries::default(),
            metrics: Metrics::new(),
            now,
        };
        let mut operator = Self {
            outside: Arc::clone(outside),
            context: Arc::new(context),
            leash,
            caches,
            under_way: BTreeMap::new(),
        };
        operator.catch_up(0);
        operator.connect();
        operator
    }

    /// The caches see everything but the last so many changes.
    pub fn catch_up(&mut self, lag: usize) {
        self.caches.catch_up(&self.outside, &self.context.index, lag);
    }

    /// Connects every Platform to the subaccount that its environment names.
    fn connect(&self) {
        for platform in self.context.stores.platforms.state() {
            let name = platform.metadata.name.clone().unwrap_or_default();
            let at = self.outside.lock().unwrap().place(&serde_json::to_value(&platform.spec.environment).unwrap());
            let driver = driver(&self.outside, &self.leash, at);
            let connection = Connection {
                environment: platform.spec.environment.clone(),
                secrets: String::new(),
                mirror: Mirror::new(driver.clone(), CLUSTER),
                driver,
            };
            self.context.connections.set(&name, State::Up(Arc::new(connection)));
        }
    }

    /// What a Platform's own reconcile does at every resync interval.
    pub async fn refresh(&self) {
        self.leash.give(FREE);
        for platform in self.context.stores.platforms.state() {
            if let State::Up(connection) =
                self.context.connections.get(platform.metadata.name.as_deref().unwrap_or_default())
            {
                let _ = connection.mirror.refresh().await;
            }
        }
    }

    /// Takes an object's reconcile so many steps further, or begins one.
    pub async fn go(&mut self, address: &Address, steps: usize) -> Came {
        let known = self.under_way.remove(address);
        let Some((began, mut future)) = known.or_else(|| Some((self.news(), self.begin(address)?))) else {
            return Came::Nowhere;
        };
        let oldest = self.under_way.values().map(|(began, _)| *began).chain([began]).min();
        self.leash.began(oldest.unwrap_or(began));
        self.leash.give(steps);
        let leash = Arc::clone(&self.leash);
        let came = tokio::select! {
            biased;
            () = &mut future => Came::ToItsEnd,
            () = leash.taut() => Came::ToTheLeash,
            () = tokio::time::sleep(HUNG) => {
                self.outside.lock().unwrap().broken.push(format!("hung: {address:?}"));
                Came::ToItsEnd
            }
        };
        if came == Came::ToTheLeash {
            self.under_way.insert(address.clone(), (began, future));
        }
        came
    }

    /// Everything that is under way comes to its end.
    pub async fn end_all(&mut self) {
        while let Some(address) = self.under_way.keys().next().cloned() {
            self.go(&address, FREE).await;
        }
    }

    fn news(&self) -> usize {
        self.outside.lock().unwrap().kubernetes.news.len()
    }

    fn begin(&self, address: &Address) -> Option<UnderWay> {
        // Time is the test's to pass: no object waits for its next try.
        self.context.retries.forget_all();
        let stores = &self.context.stores;
        match address.kind {
            Kind::TechnicalUser => self.of(stores.technical_user(&address.namespace, &address.name)),
            Kind::RoleBinding => {
                self.of(stores.role_bindings.get(&ObjectRef::new(&address.name).within(&address.namespace)))
            }
            _ => None,
        }
    }

    fn of<K: Reconcile>(&self, object: Option<Arc<K>>) -> Option<UnderWay> {
        let future = reconcile::<K>(object?, Arc::clone(&self.context));
        Some(future.map(|_| ()).boxed_local())
    }
}

impl Drop for Operator {
    /// A crash: what it left running somewhere never does anything again.
    fn drop(&mut self) {
        self.leash.cut();
    }
}

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
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use technical_user_operator::api::Environment;
use technical_user_operator::controller::connections::{Connect, Connections};
use technical_user_operator::controller::event::Publisher;
use technical_user_operator::controller::index::Index;
use technical_user_operator::controller::orders::Orders;
use technical_user_operator::controller::overlaps::Overlaps;
use technical_user_operator::controller::retry::Retries;
use technical_user_operator::controller::rules::Rules;
use technical_user_operator::controller::runner::{Reconcile, reconcile};
use technical_user_operator::controller::secret::written::Written;
use technical_user_operator::controller::sources::Sources;
use technical_user_operator::controller::technical_user::moment;
use technical_user_operator::controller::turns::Turns;
use technical_user_operator::controller::workloads::Workloads;
use technical_user_operator::controller::{Context, watches};
use technical_user_operator::metrics::Metrics;
use technical_user_operator::plan::rollout::Margins;
use technical_user_operator::platform::{self, AdminSecret, Driver};

use crate::caches::Caches;
use crate::clock::now;
use crate::kubernetes::{Address, Kind, door};
use crate::leash::{FREE, Leash};
use crate::manifests::OPERATOR_NAMESPACE;
use crate::outside::{Shared, place_of};
use crate::subaccount::driver::driver;

/// The cluster that all operators here are of.
pub const CLUSTER: &str = "cluster";

/// Longer than any reconcile may take.
const HUNG: Duration = Duration::from_mins(30);

/// How long an order whose outcome is not known is waited for, as usual.
const ORDER_LIMIT: Duration = Duration::from_secs(60);

/// More than there are objects.
const WORKERS: usize = 64;

type UnderWay = Pin<Box<dyn Future<Output = Action>>>;

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
    /// What is under way, and how much of the news its caches had seen when it began.
    under_way: BTreeMap<Address, (usize, UnderWay)>,
    /// When the object that was reconciled last is looked at again.
    pub last: Option<Action>,
}

/// An operator's way to subaccounts: where the admin Secrets lead.
struct Ways {
    outside: Shared,
    leash: Arc<Leash>,
}

impl Connect for Ways {
    fn connect(&self, _: &Environment, secrets: &BTreeMap<String, AdminSecret>) -> platform::Result<Driver> {
        let mut places = vec![];
        for secret in secrets.values() {
            places.push(place_of(secret.address("url")?.as_str()));
        }
        Ok(driver(&self.outside, &self.leash, places[0]))
    }
}

impl Operator {
    /// A process that has just started, its caches filled.
    pub fn start(outside: &Shared) -> Self {
        let leash = Arc::new(Leash::default());
        let client = door::client(outside, &leash);
        let (stores, wake, wiring) = watches::wire();
        let ways = Ways { outside: Arc::clone(outside), leash: Arc::clone(&leash) };
        let context = Context {
            events: Publisher::new(client.clone(), "operator".to_owned(), now),
            client,
            // The watches are the test's: this one never hears anything.
            watching: door::client(outside, &Arc::default()),
            cluster: CLUSTER.to_owned(),
            namespace: OPERATOR_NAMESPACE.to_owned(),
            connections: Connections::default(),
            outside: Arc::new(ways),
            stores,
            index: Index::default(),
            turns: Turns::new(WORKERS, wake.clone()),
            wake,
            rules: Rules::default(),
            orders: Orders::new(ORDER_LIMIT),
            overlaps: Overlaps::default(),
            workloads: Workloads::default(),
            margins: Margins::default(),
            versions: Arc::default(),
            sources: Sources::default(),
            written: Written::default(),
            retries: Retries::default(),
            metrics: Metrics::new(),
            now,
        };
        let (outside, context) = (Arc::clone(outside), Arc::new(context));
        let mut caches = Caches::new(wiring);
        caches.list(&outside.lock().unwrap().kubernetes, &context);
        Self { outside, context, leash, caches, under_way: BTreeMap::new(), last: None }
    }

    /// The caches see everything but the last so many changes.
    pub fn catch_up(&mut self, lag: usize) {
        self.caches.catch_up(&self.outside.lock().unwrap().kubernetes, &self.context, lag);
    }

    /// The watches broke off, missed what happened since, and begin again.
    pub fn list_again(&mut self) {
        self.caches.list(&self.outside.lock().unwrap().kubernetes, &self.context);
    }

    /// Takes an object's reconcile so many steps further, or begins one.
    pub async fn go(&mut self, address: &Address, steps: usize) -> Came {
        let known = self.under_way.remove(address);
        let Some((began, mut future)) = known.or_else(|| Some((self.caches.told(), self.begin(address)?))) else {
            return Came::Nowhere;
        };
        let oldest = self.under_way.values().map(|(began, _)| *began).chain([began]).min();
        self.leash.began(oldest.unwrap_or(began));
        self.leash.give(steps);
        let leash = Arc::clone(&self.leash);
        let came = tokio::select! {
            biased;
            action = &mut future => {
                self.last = Some(action);
                Came::ToItsEnd
            }
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

    /// A whole reconcile by whatever the caches have seen, to be judged by what is so now.
    pub async fn go_by_rules_of_now(&mut self, address: &Address) {
        let now = self.outside.lock().unwrap().kubernetes.news.len();
        if let Some(future) = self.begin(address) {
            self.under_way.insert(address.clone(), (now, future));
            self.go(address, FREE).await;
        }
    }

    /// Whether an object is left alone for a moment, whatever happens to it: also an edition of it that never failed.
    pub fn rests(&self, uid: &str) -> bool {
        const OF_NO_OBJECT: u64 = 0;
        self.context.retries.too_soon(uid, OF_NO_OBJECT).is_some()
    }

    /// How many rotations are overdue, as its caches have it.
    pub fn overdue(&self) -> usize {
        moment::of(&self.context.stores.technical_users, now()).overdue
    }

    /// Everything that is under way comes to its end.
    pub async fn end_all(&mut self) {
        while let Some(address) = self.under_way.keys().next().cloned() {
            self.go(&address, FREE).await;
        }
    }

    fn begin(&self, address: &Address) -> Option<UnderWay> {
        // Time is the test's to pass: no object waits for its next try.
        self.context.retries.forget_all();
        let (stores, namespace, name) = (&self.context.stores, &address.namespace, &address.name);
        match address.kind {
            Kind::Platform => self.of(stores.platform(name)),
            Kind::TechnicalUser => self.of(stores.technical_user(namespace, name)),
            Kind::RoleBinding => self.of(stores.role_bindings.get(&ObjectRef::new(name).within(namespace))),
            _ => None,
        }
    }

    fn of<K: Reconcile>(&self, object: Option<Arc<K>>) -> Option<UnderWay> {
        let future = reconcile::<K>(object?, Arc::clone(&self.context));
        Some(future.map(|Ok(action)| action).boxed_local())
    }
}

impl Drop for Operator {
    /// A crash: what it left running somewhere never does anything again.
    fn drop(&mut self) {
        self.leash.cut();
    }
}

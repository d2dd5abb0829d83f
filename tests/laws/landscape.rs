//! A whole case: what is outside, the operators at work on it, and the way to rest.

use serde_json::{Value, json};

use crate::clock::{self, true_now};
use crate::kubernetes::{Address, Kind};
use crate::leash::FREE;
use crate::manifests::{ADMIN, TEAM, a_platform, admin_secret, an_admin_secret, everything, platform};
use crate::operator::{Came, Operator};
use crate::outside::{Outside, Shared};
use crate::subaccount::weather::{Listing, Weather};
use crate::subaccount::{Shape, Subaccount};

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Within so many undisturbed rounds every landscape comes to rest.
const ROUNDS: usize = 8;

/// Between two rounds: longer than anything waits for an answer that was lost.
const BETWEEN: Duration = Duration::from_secs(61);

/// What the CRDs do not let anybody change.
const FIXED: [&str; 3] = ["platformRef", "identity", "credential"];

/// The whole of it.
pub struct Landscape {
    outside: Shared,
    pub operators: Vec<Operator>,
    pub shape: Shape,
}

/// Runs one case in a time of its own.
pub fn case<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        clock::start();
        run.await
    })
}

impl Landscape {
    /// A namespace, a Platform that allows it everything, and so many operators that all believe they lead.
    pub async fn new(shape: Shape, operators: usize) -> Self {
        let mut outside = Outside::new(true_now);
        outside.subaccounts.extend([Subaccount::new(shape), Subaccount::new(shape)]);
        let store = &mut outside.kubernetes;
        let namespace = Address::new(Kind::Namespace, "", TEAM);
        store.create(&namespace, json!({"metadata": {"labels": {"team": "0"}}})).unwrap();
        store.create(&admin_secret(ADMIN), an_admin_secret(0)).unwrap();
        store.create(&platform(), a_platform(shape, ADMIN, &[everything()])).unwrap();
        let mut landscape = Self { outside: Arc::new(Mutex::new(outside)), operators: vec![], shape };
        for at in 0..operators {
            landscape.operators.push(Operator::start(&landscape.outside));
            landscape.connect(at).await;
        }
        landscape
    }

    /// An operator has its Platforms' own reconciles.
    async fn connect(&mut self, operator: usize) {
        let platforms = self.outside().kubernetes.all(Kind::Platform);
        for address in platforms {
            self.go(operator, &address, 0, FREE).await;
        }
        self.operators[operator].catch_up(0);
    }

    pub fn outside(&self) -> MutexGuard<'_, Outside> {
        self.outside.lock().unwrap()
    }

    /// Somebody applies an object: it is made, or its spec becomes this, but for what cannot be changed.
    pub fn apply(&self, address: &Address, object: &Value) {
        let store = &mut self.outside().kubernetes;
        let Some(old) = store.get(address).cloned() else {
            return drop(store.create(address, object.clone()).unwrap());
        };
        let mut spec = object["spec"].clone();
        for fixed in FIXED {
            spec[fixed].clone_from(&old["spec"][fixed]);
        }
        // What is on its way out takes no edits that matter.
        let _ = store.merge(address, &json!({"spec": spec}), false);
    }

    /// Somebody deletes an object.
    pub fn delete(&self, address: &Address) {
        let _ = self.outside().kubernetes.delete(address, &Value::Null);
    }

    /// A reconcile goes so many steps further.
    pub async fn go(&mut self, operator: usize, address: &Address, lag: usize, steps: usize) -> Came {
        let at = operator % self.operators.len();
        self.operators[at].catch_up(lag);
        self.operators[at].go(address, steps).await
    }

    /// An operator dies wherever it stands, and another starts.
    pub async fn crash(&mut self, operator: usize) {
        let at = operator % self.operators.len();
        self.operators[at] = Operator::start(&self.outside);
        self.connect(at).await;
    }

    /// An operator's watches broke off and begin again.
    pub fn list_again(&mut self, operator: usize) {
        let at = operator % self.operators.len();
        self.operators[at].list_again();
    }

    /// Everything that namespaces have us reconcile.
    pub fn objects(&self) -> Vec<Address> {
        let store = &self.outside().kubernetes;
        [Kind::TechnicalUser, Kind::RoleBinding].into_iter().flat_map(|kind| store.all(kind)).collect()
    }

    /// Nothing disturbs any more: what is under way ends, then one operator has round after round until a round has no
    /// effect.
    pub async fn settle(&mut self) {
        self.calm();
        for operator in &mut self.operators {
            operator.end_all().await;
        }
        self.operators.truncate(1);
        for _ in 0..ROUNDS {
            if self.round().await == 0 {
                return;
            }
        }
        let last = self.last_words();
        self.outside().broken.push(format!("law 1: there is no rest: {last}"));
    }

    /// One undisturbed round of everything, some time later. How many effects it had.
    pub async fn round(&mut self) -> usize {
        tokio::time::advance(BETWEEN).await;
        self.outside().kubernetes.collect_garbage();
        self.outside().subaccounts.iter_mut().for_each(|one| one.finish(true));
        let before = self.outside().effects();
        let platforms = self.outside().kubernetes.all(Kind::Platform);
        for address in platforms.into_iter().chain(self.objects()) {
            self.go(0, &address, 0, FREE).await;
        }
        self.outside().effects() - before
    }

    /// A round by caches that have seen all but what happens last, long enough after it.
    pub async fn round_by_caches(&mut self, last: impl FnOnce(&Self)) {
        self.operators[0].catch_up(0);
        last(self);
        tokio::time::advance(BETWEEN).await;
        for address in self.objects() {
            self.operators[0].go_by_rules_of_now(&address).await;
        }
    }

    fn calm(&self) {
        for subaccount in &mut self.outside().subaccounts {
            subaccount.weather = Weather::Fair;
            subaccount.listing = Listing::True;
        }
    }

    /// What the objects say of themselves.
    fn last_words(&self) -> String {
        let store = &self.outside().kubernetes;
        let said = |kind| {
            store.list(&Address::new(kind, "", "")).map(|(_, one)| one["status"].to_string()).collect::<Vec<_>>()
        };
        [said(Kind::TechnicalUser), said(Kind::RoleBinding)].concat().join("\n")
    }
}

//! Everything outside the operator, behind one lock: a Kubernetes, the subaccounts, and what was seen of broken laws.
//!
//! Effects are judged at the moment they happen; the judge knows the truth, never the plan.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::kubernetes::Store;
use crate::subaccount::Subaccount;

/// Shared by the operators' clients and drivers.
pub type Shared = Arc<Mutex<Outside>>;

/// The whole of it.
pub struct Outside {
    pub kubernetes: Store,
    pub subaccounts: Vec<Subaccount>,
    /// Where admin Secrets lead to, by a word in their names.
    pub secrets: BTreeMap<String, usize>,
    /// How much of the news there was when the reconcile began whose effect is judged.
    pub since: usize,
    /// How many writes operators sent to Kubernetes.
    pub writes: usize,
    /// Laws that were seen broken.
    pub broken: Vec<String>,
}

impl Outside {
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self {
            kubernetes: Store::new(now),
            subaccounts: vec![],
            secrets: BTreeMap::new(),
            since: 0,
            writes: 0,
            broken: vec![],
        }
    }

    /// The subaccount that an environment means: the one that its first admin Secret leads to.
    pub fn place(&self, environment: &Value) -> usize {
        let named = environment.to_string();
        self.secrets.iter().find(|(secret, _)| named.contains(secret.as_str())).map_or(0, |(_, at)| *at)
    }

    /// Everything that operators did, as a number that grows: writes to Kubernetes and effects on subaccounts.
    pub fn effects(&self) -> usize {
        self.writes + self.subaccounts.iter().map(|one| one.effects).sum::<usize>()
    }
}

//! Everything outside the operator, behind one lock: a Kubernetes, the subaccounts, and what was seen of broken laws.
//!
//! Effects are judged at the moment they happen; the judge knows the truth, never the plan.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::judge::field;
use crate::kubernetes::{Address, Kind, Store};
use crate::manifests::OPERATOR_NAMESPACE;
use crate::subaccount::Subaccount;

/// Shared by the operators' clients and drivers.
pub type Shared = Arc<Mutex<Outside>>;

/// The whole of it.
pub struct Outside {
    pub kubernetes: Store,
    pub subaccounts: Vec<Subaccount>,
    /// How much of the news there was when the reconcile began whose effect is judged.
    pub since: usize,
    /// How many writes operators sent to Kubernetes.
    pub writes: usize,
    /// The values that pods have read and use.
    pub used: BTreeSet<String>,
    /// Laws that were seen broken.
    pub broken: Vec<String>,
}

impl Outside {
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self {
            kubernetes: Store::new(now),
            subaccounts: vec![],
            since: 0,
            writes: 0,
            used: BTreeSet::new(),
            broken: vec![],
        }
    }

    /// The subaccount that the admin Secrets of an environment lead to now.
    pub fn place(&self, environment: &Value) -> usize {
        let secrets = Address::new(Kind::Secret, OPERATOR_NAMESPACE, "");
        let named = environment.to_string();
        let mut found = self.kubernetes.list(&secrets).filter(|(secret, _)| named.contains(&secret.name));
        found.next().map_or(0, |(_, secret)| place_of(&field(secret, "url").unwrap_or_default()))
    }

    /// Everything that operators did, as a number that grows: writes to Kubernetes and effects on subaccounts.
    pub fn effects(&self) -> usize {
        self.writes + self.subaccounts.iter().map(|one| one.effects).sum::<usize>()
    }
}

/// The number of the subaccount that an admin credential's URL leads to: `https://place-<number>.example`.
pub fn place_of(url: &str) -> usize {
    url.chars().find_map(|one| one.to_digit(10)).map_or(0, |digit| digit as usize)
}

//! Everything outside the operator, behind one lock: a Kubernetes, the subaccounts, and what was seen of broken laws.
//!
//! Effects are judged at the moment they happen; the judge knows the truth, never the plan.

use std::sync::{Arc, Mutex};

use k8s_openapi::jiff::Timestamp;
use technical_user_operator::api::Environment;

use crate::kubernetes::Store;
use crate::subaccount::Subaccount;

/// Shared by the operators' clients and drivers.
pub type Shared = Arc<Mutex<Outside>>;

/// The whole of it.
pub struct Outside {
    pub kubernetes: Store,
    pub subaccounts: Vec<Subaccount>,
    /// How many writes operators sent to Kubernetes.
    pub writes: usize,
    /// Laws that were seen broken.
    pub broken: Vec<String>,
}

impl Outside {
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self { kubernetes: Store::new(now), subaccounts: vec![], writes: 0, broken: vec![] }
    }

    /// The subaccount that an environment means.
    pub const fn place(&self, _: &Environment) -> usize {
        0
    }

    /// Everything that operators did, as a number that grows: writes to Kubernetes and effects on subaccounts.
    pub fn effects(&self) -> usize {
        self.writes + self.subaccounts.iter().map(|one| one.effects).sum::<usize>()
    }
}

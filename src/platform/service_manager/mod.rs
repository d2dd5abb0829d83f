//! SAP Service Manager: service instances are identities, their bindings are credentials.
//!
//! What is ours carries labels. Names are not unique: two orders of one name may both succeed while the first runs, so
//! whatever carries an owner's labels is that owner's, however many there are. Orders leave it to the broker whether it
//! works in the background; a 202 is watched for a moment and then followed. Every answer that names what it shows is
//! held against what was asked for. It knows nothing of Kubernetes and makes no decision about what should exist.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Provenance;
use super::error::{Error, Kind, Result};
use super::http::Answer;
use super::proof::Prover;
use super::session::Session;
use catalogue::Catalogue;

mod bareness;
mod bindings;
mod catalogue;
pub mod dialect;
mod instances;
mod lists;
mod mark;
mod operation;
mod wire;

/// The collections of what is ours, as they are called in addresses.
const INSTANCES: &str = "service_instances";
const BINDINGS: &str = "service_bindings";

/// The driver for one subaccount.
pub struct ServiceManager {
    session: Session,
    prover: Prover,
    catalogue: Catalogue,
    /// The plan of each instance that was seen, so that the origin of a credential costs no call.
    plans: Mutex<HashMap<String, Seen>>,
}

#[derive(Clone)]
struct Seen {
    name: String,
    plan: String,
}

impl ServiceManager {
    /// A driver that works with this admin credential and proves what it issues with that prover.
    pub fn new(session: Session, prover: Prover) -> Self {
        Self { catalogue: Catalogue::new(session.clone()), session, prover, plans: Mutex::default() }
    }

    /// Where the credentials of an instance come from.
    async fn provenance(&self, instance: &str) -> Result<Provenance> {
        let seen = match self.seen_instance(instance) {
            Some(seen) => seen,
            None => self.read_instance("read service instance", instance).await.map(|shown| self.remember(&shown))?,
        };
        let plan = self.catalogue.by_id(&seen.plan).await?;
        Ok(Provenance {
            label: plan.offering.clone(),
            plan: plan.name.clone(),
            instance_name: seen.name,
            instance_guid: instance.to_owned(),
            tags: plan.tags.clone(),
        })
    }

    async fn read_instance(&self, operation: &'static str, id: &str) -> Result<wire::Instance> {
        let shown: wire::Instance = self.session.get(operation, &["v1", "service_instances", id]).send_json().await?;
        if shown.id == id { Ok(shown) } else { Err(another(operation)) }
    }

    fn seen_instance(&self, id: &str) -> Option<Seen> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn remember(&self, instance: &wire::Instance) -> Seen {
        let seen = Seen { name: instance.name.clone(), plan: instance.service_plan_id.clone() };
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).insert(instance.id.clone(), seen.clone());
        seen
    }

    fn forget_instance(&self, id: &str) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Keeps in mind what was listed, and nothing else.
    fn remember_all(&self, instances: &[wire::Instance]) {
        let seen = |one: &wire::Instance| Seen { name: one.name.clone(), plan: one.service_plan_id.clone() };
        let all = instances.iter().map(|instance| (instance.id.clone(), seen(instance))).collect();
        *self.plans.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

/// The answer shows something else than was asked for.
fn another(operation: &'static str) -> Error {
    Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about something else")
}

/// Whether an answer says without a doubt that what it was to end is gone: 200 with nothing in it, as documented. A 404
/// may be anybody's, and so may an answer about something else.
fn says_gone(answer: &Answer) -> bool {
    let is_empty =
        || answer.json::<serde_json::Map<_, serde_json::Value>>("read answer").is_ok_and(|body| body.is_empty());
    answer.status() == 202 || (answer.status() == 200 && is_empty())
}

/// The error of an order that the platform has taken: what cannot be read in the answer is unknown, not undone.
fn taken(error: Error) -> Error {
    if error.kind() != Kind::UnexpectedAnswer {
        return error;
    }
    Error::new(Kind::OutcomeUnknown, error.operation()).detail(error.detail_text().to_owned())
}

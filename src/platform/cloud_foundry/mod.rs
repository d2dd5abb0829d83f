//! Cloud Foundry, API v3: roles of users in organizations and spaces; service instances in spaces are identities, their
//! keys are credentials.
//!
//! What is ours carries labels. Everything that takes time is a job behind a 202: it is watched for a moment and then
//! followed. A name is one instance's in its space from the moment it is ordered, and one key's at its instance. Users
//! are named by their name and origin, and never looked up before they get a role: the platform shows only those who
//! share an organization with us. It knows nothing of Kubernetes and makes no decision about what should exist.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Provenance;
use super::error::{Error, Kind, Result};
use super::http::Answer;
use super::proof::Prover;
use super::session::Session;
use catalogue::Catalogue;
use places::Places;

mod bareness;
mod catalogue;
mod connect;
mod dialect;
mod instances;
mod job;
mod keys;
mod known;
mod list;
mod mark;
mod places;
mod refusal;
mod role_changes;
mod roles;
mod wire;

/// The collections of what is ours, as they are called in addresses.
const INSTANCES: &str = "service_instances";
const KEYS: &str = "service_credential_bindings";

/// The driver for one Cloud Foundry.
pub struct CloudFoundry {
    session: Session,
    prover: Prover,
    places: Places,
    catalogue: Catalogue,
    /// Name and plan of each instance that was seen, so that the origin of a credential costs no call.
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Clone)]
struct Seen {
    name: String,
    plan: String,
}

impl CloudFoundry {
    /// A driver that works with this admin credential and proves what it issues with that prover.
    pub fn new(session: Session, prover: Prover) -> Self {
        let (places, catalogue) = (Places::new(session.clone()), Catalogue::new(session.clone()));
        Self { session, prover, places, catalogue, seen: Mutex::default() }
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

    async fn read_instance(&self, operation: &'static str, guid: &str) -> Result<wire::Instance> {
        let shown: wire::Instance = self.session.get(operation, &["v3", INSTANCES, guid]).send_json().await?;
        if shown.guid == guid { Ok(shown) } else { Err(another(operation)) }
    }

    fn seen_instance(&self, guid: &str) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(guid).cloned()
    }

    fn remember(&self, instance: &wire::Instance) -> Seen {
        let seen = Seen { name: instance.name.clone(), plan: instance.plan().to_owned() };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(instance.guid.clone(), seen.clone());
        seen
    }

    fn forget_instance(&self, guid: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(guid);
    }

    /// Keeps in mind what was listed, and nothing else.
    fn remember_all(&self, instances: &[wire::Instance]) {
        let seen = |one: &wire::Instance| Seen { name: one.name.clone(), plan: one.plan().to_owned() };
        let all = instances.iter().map(|instance| (instance.guid.clone(), seen(instance))).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

/// The answer shows something else than was asked for.
fn another(operation: &'static str) -> Error {
    Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about something else")
}

/// The error of an order that the platform has taken: what cannot be read in the answer is unknown, not undone.
fn taken(error: Error) -> Error {
    if error.kind() != Kind::UnexpectedAnswer {
        return error;
    }
    Error::new(Kind::OutcomeUnknown, error.operation()).detail(error.detail_text().to_owned())
}

/// It is made, and could not be read.
fn unread(operation: &'static str) -> Error {
    Error::new(Kind::OutcomeUnknown, operation).detail("it is done, and could not be read")
}

/// Whether an order was taken by a job, which alone says when it is done.
fn is_accepted(answer: &Answer) -> bool {
    answer.status() == 202
}

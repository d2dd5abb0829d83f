//! Cloud Foundry, API v3: roles of users in organizations and spaces; service instances in spaces are identities, their
//! keys are credentials.
//!
//! What is ours carries labels. Everything that takes time is a job behind a 202: it is watched for a moment and then
//! followed. A name is one instance's in its space from the moment it is ordered, and one key's at its instance. Users
//! are named by their name and origin, and never looked up before they get a role: the platform shows only those who
//! share an organization with us. It knows nothing of Kubernetes and makes no decision about what should exist.

use super::Provenance;
use super::broker::answer::{another, taken, unread};
use super::broker::instances::{Instances, Seen};
use super::error::Result;
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
    instances: Instances,
}

impl CloudFoundry {
    /// A driver that works with this admin credential and proves what it issues with that prover.
    pub fn new(session: Session, prover: Prover) -> Self {
        let (places, catalogue) = (Places::new(session.clone()), Catalogue::new(session.clone()));
        Self { session, prover, places, catalogue, instances: Instances::default() }
    }

    /// Where the credentials of an instance come from.
    async fn provenance(&self, instance: &str) -> Result<Provenance> {
        let seen = match self.instances.get(instance) {
            Some(seen) => seen,
            None => self.read_instance("read service instance", instance).await.map(|shown| self.remember(&shown))?,
        };
        Ok(self.catalogue.by_id(&seen.plan).await?.provenance(instance, seen))
    }

    async fn read_instance(&self, operation: &'static str, guid: &str) -> Result<wire::Instance> {
        let shown: wire::Instance = self.session.get(operation, &["v3", INSTANCES, guid]).send_json().await?;
        if shown.guid == guid { Ok(shown) } else { Err(another(operation)) }
    }

    fn remember(&self, instance: &wire::Instance) -> Seen {
        self.instances.remember(&instance.guid, instance.seen())
    }
}

/// Whether an order was taken by a job, which alone says when it is done.
fn is_accepted(answer: &Answer) -> bool {
    answer.status() == 202
}

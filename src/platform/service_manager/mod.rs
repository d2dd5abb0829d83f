//! SAP Service Manager: service instances are identities, their bindings are credentials.
//!
//! What is ours carries labels. Names are not unique: two orders of one name may both succeed while the first runs, so
//! whatever carries an owner's labels is that owner's, however many there are. Orders leave it to the broker whether it
//! works in the background; a 202 is watched for a moment and then followed. Every answer that names what it shows is
//! held against what was asked for. It knows nothing of Kubernetes and makes no decision about what should exist.

use super::Provenance;
use super::broker::answer::{another, taken, unread};
use super::broker::instances::{Instances, Seen};
use super::error::Result;
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
    instances: Instances,
}

impl ServiceManager {
    /// A driver that works with this admin credential and proves what it issues with that prover.
    pub fn new(session: Session, prover: Prover) -> Self {
        Self { catalogue: Catalogue::new(session.clone()), session, prover, instances: Instances::default() }
    }

    /// Where the credentials of an instance come from.
    async fn provenance(&self, instance: &str) -> Result<Provenance> {
        let seen = match self.instances.get(instance) {
            Some(seen) => seen,
            None => self.read_instance("read service instance", instance).await.map(|shown| self.remember(&shown))?,
        };
        Ok(self.catalogue.by_id(&seen.plan).await?.provenance(instance, seen))
    }

    async fn read_instance(&self, operation: &'static str, id: &str) -> Result<wire::Instance> {
        let shown: wire::Instance = self.session.get(operation, &["v1", "service_instances", id]).send_json().await?;
        if shown.id == id { Ok(shown) } else { Err(another(operation)) }
    }

    fn remember(&self, instance: &wire::Instance) -> Seen {
        self.instances.remember(&instance.id, instance.seen())
    }
}

/// Whether an answer says without a doubt that what it was to end is gone: 200 with nothing in it, as documented. A 404
/// may be anybody's, and so may an answer about something else.
fn says_gone(answer: &Answer) -> bool {
    let is_empty =
        || answer.json::<serde_json::Map<_, serde_json::Value>>("read answer").is_ok_and(|body| body.is_empty());
    answer.status() == 202 || (answer.status() == 200 && is_empty())
}

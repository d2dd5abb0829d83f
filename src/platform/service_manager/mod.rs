//! SAP Service Manager: service instances are identities, their bindings are credentials.
//!
//! What is ours carries labels, so a lost answer is found again by name and mark. A 202 is watched to its end. It knows
//! nothing of Kubernetes and makes no decision about what should exist.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

use super::Provenance;
use super::budget::Urgency;
use super::error::{Error, Kind, Result};
use super::proof::Prover;
use super::session::Session;
use catalogue::Catalogue;

mod bindings;
mod catalogue;
mod instances;
mod mark;
mod operation;
mod payload;
mod wire;

/// How many items a page has. The platform may give fewer.
const PAGE: &str = "500";
/// More pages than any subaccount fills: 2500 instances, 1000 bindings each.
const MOST_PAGES: usize = 10_000;

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

    /// Every item of a collection that a query finds, page by page.
    async fn pages<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        collection: &str,
        query: &[(&str, String)],
        urgency: Urgency,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let call = self.session.get(operation, &["v1", collection]).urgency(urgency);
            let call = call.query("max_items", PAGE).query("attach_last_operations", "true");
            let call = query.iter().fold(call, |call, (name, value)| call.query(name, value));
            let call = token.iter().fold(call, |call, token| call.query("token", token));
            let page: wire::Page<T> = call.send_json().await?;
            items.extend(page.items.unwrap_or_default());
            match page.token.filter(|token| !token.is_empty()) {
                None => return Ok(items),
                next if next == token => break,
                next => token = next,
            }
        }
        Err(Error::new(Kind::UnexpectedAnswer, operation).detail("the list does not end"))
    }
}

impl ServiceManager {
    /// Where the credentials of an instance come from.
    async fn provenance(&self, instance: &str) -> Result<Provenance> {
        let seen = match self.seen_instance(instance) {
            Some(seen) => seen,
            None => self.read_instance(instance).await?,
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

    async fn read_instance(&self, id: &str) -> Result<Seen> {
        let path = ["v1", "service_instances", id];
        let shown: wire::Instance = self.session.get("read service instance", &path).send_json().await?;
        Ok(self.remember_instance(&shown))
    }

    fn seen_instance(&self, id: &str) -> Option<Seen> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Whether an instance of this name was seen, and not removed by us since.
    fn has_seen(&self, name: &str) -> bool {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).values().any(|seen| seen.name == name)
    }

    fn remember_instance(&self, instance: &wire::Instance) -> Seen {
        let seen = Seen { name: instance.name.clone(), plan: instance.service_plan_id.clone() };
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).insert(instance.id.clone(), seen.clone());
        seen
    }

    fn forget_instance(&self, id: &str) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

//! Offerings and plans: names to ids and back, looked up once and kept.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::mark::equals;
use super::wire;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Session;

const OPERATION: &str = "look up service plan";

/// A plan with what is worth knowing of its offering.
pub struct Plan {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The offering's name.
    pub offering: String,
    /// The offering's tags.
    pub tags: Vec<String>,
}

/// The plans that were looked up so far: a handful, however many instances there are.
pub struct Catalogue {
    session: Session,
    known: Mutex<Vec<Arc<Plan>>>,
}

impl Catalogue {
    /// An empty catalogue.
    pub fn new(session: Session) -> Self {
        Self { session, known: Mutex::default() }
    }

    /// The plan of these names. A plan that is not there yet may come: it needs an entitlement, and some appear only
    /// after their service was activated.
    pub async fn by_name(&self, offering: &str, plan: &str) -> Result<Arc<Plan>> {
        // Held across the look-up on purpose: hundreds who ask at once cost one look-up.
        let mut known = self.known.lock().await;
        if let Some(found) = known.iter().find(|known| known.offering == offering && known.name == plan) {
            return Ok(Arc::clone(found));
        }
        let offering_seen: wire::Offering =
            self.first("service_offerings", &equals("catalog_name", offering))
                .await?
                .ok_or_else(|| missing(&format!("service offering `{offering}` is not available in the subaccount")))?;
        let query =
            format!("{} and {}", equals("catalog_name", plan), equals("service_offering_id", &offering_seen.id));
        let plan_seen: wire::Plan = self.first("service_plans", &query).await?.ok_or_else(|| {
            missing(&format!("plan `{plan}` of service offering `{offering}` is not available in the subaccount"))
        })?;
        Ok(remember(&mut known, plan_seen, offering_seen))
    }

    /// The plan of this id.
    pub async fn by_id(&self, id: &str) -> Result<Arc<Plan>> {
        let mut known = self.known.lock().await;
        if let Some(found) = known.iter().find(|known| known.id == id) {
            return Ok(Arc::clone(found));
        }
        let plan: wire::Plan = self.session.get(OPERATION, &["v1", "service_plans", id]).send_json().await?;
        let path = ["v1", "service_offerings", &plan.service_offering_id];
        let offering = self.session.get(OPERATION, &path).send_json().await?;
        Ok(remember(&mut known, plan, offering))
    }

    /// Forgets a plan: the platform has refused what was known of it.
    pub async fn forget(&self, id: &str) {
        self.known.lock().await.retain(|known| known.id != id);
    }

    async fn first<T: serde::de::DeserializeOwned>(&self, collection: &str, query: &str) -> Result<Option<T>> {
        let call = self.session.get(OPERATION, &["v1", collection]).query("fieldQuery", query).urgency(Urgency::Normal);
        let page: wire::Page<T> = call.send_json().await?;
        Ok(page.items.unwrap_or_default().into_iter().next())
    }
}

fn remember(known: &mut Vec<Arc<Plan>>, plan: wire::Plan, offering: wire::Offering) -> Arc<Plan> {
    let tags = offering.tags.unwrap_or_default();
    let plan = Arc::new(Plan { id: plan.id, name: plan.catalog_name, offering: offering.catalog_name, tags });
    known.push(Arc::clone(&plan));
    plan
}

fn missing(what: &str) -> Error {
    Error::new(Kind::NotFound, OPERATION).detail(format!("{what}; is it entitled, and its service activated?"))
}

//! Offerings and plans: names to guids and back, looked up once and kept for a while.

use std::sync::Arc;

use super::known::Known;
use super::list::{List, only};
use super::{another, wire};
use crate::platform::broker::instances::Plan;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Session;

const OPERATION: &str = "look up service plan";

/// The plans that were looked up so far.
pub struct Catalogue {
    session: Session,
    known: Known<Key, Plan>,
}

/// By what a plan is looked up. Which plans there are is a matter of the space.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Names { space: String, offering: String, plan: String },
    Guid(String),
}

impl Catalogue {
    /// An empty catalogue.
    pub fn new(session: Session) -> Self {
        Self { session, known: Known::default() }
    }

    /// The plan of these names that can be ordered in the space of this guid. One that several brokers offer is refused:
    /// nothing says which is meant.
    pub async fn by_name(&self, space: &str, offering: &str, plan: &str) -> Result<Arc<Plan>> {
        let [space, offering, plan] = [space, offering, plan].map(str::to_owned);
        let key = Key::Names { space: space.clone(), offering: offering.clone(), plan: plan.clone() };
        self.known.get(key, look_by_names(self.session.clone(), space, offering, plan)).await
    }

    /// The plan of this guid.
    pub async fn by_id(&self, guid: &str) -> Result<Arc<Plan>> {
        let look = look_by_guid(self.session.clone(), guid.to_owned());
        self.known.get(Key::Guid(guid.to_owned()), look).await
    }

    /// Forgets a plan: the platform has refused what was known of it.
    pub fn forget(&self, guid: &str) {
        self.known.forget(|_, plan| plan.id == guid);
    }
}

async fn look_by_names(session: Session, space: String, offering: String, plan: String) -> Result<Plan> {
    let (names, offering_names) = (only(&plan), only(&offering));
    let query = [
        ("names", names.as_str()),
        ("service_offering_names", &offering_names),
        ("space_guids", &space),
        ("include", "service_offering"),
    ];
    let listed = List::new(OPERATION, "service_plans", &query).read::<wire::Plan>(&session).await?;
    let is_asked_for =
        listed.items.iter().all(|one| one.name == plan) && listed.offerings.iter().all(|one| one.name == offering);
    if !is_asked_for {
        return Err(another(OPERATION));
    }
    let what = format!("plan `{plan}` of service offering `{offering}`");
    let mut plans = listed.items.into_iter();
    match (plans.next(), plans.next()) {
        (Some(one), None) => {
            let of = wire::guid(one.relationships.service_offering.as_ref()).to_owned();
            let offering = listed.offerings.into_iter().find(|offering| offering.guid == of);
            offering.map(|offering| known(one, offering)).ok_or_else(|| another(OPERATION))
        }
        (Some(_), Some(_)) => {
            Err(Error::new(Kind::Invalid, OPERATION).detail(format!("{what} is offered by several brokers")))
        }
        (None, _) => {
            let detail = format!("{what} is not available in the space; is it entitled, and its service activated?");
            Err(Error::new(Kind::NotFound, OPERATION).detail(detail))
        }
    }
}

async fn look_by_guid(session: Session, guid: String) -> Result<Plan> {
    let plan: wire::Plan = unconfirmed(session.get(OPERATION, &["v3", "service_plans", &guid]).send_json().await)?;
    let of = wire::guid(plan.relationships.service_offering.as_ref()).to_owned();
    let path = ["v3", "service_offerings", &of];
    let offering: wire::Offering = unconfirmed(session.get(OPERATION, &path).send_json().await)?;
    if plan.guid != guid || offering.guid != of {
        return Err(another(OPERATION));
    }
    Ok(known(plan, offering))
}

/// Only what the lists say is remembered as missing: a 404 to a look-up by guid may be anybody's.
fn unconfirmed<T>(shown: Result<T>) -> Result<T> {
    shown.map_err(|error| match error.kind() {
        Kind::NotFound | Kind::Invalid => Error::new(Kind::UnexpectedAnswer, OPERATION).detail(error.detail_text()),
        _ => error,
    })
}

fn known(plan: wire::Plan, offering: wire::Offering) -> Plan {
    Plan { id: plan.guid, name: plan.name, offering: offering.name, tags: offering.tags }
}

//! Offerings and plans: names to ids and back, looked up once and kept.
//!
//! All who ask for the same at once share one look-up, and nobody waits for a look-up of something else. That there is no
//! such plan is kept for a moment too, or every object that names it would ask again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::another;
use super::lists::List;
use super::mark::{equals, one_of};
use super::wire;
use crate::platform::broker::instances::Plan;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Session;

const OPERATION: &str = "look up service plan";
/// How long it is believed that there is no such plan. Some appear only after their service was activated.
const MISSED: Duration = Duration::from_secs(10);

/// The plans that were looked up so far: a handful, however many instances there are.
#[derive(Clone)]
pub struct Catalogue {
    session: Session,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    known: Vec<Arc<Plan>>,
    /// What is not there, and since when that is known.
    missed: BTreeMap<Key, (Instant, Arc<Error>)>,
    looking: BTreeMap<Key, WeakShared<Looking>>,
}

/// By what a plan is looked up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Names { offering: String, plan: String },
    Id(String),
}

type Looking = BoxFuture<'static, Result<Arc<Plan>, Arc<Error>>>;

impl Catalogue {
    /// An empty catalogue.
    pub fn new(session: Session) -> Self {
        Self { session, state: Arc::default() }
    }

    /// The plan of these names. One that several data centres offer is refused: nothing says which is meant.
    pub async fn by_name(&self, offering: &str, plan: &str) -> Result<Arc<Plan>> {
        self.get(Key::Names { offering: offering.to_owned(), plan: plan.to_owned() }).await
    }

    /// The plan of this id.
    pub async fn by_id(&self, id: &str) -> Result<Arc<Plan>> {
        self.get(Key::Id(id.to_owned())).await
    }

    /// Forgets a plan: the platform has refused what was known of it.
    pub fn forget(&self, id: &str) {
        self.state().known.retain(|known| known.id != id);
    }

    async fn get(&self, key: Key) -> Result<Arc<Plan>> {
        let looking = {
            let mut state = self.state();
            if let Some(answer) = state.answer(&key) {
                return answer;
            }
            self.join(&mut state, key)
        };
        looking.await.map_err(|error| error.share())
    }

    /// The look-up that is under way, or a new one.
    fn join(&self, state: &mut State, key: Key) -> Shared<Looking> {
        if let Some(looking) = state.looking.get(&key).and_then(WeakShared::upgrade) {
            return looking;
        }
        let (catalogue, wanted) = (self.clone(), key.clone());
        let look = async move {
            let outcome = catalogue.look(&wanted).await;
            catalogue.state().land(wanted, outcome)
        };
        let looking = look.boxed().shared();
        state.looking.extend(looking.downgrade().map(|weak| (key, weak)));
        looking
    }

    async fn look(&self, key: &Key) -> Result<Plan> {
        match key {
            Key::Names { offering, plan } => self.look_by_names(offering, plan).await,
            Key::Id(id) => self.look_by_id(id).await,
        }
    }

    async fn look_by_names(&self, offering: &str, plan: &str) -> Result<Plan> {
        let named = equals("catalog_name", offering);
        let offerings: Vec<wire::Offering> = self.list("service_offerings", &named).await?;
        if offerings.is_empty() {
            return Err(missing(&format!("service offering `{offering}` is not available in the subaccount")));
        }
        let ids = one_of("service_offering_id", offerings.iter().map(|offering| offering.id.as_str()));
        let query = format!("{} and {ids}", equals("catalog_name", plan));
        let plans: Vec<wire::Plan> = self.list("service_plans", &query).await?;
        let is_asked_for = offerings.iter().all(|one| one.catalog_name == offering)
            && plans.iter().all(|one| one.catalog_name == plan);
        if !is_asked_for {
            return Err(another(OPERATION));
        }
        only(offerings, plans, &format!("plan `{plan}` of service offering `{offering}`"))
    }

    async fn look_by_id(&self, id: &str) -> Result<Plan> {
        let plan: wire::Plan = self.session.get(OPERATION, &["v1", "service_plans", id]).send_json().await?;
        let path = ["v1", "service_offerings", &plan.service_offering_id];
        let offering: wire::Offering = self.session.get(OPERATION, &path).send_json().await?;
        if plan.id != id || offering.id != plan.service_offering_id {
            return Err(another(OPERATION));
        }
        Ok(of(plan, offering))
    }

    async fn list<T: serde::de::DeserializeOwned>(&self, collection: &'static str, query: &str) -> Result<Vec<T>> {
        let read = List::new(OPERATION, collection, ("fieldQuery", query)).read(&self.session).await;
        read.map_err(|error| match error.kind() {
            // Every subaccount has these lists: who does not know them is not the Service Manager.
            Kind::NotFound => Error::new(Kind::UnexpectedAnswer, OPERATION).detail(error.detail_text()),
            _ => error,
        })
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&self, key: &Key) -> Option<Result<Arc<Plan>>> {
        let is_it = |plan: &&Arc<Plan>| match key {
            Key::Names { offering, plan: name } => plan.offering == *offering && plan.name == *name,
            Key::Id(id) => plan.id == *id,
        };
        if let Some(plan) = self.known.iter().find(is_it) {
            return Some(Ok(Arc::clone(plan)));
        }
        let (since, error) = self.missed.get(key)?;
        let left = MISSED.checked_sub(since.elapsed())?;
        Some(Err(error.share().retry_after(Some(left))))
    }

    fn land(&mut self, key: Key, outcome: Result<Plan>) -> Result<Arc<Plan>, Arc<Error>> {
        self.looking.remove(&key);
        self.missed.retain(|_, (since, _)| since.elapsed() < MISSED);
        let found = outcome.map(Arc::new).map_err(Arc::new);
        match &found {
            Ok(plan) => {
                self.known.retain(|known| known.id != plan.id);
                self.known.push(Arc::clone(plan));
            }
            // Only what the lists say is remembered: a 404 to a look-up by id may be anybody's.
            Err(error)
                if matches!(key, Key::Names { .. }) && matches!(error.kind(), Kind::NotFound | Kind::Invalid) =>
            {
                self.missed.insert(key, (Instant::now(), Arc::clone(error)));
            }
            Err(_) => {}
        }
        found
    }
}

/// The one plan that was found. An offering of one name may be there once for each data centre.
fn only(offerings: Vec<wire::Offering>, plans: Vec<wire::Plan>, what: &str) -> Result<Plan> {
    let offering_of = |plan: &wire::Plan| offerings.iter().find(|offering| offering.id == plan.service_offering_id);
    let mut centres: Vec<&str> = plans.iter().filter_map(offering_of).map(wire::Offering::data_centre).collect();
    if plans.len() > 1 {
        centres.sort_unstable();
        let detail = format!("{what} is offered by several data centres: {}", centres.join(", "));
        return Err(Error::new(Kind::Invalid, OPERATION).detail(detail));
    }
    let Some(plan) = plans.into_iter().next() else {
        return Err(missing(&format!("{what} is not available in the subaccount")));
    };
    let offering = offerings.into_iter().find(|offering| offering.id == plan.service_offering_id);
    offering.map(|offering| of(plan, offering)).ok_or_else(|| another(OPERATION))
}

fn of(plan: wire::Plan, offering: wire::Offering) -> Plan {
    let tags = offering.tags.unwrap_or_default();
    Plan { id: plan.id, name: plan.catalog_name, offering: offering.catalog_name, tags }
}

fn missing(what: &str) -> Error {
    Error::new(Kind::NotFound, OPERATION).detail(format!("{what}; is it entitled, and its service activated?"))
}

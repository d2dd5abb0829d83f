//! `/v1/service_instances`: order, look up, list, change, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use crate::frame::{Settings, answer, random};

use super::answering::{self, AsyncQuery};
use super::broker::{Parameters, Wanted};
use super::catalogue::{self, Plan};
use super::labels::{LabelChange, Labels};
use super::listing::ListQuery;
use super::objects::{Instance, Operation, OperationKind};
use super::refusal::{self, Refusal, authorize};
use super::shelf::{Base, Resource};
use super::store::Effect;
use super::{ServiceManager, broker_answer};

/// The one platform all these instances belong to.
const PLATFORM: &str = "service-manager";
/// Fields that `fieldQuery` knows.
const FIELDS: [&str; 9] =
    ["id", "name", "ready", "created_at", "updated_at", "service_plan_id", "platform_id", "usable", "shared"];

/// `CreateByPlanID` or `CreateByOfferingAndPlanName`: one of the two, told apart by [`Order::plan`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    service_plan_id: Option<String>,
    service_offering_name: Option<String>,
    service_plan_name: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
}

/// `UpdateServiceInstanceRequestPayload`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    service_plan_id: Option<String>,
    parameters: Option<Parameters>,
    #[serde(default)]
    labels: Vec<LabelChange>,
}

impl Order {
    /// The plan that is ordered. One that is hidden is refused like one that does not exist.
    fn plan(&self, settings: &Settings) -> Result<&'static Plan, Refusal> {
        match (&self.service_plan_id, &self.service_offering_name, &self.service_plan_name) {
            (Some(id), None, None) => catalogue::plan_by_id(settings, id)
                .ok_or_else(|| Refusal::bad_request(format!("service plan {id} not found or not accessible"))),
            (None, Some(offering), Some(plan)) => {
                let text = format!("service plan {plan} of service offering {offering} not found or not accessible");
                catalogue::plan_by_names(settings, offering, plan).ok_or_else(|| Refusal::bad_request(text))
            }
            _ => Err(Refusal::bad_request(
                "provide either service_plan_id, or service_offering_name and service_plan_name",
            )),
        }
    }
}

/// `POST /v1/service_instances`
pub(crate) async fn create(
    State(manager): State<Arc<ServiceManager>>,
    Query(wish): Query<AsyncQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.manage")?;
    let order: Order = refusal::body(&headers, &body)?;
    if order.name.is_empty() {
        return Err(Refusal::bad_request("missing instance name"));
    }
    let settings = manager.settings();
    let plan = order.plan(&settings)?;
    let run = manager.run(&settings, plan, wish);
    let labels = Labels::of_new(order.labels)?;
    let outcome = provisioned(&settings, plan, &order.parameters);
    let base = Base::ordered(order.name, labels, &manager);
    let operation = Operation::begun(OperationKind::Create, Instance::TYPE, &base.id, &base.created_at);
    manager.with(|store| {
        if store.instances.is_taken(PLATFORM, &base.name) {
            return answering::taken(store, operation, run, Refusal::conflict("service_instances"));
        }
        let id = base.id.clone();
        store.instances.add(Instance { base, plan, parameters: order.parameters, rights: None });
        store.begin(operation.clone(), run.ends, Effect::Provision(outcome));
        store.settle(&manager.subaccount);
        let shown = store.instances.get(&id).map(|instance| answering::instance(store, instance));
        answering::created(store, &operation, run, shown)
    })
}

/// What the broker makes of the order. Asked before anything is stored, so that a synchronous failure and an
/// asynchronous one leave the same behind.
fn provisioned(settings: &Settings, plan: &Plan, parameters: &Parameters) -> Result<Wanted, Refusal> {
    broker_answer(settings, plan, "provisioning", || plan.broker.read(parameters))
}

impl Base {
    /// The common part of an object that has just been ordered.
    pub(crate) fn ordered(name: String, labels: Labels, manager: &ServiceManager) -> Self {
        let stamp = manager.subaccount.frame.clock.stamp();
        Self {
            id: random::uuid(),
            name,
            labels,
            ready: false,
            created_at: stamp.clone(),
            updated_at: stamp,
            last_operation: String::new(),
        }
    }
}

/// `GET /v1/service_instances/{id}`
pub(crate) async fn get(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.read")?;
    manager.with(|store| {
        let instance = store.instances.get(&id).ok_or_else(|| Refusal::not_found(Instance::TYPE))?;
        Ok(answer::json(StatusCode::OK, answering::instance(store, instance)))
    })
}

/// `GET /v1/service_instances`
pub(crate) async fn list(
    State(manager): State<Arc<ServiceManager>>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.read")?;
    let selection = query.understood(&FIELDS)?;
    manager.with(|store| {
        let matching = store.instances.select(&selection.fields, &selection.labels);
        Ok(selection.page(Instance::TYPE, &matching, |instance| {
            let attached = query.attach_last_operations.then(|| store.last_operation(&instance.base)).flatten();
            instance.shown(attached.map(Operation::shown))
        }))
    })
}

/// `PATCH /v1/service_instances/{id}`
pub(crate) async fn change(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    Query(wish): Query<AsyncQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.manage")?;
    let change: Change = refusal::body(&headers, &body)?;
    let settings = manager.settings();
    manager.with(|store| {
        let instance = store.instances.get(&id).ok_or_else(|| Refusal::not_found(Instance::TYPE))?;
        store.free(&instance.base)?;
        let plan = instance.plan;
        if change.service_plan_id.as_deref().is_some_and(|wanted| wanted != plan.id) {
            return Err(Refusal::bad_request("the service plan of this offering is not updatable"));
        }
        let renamed = change.name.as_ref().filter(|name| **name != instance.base.name);
        if renamed.is_some_and(|name| store.instances.is_taken(PLATFORM, name)) {
            return Err(Refusal::conflict("service_instances"));
        }
        let mut labels = instance.base.labels.clone();
        labels.change(&change.labels)?;
        let effect = Effect::Update(updated(&settings, instance, change.parameters));
        let run = manager.run(&settings, plan, wish);
        let stamp = manager.subaccount.frame.clock.stamp();
        let operation = Operation::begun(OperationKind::Update, Instance::TYPE, &id, &stamp);
        store.instances.change(&id, |instance| {
            instance.base.labels = labels;
            instance.base.name = change.name.unwrap_or_else(|| instance.base.name.clone());
        });
        store.begin(operation.clone(), run.ends, effect);
        store.settle(&manager.subaccount);
        let shown = store.instances.get(&id).map(|instance| answering::instance(store, instance));
        answering::changed(store, &operation, run, shown)
    })
}

/// What the changed parameters ask for: those that are named replace the old ones, the others stay.
fn updated(
    settings: &Settings,
    instance: &Instance,
    change: Option<Parameters>,
) -> Result<(Wanted, Parameters), Refusal> {
    let mut parameters = instance.parameters.clone();
    let asks_broker = change.is_some();
    parameters.extend(change.unwrap_or_default());
    let plan = instance.plan;
    let wanted = if asks_broker {
        broker_answer(settings, plan, "updating", || plan.broker.read(&parameters))?
    } else {
        plan.broker.read(&parameters).map_err(|refusal| Refusal::broker("updating", refusal.status, &refusal.text))?
    };
    Ok((wanted, parameters))
}

/// `DELETE /v1/service_instances/{id}`
pub(crate) async fn delete(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    Query(wish): Query<AsyncQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.manage")?;
    let settings = manager.settings();
    manager.with(|store| {
        let instance = store.instances.get(&id).ok_or_else(|| Refusal::not_found(Instance::TYPE))?;
        store.free(&instance.base)?;
        let run = manager.run(&settings, instance.plan, wish);
        let bindings = store.bindings.count_of(&id);
        if !run.asynchronous && bindings > 0 {
            return Err(Refusal::has_bindings(bindings));
        }
        let effect = broker_answer(&settings, instance.plan, "deprovisioning", || Ok(Effect::Deprovision));
        let stamp = manager.subaccount.frame.clock.stamp();
        let operation = Operation::begun(OperationKind::Delete, Instance::TYPE, &id, &stamp);
        store.begin(operation.clone(), run.ends, effect.unwrap_or_else(Effect::Refuse));
        store.settle(&manager.subaccount);
        answering::deleted(store, &operation, run)
    })
}

/// `GET /v1/service_instances/{id}/parameters`: none of these services gives its parameters back.
pub(crate) async fn parameters(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.read")?;
    let exists = manager.with(|store| store.instances.get(&id).is_some());
    if exists {
        Err(Refusal::bad_request("this operation is not supported."))
    } else {
        Err(Refusal::not_found(Instance::TYPE))
    }
}

//! `/v1/service_instances`: order, look up, list, change, delete.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::clients::Opened;
use crate::frame::{Settings, answer, random};
use crate::landscape::Here;

use super::ServiceManager;
use super::answering::{self, AsyncQuery};
use super::broker::Parameters;
use super::catalogue::{self, Plan};
use super::course::{Effect, InstanceChange, Question};
use super::labels::{LabelChange, Labels};
use super::objects::{Instance, Operation, OperationKind};
use super::reading::{found, shown};
use super::refusal::{self, Fields, Refusal, authorize};
use super::shelf::{Base, Resource};
use super::store::Store;

/// The one platform all these instances belong to.
const PLATFORM: &str = "service-manager";

/// `CreateByPlanID` or `CreateByOfferingAndPlanName`: one of the two, told apart by [`Order::plan`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(default)]
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

impl Fields for Order {
    const KNOWN: &'static [&'static str] =
        &["name", "service_plan_id", "service_offering_name", "service_plan_name", "parameters", "labels"];
}

impl Fields for Change {
    const KNOWN: &'static [&'static str] = &["name", "service_plan_id", "parameters", "labels"];
}

impl Order {
    /// The plan that is ordered. One that is hidden is refused like one that does not exist.
    fn plan(&self, settings: &Settings) -> Result<&'static Plan, Refusal> {
        match (&self.service_plan_id, &self.service_offering_name, &self.service_plan_name) {
            (Some(id), None, None) => catalogue::plan_by_id(settings, id).ok_or_else(Refusal::no_plan),
            (None, Some(offering), Some(plan)) => catalogue::plan_by_names(settings, offering, plan),
            _ => Err(Refusal::bad_request(
                "provide either service_plan_id, or service_offering_name and service_plan_name",
            )),
        }
    }
}

/// `POST /v1/service_instances`
pub(crate) async fn create(
    Here(manager): Here<ServiceManager>,
    Query(query): Query<AsyncQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.manage")?;
    let settings = manager.settings();
    let order: Order = refusal::body(&headers, &body, &settings)?;
    let plan = order.plan(&settings)?;
    if order.name.is_empty() {
        return Err(Refusal::no_plan());
    }
    let labels = Labels::of_new(order.labels, manager.subaccount.place)?;
    let base = Base::ordered(order.name, labels, &manager);
    let id = base.id.clone();
    let question = Question { settings: &settings, plan, action: "provisioning", wish: query.wish() };
    let operation = Operation::begun(OperationKind::Create, Instance::TYPE, &id, &base.created_at);
    let instance = Instance { base, plan, parameters: order.parameters, rights: None };
    if let Some(answer) = manager.with(|store| provision(store, question, &operation, instance, manager.now())) {
        return answer;
    }
    answering::ordered(&manager, &operation, question.wish, |store, settings| {
        let shown = store.instances.get(&id).map(|instance| shown(store, settings, instance));
        answer::json(StatusCode::CREATED, shown.unwrap_or_default())
    })
    .await
}

/// Looks whether the name is free, and then asks the broker. Answers only where the name is taken.
fn provision(
    store: &mut Store,
    question: Question<'_>,
    operation: &Operation,
    instance: Instance,
    now: Duration,
) -> Option<Result<Response, Refusal>> {
    if store.instances.is_taken(PLATFORM, &instance.base.name) {
        let conflict = Refusal::conflict("service_instances");
        return Some(answering::refused(store, operation.clone(), question.wish, conflict));
    }
    let (word, opened) = match instance.plan.broker.read(&instance.parameters, question.settings) {
        Ok(opened) => (Ok(()), opened),
        Err(refusal) => (Err(refusal), Opened::default()),
    };
    let effect = Effect::Provision { row: Some(Box::new(instance)), opened };
    store.order(operation.clone(), question.course(now, word, effect));
    None
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
            made: Duration::ZERO,
            place: manager.subaccount.place,
        }
    }
}

/// `PATCH /v1/service_instances/{id}`
pub(crate) async fn change(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    Query(query): Query<AsyncQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.manage")?;
    let settings = manager.settings();
    let change: Change = refusal::body(&headers, &body, &settings)?;
    let (wish, stamp) = (query.wish(), manager.subaccount.frame.clock.stamp());
    let operation = Operation::begun(OperationKind::Update, Instance::TYPE, &id, &stamp);
    let ordered = manager.with(|store| {
        let instance = found::<Instance>(store, &id)?;
        if store.running(&instance.base).is_some() {
            return Err(Refusal::in_progress());
        }
        let question = Question { settings: &settings, plan: instance.plan, action: "update instance", wish };
        update(store, question, &operation, change, manager.now())
    })?;
    if let Some(answer) = ordered {
        return Ok(answer);
    }
    answering::ordered(&manager, &operation, wish, |store, settings| {
        let shown = store.instances.get(&id).map(|instance| shown(store, settings, instance));
        answer::json(StatusCode::OK, shown.unwrap_or_default())
    })
    .await
}

/// Asks the broker for a change. Answers only where the new name is taken.
fn update(
    store: &mut Store,
    question: Question<'_>,
    operation: &Operation,
    change: Change,
    now: Duration,
) -> Result<Option<Response>, Refusal> {
    let instance = store.instances.get(&operation.resource_id);
    let instance = instance.ok_or_else(|| Refusal::not_found(Instance::TYPE))?;
    if change.service_plan_id.as_deref().is_some_and(|wanted| wanted != question.plan.id) {
        return Err(Refusal::bad_request("the service plan of this offering is not updatable"));
    }
    let renamed = change.name.as_ref().filter(|name| **name != instance.base.name);
    if renamed.is_some_and(|name| store.instances.is_taken(PLATFORM, name)) {
        let conflict = Refusal::conflict("service_instances");
        return answering::refused(store, operation.clone(), question.wish, conflict).map(Some);
    }
    let mut labels = instance.base.labels.clone();
    labels.change(&change.labels)?;
    let name = change.name.unwrap_or_else(|| instance.base.name.clone());
    // Parameters that are named replace the old ones, the others stay.
    let mut parameters = instance.parameters.clone();
    parameters.extend(change.parameters.unwrap_or_default());
    let (word, opened) = match question.plan.broker.read(&parameters, question.settings) {
        Ok(opened) => (Ok(()), opened),
        Err(refusal) => (Err(refusal), Opened::default()),
    };
    let effect = Effect::Update { change: Box::new(InstanceChange { name, labels, parameters }), opened };
    store.order(operation.clone(), question.course(now, word, effect));
    Ok(None)
}

/// `DELETE /v1/service_instances/{id}`: allowed while the instance is being made or changed, as in the open core.
pub(crate) async fn delete(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    Query(query): Query<AsyncQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_instance.manage")?;
    let settings = manager.settings();
    let (wish, stamp) = (query.wish(), manager.subaccount.frame.clock.stamp());
    let operation = Operation::begun(OperationKind::Delete, Instance::TYPE, &id, &stamp);
    let ordered = manager.with(|store| {
        let instance = found::<Instance>(store, &id)?;
        if store.running(&instance.base) == Some(OperationKind::Delete) {
            return Err(Refusal::in_progress());
        }
        let question = Question { settings: &settings, plan: instance.plan, action: "deprovisioning", wish };
        let bindings = store.bindings.count_of(&id);
        if bindings > 0 {
            return answering::refused(store, operation.clone(), wish, Refusal::has_bindings(bindings)).map(Some);
        }
        store.order(operation.clone(), question.course(manager.now(), Ok(()), Effect::Deprovision));
        Ok(None)
    })?;
    if let Some(answer) = ordered {
        return Ok(answer);
    }
    let done = |_: &Store, _: &Settings| answer::json(StatusCode::OK, json!({}));
    answering::ordered(&manager, &operation, wish, done).await
}

//! `/v1/service_bindings`: make keys, look them up (each time with their credentials), rename, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::clients::Rights;
use crate::frame::answer;

use super::answering::{self, AsyncQuery, Run};
use super::broker::{KeyOrder, Parameters};
use super::catalogue::Plan;
use super::labels::{LabelChange, Labels};
use super::listing::ListQuery;
use super::objects::{Binding, Operation, OperationKind};
use super::refusal::{self, Refusal, authorize};
use super::shelf::{Base, Resource};
use super::store::Effect;
use super::{ServiceManager, broker_answer};

/// Fields that `fieldQuery` knows.
const FIELDS: [&str; 6] = ["id", "name", "ready", "created_at", "updated_at", "service_instance_id"];

/// `CreateServiceBindingRequestPayload`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    service_instance_id: String,
    #[serde(default)]
    parameters: Parameters,
    bind_resource: Option<Value>,
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
}

/// What SAP's own Kubernetes operator sends to rename a binding; the OpenAPI document does not have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    #[serde(default)]
    labels: Vec<LabelChange>,
}

/// What is needed to make the key after the lock has been given back.
struct KeyMaking {
    plan: &'static Plan,
    rights: Arc<Rights>,
    instance_parameters: Parameters,
    operation: Operation,
    run: Run,
}

/// Whether the name was to be had.
enum Reservation {
    /// It was, and is taken now: the key can be made.
    Free(Box<KeyMaking>),
    /// It was not, and this says so.
    Taken(Response),
}

/// `POST /v1/service_bindings`
pub(crate) async fn create(
    State(manager): State<Arc<ServiceManager>>,
    Query(wish): Query<AsyncQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.manage")?;
    let mut order: Order = refusal::body(&headers, &body)?;
    if order.name.is_empty() {
        return Err(Refusal::bad_request("missing binding name"));
    }
    let parameters = std::mem::take(&mut order.parameters);
    let making = match reserve(&manager, order, wish)? {
        Reservation::Free(making) => making,
        Reservation::Taken(answer) => return Ok(answer),
    };
    // On a thread of its own, and to the end even if the client hangs up: a key pair takes its time.
    let finished = tokio::task::spawn_blocking(move || make(&manager, &making, &parameters)).await;
    finished.unwrap_or_else(|_| Err(Refusal::bad_request("the binding could not be made")))
}

/// Puts the binding on the shelf, not ready yet, so that its name is taken while its key is made.
fn reserve(manager: &ServiceManager, order: Order, wish: AsyncQuery) -> Result<Reservation, Refusal> {
    let labels = Labels::of_new(order.labels)?;
    let settings = manager.settings();
    let base = Base::ordered(order.name, labels, manager);
    let operation = Operation::begun(OperationKind::Create, Binding::TYPE, &base.id, &base.created_at);
    manager.with(|store| {
        let instance = store.instances.get(&order.service_instance_id);
        let instance = instance.ok_or_else(|| Refusal::not_found("/v1/service_instances"))?;
        store.free(&instance.base)?;
        let plan = instance.plan;
        if base.name.chars().count() > plan.broker.longest_key_name() {
            return Err(Refusal::bad_request("the name of the service binding is too long for this service"));
        }
        let rights = instance.rights.clone().filter(|_| instance.base.ready);
        let rights = rights.ok_or_else(|| Refusal::bad_request("the service instance is not ready"))?;
        let run = manager.run(&settings, plan, wish);
        if store.bindings.is_taken(&order.service_instance_id, &base.name) {
            let conflict = Refusal::conflict("service_bindings");
            return answering::taken(store, operation, run, conflict).map(Reservation::Taken);
        }
        let instance_parameters = instance.parameters.clone();
        let instance_name = instance.base.name.clone();
        store.bindings.add(Binding {
            base,
            instance_id: order.service_instance_id,
            instance_name,
            credentials: Value::Null,
            client_id: None,
            bind_resource: order.bind_resource,
        });
        store.track(operation.clone());
        Ok(Reservation::Free(Box::new(KeyMaking { plan, rights, instance_parameters, operation, run })))
    })
}

/// Makes the key and ends the operation with it.
fn make(manager: &ServiceManager, making: &KeyMaking, parameters: &Parameters) -> Result<Response, Refusal> {
    let id = making.operation.resource_id.as_str();
    let instance_id = manager.with(|store| store.bindings.get(id).map(|binding| binding.instance_id.clone()));
    let order = KeyOrder {
        subaccount: &manager.subaccount,
        instance_id: instance_id.as_deref().unwrap_or_default(),
        instance_parameters: &making.instance_parameters,
        rights: Arc::clone(&making.rights),
        parameters,
    };
    let settings = manager.settings();
    let key = broker_answer(&settings, making.plan, "binding", || making.plan.broker.make_key(&order));
    manager.with(|store| {
        store.end_with(&making.operation.id, making.run.ends, Effect::Bind(key));
        store.settle(&manager.subaccount);
        let shown = store.bindings.get(id).map(|binding| answering::binding(store, binding));
        answering::created(store, &making.operation, making.run, shown)
    })
}

/// `GET /v1/service_bindings/{id}`
pub(crate) async fn get(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.read")?;
    manager.with(|store| {
        let binding = store.bindings.get(&id).ok_or_else(|| Refusal::not_found(Binding::TYPE))?;
        Ok(answer::json(StatusCode::OK, answering::binding(store, binding)))
    })
}

/// `GET /v1/service_bindings`
pub(crate) async fn list(
    State(manager): State<Arc<ServiceManager>>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.read")?;
    let selection = query.understood(&FIELDS)?;
    manager.with(|store| {
        let matching = store.bindings.select(&selection.fields, &selection.labels);
        Ok(selection.page(Binding::TYPE, &matching, |binding| {
            let attached = query.attach_last_operations.then(|| store.last_operation(&binding.base)).flatten();
            binding.shown(attached.map(Operation::shown))
        }))
    })
}

/// `PATCH /v1/service_bindings/{id}`: name and labels; a binding's parameters and credentials never change.
pub(crate) async fn change(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.manage")?;
    let change: Change = refusal::body(&headers, &body)?;
    let stamp = manager.subaccount.frame.clock.stamp();
    manager.with(|store| {
        let binding = store.bindings.get(&id).ok_or_else(|| Refusal::not_found(Binding::TYPE))?;
        store.free(&binding.base)?;
        let renamed = change.name.as_ref().filter(|name| **name != binding.base.name);
        if renamed.is_some_and(|name| store.bindings.is_taken(&binding.instance_id, name)) {
            return Err(Refusal::conflict("service_bindings"));
        }
        let mut labels = binding.base.labels.clone();
        labels.change(&change.labels)?;
        store.bindings.change(&id, |binding| {
            binding.base.labels = labels;
            binding.base.updated_at = stamp;
            binding.base.name = change.name.unwrap_or_else(|| binding.base.name.clone());
        });
        let binding = store.bindings.get(&id).ok_or_else(|| Refusal::not_found(Binding::TYPE))?;
        Ok(answer::json(StatusCode::OK, answering::binding(store, binding)))
    })
}

/// `DELETE /v1/service_bindings/{id}`
pub(crate) async fn delete(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    Query(wish): Query<AsyncQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.manage")?;
    let settings = manager.settings();
    manager.with(|store| {
        let binding = store.bindings.get(&id).ok_or_else(|| Refusal::not_found(Binding::TYPE))?;
        store.free(&binding.base)?;
        let instance = store.instances.get(&binding.instance_id);
        let plan = instance.map(|instance| instance.plan).ok_or_else(|| Refusal::not_found(Binding::TYPE))?;
        let run = manager.run(&settings, plan, wish);
        let effect = broker_answer(&settings, plan, "unbinding", || Ok(Effect::Unbind));
        let stamp = manager.subaccount.frame.clock.stamp();
        let operation = Operation::begun(OperationKind::Delete, Binding::TYPE, &id, &stamp);
        store.begin(operation.clone(), run.ends, effect.unwrap_or_else(Effect::Refuse));
        store.settle(&manager.subaccount);
        answering::deleted(store, &operation, run)
    })
}

/// `GET /v1/service_bindings/{id}/parameters`: none of these services gives its parameters back.
pub(crate) async fn parameters(
    State(manager): State<Arc<ServiceManager>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.read")?;
    let exists = manager.with(|store| store.bindings.get(&id).is_some());
    if exists {
        Err(Refusal::bad_request("this operation is not supported."))
    } else {
        Err(Refusal::not_found(Binding::TYPE))
    }
}

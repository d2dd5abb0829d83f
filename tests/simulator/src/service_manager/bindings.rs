//! `/v1/service_bindings`: make keys, look them up (each time with their credentials), rename, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clients::Rights;
use crate::frame::{Settings, answer};
use crate::landscape::Here;

use super::ServiceManager;
use super::answering::{self, AsyncQuery, Wish};
use super::broker::{Key, KeyOrder, Parameters};
use super::catalogue::Plan;
use super::course::{Effect, Question};
use super::labels::{LabelChange, Labels};
use super::objects::{Binding, Instance, Operation, OperationKind};
use super::reading::{found, shown};
use super::refusal::{self, Fields, Refusal, authorize};
use super::shelf::{Base, Resource};
use super::store::Store;

/// Most bindings of an instance (SAP Help Portal, "Limits for Technical Artifacts").
const MOST_BINDINGS: usize = 1000;

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

impl Fields for Order {
    const KNOWN: &'static [&'static str] = &["name", "service_instance_id", "parameters", "bind_resource", "labels"];
}

impl Fields for Change {
    const KNOWN: &'static [&'static str] = &["name", "labels"];
}

/// What has to be known of an instance to make a key of it.
struct Bound {
    plan: &'static Plan,
    name: String,
    rights: Arc<Rights>,
    parameters: Parameters,
}

/// `POST /v1/service_bindings`
pub(crate) async fn create(
    Here(manager): Here<ServiceManager>,
    Query(query): Query<AsyncQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.manage")?;
    let settings = manager.settings();
    let mut order: Order = refusal::body(&headers, &body, &settings)?;
    if order.name.is_empty() {
        return Err(Refusal::bad_request("missing binding name"));
    }
    let labels = Labels::of_new(std::mem::take(&mut order.labels), manager.subaccount.place)?;
    let base = Base::ordered(std::mem::take(&mut order.name), labels, &manager);
    let (id, wish) = (base.id.clone(), query.wish());
    let operation = Operation::begun(OperationKind::Create, Binding::TYPE, &id, &base.created_at);
    let bound = match manager.with(|store| bindable(store, &order.service_instance_id, &base))? {
        Ok(bound) => bound,
        Err(refusal) => return manager.with(|store| answering::refused(store, operation, wish, refusal)),
    };
    let asking = Arc::clone(&manager);
    let (ordered, begun) = (operation.clone(), settings.clone());
    // On a thread of its own, and to the end even if the client hangs up: a key pair takes its time.
    let asked = tokio::task::spawn_blocking(move || bind(&asking, &begun, wish, ordered, base, bound, order)).await;
    asked.map_err(|_| Refusal::internal())?;
    answering::ordered(&manager, &operation, wish, |store, settings| {
        let shown = store.bindings.get(&id).map(|binding| shown(store, settings, binding));
        answer::json(StatusCode::CREATED, shown.unwrap_or_default())
    })
    .await
}

/// The instance to bind. The outer error is answered at once, the inner one as the client wishes.
fn bindable(store: &Store, instance_id: &str, base: &Base) -> Result<Result<Bound, Refusal>, Refusal> {
    let instance = store.instances.get(instance_id).ok_or_else(|| Refusal::not_found(Instance::TYPE))?;
    if base.name.chars().count() > instance.plan.broker.longest_key_name() {
        return Err(Refusal::bad_request("the name of the service binding is too long for this service"));
    }
    if store.bindings.count_of(instance_id) >= MOST_BINDINGS {
        return Err(Refusal::bad_request("the service instance has the maximum number of bindings"));
    }
    if store.bindings.is_taken(instance_id, &base.name) {
        return Ok(Err(Refusal::conflict("service_bindings")));
    }
    let name = &instance.base.name;
    if store.running(&instance.base) == Some(OperationKind::Delete) {
        return Ok(Err(Refusal::not_usable(format!("instance {name} is in state of deletion"))));
    }
    let Some(rights) = instance.rights.clone().filter(|_| instance.base.ready) else {
        let text = format!("creation of instance {name} is still in progress or failed");
        return Ok(Err(Refusal::not_usable(text)));
    };
    Ok(Ok(Bound { plan: instance.plan, name: name.clone(), rights, parameters: instance.parameters.clone() }))
}

/// Asks the broker for the key.
fn bind(
    manager: &ServiceManager,
    settings: &Settings,
    wish: Wish,
    operation: Operation,
    base: Base,
    bound: Bound,
    order: Order,
) {
    let question = Question { settings, plan: bound.plan, action: "bind", wish };
    let wanted = KeyOrder {
        subaccount: &manager.subaccount,
        instance_id: &order.service_instance_id,
        instance_parameters: &bound.parameters,
        rights: bound.rights,
        parameters: &order.parameters,
    };
    let made = if question.is_broken() { Ok(Key::default()) } else { bound.plan.broker.make_key(&wanted) };
    let (word, key) = match made {
        Ok(key) => (Ok(()), Some(key)),
        Err(refusal) => (Err(refusal), None),
    };
    let binding = Binding {
        base,
        instance_id: order.service_instance_id,
        instance_name: bound.name,
        credentials: Value::Null,
        client_id: None,
        bind_resource: order.bind_resource,
    };
    let effect = Effect::Bind { row: Some(Box::new(binding)), key };
    let course = question.course(manager.now(), word, effect);
    manager.with(|store| store.order(operation, course));
}

/// `PATCH /v1/service_bindings/{id}`: name and labels; a binding's parameters and credentials never change.
pub(crate) async fn change(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.manage")?;
    let settings = manager.settings();
    let change: Change = refusal::body(&headers, &body, &settings)?;
    let stamp = manager.subaccount.frame.clock.stamp();
    manager.with(|store| {
        let binding = found::<Binding>(store, &id)?;
        if store.running(&binding.base).is_some() {
            return Err(Refusal::in_progress());
        }
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
        let binding = found::<Binding>(store, &id)?;
        Ok(answer::json(StatusCode::OK, shown(store, &settings, binding)))
    })
}

/// `DELETE /v1/service_bindings/{id}`
pub(crate) async fn delete(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    Query(query): Query<AsyncQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_binding.manage")?;
    let settings = manager.settings();
    let (wish, stamp) = (query.wish(), manager.subaccount.frame.clock.stamp());
    let operation = Operation::begun(OperationKind::Delete, Binding::TYPE, &id, &stamp);
    manager.with(|store| {
        let binding = found::<Binding>(store, &id)?;
        if store.running(&binding.base) == Some(OperationKind::Delete) {
            return Err(Refusal::in_progress());
        }
        let plan = store.instances.get(&binding.instance_id).map(|instance| instance.plan);
        let plan = plan.ok_or_else(|| Refusal::not_found(Binding::TYPE))?;
        let question = Question { settings: &settings, plan, action: "unbind", wish };
        store.order(operation.clone(), question.course(manager.now(), Ok(()), Effect::Unbind));
        Ok(())
    })?;
    let done = |_: &Store, _: &Settings| answer::json(StatusCode::OK, json!({}));
    answering::ordered(&manager, &operation, wish, done).await
}

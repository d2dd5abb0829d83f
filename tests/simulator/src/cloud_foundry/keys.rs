//! `/v3/service_credential_bindings`: service keys (cloud_controller_ng,
//! `app/controllers/v3/service_credential_bindings_controller.rb`, `app/actions/service_credential_binding_key_create.rb`).
//! There are no apps here to be bound.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::clients::Rights;
use crate::frame::{answer, random};
use crate::service_manager::{BrokerRefusal, Key, KeyOrder, Parameters, Plan};

use super::CloudFoundry;
use super::access::Caller;
use super::jobs::{Effect, INSTANCE, Job, KEY};
use super::marketplace;
use super::permitted::{Reader, Writer};
use super::places::ordered;
use super::refusal::{self, Refusal};
use super::store::{Base, Instance, LastOperation, ServiceKey, Store};

/// A key as answers show it; never its credentials.
pub(super) fn shown(cloud: &CloudFoundry, key: &ServiceKey) -> Value {
    let path = format!("/v3/service_credential_bindings/{}", key.base.guid);
    key.base.shown(json!({
        "name": key.name, "type": "key", "last_operation": key.last_operation.shown(),
        "relationships": {"service_instance": {"data": {"guid": key.instance}}},
        "links": {"self": cloud.link(&path), "details": cloud.link(&format!("{path}/details")),
                  "parameters": cloud.link(&format!("{path}/parameters")),
                  "service_instance": cloud.link(&format!("/v3/service_instances/{}", key.instance))},
    }))
}

/// The key and its instance, if the caller may see them.
fn found<'a>(caller: &Caller, store: &'a Store, guid: &str) -> Result<(&'a ServiceKey, &'a Instance), Refusal> {
    let pair = store.key(guid).and_then(|key| Some((key, store.instance(&key.instance)?)));
    let seen = pair.filter(|(_, instance)| caller.sees_space(store, &instance.space));
    seen.ok_or_else(|| Refusal::not_found("Service credential binding"))
}

/// The same, if the caller may change them.
fn to_change<'a>(caller: &Caller, store: &'a Store, guid: &str) -> Result<(&'a ServiceKey, &'a Instance), Refusal> {
    let pair = found(caller, store, guid)?;
    if caller.develops(store, &pair.1.space) { Ok(pair) } else { Err(Refusal::not_authorized()) }
}

/// `GET /v3/service_credential_bindings`
pub(super) async fn list(Reader { cloud, caller }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let known = [
        "names",
        "type",
        "service_instance_guids",
        "service_instance_names",
        "service_plan_guids",
        "service_plan_names",
        "service_offering_guids",
        "service_offering_names",
        "app_guids",
        "app_names",
        "include",
        "label_selector",
    ];
    let query = cloud.query(raw.as_deref(), &known)?;
    cloud.with(|store| {
        let store = &*store;
        let mut found: Vec<(&ServiceKey, &Instance)> = store
            .keys
            .iter()
            .filter(|key| query.allows("service_instance_guids", &key.instance) && query.allows("type", "key"))
            .filter(|key| query.allows("names", &key.name) && query.allows("guids", &key.base.guid))
            .filter(|key| query.labels().meets(&key.base.metadata))
            .filter(|_| query.text("app_guids").is_none() && query.text("app_names").is_none())
            .filter_map(|key| Some((key, store.instance(&key.instance)?)))
            .filter(|(_, one)| query.allows("service_instance_names", &one.name))
            .filter(|(_, one)| query.allows("service_plan_guids", one.plan.id))
            .filter(|(_, one)| query.allows("service_plan_names", one.plan.name))
            .filter(|(_, one)| query.allows("service_offering_guids", one.plan.offering_id))
            .filter(|(_, one)| {
                marketplace::offering_of(one.plan).is_some_and(|of| query.allows("service_offering_names", of.name))
            })
            .filter(|(_, one)| caller.sees_space(store, &one.space))
            .collect();
        query.sort(&mut found, |(key, _)| ordered(&key.base, &key.name));
        let page = query.slice(&found);
        let list = format!("{}/v3/service_credential_bindings", cloud.url());
        let mut body = query.envelope(&list, found.len(), page.iter().map(|(key, _)| shown(&cloud, key)).collect());
        if query.includes("service_instance") {
            let around = store.instances.iter().filter(|one| page.iter().any(|(key, _)| key.instance == one.base.guid));
            let around: Vec<Value> = around.map(|one| super::instances::shown(&cloud, one)).collect();
            body["included"] = json!({"service_instances": around});
        }
        Ok(answer::json(StatusCode::OK, body))
    })
}

/// `GET /v3/service_credential_bindings/{guid}`
pub(super) async fn get(Reader { cloud, caller }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| Ok(answer::json(StatusCode::OK, shown(&cloud, found(&caller, store, &guid)?.0))))
}

/// A key that is ordered.
struct Order {
    name: String,
    instance: String,
    parameters: Parameters,
    metadata: Option<Value>,
}

impl Order {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let fields = refusal::body(headers, body, &["type", "name", "parameters", "relationships", "metadata"])?;
        match fields.get("type").and_then(Value::as_str) {
            Some("key") => {}
            Some("app") => return Err(Refusal::unprocessable("Bindings of apps are not simulated")),
            _ => return Err(Refusal::unprocessable("Type must be 'app' or 'key'")),
        }
        let blank = |what: &str| Refusal::unprocessable(format!("{what} can't be blank"));
        let name = fields.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let instance = refusal::related(&fields, "service_instance");
        Ok(Self {
            name: name.map(str::to_owned).ok_or_else(|| blank("Name"))?,
            instance: instance.ok_or_else(|| blank("Relationships Service instance"))?,
            parameters: super::order::parameters(&fields)?.unwrap_or_default(),
            metadata: fields.get("metadata").cloned(),
        })
    }
}

/// What the broker needs to make a key.
struct Bound {
    plan: &'static Plan,
    rights: Arc<Rights>,
    parameters: Parameters,
}

/// `POST /v3/service_credential_bindings`
pub(super) async fn create(
    Writer { cloud, caller }: Writer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let order = Order::read(&headers, &body)?;
    let (job, bound) = cloud.with(|store| {
        let bound = bindable(&caller, store, &order.instance)?;
        store.make_room_for_key(&order.instance, &order.name)?;
        let now = cloud.stamp();
        let mut base = Base::new(random::uuid(), now.clone());
        base.metadata.change(order.metadata.as_ref())?;
        let job = Job::new("service_bindings.create", "service_credential_binding", &base.guid, &now);
        store.keys.push(ServiceKey {
            base,
            name: order.name.clone(),
            instance: order.instance.clone(),
            credentials: json!({}),
            client_id: None,
            last_operation: LastOperation::begun("create", "initial", &now),
        });
        Ok((cloud.ask_broker(store, job, bound.plan, Effect::Bind { made: None }), bound))
    })?;
    let answer = cloud.accepted(&job);
    // On a thread of its own, and nobody waits for it here: a key pair takes its time.
    drop(tokio::task::spawn_blocking(move || {
        let made = make(&cloud, &order, bound);
        if let Err(Some(unwanted)) = cloud.store.write(|store| store.made(&job, made)) {
            cloud.subaccount.clients.remove(&unwanted);
        }
    }));
    Ok(answer)
}

/// The instance to make a key of, if that is allowed now.
fn bindable(caller: &Caller, store: &Store, guid: &str) -> Result<Bound, Refusal> {
    let instance = store.instance(guid).filter(|one| caller.sees_space(store, &one.space));
    let missing = || Refusal::unprocessable(format!("The service instance could not be found: '{guid}'"));
    let instance = instance.ok_or_else(missing)?;
    if !caller.develops(store, &instance.space) {
        return Err(Refusal::not_authorized());
    }
    if instance.last_operation.runs() {
        return Err(INSTANCE.busy());
    }
    let rights = instance.rights.clone().ok_or_else(|| Refusal::unprocessable("Service instance not found"))?;
    Ok(Bound { plan: instance.plan, rights, parameters: instance.parameters.clone() })
}

fn make(cloud: &CloudFoundry, order: &Order, bound: Bound) -> Result<Key, BrokerRefusal> {
    if order.name.chars().count() > bound.plan.broker.longest_key_name() {
        return Err(BrokerRefusal::parameters("the name of the service key is too long for this service"));
    }
    bound.plan.broker.make_key(&KeyOrder {
        subaccount: &cloud.subaccount,
        instance_id: &order.instance,
        instance_parameters: &bound.parameters,
        rights: bound.rights,
        parameters: &order.parameters,
    })
}

impl Store {
    /// Whether the name is free at the instance; a key that was never made gives it up.
    fn make_room_for_key(&mut self, instance: &str, name: &str) -> Result<(), Refusal> {
        let same = |key: &ServiceKey| key.instance == instance && key.name == name;
        let text = "The binding name is invalid. Key binding names must be unique. The service instance already has a \
                    key binding with";
        match self.keys.iter().find(|key| same(key)).map(|key| &key.last_operation) {
            Some(operation) if operation.kind == "delete" => Err(Refusal::unprocessable(format!(
                "{text} the name '{name}' that is getting deleted or its deletion failed."
            ))),
            Some(operation) if !operation.is("create", "failed") => {
                Err(Refusal::unprocessable(format!("{text} name '{name}'.")))
            }
            _ => {
                self.keys.retain(|key| !same(key));
                Ok(())
            }
        }
    }
}

/// `PATCH /v3/service_credential_bindings/{guid}`: labels and annotations; nothing else of a key ever changes.
pub(super) async fn change(
    Writer { cloud, caller }: Writer,
    Path(guid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = refusal::body(&headers, &body, &["metadata"])?;
    cloud.with(|store| {
        let (key, _) = to_change(&caller, store, &guid)?;
        if key.last_operation.is("delete", "in progress") {
            return Err(Refusal::unprocessable("The service binding is being deleted"));
        }
        let now = cloud.stamp();
        let key = store.key_mut(&guid).ok_or_else(|| Refusal::not_found("Service credential binding"))?;
        key.base.metadata.change(fields.get("metadata"))?;
        key.base.updated_at = now;
        Ok(answer::json(StatusCode::OK, shown(&cloud, key)))
    })
}

/// `DELETE /v3/service_credential_bindings/{guid}`
pub(super) async fn delete(Writer { cloud, caller }: Writer, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let (key, instance) = to_change(&caller, store, &guid)?;
        if key.last_operation.stands_in_the_way() {
            return Err(KEY.busy());
        }
        if instance.last_operation.runs() {
            return Err(INSTANCE.busy());
        }
        let plan = instance.plan;
        Ok(cloud.begin_deletion(store, &KEY, &guid, plan))
    })
}

/// `GET …/details`: the credentials, for those who develop in the space.
pub(super) async fn details(Reader { cloud, caller }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let (key, instance) = found(&caller, store, &guid)?;
        if !caller.develops(store, &instance.space) {
            return Err(Refusal::not_found("Service credential binding"));
        }
        stands(key)?;
        Ok(answer::json(StatusCode::OK, json!({"credentials": key.credentials})))
    })
}

/// Refuses as long as there is nothing to be read.
fn stands(key: &ServiceKey) -> Result<(), Refusal> {
    let operation = &key.last_operation;
    if operation.kind == "create" && operation.state != "succeeded" {
        let how = if operation.runs() { "in progress" } else { "failed" };
        return Err(Refusal::gone(format!("Creation of service key {how}")));
    }
    Ok(())
}

/// `GET …/parameters`: no broker here gives them back.
pub(super) async fn parameters(
    Reader { cloud, caller }: Reader,
    Path(guid): Path<String>,
) -> Result<Response, Refusal> {
    cloud.with(|store| stands(found(&caller, store, &guid)?.0))?;
    Err(Refusal::no_binding_parameters())
}

//! `/v3/service_instances`: order, look up, list, delete (cloud_controller_ng,
//! `app/controllers/v3/service_instances_controller.rb`). Only managed ones.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::frame::{answer, random};
use crate::service_manager::Plan;

use super::CloudFoundry;
use super::access::Caller;
use super::jobs::{Effect, INSTANCE, Job};
use super::marketplace::{self, BROKER, BROKER_NAME};
use super::order::InstanceOrder;
use super::permitted::{Reader, Writer};
use super::places::ordered;
use super::query::ListQuery;
use super::refusal::Refusal;
use super::store::{Base, Instance, LastOperation, Store};

/// An instance as answers show it.
pub(super) fn shown(cloud: &CloudFoundry, instance: &Instance) -> Value {
    let guid = &instance.base.guid;
    let path = format!("/v3/service_instances/{guid}");
    let below = |list: &str| cloud.link(&format!("/v3/{list}?service_instance_guids={guid}"));
    instance.base.shown(json!({
        "name": instance.name, "type": "managed", "tags": instance.tags, "maintenance_info": {},
        "upgrade_available": false, "dashboard_url": null, "last_operation": instance.last_operation.shown(),
        "relationships": {"space": {"data": {"guid": instance.space}},
                          "service_plan": {"data": {"guid": instance.plan.id}}},
        "links": {"self": cloud.link(&path), "space": cloud.link(&format!("/v3/spaces/{}", instance.space)),
                  "service_credential_bindings": below("service_credential_bindings"),
                  "service_route_bindings": below("service_route_bindings"),
                  "service_plan": cloud.link(&format!("/v3/service_plans/{}", instance.plan.id)),
                  "parameters": cloud.link(&format!("{path}/parameters")),
                  "shared_spaces": cloud.link(&format!("{path}/relationships/shared_spaces"))},
    }))
}

/// The instance, if the caller may see it.
pub(super) fn found<'a>(caller: &Caller, store: &'a Store, guid: &str) -> Result<&'a Instance, Refusal> {
    let instance = store.instance(guid).filter(|one| caller.sees_space(store, &one.space));
    instance.ok_or_else(|| Refusal::not_found("Service instance"))
}

/// The instance, if the caller may change it.
pub(super) fn to_change<'a>(caller: &Caller, store: &'a Store, guid: &str) -> Result<&'a Instance, Refusal> {
    let instance = found(caller, store, guid)?;
    if caller.develops(store, &instance.space) { Ok(instance) } else { Err(Refusal::not_authorized()) }
}

/// `GET /v3/service_instances`
pub(super) async fn list(Reader { cloud, caller }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let known = [
        "names",
        "type",
        "space_guids",
        "organization_guids",
        "service_plan_guids",
        "service_plan_names",
        "label_selector",
        "fields",
    ];
    let query = cloud.query(raw.as_deref(), &known)?;
    cloud.with(|store| {
        let mut found: Vec<&Instance> = store
            .instances
            .iter()
            .filter(|one| query.allows("names", &one.name) && query.allows("guids", &one.base.guid))
            .filter(|one| query.allows("space_guids", &one.space) && query.allows("type", "managed"))
            .filter(|one| query.allows("organization_guids", store.organization_of(&one.space)))
            .filter(|one| query.allows("service_plan_guids", one.plan.id))
            .filter(|one| query.allows("service_plan_names", one.plan.name))
            .filter(|one| query.labels().meets(&one.base.metadata))
            .filter(|one| caller.sees_space(store, &one.space))
            .collect();
        query.sort(&mut found, |one| ordered(&one.base, &one.name));
        let page = query.slice(&found);
        let list = format!("{}/v3/service_instances", cloud.url());
        let mut body = query.envelope(&list, found.len(), page.iter().map(|one| shown(&cloud, one)).collect());
        include(&query, page, &mut body);
        Ok(answer::json(StatusCode::OK, body))
    })
}

/// Adds the names of plans, offerings and their broker, where `fields[service_plan…]` asks for them.
fn include(query: &ListQuery, page: &[&Instance], body: &mut Value) {
    let asked = |what: &str| query.text(&format!("fields[{what}]")).is_some();
    let mut plans: Vec<&Plan> = page.iter().map(|one| one.plan).collect();
    plans.sort_by_key(|plan| plan.id);
    plans.dedup_by_key(|plan| plan.id);
    let entry = |guid: &str, name: &str, relation: &str, to: &str| json!({"guid": guid, "name": name, "relationships": {relation: {"data": {"guid": to}}}});
    if asked("service_plan") {
        let shown = plans.iter().map(|plan| entry(plan.id, plan.name, "service_offering", plan.offering_id));
        body["included"]["service_plans"] = shown.collect();
    }
    if asked("service_plan.service_offering") {
        let offerings = plans.iter().filter_map(|plan| marketplace::offering_of(plan));
        let shown = offerings.map(|one| entry(one.id, one.name, "service_broker", BROKER));
        body["included"]["service_offerings"] = shown.collect();
    }
    if asked("service_plan.service_offering.service_broker") && !plans.is_empty() {
        body["included"]["service_brokers"] = json!([{"guid": BROKER, "name": BROKER_NAME}]);
    }
}

/// `GET /v3/service_instances/{guid}`
pub(super) async fn get(
    Reader { cloud, caller }: Reader,
    Path(guid): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    let query = cloud.query(raw.as_deref(), &["fields"])?;
    cloud.with(|store| {
        let instance = found(&caller, store, &guid)?;
        let mut body = shown(&cloud, instance);
        include(&query, &[instance], &mut body);
        Ok(answer::json(StatusCode::OK, body))
    })
}

/// `POST /v3/service_instances`
pub(super) async fn create(
    Writer { cloud, caller }: Writer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let order = InstanceOrder::read(&headers, &body)?;
    let settings = cloud.settings();
    cloud.with(|store| {
        if store.space(&order.space).is_none() || !caller.sees_space(store, &order.space) {
            let text = "Invalid space. Ensure that the space exists and you have access to it.";
            return Err(Refusal::unprocessable(text));
        }
        if !caller.develops(store, &order.space) {
            return Err(Refusal::not_authorized());
        }
        let plan = marketplace::on_offer(&settings).map(|(_, plan)| plan).find(|plan| plan.id == order.plan);
        let text =
            "Invalid service plan. Ensure that the service plan exists, is available, and you have access to it.";
        let plan = plan.ok_or_else(|| Refusal::unprocessable(text))?;
        store.make_room(&order.space, &order.name)?;
        let now = cloud.stamp();
        let mut base = Base::new(random::uuid(), now.clone());
        base.metadata.change(order.metadata.as_ref())?;
        let job = Job::new("service_instance.create", "service_instance", &base.guid, &now);
        let opened = plan.broker.read(&order.parameters, &settings);
        store.instances.push(Instance {
            base,
            name: order.name,
            space: order.space,
            plan,
            tags: order.tags,
            parameters: order.parameters,
            rights: None,
            last_operation: LastOperation::begun("create", "initial", &now),
        });
        Ok(cloud.accepted(&cloud.ask_broker(store, job, plan, Effect::Provision { opened })))
    })
}

impl Store {
    /// Whether the name is free in the space; an instance that was never made gives it up.
    fn make_room(&mut self, space: &str, name: &str) -> Result<(), Refusal> {
        let same = |one: &Instance| one.space == space && one.name == name;
        let taken = self.instances.iter().any(|one| same(one) && !one.last_operation.is("create", "failed"));
        if taken {
            return Err(Refusal::unprocessable(format!("The service instance name is taken: {name}.")));
        }
        self.instances.retain(|one| !same(one));
        Ok(())
    }
}

/// `DELETE /v3/service_instances/{guid}`: its keys go with it.
pub(super) async fn delete(Writer { cloud, caller }: Writer, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let instance = to_change(&caller, store, &guid)?;
        if instance.last_operation.stands_in_the_way() {
            return Err(INSTANCE.busy());
        }
        let plan = instance.plan;
        Ok(cloud.begin_deletion(store, &INSTANCE, &guid, plan))
    })
}

/// `GET /v3/service_instances/{guid}/parameters`: no broker here gives them back.
pub(super) async fn parameters(
    Reader { cloud, caller }: Reader,
    Path(guid): Path<String>,
) -> Result<Response, Refusal> {
    cloud.with(|store| found(&caller, store, &guid).map(drop))?;
    Err(Refusal::no_instance_parameters())
}

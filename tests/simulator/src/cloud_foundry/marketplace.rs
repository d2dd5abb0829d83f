//! `/v3/service_offerings` and `/v3/service_plans`: what can be ordered. Everybody with a token sees all of it.

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::frame::{Settings, answer};
use crate::service_manager::{Offering, Plan, offerings_here, visible_plans};

use super::CloudFoundry;
use super::permitted::Reader;
use super::query::Order;
use super::refusal::Refusal;

/// When the catalogue was registered.
const REGISTERED: &str = "2020-08-09T11:31:20Z";
/// The broker of everything.
pub(super) const BROKER: &str = "0a6b1c7e-0000-4000-8000-00000000b00c";
/// Its name.
pub(super) const BROKER_NAME: &str = "sm-broker";

/// The offering of a plan.
pub(super) fn offering_of(plan: &Plan) -> Option<&'static Offering> {
    offerings_here().find(|offering| offering.id == plan.offering_id)
}

/// The plans that can be ordered with these settings, each with its offering.
pub(super) fn on_offer(settings: &Settings) -> impl Iterator<Item = (&'static Offering, &'static Plan)> {
    visible_plans(settings).filter_map(|plan| Some((offering_of(plan)?, plan)))
}

fn based(guid: &str, rest: Value) -> Value {
    let mut shown = json!({"guid": guid, "created_at": REGISTERED, "updated_at": REGISTERED,
                           "metadata": {"labels": {}, "annotations": {}}});
    for (name, value) in rest.as_object().into_iter().flatten() {
        shown[name] = value.clone();
    }
    shown
}

/// An offering as answers show it.
fn shown_offering(cloud: &CloudFoundry, offering: &Offering) -> Value {
    let plans = format!("/v3/service_plans?service_offering_guids={}", offering.id);
    let features = json!({"plan_updateable": false, "bindable": true, "instances_retrievable": false,
                          "bindings_retrievable": false, "allow_context_updates": false});
    based(
        offering.id,
        json!({
            "name": offering.name, "description": offering.description, "available": true, "tags": [],
            "shareable": true, "documentation_url": "",
            "broker_catalog": {"id": offering.id, "metadata": {}, "features": features},
            "relationships": {"service_broker": {"data": {"guid": BROKER}}},
            "links": {"self": cloud.link(&format!("/v3/service_offerings/{}", offering.id)),
                      "service_plans": cloud.link(&plans),
                      "service_broker": cloud.link(&format!("/v3/service_brokers/{BROKER}"))},
        }),
    )
}

/// A plan as answers show it.
fn shown_plan(cloud: &CloudFoundry, plan: &Plan) -> Value {
    let path = format!("/v3/service_plans/{}", plan.id);
    let nothing = json!({"parameters": {}});
    let catalog = json!({"id": plan.id, "metadata": {}, "maximum_polling_duration": null,
                         "features": {"bindable": true, "plan_updateable": false}});
    based(
        plan.id,
        json!({
            "name": plan.name, "visibility_type": "organization", "available": true, "free": true, "costs": [],
            "description": plan.description, "maintenance_info": {}, "broker_catalog": catalog,
            "schemas": {"service_instance": {"create": nothing, "update": nothing},
                        "service_binding": {"create": nothing}},
            "relationships": {"service_offering": {"data": {"guid": plan.offering_id}}},
            "links": {"self": cloud.link(&path), "visibility": cloud.link(&format!("{path}/visibility")),
                      "service_offering": cloud.link(&format!("/v3/service_offerings/{}", plan.offering_id))},
        }),
    )
}

const fn ordered(name: &str) -> Order<'_> {
    Order { name, created_at: REGISTERED, updated_at: REGISTERED }
}

/// `GET /v3/service_offerings`: of `it-rt` only once the capability is activated, as its plans.
pub(super) async fn offerings(Reader { cloud, .. }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let known = [
        "names",
        "available",
        "service_broker_guids",
        "service_broker_names",
        "space_guids",
        "organization_guids",
        "label_selector",
        "fields",
    ];
    let query = cloud.query(raw.as_deref(), &known)?;
    let settings = cloud.settings();
    let mut found: Vec<&Offering> = offerings_here()
        .filter(|one| on_offer(&settings).any(|(offering, _)| offering.id == one.id))
        .filter(|one| query.allows("names", one.name) && query.allows("guids", one.id))
        .filter(|_| query.allows("service_broker_names", BROKER_NAME) && query.allows("service_broker_guids", BROKER))
        .filter(|_| query.labels().meets(&super::selector::Metadata::default()))
        .collect();
    query.sort(&mut found, |one| ordered(one.name));
    let page = query.slice(&found).iter().map(|one| shown_offering(&cloud, one)).collect();
    let list = format!("{}/v3/service_offerings", cloud.url());
    Ok(answer::json(StatusCode::OK, query.envelope(&list, found.len(), page)))
}

/// `GET /v3/service_offerings/{guid}`
pub(super) async fn offering(Reader { cloud, .. }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    let settings = cloud.settings();
    let found = on_offer(&settings).map(|(offering, _)| offering).find(|one| one.id == guid);
    let found = found.ok_or_else(|| Refusal::not_found("Service offering"))?;
    Ok(answer::json(StatusCode::OK, shown_offering(&cloud, found)))
}

/// `GET /v3/service_plans`
pub(super) async fn plans(Reader { cloud, .. }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let known = [
        "names",
        "available",
        "service_broker_guids",
        "service_broker_names",
        "service_offering_guids",
        "service_offering_names",
        "service_instance_guids",
        "space_guids",
        "organization_guids",
        "broker_catalog_ids",
        "include",
        "label_selector",
        "fields",
    ];
    let query = cloud.query(raw.as_deref(), &known)?;
    let settings = cloud.settings();
    let of_instances = cloud.with(|store| {
        let named = |guid: &str| {
            query.text("service_instance_guids").is_some_and(|list| list.split(',').any(|one| one == guid))
        };
        store.instances.iter().filter(|one| named(&one.base.guid)).map(|one| one.plan.id).collect::<Vec<_>>()
    });
    let mut found: Vec<(&Offering, &Plan)> = on_offer(&settings)
        .filter(|(_, plan)| query.allows("names", plan.name) && query.allows("guids", plan.id))
        .filter(|(one, _)| query.allows("service_offering_names", one.name))
        .filter(|(one, _)| query.allows("service_offering_guids", one.id))
        .filter(|(_, plan)| query.allows("broker_catalog_ids", plan.id))
        .filter(|_| query.allows("service_broker_names", BROKER_NAME) && query.allows("service_broker_guids", BROKER))
        .filter(|(_, plan)| query.text("service_instance_guids").is_none() || of_instances.contains(&plan.id))
        .filter(|_| query.labels().meets(&super::selector::Metadata::default()))
        .collect();
    query.sort(&mut found, |(_, plan)| ordered(plan.name));
    let page = query.slice(&found);
    let list = format!("{}/v3/service_plans", cloud.url());
    let shown = page.iter().map(|(_, plan)| shown_plan(&cloud, plan)).collect();
    let mut body = query.envelope(&list, found.len(), shown);
    if query.includes("service_offering") {
        let around = offerings_here().filter(|offering| page.iter().any(|(one, _)| one.id == offering.id));
        let around: Vec<Value> = around.map(|one| shown_offering(&cloud, one)).collect();
        body["included"] = json!({"service_offerings": around});
    }
    // The command line asks for the broker's name in this way.
    if query.text("fields[service_offering.service_broker]").is_some() && !page.is_empty() {
        body["included"]["service_brokers"] = json!([{"guid": BROKER, "name": BROKER_NAME}]);
    }
    Ok(answer::json(StatusCode::OK, body))
}

/// `GET /v3/service_plans/{guid}`
pub(super) async fn plan(Reader { cloud, .. }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    let settings = cloud.settings();
    let found = on_offer(&settings).map(|(_, plan)| plan).find(|one| one.id == guid);
    let found = found.ok_or_else(|| Refusal::not_found("Service plan"))?;
    Ok(answer::json(StatusCode::OK, shown_plan(&cloud, found)))
}

//! `PATCH /v3/service_instances/{guid}`: parameters are the broker's, so that a job changes them; everything else is
//! changed at once (cloud_controller_ng, `app/actions/v3/service_instance_update_managed.rb`).

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::frame::{Settings, answer};
use crate::service_manager::Parameters;

use super::CloudFoundry;
use super::instances::{shown, to_change};
use super::jobs::{Effect, Job};
use super::order;
use super::permitted::Writer;
use super::refusal::{self, Refusal};
use super::store::{Instance, LastOperation, Store};

const FIELDS: [&str; 6] = ["name", "parameters", "tags", "relationships", "maintenance_info", "metadata"];

/// `PATCH /v3/service_instances/{guid}`
pub(super) async fn change(
    Writer { cloud, caller }: Writer,
    Path(guid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let settings = cloud.settings();
    let fields = refusal::body(&headers, &body, &FIELDS)?;
    let parameters = order::parameters(&fields)?;
    cloud.with(|store| {
        let instance = to_change(&caller, store, &guid)?;
        if instance.last_operation.runs() {
            return Err(Refusal::instance_busy(&instance.name));
        }
        if refusal::related(&fields, "service_plan").is_some_and(|plan| plan != instance.plan.id) {
            return Err(Refusal::plan_is_fixed());
        }
        let free = is_free(store, instance, &fields);
        let now = cloud.stamp();
        free?;
        let instance = store.instance_mut(&guid).ok_or_else(|| Refusal::not_found("Service instance"))?;
        at_once(instance, &fields, &now)?;
        match parameters {
            None => Ok(answer::json(StatusCode::OK, shown(&cloud, instance))),
            Some(parameters) => Ok(cloud.accepted(&by_broker(&cloud, store, &guid, parameters, &settings))),
        }
    })
}

/// Whether the new name is free.
fn is_free(store: &Store, instance: &Instance, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(name) = fields.get("name").and_then(Value::as_str) else { return Ok(()) };
    let other = |one: &&Instance| one.space == instance.space && one.base.guid != instance.base.guid;
    let taken = store.instances.iter().filter(other).any(|one| one.name == name);
    if taken { Err(Refusal::unprocessable(format!("The service instance name is taken: {name}"))) } else { Ok(()) }
}

fn at_once(instance: &mut Instance, fields: &Map<String, Value>, now: &str) -> Result<(), Refusal> {
    instance.base.metadata.change(fields.get("metadata"))?;
    if let Some(tags) = order::tags(fields)? {
        instance.tags = tags;
    }
    if let Some(name) = fields.get("name").and_then(Value::as_str) {
        name.clone_into(&mut instance.name);
    }
    now.clone_into(&mut instance.base.updated_at);
    Ok(())
}

/// Starts the job that asks the broker; its guid.
fn by_broker(
    cloud: &CloudFoundry,
    store: &mut Store,
    guid: &str,
    parameters: Parameters,
    settings: &Settings,
) -> String {
    let now = cloud.stamp();
    let job = Job::new("service_instance.update", "service_instance", guid, &now);
    let Some(instance) = store.instance_mut(guid) else { return String::new() };
    instance.last_operation = LastOperation::begun("update", "in progress", &now);
    let plan = instance.plan;
    let opened = plan.broker.read(&parameters, settings);
    cloud.ask_broker(store, job, plan, Effect::Update { parameters, opened })
}

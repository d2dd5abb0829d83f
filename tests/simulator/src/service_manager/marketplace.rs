//! `/v1/service_offerings` and `/v1/service_plans`: what can be ordered.

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::frame::answer;
use crate::landscape::Here;

use super::ServiceManager;
use super::catalogue::{OFFERINGS, Offering, Plan, plan_by_id, visible_plans};
use super::listing::{ListQuery, Selection};
use super::refusal::{Refusal, authorize};

const OFFERING_FIELDS: [&str; 7] = ["id", "name", "ready", "bindable", "catalog_id", "catalog_name", "data_center"];
const PLAN_FIELDS: [&str; 8] =
    ["id", "name", "ready", "bindable", "catalog_id", "catalog_name", "free", "service_offering_id"];

/// `GET /v1/service_offerings`
pub(crate) async fn offerings(
    Here(manager): Here<ServiceManager>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_offering.read")?;
    let selection = query.understood(&OFFERING_FIELDS, &manager.settings())?;
    let matching = numbered(OFFERINGS.iter().filter(|offering| meets(&selection, |name| offering.field(name))));
    Ok(selection.page("/v1/service_offerings", &matching, |offering: &&Offering| offering.shown()))
}

/// `GET /v1/service_offerings/{id}`
pub(crate) async fn offering(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_offering.read")?;
    let found = OFFERINGS.iter().find(|offering| offering.id == id);
    let found = found.ok_or_else(|| Refusal::not_found("/v1/service_offerings"))?;
    Ok(answer::json(StatusCode::OK, found.shown()))
}

/// `GET /v1/service_plans`
pub(crate) async fn plans(
    Here(manager): Here<ServiceManager>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_plan.read")?;
    let settings = manager.settings();
    let selection = query.understood(&PLAN_FIELDS, &settings)?;
    let matching = numbered(visible_plans(&settings).filter(|plan| meets(&selection, |name| plan.field(name))));
    Ok(selection.page("/v1/service_plans", &matching, |plan: &&Plan| plan.shown()))
}

/// `GET /v1/service_plans/{id}`
pub(crate) async fn plan(
    Here(manager): Here<ServiceManager>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&manager.subaccount, &headers, "service_plan.read")?;
    let found = plan_by_id(&manager.settings(), &id).ok_or_else(|| Refusal::not_found("/v1/service_plans"))?;
    Ok(answer::json(StatusCode::OK, found.shown()))
}

/// Catalogue entries have no labels here, so a label query holds only where it asks for nothing.
fn meets(selection: &Selection, field: impl Fn(&str) -> Option<String>) -> bool {
    selection.fields.iter().all(|criterion| criterion.holds(field(&criterion.key).as_deref()))
        && selection.labels.iter().all(|criterion| criterion.holds(None))
}

fn numbered<T>(items: impl Iterator<Item = T>) -> Vec<(u64, T)> {
    (1..).zip(items).collect()
}

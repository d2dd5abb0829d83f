//! Where everything is: the roots of the API, and what it says about itself. They ask for no token.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::frame::answer;

use super::CloudFoundry;
use super::permitted::Reader;
use super::refusal::Refusal;

/// Version of the API v3.
const VERSION: &str = "3.220.0";
/// What `GET /v3` links to, as far as it is simulated.
const RESOURCES: [&str; 9] = [
    "info",
    "organizations",
    "roles",
    "service_credential_bindings",
    "service_instances",
    "service_offerings",
    "service_plans",
    "spaces",
    "users",
];

/// `GET /`
pub(super) async fn root(State(cloud): State<Arc<CloudFoundry>>) -> Response {
    let mut v3 = cloud.link("/v3");
    v3["meta"] = json!({"version": VERSION});
    let uaa = json!({"href": cloud.uaa_url()});
    // The API v2 is switched off, so there is no link to it.
    let links = json!({"self": {"href": cloud.url()}, "cloud_controller_v3": v3, "login": uaa, "uaa": uaa,
                       "network_policy_v0": cloud.link("/networking/v0/external"),
                       "network_policy_v1": cloud.link("/networking/v1/external")});
    answer::json(StatusCode::OK, json!({"links": links}))
}

/// `GET /v3`
pub(super) async fn v3(State(cloud): State<Arc<CloudFoundry>>) -> Response {
    let mut links = json!({"self": cloud.link("/v3")});
    for name in RESOURCES {
        links[name] = cloud.link(&format!("/v3/{name}"));
    }
    answer::json(StatusCode::OK, json!({"links": links}))
}

/// `GET` of anything else: there is much more in a Cloud Controller than is simulated.
pub(super) async fn unknown(Reader { cloud: _, .. }: Reader) -> Result<Response, Refusal> {
    Err(Refusal::unknown_request())
}

/// `GET /v3/info`
pub(super) async fn info(State(cloud): State<Arc<CloudFoundry>>) -> Response {
    let limit = cloud.settings().cloud_foundry_requests_per_hour;
    let body = json!({
        "name": "simulated-landscape", "build": "", "version": 0, "description": "A simulated Cloud Foundry",
        "cli_version": {"minimum": "", "recommended": ""}, "custom": {}, "osbapi_version": "2.15",
        "rate_limits": {"enabled": limit.is_some(), "general_limit": limit.unwrap_or_default(),
                        "reset_interval_in_minutes": 60},
        "links": {"self": cloud.link("/v3/info"), "support": {"href": ""}},
    });
    answer::json(StatusCode::OK, body)
}

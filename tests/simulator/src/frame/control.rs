//! The control API below `/_simulator`: what a test reads and switches. It asks for no authentication, and it is not
//! observed: its own requests are in no log and suffer no fault.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::faults::Fault;
use super::limits::Limit;
use super::{Frame, Platform, RouteName, answer};

/// The platforms in the order they are mounted in.
#[derive(Default)]
pub(super) struct Known {
    /// Those everything is about.
    pub(super) first: Vec<Arc<dyn Platform>>,
    /// Those of the other subaccount.
    pub(super) other: Vec<Arc<dyn Platform>>,
}

impl Known {
    /// The platforms of the subaccount a query names; the first one unless it says `other`.
    fn of(&self, subaccount: Option<&str>) -> &[Arc<dyn Platform>] {
        if subaccount == Some("other") { &self.other } else { &self.first }
    }
}

/// What the control API reads and switches.
#[derive(Clone)]
struct Control {
    frame: Arc<Frame>,
    known: Arc<Known>,
    names: Arc<Vec<RouteName>>,
}

/// All routes of the control API.
pub(crate) fn router(frame: &Arc<Frame>, known: Known, names: Vec<RouteName>) -> Router {
    let control = Control { frame: Arc::clone(frame), known: Arc::new(known), names: Arc::new(names) };
    let below = Router::new()
        .route("/credentials/{platform}", get(credentials))
        .route("/routes", get(routes))
        .route("/tokens", delete(forget_tokens))
        .route("/log", get(read_log).delete(clear_log))
        .route("/metrics", get(metrics))
        .route("/faults", get(list_faults).delete(clear_faults))
        .route("/faults/{*route}", put(put_fault))
        .route("/limits", delete(clear_limits).get(list_limits))
        .route("/limits/{*route}", put(put_limit))
        .route("/settings", get(settings).put(change_settings))
        .route("/state", get(state))
        .route("/reset", post(reset))
        .route("/clock", post(advance_clock))
        .with_state(control);
    Router::new().nest("/_simulator", below)
}

#[derive(Deserialize)]
struct CredentialQuery {
    r#type: Option<String>,
    subaccount: Option<String>,
}

/// `GET /credentials/{platform}[?type=x509|client][&subaccount=other]`: the service key, as an administrator would paste it into a Secret.
async fn credentials(
    State(control): State<Control>,
    Path(name): Path<String>,
    Query(query): Query<CredentialQuery>,
) -> Response {
    let platform = control.known.of(query.subaccount.as_deref()).iter().find(|platform| platform.name() == name);
    let found = platform.and_then(|platform| match query.r#type.as_deref() {
        Some("client") => platform.client_credential(),
        variant => platform.admin_credential(variant == Some("x509")),
    });
    match found {
        Some(credential) => Json(credential).into_response(),
        None => answer::json(StatusCode::NOT_FOUND, json!({"error": "no such platform or variant"})),
    }
}

/// The names that faults and limits go by.
async fn routes(State(control): State<Control>) -> Response {
    let shown = control
        .names
        .iter()
        .map(|route| json!({"name": route.name, "method": route.method.as_str(), "path": route.path}));
    Json(shown.collect::<Vec<_>>()).into_response()
}

#[derive(Deserialize)]
struct LogQuery {
    #[serde(default)]
    since: u64,
}

/// `GET /log[?since=N]`
async fn read_log(State(control): State<Control>, Query(query): Query<LogQuery>) -> Response {
    Json(control.frame.log.since(query.since)).into_response()
}

async fn clear_log(State(control): State<Control>) -> StatusCode {
    control.frame.log.clear();
    StatusCode::NO_CONTENT
}

/// `DELETE /tokens`: no API knows any token any more, so that the next call is answered 401.
async fn forget_tokens(State(control): State<Control>) -> StatusCode {
    control.frame.tokens.reset();
    StatusCode::NO_CONTENT
}

async fn metrics(State(control): State<Control>) -> Response {
    Json(control.frame.log.counters()).into_response()
}

async fn list_faults(State(control): State<Control>) -> Response {
    Json(control.frame.faults.list()).into_response()
}

/// `PUT /faults/{route}`: a route's name, or `*` for all.
async fn put_fault(State(control): State<Control>, Path(route): Path<String>, Json(fault): Json<Fault>) -> StatusCode {
    control.frame.faults.put(route, fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(control): State<Control>) -> StatusCode {
    control.frame.faults.clear();
    StatusCode::NO_CONTENT
}

async fn list_limits(State(control): State<Control>) -> Response {
    Json(control.frame.limits.list()).into_response()
}

/// `PUT /limits/{route}`: a route's name, or `*` for one limit on all of them together.
async fn put_limit(State(control): State<Control>, Path(route): Path<String>, Json(limit): Json<Limit>) -> StatusCode {
    control.frame.limits.put(route, limit);
    StatusCode::NO_CONTENT
}

async fn clear_limits(State(control): State<Control>) -> StatusCode {
    control.frame.limits.clear();
    StatusCode::NO_CONTENT
}

async fn settings(State(control): State<Control>) -> Response {
    Json(&*control.frame.settings.current()).into_response()
}

/// `PUT /settings`: any part of them; answers with the whole.
async fn change_settings(State(control): State<Control>, Json(part): Json<Value>) -> Response {
    match control.frame.settings.change(&part) {
        Ok(settings) => Json(&*settings).into_response(),
        Err(refused) => answer::json(StatusCode::UNPROCESSABLE_ENTITY, json!({"error": refused.to_string()})),
    }
}

#[derive(Deserialize)]
struct StateQuery {
    #[serde(default)]
    secrets: bool,
    subaccount: Option<String>,
}

/// `GET /state[?secrets=true][&subaccount=other]`
async fn state(State(control): State<Control>, Query(query): Query<StateQuery>) -> Response {
    let named = control.known.of(query.subaccount.as_deref()).iter();
    let all = named.map(|platform| (platform.name().to_owned(), platform.snapshot(query.secrets)));
    Json(all.collect::<Map<_, _>>()).into_response()
}

/// `POST /reset`: as if just started. Platforms are reset in the order they are mounted in.
async fn reset(State(control): State<Control>) -> StatusCode {
    let frame = &control.frame;
    frame.clock.reset();
    frame.tokens.reset();
    frame.settings.reset();
    frame.faults.clear();
    frame.limits.clear();
    frame.log.clear();
    control.known.first.iter().chain(&control.known.other).for_each(|platform| platform.reset());
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

/// `POST /clock`: tokens expire, certificates run out, operations end, as if the time had passed.
async fn advance_clock(State(control): State<Control>, Json(advance): Json<Advance>) -> Response {
    control.frame.clock.advance(Duration::from_secs(advance.advance_seconds));
    Json(json!({"now": control.frame.clock.stamp()})).into_response()
}

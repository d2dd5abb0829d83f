//! What stands in front of every platform's routes: latency, limits, faults, and the log line.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::log::Entry;
use super::{Asked, Frame, Platform, RouteName, answer, client_credentials};

/// Fields of forms and of JSON bodies whose values never reach the log. The last two are what the UAA takes to change a
/// client's secret (UAA API, "Change Secret").
const SECRET_FIELDS: [&str; 6] = ["client_secret", "password", "assertion", "client_assertion", "secret", "oldSecret"];

/// The largest request body a platform reads (XSUAA refuses more than 1 MB).
const LARGEST_BODY: usize = 1 << 20;

type Names = HashMap<(Method, String), (String, Arc<dyn Platform>)>;

/// What every request is looked up in.
#[derive(Clone)]
struct Observer {
    frame: Arc<Frame>,
    names: Arc<Names>,
}

/// The platforms' router with the observer in front of it.
pub(crate) fn stand_before(
    platforms: Router,
    frame: &Arc<Frame>,
    names: Vec<(RouteName, Arc<dyn Platform>)>,
) -> Router {
    let keyed = names.into_iter().map(|(route, platform)| ((route.method, route.path), (route.name, platform)));
    let observer = Observer { frame: Arc::clone(frame), names: Arc::new(keyed.collect()) };
    platforms
        .fallback(|| async { answer::text(StatusCode::NOT_FOUND, "404 page not found\n") })
        .layer(middleware::from_fn_with_state(observer, observe))
}

/// Counts a request out again, also when its connection is dropped half-way.
struct InFlight(Arc<Frame>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.log.leave();
    }
}

/// One request, from its arrival to the moment its answer stands. The body is read here, whole, because the log wants
/// it too; the platform then gets the same bytes.
async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let frame = &observer.frame;
    let in_flight = frame.log.enter();
    let _leaving = InFlight(Arc::clone(frame));
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let known = observer.name_of(&parts);
    let mut entry = described(&parts, &body, frame);
    entry.in_flight = in_flight;
    entry.route = known.map(|(name, _)| name.clone());
    pause(frame.latency).await;
    let response = observer.answered(known, &mut entry, Request::from_parts(parts, Body::from(body)), next).await;
    entry.status = response.status().as_u16();
    entry.micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    frame.log.add(entry);
    response
}

impl Observer {
    /// Name and platform of the route that answers, or `None` for a path or method that nobody answers.
    fn name_of(&self, parts: &Parts) -> Option<&(String, Arc<dyn Platform>)> {
        let pattern = parts.extensions.get::<MatchedPath>()?.as_str().to_owned();
        self.names.get(&(parts.method.clone(), pattern))
    }

    /// The answer, spoiled by whatever is switched on: first the limit, as the gateway of the platform stands before
    /// everything else, then the fault.
    async fn answered(
        &self,
        known: Option<&(String, Arc<dyn Platform>)>,
        entry: &mut Entry,
        request: Request,
        next: Next,
    ) -> Response {
        let Some((route, platform)) = known else { return next.run(request).await };
        let now = self.frame.clock.now();
        let asked = Asked { route, client: entry.client.as_deref().unwrap_or_default() };
        if let Err(wait) = self.frame.limits.admit(route, now) {
            return platform.throttled(Some(wait.as_secs().max(1).to_string()));
        }
        match platform.admit(&asked) {
            Ok(wait) => pause(wait).await,
            Err(wait) => return platform.throttled(Some(platform.come_again(wait.max(Duration::from_secs(1)), now))),
        }
        let Some(fault) = self.frame.faults.take(route, is_later_page(entry.query.as_deref())) else {
            return next.run(request).await;
        };
        entry.fault = serde_json::to_value(fault.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        pause(Duration::from_millis(fault.latency_ms)).await;
        let right = if fault.needs_the_effect() { Some(next.run(request).await) } else { None };
        fault.answer(right, now, |retry_after| platform.throttled(retry_after)).await
    }
}

/// Whether a list is asked for from its second page on: by a token, by records to skip, by a first record or its id, by
/// a page.
fn is_later_page(query: Option<&str>) -> bool {
    let fields = client_credentials::form(query.unwrap_or_default().as_bytes());
    let above = |name: &str, least: u64| {
        fields.get(name).and_then(|value| value.parse::<u64>().ok()).is_some_and(|value| value > least)
    };
    fields.get("token").is_some_and(|token| !token.is_empty())
        || fields.get("startId").is_some_and(|id| id != "initial")
        || above("skip", 0)
        || above("startIndex", 1)
        || above("page", 1)
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// The log line of a request that has not been answered yet.
fn described(parts: &Parts, body: &Bytes, frame: &Frame) -> Entry {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let form = if is_form { client_credentials::form(body) } else { HashMap::new() };
    let client = frame
        .tokens
        .client_of(&parts.headers)
        .or_else(|| client_credentials::presented(&parts.headers, &form).map(|found| found.client_id));
    Entry {
        sequence: 0,
        time: frame.clock.stamp(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        route: None,
        status: 0,
        fault: None,
        client,
        content_type: content_type.map(str::to_owned),
        body: if is_form { Some(as_object(form)) } else { serde_json::from_slice(body).ok() }.map(without_secrets),
        micros: 0,
        in_flight: 0,
    }
}

fn as_object(form: HashMap<String, String>) -> Value {
    form.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

/// The body with its secrets left out, however deep they are in it: the UAA takes lists of clients.
fn without_secrets(body: Value) -> Value {
    match body {
        Value::Object(mut fields) => {
            // A SCIM patch names the field beside its value.
            let secret = fields.get("path").and_then(Value::as_str).is_some_and(is_secret);
            if secret && fields.contains_key("value") {
                fields.insert("value".to_owned(), Value::from("(secret)"));
            }
            fields.into_iter().map(|(name, value)| field_without_secrets(name, value)).collect()
        }
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        plain => plain,
    }
}

fn field_without_secrets(name: String, value: Value) -> (String, Value) {
    let hidden = is_secret(&name);
    (name, if hidden { Value::from("(secret)") } else { without_secrets(value) })
}

/// Names of a directory's attributes have no case.
fn is_secret(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|one| one.eq_ignore_ascii_case(name))
}

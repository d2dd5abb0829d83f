//! Faults that a test switches on for a route (or for all), and the faulty answers themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer;
use super::clock;
use super::guarded::Guarded;

/// How much an enormous answer weighs.
const ENORMOUS_BYTES: usize = 64 << 20;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Another status with an error body.
    Status,
    /// Only slower: the right answer after a while.
    Latency,
    /// The right answer, broken off in the middle.
    Truncated,
    /// The router's HTML error page.
    Html,
    /// Text that is no JSON, with a JSON content type.
    NotJson,
    /// The connection ends without an answer.
    Reset,
    /// 429 in the platform's own dialect.
    Throttle,
    /// 404 of the Cloud Foundry router: the platform is down, nothing is deleted.
    #[serde(rename = "router-404")]
    RouterNotFound,
    /// A JSON body of many megabytes.
    Enormous,
    /// 502 with the error of a service broker inside.
    BrokerError,
    /// The right answer with every value of a wrong type.
    WrongTypes,
    /// Valid JSON that is another object: what a gateway or another service might say.
    OtherObject,
    /// 404 of nobody in particular, without the router's header.
    NotFound,
}

/// Which pages of a list a fault spoils.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Page {
    /// The first one only.
    First,
    /// All but the first one.
    Later,
}

/// Whether the request takes effect although its answer is faulty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum After {
    /// It fails before anything happens.
    #[default]
    Before,
    /// It has happened; only the answer is lost.
    After,
}

/// How `Retry-After` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RetryAfter {
    /// `2`
    Seconds,
    /// `Mon, 11 Nov 2024 14:59:33 GMT` (RFC 9110, section 10.2.3)
    HttpDate,
    /// `2024-11-11 14:59:33 +0000 UTC`, Go's way to print a time; SAP's own operator expects it.
    GoTime,
    /// No such header.
    #[default]
    None,
}

/// One switched-on fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// What goes wrong.
    pub(crate) kind: Kind,
    /// The status of `status` and `html` (503 unless given), and the inner one of `broker-error` (422).
    #[serde(default)]
    pub(crate) status: Option<u16>,
    /// How many requests it spoils; absent: all until it is removed.
    #[serde(default)]
    pub(crate) times: Option<u32>,
    /// Whether the effect happens first.
    #[serde(default)]
    pub(crate) after: After,
    /// How the answer says when to come back.
    #[serde(default)]
    pub(crate) retry_after: RetryAfter,
    /// What it says; one second unless given.
    #[serde(default)]
    pub(crate) retry_after_seconds: Option<u64>,
    /// Delay before the answer.
    #[serde(default)]
    pub(crate) latency_ms: u64,
    /// Which pages of a list it spoils; absent: every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<Page>,
}

/// All switched-on faults, by route name or `*`.
#[derive(Default)]
pub(crate) struct Faults(Guarded<BTreeMap<String, Fault>>);

impl Faults {
    /// Switches a fault on, in place of an earlier one for the same route.
    pub(crate) fn put(&self, route: String, fault: Fault) {
        self.0.write(|faults| faults.insert(route, fault));
    }

    /// Removes every fault.
    pub(crate) fn clear(&self) {
        self.0.write(BTreeMap::clear);
    }

    /// What is on now.
    pub(crate) fn list(&self) -> BTreeMap<String, Fault> {
        self.0.read(Clone::clone)
    }

    /// The fault that spoils this request, counted off. A route's own fault goes before `*`.
    pub(crate) fn take(&self, route: &str, later_page: bool) -> Option<Fault> {
        if self.0.read(BTreeMap::is_empty) {
            return None;
        }
        self.0.write(|faults| {
            let key = if faults.contains_key(route) { route } else { "*" };
            let fault = faults.get_mut(key).filter(|fault| fault.means(later_page))?;
            let taken = fault.clone();
            match &mut fault.times {
                Some(left) if *left > 1 => *left -= 1,
                Some(_) => drop(faults.remove(key)),
                None => {}
            }
            Some(taken)
        })
    }
}

impl Fault {
    fn means(&self, later_page: bool) -> bool {
        self.page.is_none_or(|page| (page == Page::Later) == later_page)
    }

    /// Whether the platform must be asked: for its effect, or because the fault deforms the right answer.
    pub(crate) fn needs_the_effect(&self) -> bool {
        self.after == After::After || matches!(self.kind, Kind::Latency | Kind::Truncated | Kind::WrongTypes)
    }

    /// The header value that tells when to come back.
    pub(crate) fn retry_after(&self, now: Duration) -> Option<String> {
        let wait = Duration::from_secs(self.retry_after_seconds.unwrap_or(1));
        let at = |pattern| Some(clock::format(now + wait, pattern));
        match self.retry_after {
            RetryAfter::Seconds => Some(wait.as_secs().to_string()),
            RetryAfter::HttpDate => at("%a, %d %b %Y %H:%M:%S GMT"),
            RetryAfter::GoTime => at("%Y-%m-%d %H:%M:%S +0000 UTC"),
            RetryAfter::None => None,
        }
    }

    /// The faulty answer. `right` is what the platform answered, where it was asked; `throttled` its dialect of 429.
    pub(crate) async fn answer(
        &self,
        right: Option<Response>,
        now: Duration,
        throttled: impl FnOnce(Option<String>) -> Response,
    ) -> Response {
        let status = self.status.and_then(|code| StatusCode::from_u16(code).ok());
        let unavailable = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let retry_after = self.retry_after(now);
        match self.kind {
            Kind::Latency => right.unwrap_or_else(|| StatusCode::NO_CONTENT.into_response()),
            Kind::Truncated => truncated(right).await,
            Kind::WrongTypes => wrong_types(right).await,
            Kind::Status => answer::with_retry_after(plain_error(unavailable), retry_after),
            Kind::Html => answer::with_retry_after(html(unavailable), retry_after),
            Kind::NotJson => answer::typed(status.unwrap_or(StatusCode::OK), "application/json", "upstream: {oops"),
            Kind::Reset => reset(),
            Kind::Throttle => throttled(retry_after),
            Kind::RouterNotFound => router_not_found(),
            Kind::Enormous => enormous(status.unwrap_or(StatusCode::OK)),
            Kind::OtherObject => other_object(status.unwrap_or(StatusCode::OK)),
            Kind::NotFound => answer::json(StatusCode::NOT_FOUND, json!({"error": "Not Found", "path": "/"})),
            Kind::BrokerError => broker_error(self.status.unwrap_or(422)),
        }
    }
}

fn plain_error(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or("Error");
    answer::json(status, json!({"error": reason.replace(' ', ""), "description": reason}))
}

fn html(status: StatusCode) -> Response {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!("<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n");
    answer::typed(status, "text/html", page)
}

fn router_not_found() -> Response {
    let body = "404 Not Found: Requested route ('service-manager.cfapps.example.com') does not exist.\n";
    let response = answer::typed(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", body);
    answer::with_header(response, HeaderName::from_static("x-cf-routererror"), "unknown_route")
}

/// As the open core writes it, without `broker_error`.
fn broker_error(inner: u16) -> Response {
    let description = format!(
        "Failed request: Status: {inner}; ErrorMessage: <nil>; Description: the broker refused the request; \
         ResponseError: <nil>"
    );
    answer::json(StatusCode::BAD_GATEWAY, json!({"error": "BrokerError", "description": description}))
}

fn other_object(status: StatusCode) -> Response {
    answer::json(status, json!({"status": "UP", "components": {"db": {"status": "UP"}}, "groups": []}))
}

fn enormous(status: StatusCode) -> Response {
    let piece = Bytes::from(vec![b'a'; 1 << 16]);
    let filling = stream::iter(std::iter::repeat_n(piece, ENORMOUS_BYTES >> 16));
    let whole = stream::iter([Bytes::from_static(b"{\"filling\":\"")])
        .chain(filling)
        .chain(stream::iter([Bytes::from_static(b"\"}")]));
    answer::typed(status, "application/json", Body::from_stream(whole.map(Ok::<_, std::io::Error>)))
}

/// An error in the body before its first byte makes hyper close the connection without writing anything.
fn reset() -> Response {
    Body::from_stream(stream::iter([Err::<Bytes, _>(broken_off())])).into_response()
}

/// Half of the body, then a pause so that it is really sent, then the end of the connection.
async fn truncated(right: Option<Response>) -> Response {
    let (parts, body) = taken_apart(right).await;
    let half = body.slice(..body.len() / 2);
    let broken = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(broken_off())
    });
    Response::from_parts(parts, Body::from_stream(stream::iter([Ok(half)]).chain(broken)))
}

fn broken_off() -> std::io::Error {
    std::io::Error::other("the simulator ends this connection")
}

async fn wrong_types(right: Option<Response>) -> Response {
    let (mut parts, body) = taken_apart(right).await;
    parts.headers.remove("content-length");
    let body = serde_json::from_slice::<Value>(&body).map_or(body, |value| deformed(value).to_string().into());
    Response::from_parts(parts, Body::from(body))
}

fn deformed(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, deformed(value))).collect(),
        Value::Array(items) => json!({"not": "a list", "length": items.len()}),
        Value::String(text) => json!([text.len()]),
        Value::Number(number) => json!({"number": number}),
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Null => json!(0),
    }
}

async fn taken_apart(right: Option<Response>) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = right.unwrap_or_else(|| StatusCode::OK.into_response()).into_parts();
    (parts, axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: Value) -> Fault {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_fault_ends_after_its_times() {
        let faults = Faults::default();
        faults.put("a".into(), fault(json!({"kind": "status", "times": 2})));
        assert!(faults.take("b", false).is_none());
        assert!(faults.take("a", false).is_some());
        assert!(faults.take("a", true).is_some());
        assert!(faults.take("a", false).is_none());
    }

    #[test]
    fn a_fault_may_wait_for_the_second_page() {
        let faults = Faults::default();
        faults.put("a".into(), fault(json!({"kind": "other-object", "page": "later", "times": 1})));
        assert!(faults.take("a", false).is_none());
        assert!(faults.take("a", true).is_some());
        faults.put("a".into(), fault(json!({"kind": "other-object", "page": "first"})));
        assert!(faults.take("a", true).is_none() && faults.take("a", false).is_some());
    }

    #[test]
    fn retry_after_speaks_three_dialects() {
        let now = Duration::from_secs(1_731_337_172);
        let said = |how: &str| fault(json!({"kind": "throttle", "retryAfter": how})).retry_after(now);
        assert_eq!(said("seconds").unwrap(), "1");
        assert_eq!(said("http-date").unwrap(), "Mon, 11 Nov 2024 14:59:33 GMT");
        assert_eq!(said("go-time").unwrap(), "2024-11-11 14:59:33 +0000 UTC");
        assert_eq!(said("none"), None);
    }

    #[test]
    fn wrong_types_touch_every_value() {
        let value = deformed(json!({"id": "x", "n": 1, "items": [1]}));
        assert_eq!(value, json!({"id": [1], "n": {"number": 1}, "items": {"not": "a list", "length": 1}}));
    }
}

//! What an answer means, by its status, its headers and one code word of its body. Pure.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::Answer;
use crate::platform::budget::Outcome;
use crate::platform::budget::retry_after::{rate_limit_reset, retry_after};
use crate::platform::error::{Error, Kind};

/// Code words that are safe to repeat: those of OAuth (RFC 6749 §5.2, RFC 6750 §3.1), of the UAA and of the Service Manager.
const CODE_WORDS: &[&str] = &[
    "BadRequest",
    "BrokerError",
    "ConcurrentOperationInProgress",
    "ConcurrentResourceUpdate",
    "Conflict",
    "ExistingReferenceEntity",
    "Forbidden",
    "NotFound",
    "Unauthorized",
    "access_denied",
    "client_already_exists",
    "insufficient_scope",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "unauthorized",
    "unauthorized_client",
];

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `None`: it did what it was asked for.
    pub refusal: Option<Kind>,
    /// The status and, if it is one of those we know, the code word of the body.
    pub detail: String,
    /// How long the platform asks us to stay away.
    pub wait: Option<Duration>,
    /// Whether the platform is not there, or not well.
    unwell: bool,
    /// Whether a broker behind the Service Manager failed, not the Service Manager.
    from_broker: bool,
    /// Whether a router answered because the API is down.
    from_router: bool,
}

/// The part of an error body that decides something. `error` is a code word or, at XSUAA, a sentence.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Complaint {
    error: Option<serde_json::Value>,
    broker_error: Option<BrokerError>,
}

/// What a broker told the Service Manager.
#[derive(Deserialize)]
struct BrokerError {
    #[serde(rename = "StatusCode")]
    status: Option<u16>,
}

/// Judges an answer.
pub fn judge(answer: &Answer, now: SystemTime) -> Verdict {
    let success = (200..300).contains(&answer.status());
    let complaint =
        if success { Complaint::default() } else { serde_json::from_slice(answer.body()).unwrap_or_default() };
    let word = complaint.error.as_ref().and_then(serde_json::Value::as_str).and_then(known);
    let broker = complaint.broker_error.and_then(|error| error.status);
    // A router that knows no such application says so with 404: the API is down, and nothing is gone.
    let from_router = answer.header("x-cf-routererror").is_some();
    let detail = match word {
        Some(word) => format!("status {}, {word}", answer.status()),
        None => format!("status {}", answer.status()),
    };
    let refusal = refusal(answer.status(), from_router, word, broker);
    let unwell = refusal == Some(Kind::Unavailable) && answer.status() != 412;
    Verdict { refusal, detail, wait: wait(answer, now), unwell, from_broker: broker.is_some(), from_router }
}

/// What the `errors` of an operation that failed after its 202 mean. They look like an error body.
pub fn failure(errors: Option<&serde_json::Value>) -> (Kind, String) {
    let complaint: Complaint = errors.and_then(|errors| Complaint::deserialize(errors).ok()).unwrap_or_default();
    let word = complaint.error.as_ref().and_then(serde_json::Value::as_str).and_then(known);
    let kind = match (word, complaint.broker_error.and_then(|error| error.status)) {
        (Some("Conflict" | "ExistingReferenceEntity"), _) => Kind::Conflict,
        (Some("ConcurrentOperationInProgress"), _) => Kind::InProgress,
        (Some("BadRequest"), _) => Kind::Invalid,
        (word, broker) => refusal(502, false, word, broker).unwrap_or(Kind::Unavailable),
    };
    (kind, format!("the operation failed: {}", word.unwrap_or("no reason that we know")))
}

fn known(word: &str) -> Option<&'static str> {
    CODE_WORDS.iter().copied().find(|known| *known == word)
}

/// The table: what kind of refusal a status is.
fn refusal(status: u16, from_router: bool, word: Option<&str>, broker: Option<u16>) -> Option<Kind> {
    Some(match (status, word) {
        (200..300, _) => return None,
        (400.., _) if from_router => Kind::Unavailable,
        (401, _) => Kind::CredentialsRefused,
        (403, _) => Kind::Forbidden,
        (404 | 410, _) => Kind::NotFound,
        (408, _) | (412, Some("ConcurrentResourceUpdate")) => Kind::Unavailable,
        (409, _) => Kind::Conflict,
        (422, Some("ConcurrentOperationInProgress")) => Kind::InProgress,
        (429, _) => Kind::Throttled,
        // The broker, not the Service Manager, refused: its status says whether another try can help.
        (502, Some("BrokerError"))
            if broker.is_some_and(|inner| (400..500).contains(&inner) && inner != 408 && inner != 429) =>
        {
            Kind::Invalid
        }
        (400..500, _) => Kind::Invalid,
        (500.., _) => Kind::Unavailable,
        _ => Kind::UnexpectedAnswer,
    })
}

fn wait(answer: &Answer, now: SystemTime) -> Option<Duration> {
    let asked = answer.header("retry-after").and_then(|text| retry_after(text, now));
    let remaining = answer.header("x-ratelimit-remaining").zip(answer.header("x-ratelimit-reset"));
    asked.or_else(|| remaining.and_then(|(remaining, reset)| rate_limit_reset(remaining, reset, now)))
}

impl Verdict {
    /// The error for a refusal of this kind.
    pub fn error(&self, kind: Kind, operation: &'static str) -> Error {
        Error::new(kind, operation).detail(self.detail.clone()).retry_after(self.wait)
    }

    /// What the answer tells about the platform's health.
    pub const fn outcome(&self) -> Outcome {
        match self.refusal {
            Some(Kind::Throttled) => Outcome::Throttled(self.wait),
            Some(Kind::Unavailable) if self.unwell => Outcome::Unavailable(self.wait),
            _ => Outcome::Answered(self.wait),
        }
    }

    /// Whether the request may have had its effect although the answer is a failure: a gateway gave up on the API.
    pub const fn is_in_doubt(&self) -> bool {
        self.unwell && !self.from_broker && !self.from_router
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, headers: &[(&'static str, &str)], body: &str) -> Option<Kind> {
        judge(&Answer::for_test(status, headers, body), SystemTime::now()).refusal
    }

    #[test]
    fn the_table() {
        let broker = |inner: u16| format!(r#"{{"error":"BrokerError","broker_error":{{"StatusCode":{inner}}}}}"#);
        for (status, body, expected) in [
            (200, "", None),
            (202, "{}", None),
            (302, "", Some(Kind::UnexpectedAnswer)),
            (400, r#"{"error":"BadRequest"}"#, Some(Kind::Invalid)),
            (401, "", Some(Kind::CredentialsRefused)),
            (403, "", Some(Kind::Forbidden)),
            (404, r#"{"error":"NotFound"}"#, Some(Kind::NotFound)),
            (408, "", Some(Kind::Unavailable)),
            (409, r#"{"error":"Conflict"}"#, Some(Kind::Conflict)),
            (410, "", Some(Kind::NotFound)),
            (412, r#"{"error":"ConcurrentResourceUpdate"}"#, Some(Kind::Unavailable)),
            (412, "", Some(Kind::Invalid)),
            (422, "", Some(Kind::Invalid)),
            (422, r#"{"error":"ConcurrentOperationInProgress"}"#, Some(Kind::InProgress)),
            (429, r#"{"description":"slow"}"#, Some(Kind::Throttled)),
            (500, "<html>", Some(Kind::Unavailable)),
            (502, "<html>", Some(Kind::Unavailable)),
            (502, &broker(422), Some(Kind::Invalid)),
            (502, &broker(429), Some(Kind::Unavailable)),
            (502, &broker(500), Some(Kind::Unavailable)),
            (503, "", Some(Kind::Unavailable)),
        ] {
            assert_eq!(kind(status, &[], body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_router_that_knows_no_route_is_never_taken_for_an_absence() {
        let headers = [("x-cf-routererror", "unknown_route")];
        assert_eq!(kind(404, &headers, r#"{"error":"NotFound"}"#), Some(Kind::Unavailable));
    }

    #[test]
    fn a_failed_operation_says_what_fixes_it() {
        let kind = |errors: serde_json::Value| failure(Some(&errors)).0;
        assert_eq!(
            kind(serde_json::json!({"error": "BrokerError", "broker_error": {"StatusCode": 400}})),
            Kind::Invalid
        );
        assert_eq!(
            kind(serde_json::json!({"error": "BrokerError", "broker_error": {"StatusCode": 500}})),
            Kind::Unavailable
        );
        assert_eq!(kind(serde_json::json!({"error": "Conflict"})), Kind::Conflict);
        assert_eq!(kind(serde_json::json!({"description": "hunter2"})), Kind::Unavailable);
        assert!(!failure(Some(&serde_json::json!({"error": "hunter2"}))).1.contains("hunter2"));
        assert_eq!(failure(None).0, Kind::Unavailable);
    }

    #[test]
    fn only_known_words_of_a_body_are_repeated() {
        let detail = |body| judge(&Answer::for_test(400, &[], body), SystemTime::now()).detail;
        assert_eq!(detail(r#"{"error":"BadRequest","description":"hunter2"}"#), "status 400, BadRequest");
        assert_eq!(detail(r#"{"error":"hunter2"}"#), "status 400");
        assert_eq!(detail(r#"{"error":{"hunter2":1}}"#), "status 400");
        assert_eq!(detail("hunter2"), "status 400");
    }

    #[test]
    fn a_wait_is_read_from_either_header() {
        let wait =
            |headers: &[(&'static str, &str)]| judge(&Answer::for_test(429, headers, ""), SystemTime::now()).wait;
        assert_eq!(wait(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "4")]), Some(Duration::from_secs(4)));
        assert_eq!(wait(&[]), None);
    }
}

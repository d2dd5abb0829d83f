//! What an answer means, by its status, its headers and one code word of its body. Pure.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;

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
    "InternalError",
    "InvalidMaxItems",
    "NotFound",
    "OperationInProgress",
    "Timeout",
    "TokenInvalid",
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
    "unsupported_grant_type",
];
/// Words by which a token service says that the client is not what it claims to be (RFC 6749 §5.2; `unauthorized` is the
/// UAA's). Asking again could lock its account.
const WRONG_CLIENT: &[&str] = &["invalid_client", "invalid_grant", "unauthorized", "unauthorized_client"];
/// Words by which a token service says that the client may not have what it asks for.
const NOT_ALLOWED: &[&str] =
    &["access_denied", "insufficient_scope", "invalid_request", "invalid_scope", "unsupported_grant_type"];

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
    /// Whether it is a broker behind the Service Manager that refused, failed, or took too long.
    from_broker: bool,
    /// Whether the request may have had its effect all the same.
    in_doubt: bool,
}

/// The part of an error body that decides something. `error` is a code word or, at XSUAA, a sentence.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Complaint {
    error: Option<Value>,
    description: Option<Value>,
    broker_error: Option<Value>,
}

impl Complaint {
    fn word(&self) -> Option<&'static str> {
        let word = self.error.as_ref()?.as_str()?;
        CODE_WORDS.iter().copied().find(|known| *known == word)
    }

    /// What a broker answered, if one did: in a field of its own, or as a number in the description, which is all that
    /// the open Service Manager core tells (`… Status: 400; ErrorMessage: …`).
    fn broker_status(&self) -> Option<u16> {
        let told = self.broker_error.as_ref().and_then(|error| error.get("StatusCode")?.as_u64());
        told.and_then(|status| status.try_into().ok()).or_else(|| status_in(self.description.as_ref()?.as_str()?))
    }
}

/// The number after `Status: `.
fn status_in(description: &str) -> Option<u16> {
    let (_, after) = description.split_once("Status: ")?;
    after.get(..3)?.parse().ok()
}

/// Judges an answer.
pub fn judge(answer: &Answer, now: SystemTime) -> Verdict {
    let complaint = complaint(answer);
    let (status, word) = (answer.status(), complaint.word());
    // A router that knows no such application says so with 404: the API is down, and nothing is gone.
    let from_router = answer.header("x-cf-routererror").is_some();
    let refusal = refusal(status, from_router, word, complaint.broker_status());
    let from_broker = !from_router && status >= 500 && matches!(word, Some("BrokerError" | "Timeout"));
    let failed = refusal == Some(Kind::Unavailable) && status != 412;
    Verdict {
        refusal,
        detail: detail(status, word),
        wait: wait(answer, now),
        unwell: failed && !from_broker,
        from_broker,
        // A broker that refused has been asked and has answered; a gateway that gave up does not know.
        in_doubt: failed && !from_router && word != Some("BrokerError"),
    }
}

/// Judges the answer of a token service. Only an OAuth error in JSON speaks of the client. Any other refusal comes from
/// somebody between us and the token service, and passes.
pub fn judge_log_on(answer: &Answer, now: SystemTime) -> Verdict {
    let verdict = judge(answer, now);
    let word = complaint(answer).word();
    let is_one_of = |words: &[&str]| word.is_some_and(|word| words.contains(&word));
    let refusal = verdict.refusal.map(|kind| match kind {
        Kind::Throttled | Kind::Unavailable => kind,
        _ if is_one_of(WRONG_CLIENT) => Kind::CredentialsRefused,
        _ if is_one_of(NOT_ALLOWED) => Kind::Forbidden,
        _ => Kind::Unavailable,
    });
    Verdict { refusal, ..verdict }
}

fn complaint(answer: &Answer) -> Complaint {
    if (200..300).contains(&answer.status()) {
        return Complaint::default();
    }
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

fn detail(status: u16, word: Option<&str>) -> String {
    word.map_or_else(|| format!("status {status}"), |word| format!("status {status}, {word}"))
}

/// What the `errors` of an operation that failed after its 202 mean. They look like an error body, or are a list of such.
pub fn failure(errors: Option<&Value>) -> (Kind, String) {
    let complaint = errors.and_then(decisive).unwrap_or_default();
    let (word, broker) = (complaint.word(), complaint.broker_status());
    let kind = match word {
        Some("Conflict" | "ExistingReferenceEntity") => Kind::Conflict,
        Some("ConcurrentOperationInProgress" | "OperationInProgress") => Kind::InProgress,
        Some("BadRequest") => Kind::Invalid,
        word => refusal(502, false, word, broker).unwrap_or(Kind::Unavailable),
    };
    (kind, format!("the operation failed: {}", word.unwrap_or("no reason that we know")))
}

/// The first error that has a word which we know, or else the first.
fn decisive(errors: &Value) -> Option<Complaint> {
    let listed = errors.as_array().map_or(std::slice::from_ref(errors), Vec::as_slice);
    let mut complaints = listed.iter().filter_map(|error| Complaint::deserialize(error).ok());
    let first = complaints.next()?;
    if first.word().is_some() {
        return Some(first);
    }
    complaints.find(|complaint| complaint.word().is_some()).or(Some(first))
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
        (422, Some("ConcurrentOperationInProgress" | "OperationInProgress")) => Kind::InProgress,
        (429, _) => Kind::Throttled,
        // The broker, not the Service Manager, refused: its status says whether another try can help.
        (500.., Some("BrokerError"))
            if broker.is_some_and(|inner| (400..500).contains(&inner) && inner != 408 && inner != 429) =>
        {
            Kind::Invalid
        }
        (400..500, _) => Kind::Invalid,
        (500.., _) => Kind::Unavailable,
        _ => Kind::UnexpectedAnswer,
    })
}

/// A point in time is meant by the platform's clock, which the answer shows (RFC 9110 §6.6.1): ours may be wrong.
fn wait(answer: &Answer, now: SystemTime) -> Option<Duration> {
    let now = answer.header("date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    let asked = answer.header("retry-after").and_then(|text| retry_after(text, now));
    let remaining = answer.header("x-ratelimit-remaining").zip(answer.header("x-ratelimit-reset"));
    asked.or_else(|| remaining.and_then(|(remaining, reset)| rate_limit_reset(remaining, reset, now)))
}

impl Verdict {
    /// The error for a refusal of this kind.
    pub fn error(&self, kind: Kind, operation: &'static str) -> Error {
        Error::new(kind, operation).detail(self.detail.clone()).retry_after(self.wait)
    }

    /// What the answer tells about the platform's health. A broker's failure tells nothing of the Service Manager's.
    pub const fn outcome(&self) -> Outcome {
        match self.refusal {
            Some(Kind::Throttled) => Outcome::Throttled(self.wait),
            _ if self.from_broker => Outcome::Answered(None),
            _ if self.unwell => Outcome::Unavailable(self.wait),
            _ => Outcome::Answered(self.wait),
        }
    }

    /// Whether the request may have had its effect although the answer is a failure: a gateway gave up on the API.
    pub const fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;

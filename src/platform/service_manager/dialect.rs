//! The words in which the Service Manager refuses, and in which it tells that a broker did. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::platform::error::Kind;
use crate::platform::http::dialect::{Dialect, Reading, Told, error_word};
use crate::platform::http::verdict::refusal;

/// How to read its error bodies.
pub const DIALECT: Dialect = Dialect { word: error_word, words: WORDS, read, counts_exactly: true };

const WORDS: &[&str] = &[
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
];

/// The part of an error body that says what a broker answered.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Complaint {
    description: Option<Value>,
    broker_error: Option<Value>,
}

impl Complaint {
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

fn read(told: &Told<'_>) -> Reading {
    let kind = match (told.status, told.word) {
        (412, Some("ConcurrentResourceUpdate")) => Some(Kind::Unavailable),
        (422, Some("ConcurrentOperationInProgress" | "OperationInProgress")) => Some(Kind::InProgress),
        (500.., Some("BrokerError")) => of_broker(told.body),
        _ => None,
    };
    // A broker that refused has been asked and has answered; one that was too slow may yet do what it was asked for.
    let from_behind = told.status >= 500 && matches!(told.word, Some("BrokerError" | "Timeout"));
    Reading { kind, from_behind, is_undone: told.word == Some("BrokerError") }
}

/// The broker, not the Service Manager, refused: its status says whether another try can help.
fn of_broker(body: &Value) -> Option<Kind> {
    let status = Complaint::deserialize(body).unwrap_or_default().broker_status()?;
    ((400..500).contains(&status) && status != 408 && status != 429).then_some(Kind::Invalid)
}

/// What the `errors` of an operation that failed after its 202 mean. They look like an error body, or are a list of such.
pub fn failure(errors: Option<&Value>) -> (Kind, String) {
    let error = errors.and_then(decisive).unwrap_or(&Value::Null);
    let word = DIALECT.word_of(error);
    let kind = match word {
        Some("Conflict" | "ExistingReferenceEntity") => Kind::Conflict,
        Some("ConcurrentOperationInProgress" | "OperationInProgress") => Kind::InProgress,
        Some("BadRequest") => Kind::Invalid,
        word => {
            read(&Told { status: 502, word, body: error }).kind.or(refusal(502, false)).unwrap_or(Kind::Unavailable)
        }
    };
    (kind, format!("the operation failed: {}", word.unwrap_or("no reason that we know")))
}

/// The first error that has a word which we know, or else the first.
fn decisive(errors: &Value) -> Option<&Value> {
    let listed = errors.as_array().map_or(std::slice::from_ref(errors), Vec::as_slice);
    listed.iter().find(|error| DIALECT.word_of(error).is_some()).or_else(|| listed.first())
}

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;

//! The words in which a Cloud Controller refuses, and in which it tells that a job failed. Pure.
//!
//! The code numbers are not unique, so the titles decide. Many refusals have one title, and their texts alone tell them
//! apart: those are read here and in `refusal`, and never repeated.

use serde_json::Value;

use crate::platform::error::Kind;
use crate::platform::http::dialect::{Dialect, Reading, Told};

/// How to read its error bodies. What `X-RateLimit-Remaining` tells is an estimate in steps of a tenth.
pub const DIALECT: Dialect = Dialect { word, words: WORDS, read, counts_exactly: false };

/// What cannot be carried out as it is.
pub const UNPROCESSABLE: &str = "CF-UnprocessableEntity";

const WORDS: &[&str] = &[
    UNPROCESSABLE,
    "CF-AsyncServiceBindingOperationInProgress",
    "CF-AsyncServiceInstanceOperationInProgress",
    "CF-BadQueryParameter",
    "CF-BlobstoreUnavailable",
    "CF-InsufficientScope",
    "CF-InvalidAuthToken",
    "CF-InvalidRelation",
    "CF-IPBasedRateLimitExceeded",
    "CF-MessageParseError",
    "CF-NotAuthenticated",
    "CF-NotAuthorized",
    "CF-NotFound",
    "CF-OrgSuspended",
    "CF-RateLimitExceeded",
    "CF-ResourceNotFound",
    "CF-ServiceBrokerBadResponse",
    "CF-ServiceBrokerRateLimitExceeded",
    "CF-ServiceBrokerRequestRejected",
    "CF-ServiceUnavailable",
    "CF-UaaRateLimited",
    "CF-UaaUnavailable",
    "CF-UnableToPerform",
    "CF-UniquenessError",
    "UnknownError",
];

/// The title of the first error.
fn word(body: &Value) -> Option<&str> {
    body.pointer("/errors/0/title")?.as_str()
}

fn read(told: &Told<'_>) -> Reading {
    let kind = match (told.status, told.word) {
        (409, Some(word)) if is_busy(word) => Some(Kind::InProgress),
        (422, Some(UNPROCESSABLE)) => unprocessable(told.body),
        _ => None,
    };
    Reading { kind, ..Reading::default() }
}

fn is_busy(word: &str) -> bool {
    matches!(word, "CF-AsyncServiceInstanceOperationInProgress" | "CF-AsyncServiceBindingOperationInProgress")
}

/// Two refusals that are no fault of the request's: somebody has the name, or something must end first.
fn unprocessable(body: &Value) -> Option<Kind> {
    if says(body, "operation in progress") {
        Some(Kind::InProgress)
    } else if says(body, "name is taken") || says(body, "names must be unique") {
        Some(Kind::Conflict)
    } else {
        None
    }
}

/// Whether one of the errors says this.
pub fn says(body: &Value, part: &str) -> bool {
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    errors.filter_map(|error| error.get("detail")?.as_str()).any(|detail| detail.contains(part))
}

/// What the `errors` of a job that failed mean. Of a broker that refused, or failed, its text alone would tell which.
pub fn failure(errors: Option<&Value>) -> (Kind, String) {
    let body = serde_json::json!({ "errors": errors });
    let word = DIALECT.word_of(&body);
    let kind = match word {
        Some(word) if is_busy(word) => Kind::InProgress,
        Some(UNPROCESSABLE) => unprocessable(&body).unwrap_or(Kind::Invalid),
        Some("CF-ServiceBrokerRequestRejected") => Kind::Invalid,
        _ => Kind::Unavailable,
    };
    (kind, format!("the job failed: {}", word.unwrap_or("no reason that we know")))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::json;

    use super::*;
    use crate::platform::http::Answer;
    use crate::platform::http::verdict::judge;

    fn body(title: &str, detail: &str) -> String {
        json!({"errors": [{"code": 1, "title": title, "detail": detail}]}).to_string()
    }

    fn refusal(status: u16, title: &str, detail: &str) -> (Option<Kind>, String) {
        let answer = Answer::for_test(status, &[], &body(title, detail));
        let verdict = judge(&answer, &DIALECT, SystemTime::now());
        (verdict.refusal, verdict.detail)
    }

    #[test]
    fn the_text_tells_what_one_title_does_not_and_is_never_repeated() {
        let of = |detail| refusal(422, UNPROCESSABLE, detail);
        let detail = format!("status 422, {UNPROCESSABLE}");
        assert_eq!(of("The service instance name is taken: x."), (Some(Kind::Conflict), detail.clone()));
        let busy = "There is an operation in progress for the service instance.";
        assert_eq!(of(busy), (Some(Kind::InProgress), detail.clone()));
        assert_eq!(of("No user exists with the username 'x'."), (Some(Kind::Invalid), detail));
        let busy = refusal(409, "CF-AsyncServiceInstanceOperationInProgress", "An operation for x is in progress.");
        assert_eq!(busy.0, Some(Kind::InProgress));
        assert_eq!(refusal(404, "CF-ResourceNotFound", "hunter2").1, "status 404, CF-ResourceNotFound");
        assert_eq!(refusal(404, "hunter2", "").1, "status 404");
    }

    #[test]
    fn an_estimate_that_nothing_is_left_stops_nobody_and_a_refusal_says_how_long() {
        let left = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3600")];
        assert_eq!(judge(&Answer::for_test(200, &left, "{}"), &DIALECT, SystemTime::now()).wait, None);
        let text = [("retry-after", "30"), ("content-type", "text/plain; charset=utf-8"), left[0], left[1]];
        let verdict =
            judge(&Answer::for_test(429, &text, &body("CF-RateLimitExceeded", "")), &DIALECT, SystemTime::now());
        assert_eq!((verdict.refusal, verdict.wait), (Some(Kind::Throttled), Some(Duration::from_secs(30))));
        assert_eq!(verdict.detail, "status 429, CF-RateLimitExceeded");
    }

    #[test]
    fn a_job_that_failed_says_so_in_known_words() {
        let of = |errors: Value| failure(Some(&errors));
        let unable = of(json!([{"title": "CF-UnableToPerform", "detail": "bind could not be completed: hunter2"}]));
        assert_eq!(unable, (Kind::Unavailable, "the job failed: CF-UnableToPerform".to_owned()));
        assert_eq!(of(json!([{"title": "hunter2"}])).1, "the job failed: no reason that we know");
        assert_eq!(failure(None).0, Kind::Unavailable);
    }
}

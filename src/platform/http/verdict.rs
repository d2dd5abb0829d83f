//! What an answer means, by its status, its headers and what its API's dialect reads in its body. Pure.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Answer;
use super::dialect::{Dialect, OAUTH, Reading, Told};
use crate::platform::budget::Outcome;
use crate::platform::budget::retry_after::{rate_limit_reset, retry_after};
use crate::platform::error::{Error, Kind};

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
    /// Whether it is somebody behind the API who refused, failed, or took too long.
    from_behind: bool,
    /// Whether the request may have had its effect all the same.
    in_doubt: bool,
}

/// Judges an answer of an API that speaks this dialect.
pub fn judge(answer: &Answer, dialect: &Dialect, now: SystemTime) -> Verdict {
    let body = refusal_body(answer);
    let (status, word) = (answer.status(), dialect.word_of(&body));
    // A router that knows no such application says so with 404: the API is down, and nothing is gone.
    let from_router = answer.header("x-cf-routererror").is_some();
    let reading = if from_router { Reading::default() } else { (dialect.read)(&Told { status, word, body: &body }) };
    let refusal = refusal(status, from_router).map(|kind| reading.kind.unwrap_or(kind));
    let failed = refusal == Some(Kind::Unavailable) && status != 412;
    Verdict {
        refusal,
        detail: detail(status, word),
        wait: wait(answer, dialect, now),
        unwell: failed && !reading.from_behind,
        from_behind: reading.from_behind,
        // Who refused has been asked and has answered; a gateway that gave up does not know.
        in_doubt: failed && !from_router && !reading.is_undone,
    }
}

/// Judges the answer of a token service. Only an OAuth error in JSON speaks of the client. Any other refusal comes from
/// somebody between us and the token service, and passes.
pub fn judge_log_on(answer: &Answer, now: SystemTime) -> Verdict {
    let verdict = judge(answer, &OAUTH, now);
    let word = OAUTH.word_of(&refusal_body(answer));
    let is_one_of = |words: &[&str]| word.is_some_and(|word| words.contains(&word));
    let refusal = verdict.refusal.map(|kind| match kind {
        Kind::Throttled | Kind::Unavailable => kind,
        _ if is_one_of(WRONG_CLIENT) => Kind::CredentialsRefused,
        _ if is_one_of(NOT_ALLOWED) => Kind::Forbidden,
        _ => Kind::Unavailable,
    });
    Verdict { refusal, ..verdict }
}

fn refusal_body(answer: &Answer) -> Value {
    if (200..300).contains(&answer.status()) {
        return Value::Null;
    }
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

fn detail(status: u16, word: Option<&str>) -> String {
    word.map_or_else(|| format!("status {status}"), |word| format!("status {status}, {word}"))
}

/// The table: what kind of refusal a status is.
pub fn refusal(status: u16, from_router: bool) -> Option<Kind> {
    Some(match status {
        200..300 => return None,
        400.. if from_router => Kind::Unavailable,
        401 => Kind::CredentialsRefused,
        403 => Kind::Forbidden,
        404 | 410 => Kind::NotFound,
        409 => Kind::Conflict,
        429 => Kind::Throttled,
        408 | 500.. => Kind::Unavailable,
        400..500 => Kind::Invalid,
        _ => Kind::UnexpectedAnswer,
    })
}

/// A point in time is meant by the platform's clock, which the answer shows (RFC 9110 §6.6.1): ours may be wrong.
fn wait(answer: &Answer, dialect: &Dialect, now: SystemTime) -> Option<Duration> {
    let now = answer.header("date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    let asked = answer.header("retry-after").and_then(|text| retry_after(text, now));
    let left = answer.header("x-ratelimit-remaining").filter(|_| dialect.counts_exactly);
    let remaining = left.zip(answer.header("x-ratelimit-reset"));
    asked.or_else(|| remaining.and_then(|(remaining, reset)| rate_limit_reset(remaining, reset, now)))
}

impl Verdict {
    /// The error for a refusal of this kind.
    pub fn error(&self, kind: Kind, operation: &'static str) -> Error {
        Error::new(kind, operation).detail(self.detail.clone()).retry_after(self.wait)
    }

    /// What the answer tells about the platform's health. A failure of somebody behind the API tells nothing of it.
    pub const fn outcome(&self) -> Outcome {
        match self.refusal {
            Some(Kind::Throttled) => Outcome::Throttled(self.wait),
            _ if self.from_behind => Outcome::Answered(None),
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

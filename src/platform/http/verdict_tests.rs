//! What answers mean, whatever the API.

use serde_json::json;

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// An API that knows one word beside those of OAuth.
const DIALECT: Dialect = Dialect { words: &["BadRequest"], ..super::super::dialect::PLAIN };

fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
    judge(&Answer::for_test(status, headers, body), &DIALECT, NOW)
}

fn kind(status: u16, headers: &[(&'static str, &str)], body: &str) -> Option<Kind> {
    verdict(status, headers, body).refusal
}

#[test]
fn the_table() {
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
        (412, "", Some(Kind::Invalid)),
        (422, "", Some(Kind::Invalid)),
        (429, r#"{"description":"slow"}"#, Some(Kind::Throttled)),
        (500, "<html>", Some(Kind::Unavailable)),
        (502, "<html>", Some(Kind::Unavailable)),
        (503, "", Some(Kind::Unavailable)),
    ] {
        assert_eq!(kind(status, &[], body), expected, "{status} {body}");
    }
}

#[test]
fn a_gateway_that_gave_up_leaves_doubt_and_counts() {
    let verdict = verdict(504, &[("retry-after", "7")], "<html>");
    assert!(verdict.is_in_doubt());
    assert_eq!(verdict.outcome(), Outcome::Unavailable(Some(Duration::from_secs(7))));
}

#[test]
fn a_router_that_knows_no_route_is_never_taken_for_an_absence() {
    let headers = [("x-cf-routererror", "unknown_route")];
    let verdict = verdict(404, &headers, r#"{"error":"NotFound"}"#);
    assert_eq!((verdict.refusal, verdict.is_in_doubt()), (Some(Kind::Unavailable), false));
}

#[test]
fn only_an_oauth_error_in_json_speaks_of_the_credential() {
    let said = |status, body: &str| judge_log_on(&Answer::for_test(status, &[], body), NOW).refusal;
    for word in ["invalid_client", "unauthorized", "unauthorized_client", "invalid_grant"] {
        for status in [400, 401, 403] {
            let body = json!({"error": word, "error_description": "Bad credentials"}).to_string();
            assert_eq!(said(status, &body), Some(Kind::CredentialsRefused), "{status} {word}");
        }
    }
    for word in ["invalid_scope", "unsupported_grant_type", "access_denied"] {
        assert_eq!(said(400, &json!({"error": word}).to_string()), Some(Kind::Forbidden), "{word}");
    }
    for status in [302, 400, 401, 403, 404, 407, 409, 418, 500, 503] {
        for body in ["", "<html>invalid_client</html>", r#"{"message":"no"}"#, r#"{"error":"Bad Request"}"#, "[]"] {
            assert_eq!(said(status, body), Some(Kind::Unavailable), "{status} {body}");
        }
    }
    assert_eq!(said(503, r#"{"error":"invalid_client"}"#), Some(Kind::Unavailable), "it is not well itself");
    assert_eq!(said(429, ""), Some(Kind::Throttled));
    assert_eq!(said(200, "{}"), None);
}

#[test]
fn only_known_words_of_a_body_are_repeated() {
    let detail = |body| verdict(400, &[], body).detail;
    assert_eq!(detail(r#"{"error":"BadRequest","description":"hunter2"}"#), "status 400, BadRequest");
    assert_eq!(detail(r#"{"error":"hunter2"}"#), "status 400");
    assert_eq!(detail(r#"{"error":{"hunter2":1}}"#), "status 400");
    assert_eq!(detail("hunter2"), "status 400");
}

#[test]
fn a_wait_is_read_from_either_header() {
    let wait = |headers: &[(&'static str, &str)]| verdict(429, headers, "").wait;
    assert_eq!(wait(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
    assert_eq!(wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "4")]), Some(Duration::from_secs(4)));
    assert_eq!(wait(&[]), None);
}

#[test]
fn a_point_in_time_is_meant_by_the_platforms_own_clock() {
    // The platform's clock is far ahead of the one that the test says is ours.
    let date = ("date", "Mon, 11 Nov 2024 14:59:00 GMT");
    let wait = |headers: &[(&'static str, &str)]| verdict(429, headers, "").wait.map(|wait| wait.as_secs());
    assert_eq!(wait(&[date, ("retry-after", "Mon, 11 Nov 2024 14:59:30 GMT")]), Some(30));
    assert_eq!(wait(&[date, ("retry-after", "2024-11-11 14:59:30 +0000 UTC")]), Some(30));
    let reset = [date, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1731337150")];
    assert_eq!(wait(&reset), Some(10));
    assert_eq!(wait(&[("date", "yesterday"), ("retry-after", "30")]), Some(30));
}

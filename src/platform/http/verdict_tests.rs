//! What answers mean, as the platforms' documents and the open Service Manager core give them.

use serde_json::json;

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
    judge(&Answer::for_test(status, headers, body), NOW)
}

fn kind(status: u16, headers: &[(&'static str, &str)], body: &str) -> Option<Kind> {
    verdict(status, headers, body).refusal
}

/// A broker's refusal as SAP's Service Manager tells it.
fn broker(inner: u16) -> String {
    json!({"error": "BrokerError", "broker_error": {"StatusCode": inner}}).to_string()
}

/// The same as the open core tells it.
fn core(inner: u16) -> String {
    let description = format!("Failed provisioning request b for instance i: Status: {inner}; ErrorMessage: hunter2");
    json!({"error": "BrokerError", "description": description}).to_string()
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
        (412, r#"{"error":"ConcurrentResourceUpdate"}"#, Some(Kind::Unavailable)),
        (412, "", Some(Kind::Invalid)),
        (422, "", Some(Kind::Invalid)),
        (422, r#"{"error":"ConcurrentOperationInProgress"}"#, Some(Kind::InProgress)),
        (422, r#"{"error":"OperationInProgress"}"#, Some(Kind::InProgress)),
        (429, r#"{"description":"slow"}"#, Some(Kind::Throttled)),
        (500, "<html>", Some(Kind::Unavailable)),
        (502, "<html>", Some(Kind::Unavailable)),
        (503, "", Some(Kind::Unavailable)),
    ] {
        assert_eq!(kind(status, &[], body), expected, "{status} {body}");
    }
}

#[test]
fn a_brokers_refusal_is_a_refusal_however_it_is_told_and_the_service_manager_is_well() {
    for (inner, expected) in [
        (400, Kind::Invalid),
        (409, Kind::Invalid),
        (422, Kind::Invalid),
        (408, Kind::Unavailable),
        (429, Kind::Unavailable),
        (500, Kind::Unavailable),
    ] {
        for body in [broker(inner), core(inner)] {
            let verdict = verdict(502, &[], &body);
            assert_eq!(verdict.refusal, Some(expected), "{body}");
            assert!(!verdict.is_in_doubt(), "it reached the broker and was refused: {body}");
            assert_eq!(verdict.outcome(), Outcome::Answered(None), "{body}");
            assert!(!verdict.detail.contains("hunter2"));
        }
    }
}

#[test]
fn the_word_of_a_broker_is_enough() {
    for body in [
        r#"{"error":"BrokerError"}"#,
        r#"{"error":"BrokerError","description":"Status: soon; Status: 400"}"#,
        r#"{"error":"BrokerError","description":{"Status: ":400}}"#,
        r#"{"error":"BrokerError","description":"Status: 4"}"#,
        r#"{"error":"BrokerError","broker_error":{}}"#,
        r#"{"error":"BrokerError","broker_error":"hunter2"}"#,
        r#"{"error":"BrokerError","broker_error":{"StatusCode":"400"}}"#,
        r#"{"error":"BrokerError","broker_error":{"StatusCode":65936}}"#,
    ] {
        let verdict = verdict(502, &[], body);
        let said = (verdict.refusal, verdict.is_in_doubt(), verdict.outcome());
        assert_eq!(said, (Some(Kind::Unavailable), false, Outcome::Answered(None)), "{body}");
    }
}

#[test]
fn a_broker_that_was_too_slow_leaves_the_order_in_doubt_and_the_service_manager_well() {
    let verdict = verdict(503, &[], r#"{"error":"Timeout","description":"operation has timed out"}"#);
    let said = (verdict.refusal, verdict.is_in_doubt(), verdict.outcome());
    assert_eq!(said, (Some(Kind::Unavailable), true, Outcome::Answered(None)));
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
fn a_failed_operation_says_what_fixes_it_as_an_object_and_in_a_list() {
    for (errors, expected) in [
        (json!({"error": "BrokerError", "broker_error": {"StatusCode": 400}}), Kind::Invalid),
        (json!({"error": "BrokerError", "description": "x Status: 400; y"}), Kind::Invalid),
        (json!({"error": "BrokerError", "broker_error": {"StatusCode": 500}}), Kind::Unavailable),
        (json!({"error": "Conflict"}), Kind::Conflict),
        (json!({"error": "OperationInProgress"}), Kind::InProgress),
        (json!({"description": "hunter2"}), Kind::Unavailable),
        (json!({"error": "hunter2"}), Kind::Unavailable),
    ] {
        for errors in [errors.clone(), json!([errors]), json!([{"error": "hunter2"}, errors]), json!([7, errors])] {
            let (kind, detail) = failure(Some(&errors));
            assert_eq!(kind, expected, "{errors}");
            assert!(!detail.contains("hunter2"));
        }
    }
    for nothing in [json!([]), json!("hunter2"), json!(null)] {
        assert_eq!(failure(Some(&nothing)).0, Kind::Unavailable);
    }
    assert_eq!(failure(None).0, Kind::Unavailable);
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

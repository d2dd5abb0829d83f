//! What the Service Manager's refusals mean, as its documents and the open core give them.

use std::time::SystemTime;

use serde_json::json;

use super::*;
use crate::platform::budget::Outcome;
use crate::platform::http::Answer;
use crate::platform::http::verdict::{Verdict, judge};

fn verdict(status: u16, body: &str) -> Verdict {
    judge(&Answer::for_test(status, &[], body), &DIALECT, SystemTime::UNIX_EPOCH)
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
fn what_is_at_work_is_no_refusal() {
    for (status, body, expected) in [
        (412, r#"{"error":"ConcurrentResourceUpdate"}"#, Kind::Unavailable),
        (422, r#"{"error":"ConcurrentOperationInProgress"}"#, Kind::InProgress),
        (422, r#"{"error":"OperationInProgress"}"#, Kind::InProgress),
        (422, "", Kind::Invalid),
    ] {
        assert_eq!(verdict(status, body).refusal, Some(expected), "{status} {body}");
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
            let verdict = verdict(502, &body);
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
        let verdict = verdict(502, body);
        let said = (verdict.refusal, verdict.is_in_doubt(), verdict.outcome());
        assert_eq!(said, (Some(Kind::Unavailable), false, Outcome::Answered(None)), "{body}");
    }
}

#[test]
fn a_broker_that_was_too_slow_leaves_the_order_in_doubt_and_the_service_manager_well() {
    let verdict = verdict(503, r#"{"error":"Timeout","description":"operation has timed out"}"#);
    let said = (verdict.refusal, verdict.is_in_doubt(), verdict.outcome());
    assert_eq!(said, (Some(Kind::Unavailable), true, Outcome::Answered(None)));
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

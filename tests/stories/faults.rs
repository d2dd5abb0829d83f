//! Faults of the platform during the quick start: whatever goes wrong on whatever route, the objects get there, one of each
//! is made, and an answer that makes no sense is said to make none.

use std::thread;

use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::{Stage, Team};

/// The routes that the quick start needs, of which every one is spoilt in turn.
const ROUTES: [&str; 10] = [
    "auth.token",
    "service-manager.list-offerings",
    "service-manager.list-plans",
    "service-manager.list-instances",
    "service-manager.create-instance",
    "service-manager.delete-instance",
    "service-manager.list-bindings",
    "service-manager.create-binding",
    "service-manager.delete-binding",
    "xsuaa.assign",
];

const OBJECTS: [&str; 3] = ["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"];

fn faults() -> Vec<(&'static str, Value)> {
    vec![
        ("broken", json!({ "kind": "status", "status": 500 })),
        ("done-and-broken", json!({ "kind": "status", "status": 503, "after": "after" })),
        ("html", json!({ "kind": "html", "status": 502 })),
        ("truncated", json!({ "kind": "truncated" })),
        ("no-json", json!({ "kind": "not-json", "after": "after" })),
        ("wrong-types", json!({ "kind": "wrong-types" })),
        ("enormous", json!({ "kind": "enormous", "after": "after" })),
        ("reset", json!({ "kind": "reset" })),
        ("done-and-reset", json!({ "kind": "reset", "after": "after" })),
        ("router", json!({ "kind": "router-404" })),
        ("broker", json!({ "kind": "broker-error", "status": 500 })),
        ("throttled", json!({ "kind": "throttle", "retryAfter": "seconds" })),
    ]
}

#[test]
fn the_quick_start_gets_there_whatever_goes_wrong_once_on_whatever_route() {
    // They wait much more than they work, so all kinds of fault go on at a time.
    thread::scope(|scope| {
        for (kind, fault) in faults() {
            scope.spawn(move || lives(kind, &fault));
        }
    });
}

/// One life of the quick start for each route, in a namespace and on a subaccount of the fault's own.
fn lives(kind: &str, fault: &Value) {
    let team = Team::on_btp(Stage::shared(), &format!("faulty-{kind}"));
    for route in ROUTES {
        let mut once = fault.clone();
        once["times"] = json!(1);
        team.simulator.fault(route, &once);
        one_life(&team, &format!("{kind} on {route}"));
        assert_eq!(team.simulator.faults(), json!({}), "no call used {route}: it must not be in the list");
    }
    team.delete_everything();
}

/// A new connection, so that everything is looked up again; the objects come, and go.
fn one_life(team: &Team<'_>, what: &str) {
    team.apply(&team.btp());
    team.apply_quickstart();
    live_and_go(team, what);
}

/// The objects get Ready with one of each; then they and their Platform go.
fn live_and_go(team: &Team<'_>, what: &str) {
    team.ready(&OBJECTS);
    assert_eq!(team.instances_and_keys(), (1, 1), "{what}: one instance, one key");
    assert!(team.jane_holds_it(), "{what}");
    let user = team.get(OBJECTS[0]).expect("the user");
    assert_eq!(user["status"]["credential"]["sequence"], 1, "{what}: nothing is issued twice");
    let platform = format!("platforms/{}", team.name);
    for object in OBJECTS.iter().copied().chain([platform.as_str()]) {
        team.delete(object);
    }
    for object in OBJECTS.iter().copied().chain([platform.as_str()]) {
        team.gone(object);
    }
    assert!(team.platform_is_empty(), "{what}: {:#}", team.simulator.state());
}

#[test]
fn an_answer_that_makes_no_sense_is_said_and_its_text_is_not() {
    let team = Team::on_btp(Stage::shared(), "nonsense");
    for kind in ["not-json", "enormous", "html"] {
        team.simulator.fault("service-manager.create-instance", &json!({ "kind": kind }));
        team.apply_quickstart();
        let user = team.until("technicalusers/orders", &format!("complaining of {kind}"), |user| {
            let ready = condition(user, "Ready");
            ready.is_some_and(|ready| ready.status == "False" && REASONS.contains(&ready.reason.as_str()))
        });
        let status = user["status"].to_string();
        assert!(status.contains("create service instance") && !status.contains("oops"), "{kind}: {status}");
        team.simulator.heal();
        team.ready(&OBJECTS);
        assert_eq!(team.instances_and_keys(), (1, 1), "{kind}");
        team.delete("technicalusers/orders");
        team.gone("technicalusers/orders");
    }
    team.delete_everything();
}

/// What an object may say of an answer that could not be understood, or of which only the beginning came.
const REASONS: [&str; 3] = ["UnexpectedAnswer", "OutcomeUnknown", "PlatformUnavailable"];

#[test]
fn a_list_that_makes_no_sense_is_no_empty_list() {
    let team = Team::on_btp(Stage::shared(), "nonsense-lists");
    for kind in ["not-json", "wrong-types", "truncated", "enormous"] {
        team.simulator.fault("service-manager.list-instances", &json!({ "kind": kind }));
        team.apply(&team.btp());
        team.apply_quickstart();
        // What is made for an object rests on its record, and on what the platform says of it alone.
        team.ready(&OBJECTS);
        assert_eq!(team.instances_and_keys(), (1, 1), "{kind}: nothing is made twice on its word");
        team.simulator.heal();
        live_and_go(&team, kind);
    }
    team.delete_everything();
}

#[test]
fn a_platform_that_is_away_for_a_while_is_missed_and_found_again() {
    let team = Team::on_btp(Stage::shared(), "away");
    team.apply_quickstart();
    team.ready(&OBJECTS);

    team.simulator.fault("*", &json!({ "kind": "status", "status": 503 }));
    team.delete("rolebindings/jane-reads");
    team.not_ready("rolebindings/jane-reads", "PlatformUnavailable", "the platform is not available");
    // What serves its purpose goes on serving it.
    team.ready(&["technicalusers/orders"]);

    team.simulator.heal();
    team.gone("rolebindings/jane-reads");
    assert!(!team.jane_holds_it());
    team.delete_everything();
}

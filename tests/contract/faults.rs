//! Faults: whatever goes wrong on whatever route, once, before or after the effect, trying again converges to one of
//! each, and nothing is left behind.

use std::thread;

use serde_json::{Value, json};

use crate::description::{Description, Running};
use crate::harness::http;
use crate::suite::{confirmed, create, delete, grant, held, issue, reveal, revoke, revoke_grants};

/// Every route with every fault. Each route has a simulator of its own, so that they run side by side.
pub(crate) fn run(description: &'static Description) {
    run_with(description, "", &faults());
}

/// Every route of an API with answers that are not its own: they must not be believed, and nobody knows whether the
/// request got through.
pub(crate) fn run_with_answers_of_others(description: &'static Description, api: &str) {
    run_with(description, api, &answers_of_others());
}

fn run_with(description: &'static Description, api: &str, faults: &[Value]) {
    thread::scope(|scope| {
        for route in description.routes.iter().filter(|route| route.starts_with(api)) {
            scope.spawn(move || one_route(description, route, faults));
        }
    });
}

fn one_route(description: &'static Description, route: &str, faults: &[Value]) {
    let mut platform = Running::start(description);
    let lives = [identity_life, grant_life];
    let uses_it = lives
        .into_iter()
        .find(|life| disturbed(&mut platform, route, &json!({"kind": "status", "status": 500, "times": 1}), *life));
    let life = uses_it.unwrap_or_else(|| panic!("no call uses {route}: it must not be in the list"));
    for fault in faults {
        assert!(disturbed(&mut platform, route, fault, life), "{route} is not always called");
    }
}

/// Lives a life with one fault in it; whether the fault was met.
fn disturbed(platform: &mut Running, route: &str, fault: &Value, life: fn(&Running, &str)) -> bool {
    // A new driver has to log on and to look everything up, so that the fault has a call to spoil. Nor
    // may it suffer from what others have used up of a platform's rate.
    platform.simulator.reset();
    platform.reconnect();
    platform.simulator.fault(route, fault);
    life(platform, &format!("{route} {fault}"));
    http::get_json(&format!("{}/_simulator/faults", platform.simulator.url())) == json!({})
}

fn identity_life(platform: &Running, story: &str) {
    if platform.driver.identities.is_none() {
        return;
    }
    let identity = create(platform, story);
    assert_eq!(platform.count(), (1, 0), "{story}");
    let issued = issue(platform, &identity, story, 1);
    assert_eq!(platform.count(), (1, 1), "{story}");
    drop(reveal(platform, &issued.credential));
    revoke(platform, &issued.credential);
    assert_eq!(platform.count(), (1, 0), "{story}");
    drop(issue(platform, &identity, story, 2));
    delete(platform, &identity);
    assert_eq!(platform.count(), (0, 0), "{story}");
}

fn grant_life(platform: &Running, story: &str) {
    if platform.driver.grants.is_none() {
        return;
    }
    for batch in platform.grants() {
        grant(platform, &batch);
        assert_eq!(held(platform, &batch), batch, "{story}");
        assert_eq!(confirmed(platform, &batch), batch, "{story}");
        revoke_grants(platform, &batch);
        assert!(held(platform, &batch).is_empty(), "{story}");
    }
}

fn answers_of_others() -> [Value; 4] {
    let answer = |kind: &str, after: &str| json!({"kind": kind, "after": after, "times": 1});
    [
        answer("other-object", "before"),
        answer("other-object", "after"),
        answer("not-found", "before"),
        answer("not-found", "after"),
    ]
}

/// Faults that a platform recovers from.
fn faults() -> Vec<Value> {
    [
        json!({"kind": "status", "status": 500}),
        json!({"kind": "status", "status": 503, "after": "after"}),
        json!({"kind": "status", "status": 504, "after": "after"}),
        json!({"kind": "html", "status": 502}),
        json!({"kind": "truncated"}),
        json!({"kind": "not-json", "after": "after"}),
        json!({"kind": "wrong-types"}),
        json!({"kind": "enormous", "after": "after"}),
        json!({"kind": "reset"}),
        json!({"kind": "reset", "after": "after"}),
        json!({"kind": "router-404"}),
        json!({"kind": "router-404", "after": "after"}),
        json!({"kind": "broker-error", "status": 500}),
        json!({"kind": "throttle"}),
        json!({"kind": "throttle", "retryAfter": "seconds"}),
        json!({"kind": "throttle", "retryAfter": "http-date"}),
        json!({"kind": "throttle", "retryAfter": "go-time"}),
    ]
    .into_iter()
    .map(|mut fault| {
        fault["times"] = json!(1);
        fault
    })
    .collect()
}

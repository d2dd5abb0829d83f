//! Faults: whatever goes wrong on whatever route, once or for long, before or after the effect, trying again converges to
//! one of each, and nothing is left behind.

use std::thread;

use serde_json::{Value, json};

use crate::description::{Description, Running};
use crate::suite::{
    confirmed, create, delete, found, grant, held, issue, listed, reveal, revoke, revoke_grants, set_roles, works,
};

/// More requests than any call makes by itself: what slows down or gives up for a while must do so.
const LONG: u32 = 6;
/// So many failures that the breaker, which counts one a second, opens for all of them but the last few. Log-ons that
/// fail so often are left alone for minutes.
const UNTIL_THE_BREAKER_OPENS: u32 = 10;
/// Longer than an exchange may take.
const TOO_LATE_MILLIS: u32 = 32_000;

/// Every route with every fault, with these settings. Each route has a simulator of its own, so that they run side by side.
pub(crate) fn run(description: &'static Description, settings: &Value) {
    run_but(description, settings, |_| false);
}

/// The same without some: an admin credential that is shown with every call and refused for long is not tried again.
pub(crate) fn run_but(description: &'static Description, settings: &Value, is_left_out: fn(&Value) -> bool) {
    thread::scope(|scope| {
        for route in description.routes {
            scope.spawn(move || one_route(description, settings, route, is_left_out));
        }
    });
}

/// Every route with an answer that comes when nobody waits for it any more.
pub(crate) fn run_late(description: &'static Description) {
    thread::scope(|scope| {
        for route in description.routes {
            scope.spawn(move || {
                let mut platform = Running::start(description);
                let late = json!({"kind": "latency", "latencyMs": TOO_LATE_MILLIS, "times": 1});
                let life = life_with(&mut platform, &json!({}), route);
                assert!(disturbed(&mut platform, &json!({}), route, &late, life), "{route} is not always called");
            });
        }
    });
}

/// Every fault on the later pages of a list, which must show all that there is in spite of it.
pub(crate) fn on_later_pages(platform: &mut Running, route: &str, shown: impl Fn(&Running) -> usize) {
    let expected = shown(platform);
    for mut fault in all(route) {
        fault["page"] = json!("later");
        // What the fault before has taught is not this one's business.
        platform.reconnect();
        platform.simulator.fault(route, &fault);
        assert_eq!(shown(platform), expected, "{route} {fault}");
        assert_ne!(platform.simulator.faults()[route]["times"], fault["times"], "{route} has no later page");
        platform.simulator.heal();
    }
}

/// Every fault, once and for long.
pub(crate) fn all(route: &str) -> Vec<Value> {
    once().into_iter().chain(for_long(route)).collect()
}

type Life = fn(&mut Running, &str);

fn one_route(description: &'static Description, settings: &Value, route: &str, is_left_out: fn(&Value) -> bool) {
    let mut platform = Running::start(description);
    let life = life_with(&mut platform, settings, route);
    // A token service that goes on refusing is left alone for minutes, lest an account be locked: `log_on` shows that.
    let refuses = |fault: &Value| route.ends_with("token") && fault["status"] == 401;
    for fault in all(route).into_iter().filter(|fault| !refuses(fault) && !is_left_out(fault)) {
        assert!(disturbed(&mut platform, settings, route, &fault, life), "{route} is not always called");
    }
}

/// The life that has a use for a route.
fn life_with(platform: &mut Running, settings: &Value, route: &str) -> Life {
    let error = json!({"kind": "status", "status": 500, "times": 1});
    let lives: [Life; 2] = [identity_life, grant_life];
    let uses_it = lives.into_iter().find(|life| disturbed(platform, settings, route, &error, *life));
    uses_it.unwrap_or_else(|| panic!("no call uses {route}: it must not be in the list"))
}

/// Lives a life with one fault in it; whether the fault was met.
fn disturbed(platform: &mut Running, settings: &Value, route: &str, fault: &Value, life: Life) -> bool {
    // A new driver has to log on and to look everything up, so that the fault has a call to spoil. Nor
    // may it suffer from what others have used up of a platform's rate.
    platform.reset(settings);
    platform.reconnect();
    platform.simulator.fault(route, fault);
    life(platform, &format!("{route} {fault}"));
    platform.simulator.faults()[route]["times"] != fault["times"]
}

/// From an order to its end, with a restart in between, after which everything has to be looked up again.
fn identity_life(platform: &mut Running, story: &str) {
    let Some(sample) = (!platform.driver.makers.is_empty()).then(|| platform.sample(&crate::description::owner(story)))
    else {
        return;
    };
    let identity = create(platform, story);
    assert_eq!(platform.count(), (1, 0), "{story}");
    let issued = issue(platform, &identity, story, 1);
    assert_eq!(platform.count(), (1, 1), "{story}");
    // Whatever the proof shows where nothing that is asked can be believed.
    works(platform, &issued);
    platform.reconnect();
    drop(reveal(platform, &issued.credential));
    set_roles(platform, &identity, &platform.with_other_roles(&sample.expect("a sample")));
    revoke(platform, &issued.credential);
    assert_eq!(platform.count(), (1, 0), "{story}");
    drop(issue(platform, &identity, story, 2));
    assert_eq!((found(platform, story).len(), listed(platform, "cluster-1").len()), (1, 1), "{story}");
    delete(platform, &identity);
    assert_eq!((found(platform, story).len(), platform.count()), (0, (0, 0)), "{story}");
}

fn grant_life(platform: &mut Running, story: &str) {
    if platform.driver.grants.is_empty() {
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

/// Faults that a platform recovers from, met once.
fn once() -> Vec<Value> {
    [
        json!({"kind": "status", "status": 500}),
        json!({"kind": "status", "status": 403}),
        json!({"kind": "status", "status": 503, "after": "after"}),
        json!({"kind": "status", "status": 504, "after": "after"}),
        json!({"kind": "html", "status": 502}),
        json!({"kind": "truncated"}),
        json!({"kind": "not-json", "after": "after"}),
        json!({"kind": "wrong-types"}),
        json!({"kind": "enormous", "after": "after"}),
        json!({"kind": "reset"}),
        json!({"kind": "reset", "after": "after"}),
        json!({"kind": "other-object"}),
        json!({"kind": "other-object", "after": "after"}),
        json!({"kind": "not-found"}),
        json!({"kind": "not-found", "after": "after"}),
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

/// The same for long: whatever counts failures, slows down or learns has to do so.
fn for_long(route: &str) -> Vec<Value> {
    let broken = if route.ends_with("token") { LONG } else { UNTIL_THE_BREAKER_OPENS };
    [
        (json!({"kind": "status", "status": 503}), broken),
        (json!({"kind": "status", "status": 401}), LONG),
        (json!({"kind": "reset", "after": "after"}), LONG),
        (json!({"kind": "other-object"}), LONG),
        (json!({"kind": "not-found"}), LONG),
        (json!({"kind": "broker-error", "status": 500}), LONG),
        (json!({"kind": "throttle", "retryAfter": "seconds"}), LONG),
    ]
    .into_iter()
    .map(|(mut fault, times)| {
        fault["times"] = json!(times);
        fault
    })
    .collect()
}

//! What a rule no longer allows goes after its grace, whatever its namespace writes meanwhile, and whoever takes the
//! finalizer off.

use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::{PATIENCE, Stage, Team, eventually};

const OBJECTS: [&str; 3] = ["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"];

/// A team with the quick start's objects, Ready.
fn team(name: &str) -> Team<'static> {
    let team = Team::on_btp(Stage::shared(), name);
    team.apply_quickstart();
    team.ready(&OBJECTS);
    team
}

/// Nobody may do anything any more; what there is goes after a short grace.
fn rules_go(team: &Team<'_>) {
    let spec = json!({ "access": [], "withdrawalGrace": "2s" });
    team.patch(&format!("platforms/{}", team.name), &json!({ "spec": spec }));
}

fn everything_is_withdrawn(team: &Team<'_>) {
    team.platform_is_emptied();
    eventually("the Secret is gone", PATIENCE, || team.secret("orders-credentials").is_none().then_some(()));
    team.not_ready("technicalusers/orders", "AccessDenied", "It was withdrawn");
    team.delete_everything();
}

#[test]
fn a_namespace_that_only_observes_keeps_nothing() {
    let team = team("observes");
    let mallory = team.member();
    let observe = json!({ "spec": { "mode": "Observe", "deletionPolicy": "Orphan" } });
    mallory.api.patch(&team.path("technicalusers/orders"), &observe).expect("that may be written");
    team.until("technicalusers/orders", "observed", |user| {
        condition(user, "Ready").is_some_and(|ready| ready.reason == "Observed")
    });

    rules_go(&team);

    everything_is_withdrawn(&team);
}

#[test]
fn edits_during_the_grace_do_not_begin_it_anew() {
    let team = team("edited-meanwhile");
    let mallory = team.member();
    rules_go(&team);

    let mut number = 0;
    eventually("it is withdrawn", PATIENCE, || {
        number += 1;
        for what in OBJECTS {
            let edit = json!({ "metadata": { "annotations": { "edit": number.to_string() } } });
            mallory.api.patch(&team.path(what), &edit).expect("that may be written");
        }
        let mode = if number % 2 == 0 { "Observe" } else { "Enforce" };
        let edit = json!({ "spec": { "mode": mode, "description": number.to_string() } });
        mallory.api.patch(&team.path("technicalusers/orders"), &edit).expect("that may be written");
        team.platform_is_empty().then_some(())
    });

    everything_is_withdrawn(&team);
}

#[test]
fn without_its_finalizer_an_object_keeps_nothing() {
    let team = team("taken-off");
    let none = json!({ "metadata": { "finalizers": null } });
    // Who answers for the Platform may do that, by mistake or not.
    OBJECTS.iter().for_each(|what| team.patch(what, &none));

    rules_go(&team);

    everything_is_withdrawn(&team);
}

#[test]
fn a_finalizer_that_was_taken_off_is_put_back() {
    let team = team("put-back");
    let is_held = |object: &Value| object["metadata"]["finalizers"].to_string().contains("technicaluser.dev/cleanup");
    for (what, name) in [("technicalusers/orders", "orders"), ("rolebindings/jane-reads", "jane-reads")] {
        team.patch(what, &json!({ "metadata": { "finalizers": null } }));
        team.until(what, "held again", is_held);
        team.told(name, "FinalizerRestored", "had been taken off while something is on the platform");
    }

    for what in OBJECTS {
        team.delete(what);
        team.gone(what);
    }
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
    team.delete_everything();
}

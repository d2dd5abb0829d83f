//! A platform that throttles creations: what waits for it holds back neither heals nor revocations, on its own Platform or
//! on another.

use std::time::Duration;

use serde_json::json;

use crate::harness::{PATIENCE, Stage, Team, eventually};

/// How many TechnicalUsers wait, in how many RoleBindings.
const BINDINGS: usize = 3;
const EACH: usize = 20;
/// What "meanwhile" may take on a busy machine. The queue takes half an hour.
const SOON: Duration = Duration::from_secs(6);

/// A team with the quick start's objects, Ready.
fn team(name: &str) -> Team<'static> {
    let team = Team::on_btp(Stage::shared(), name);
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    team
}

/// Applies many TechnicalUsers, and waits until the platform has had enough of them.
fn a_queue_forms(team: &Team<'_>) {
    team.simulator.limit("service-manager.create-instance", 2);
    for number in 0..BINDINGS {
        let names: Vec<String> = (0..EACH).map(|each| format!("waits-{number}-{each}")).collect();
        let subjects: Vec<_> = names.iter().map(|name| json!({ "technicalUser": { "name": name } })).collect();
        let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
        let mut binding = team.role_binding(&format!("wait-{number}"), &subjects[0], &[role]);
        binding["spec"]["subjects"] = json!(subjects);
        team.apply(&binding);
        names.iter().for_each(|name| team.apply(&team.service_key(name)));
    }
    eventually("the platform throttles", PATIENCE, || {
        let orders = team.requests_of("service-manager.create-instance");
        orders.iter().any(|order| order["status"] == 429).then_some(())
    });
}

#[test]
fn whoever_waits_for_a_throttled_creation_holds_nobody_else_up() {
    let (busy, other) = (team("throttled"), team("not-throttled"));
    a_queue_forms(&busy);

    for team in [&busy, &other, &busy] {
        let before = team.secret("orders-credentials");
        team.delete("secrets/orders-credentials");
        let healed = || (team.secret("orders-credentials") == before).then_some(());
        eventually(&format!("the Secret of {} is back", team.name), SOON, healed);
    }
    for team in [&busy, &other] {
        team.delete("rolebindings/jane-reads");
        let taken = || (!team.jane_holds_it()).then_some(());
        eventually(&format!("Jane's role of {} is taken away", team.name), SOON, taken);
    }
    assert!(busy.instances_and_keys().0 < BINDINGS * EACH, "they still wait");
    busy.delete_everything();
    other.delete_everything();
    busy.platform_is_emptied();
}

//! What is left on the platform when an object goes without being cleaned up: it is listed and counted, and who answers
//! for the Platform has it removed by its name.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Stage, Team, eventually};

const REMOVE: &str = "technicaluser.dev/remove-unclaimed";

/// What the metric says of the team's Platform.
fn counted(team: &Team<'_>) -> Option<u64> {
    let line = format!("technical_user_unclaimed_identities{{platform=\"{}\"}} ", team.name);
    team.stage.metrics().lines().find_map(|one| one.strip_prefix(&line)?.parse().ok())
}

fn listed(platform: &Value) -> &[Value] {
    platform["status"]["unclaimed"].as_array().map_or(&[], Vec::as_slice)
}

/// Deletes a TechnicalUser whose finalizer somebody takes off before it is cleaned up.
fn goes_without_cleaning_up(team: &Team<'_>, what: &str) {
    team.simulator.fault("service-manager.delete-binding", &json!({ "kind": "status", "status": 503 }));
    team.delete(what);
    team.not_ready(what, "PlatformUnavailable", "");
    team.patch(what, &json!({ "metadata": { "finalizers": null } }));
    team.gone(what);
    // A try that was under way would succeed now.
    thread::sleep(Duration::from_secs(6));
    team.simulator.heal();
}

#[test]
fn an_identity_whose_object_is_gone_is_listed_until_somebody_has_it_removed() {
    let team = Team::on_btp(Stage::shared(), "unclaimed");
    let platform = format!("platforms/{}", team.name);
    team.apply_quickstart();
    team.ready(&["technicalusers/orders"]);
    let name = team.get("technicalusers/orders").expect("the user")["status"]["identity"]["name"].clone();
    let name = name.as_str().expect("a name");

    goes_without_cleaning_up(&team, "technicalusers/orders");

    let found = team.until(&platform, "listing what nobody claims", |platform| !listed(platform).is_empty());
    let line = json!([{ "name": name, "namespace": team.name, "technicalUser": "orders" }]);
    assert_eq!(found["status"]["unclaimed"], line);
    eventually("it is counted", PATIENCE, || (counted(&team) == Some(1)).then_some(()));
    assert_eq!(team.instances_and_keys(), (1, 1), "nothing is removed unasked");

    // One that has an object is not removed, whatever the annotation says.
    team.apply(&team.service_key("orders"));
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);
    let second = team.get("technicalusers/orders").expect("the user")["status"]["identity"]["name"].clone();
    let both = format!("{name}, {}", second.as_str().expect("a name"));
    team.patch(&platform, &json!({ "metadata": { "annotations": { REMOVE: both } } }));

    team.until(&platform, "without anything unclaimed", |platform| listed(platform).is_empty());
    eventually("nothing is counted", PATIENCE, || (counted(&team) == Some(0)).then_some(()));
    eventually("one is left", PATIENCE, || (team.instances_and_keys() == (1, 1)).then_some(()));
    team.ready(&["technicalusers/orders"]);
    assert_eq!(team.simulator.state()["service-manager"]["instances"][0]["name"], second);
    team.delete_everything();
    team.platform_is_emptied();
}

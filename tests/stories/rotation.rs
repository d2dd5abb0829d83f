//! A credential is replaced: on demand, without a call that fails, and the one before ends when nobody uses it any more.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::kubelet::{self, container};
use crate::harness::operator::Settings;
use crate::harness::{PATIENCE, Stage, Team, credential, eventually, never};

const SECRET: &str = "orders-credentials";

/// Of a TechnicalUser whose readers are quick.
fn rotation(part: &Value) -> Value {
    let mut rotation = json!({ "minOverlap": "0s", "settling": "1s" });
    rotation.as_object_mut().expect("fields").extend(part.as_object().expect("fields").clone());
    rotation
}

/// A team whose TechnicalUser `orders` is Ready, and its Secret.
fn team<'a>(stage: &'a Stage, name: &str, rotation: &Value) -> (Team<'a>, BTreeMap<String, String>) {
    let team = Team::on_btp(stage, name);
    let mut user = team.service_key("orders");
    user["spec"]["credential"]["rotation"] = rotation.clone();
    team.apply(&user);
    team.apply(&team.may_send());
    team.ready(&["technicalusers/orders"]);
    let secret = team.secret(SECRET).expect("the Secret");
    (team, secret)
}

fn ask(team: &Team<'_>, value: &str) {
    let annotations = json!({ "technicaluser.dev/rotate": value });
    team.patch("technicalusers/orders", &json!({ "metadata": { "annotations": annotations } }));
}

/// The Secret, once it is another than this.
fn another(team: &Team<'_>, than: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    eventually("another credential stands in the Secret", PATIENCE, || team.secret(SECRET).filter(|now| now != than))
}

/// The status of a message sent with what stood in a Secret; `None` where there is no token for it any more.
fn send(secret: &BTreeMap<String, String>) -> Option<u16> {
    Some(credential::send(secret, &credential::token(secret).ok()?))
}

fn superseded(team: &Team<'_>) -> Vec<Value> {
    let user = team.get("technicalusers/orders").expect("the user");
    user["status"]["superseded"].as_array().cloned().unwrap_or_default()
}

fn waits_for(team: &Team<'_>, what: &str) {
    eventually(&format!("the old credential waits for {what}"), PATIENCE, || {
        let told = superseded(team).first()?["waitsFor"].to_string();
        told.contains(what).then_some(())
    });
}

/// Uses the Secret only when it starts.
fn consumer(team: &Team<'_>) -> Value {
    let pod = kubelet::pod(&[container(json!({ "envFrom": [{ "secretRef": { "name": SECRET } }] }))]);
    kubelet::deployment(&team.name, "consumer", 1, &pod)
}

#[test]
fn the_old_credential_works_until_the_last_pod_has_moved() {
    let stage = Stage::shared();
    let (team, first) = team(stage, "rotation", &rotation(&json!({})));
    stage.kubelet().applied(&consumer(&team));

    ask(&team, "one");
    let second = another(&team, &first);
    waits_for(&team, "1 pod of Deployment consumer");
    assert_eq!((send(&first), send(&second)), (Some(200), Some(200)), "both are in force");
    assert_eq!(team.instances_and_keys(), (1, 2));
    let user = team.get("technicalusers/orders").expect("the user");
    let overlapping = condition(&user, "Overlapping").expect("the condition");
    assert_eq!((overlapping.reason.as_str(), overlapping.status.as_str()), ("StillUsed", "True"));
    assert_eq!(condition(&user, "Ready").expect("the condition").status, "True");
    never("the old one ends", Duration::from_secs(4), || (send(&first) != Some(200)).then_some(()));

    stage.kubectl().ok(&["rollout", "restart", "deployment/consumer", "--namespace", &team.name]);
    eventually("the old one has ended", PATIENCE, || (team.instances_and_keys() == (1, 1)).then_some(()));
    assert_eq!((send(&first), send(&second)), (None, Some(200)));
    team.until("technicalusers/orders", "nothing overlaps any more", |user| {
        user["status"]["superseded"].is_null() && condition(user, "Overlapping").is_none()
    });
    team.told("orders", "Issued", "issued credential");
    // What was asked for once is done once.
    never("it is replaced again", Duration::from_secs(3), || (team.secret(SECRET)? != second).then_some(()));
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn what_is_still_used_after_max_overlap_is_told_and_held_or_ended_as_its_owner_says() {
    let stage = Stage::shared();
    let terms = rotation(&json!({ "maxOverlap": "2s" }));
    let (team, first) = team(stage, "rotation-held", &terms);
    stage.kubelet().applied(&consumer(&team));
    ask(&team, "one");
    let second = another(&team, &first);
    team.told("orders", "OverlapExceeded", "1 pod of Deployment consumer");
    assert_eq!((send(&first), send(&second)), (Some(200), Some(200)));

    let revoking = json!({ "credential": { "rotation": { "onOverlapExceeded": "Revoke" } } });
    team.patch("technicalusers/orders", &json!({ "spec": revoking }));
    eventually("the old one has ended", PATIENCE, || (team.instances_and_keys() == (1, 1)).then_some(()));
    assert_eq!((send(&first), send(&second)), (None, Some(200)));
    team.delete_everything();
}

#[test]
fn without_pods_the_old_credential_ends_by_itself_and_the_clock_of_the_schedule_is_on_record() {
    let (team, first) = team(Stage::shared(), "rotation-bare", &rotation(&json!({ "every": "30d" })));
    let scheduled = |team: &Team<'_>| {
        let user = team.get("technicalusers/orders").expect("the user");
        (user["status"]["credential"]["rotateAt"].clone(), user["status"]["credential"]["rotateEvery"].clone())
    };
    let before = scheduled(&team);
    assert_eq!(before.1, "30d");
    assert!(before.0.is_string(), "{before:?}");
    for value in ["one", "two"] {
        let held = team.secret(SECRET).expect("the Secret");
        ask(&team, value);
        let next = another(&team, &held);
        assert_eq!(send(&next), Some(200));
        eventually("the old one has ended", PATIENCE, || send(&held).is_none().then_some(()));
    }
    assert_eq!(send(&first), None);
    assert_eq!(team.instances_and_keys(), (1, 1));
    team.delete_everything();
}

#[test]
fn a_credential_that_comes_back_with_the_same_value_takes_nobodys_place() {
    let team = Team::on_btp(Stage::shared(), "rotation-same");
    let identity = json!({ "serviceKey": { "offering": "alert-notification", "plan": "standard" } });
    let credential = json!({ "secretName": SECRET, "rotation": rotation(&json!({})) });
    team.apply(&team.technical_user("orders", &identity, &credential));
    team.ready(&["technicalusers/orders"]);
    let before = team.secret(SECRET).expect("the Secret");

    ask(&team, "one");
    let user = team.until("technicalusers/orders", "why it was not replaced is told", |user| {
        condition(user, "Rotated").is_some_and(|rotated| rotated.reason == "RotationIneffective")
    });
    assert_eq!(condition(&user, "Ready").expect("the condition").status, "True", "the one before works on");
    assert_eq!(team.secret(SECRET).expect("the Secret"), before);
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn roles_that_are_on_their_way_hold_up_the_move_and_not_the_first_credential() {
    let (team, first) = team(Stage::shared(), "rotation-roles", &rotation(&json!({})));
    let a_while = Duration::from_mins(20);
    team.simulator.advance_clock(a_while);
    team.simulator.settings(&json!({ "newClientSeconds": a_while.as_secs() }));
    let mut late = team.service_key("late");
    late["spec"]["credential"]["rotation"] = rotation(&json!({}));
    team.apply(&late);
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    team.apply(&team.role_binding("late", &json!({ "technicalUser": { "name": "late" } }), &[role]));
    team.ready(&["technicalusers/late"]);
    assert_eq!(send(&team.secret("late-credentials").expect("the Secret")), Some(403), "there is nothing better");

    ask(&team, "one");
    let user = team.until("technicalusers/orders", "why it was not replaced is told", |user| {
        condition(user, "Rotated").is_some_and(|rotated| rotated.reason == "RolesNotYetEffective")
    });
    assert!(condition(&user, "Rotated").expect("the condition").message.contains("ESBMessaging.send"), "{user:#}");
    assert_eq!(condition(&user, "Ready").expect("the condition").status, "True");
    let tokens = || team.requests_of("auth.token").len();
    let before = tokens();
    never("another one stands in its place", Duration::from_secs(6), || (team.secret(SECRET)? != first).then_some(()));
    assert!(tokens() <= before + 2, "{before} and then {}: somebody asks for tokens all the time", tokens());
    assert_eq!((send(&first), team.instances_and_keys()), (Some(200), (2, 3)));

    // They have come. It would be looked at within minutes; somebody touches it.
    team.simulator.advance_clock(a_while);
    team.patch("technicalusers/orders", &json!({ "metadata": { "annotations": { "acme.example/touched": "now" } } }));
    let second = another(&team, &first);
    assert_eq!(send(&second), Some(200));
    eventually("the old one has ended", PATIENCE, || send(&first).is_none().then_some(()));
    assert_eq!(team.instances_and_keys(), (2, 2), "the one that waited is the one that is used");
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn what_is_asked_for_during_an_overlap_is_done_when_that_has_ended() {
    let (team, first) = team(Stage::shared(), "rotation-twice", &rotation(&json!({ "minOverlap": "3s" })));
    ask(&team, "one");
    let second = another(&team, &first);
    ask(&team, "two");
    never("two overlaps at once", Duration::from_secs(2), || (superseded(&team).len() > 1).then_some(()));
    let third = another(&team, &second);
    assert_eq!((send(&third), send(&first)), (Some(200), None));
    team.delete_everything();
}

/// How many credentials are replaced at once, and of how many more the Secrets are there to be lost.
const AT_ONCE: usize = 10;

#[test]
fn a_namespace_whose_credentials_are_all_replaced_has_its_secrets_healed_meanwhile() {
    let stage = Stage::alone();
    let operator = stage.start_operator_with(&Settings { concurrency: 4, ..Stage::settings() });
    let team = Team::on_btp(&stage, "rotation-crowd");
    let names: Vec<String> = (0..=AT_ONCE).map(|number| format!("orders-{number}")).collect();
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    for name in &names {
        team.apply(&team.service_key(name));
        team.apply(&team.role_binding(
            name,
            &json!({ "technicalUser": { "name": name } }),
            std::slice::from_ref(&role),
        ));
    }
    names.iter().for_each(|name| team.ready(&[&format!("technicalusers/{name}")]));

    let looked = |one: &&Value| one["route"] == "service-manager.list-instances";
    let looks_before = team.simulator.requests().iter().filter(looked).count();
    // Whoever looks for one object has to wait, and so has whoever orders.
    team.simulator.fault("service-manager.list-instances", &json!({ "kind": "latency", "latencyMs": 1000 }));
    team.simulator.settings(&json!({ "brokerMillis": 1000 }));
    let lost = names.last().expect("a name");
    for name in names.iter().filter(|name| *name != lost) {
        let annotations = json!({ "technicaluser.dev/rotate": "now" });
        team.patch(&format!("technicalusers/{name}"), &json!({ "metadata": { "annotations": annotations } }));
    }
    team.delete(&format!("secrets/{lost}-credentials"));
    eventually("the Secret is there again", PATIENCE, || team.secret(&format!("{lost}-credentials")));

    let sequence =
        |name: &String| team.get(&format!("technicalusers/{name}"))?["status"]["credential"]["sequence"].as_u64();
    let replaced = names.iter().filter(|name| sequence(name) == Some(2)).count();
    assert!(replaced < AT_ONCE / 3, "{replaced} were replaced before");
    team.simulator.heal();
    team.simulator.settings(&json!({ "brokerMillis": 0 }));
    eventually("all are replaced", PATIENCE, || {
        names.iter().filter(|name| *name != lost).all(|name| sequence(name) == Some(2)).then_some(())
    });
    // A look before the order, and at most one before the one before ends; each asks by the mark and by the name.
    let looks = team.simulator.requests().iter().filter(looked).count() - looks_before;
    assert!(looks <= 2 * 2 * names.len(), "{looks} questions for {AT_ONCE} rotations");
    team.delete_everything();
    operator.stop();
}

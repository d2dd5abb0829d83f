//! A hundred rotations of credentials that software uses all the time, while its workloads are restarted for each: not one
//! call fails, and every old credential ends.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::consumers::{Calls, Consumers, in_use};
use crate::harness::kubelet::{self, container};
use crate::harness::simulator::Simulator;
use crate::harness::{Stage, Team, credential, eventually};

/// TechnicalUsers, each with a Deployment that reads its Secret when it starts and one that follows a volume.
const USERS: usize = 20;
/// How often each is rotated: a hundred times in all.
const TIMES: usize = 5;

/// Generous: what is looked at is what happens, not how long it takes.
const LIMIT: Duration = Duration::from_mins(15);
/// Between two looks at everything.
const LOOK: Duration = Duration::from_millis(250);

/// Between two calls of a pod.
const PAUSE: Duration = Duration::from_millis(400);

fn user(number: usize) -> String {
    format!("user-{number}")
}

fn secret(number: usize) -> String {
    format!("{}-credentials", user(number))
}

fn technical_user(team: &Team<'_>, number: usize) -> Value {
    let mut manifest = team.service_key(&user(number));
    manifest["spec"]["credential"]["rotation"] = json!({ "minOverlap": "0s", "settling": "1s" });
    manifest["spec"]["credential"]["restart"] = json!("RolloutRestart");
    manifest
}

/// Everybody, Ready.
fn provision(team: &Team<'_>) {
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    for number in 0..USERS {
        let subject = json!({ "technicalUser": { "name": user(number) } });
        team.apply(&team.role_binding(&user(number), &subject, std::slice::from_ref(&role)));
        team.apply(&technical_user(team, number));
    }
    (0..USERS).for_each(|number| team.ready(&[&format!("technicalusers/{}", user(number))]));
}

/// The software of each.
fn deploy(team: &Team<'_>) {
    let kubelet = team.stage.kubelet();
    for number in 0..USERS {
        let at_start = kubelet::pod(&[container(json!({ "envFrom": [{ "secretRef": { "name": secret(number) } }] }))]);
        let mount = json!({ "name": "credentials", "mountPath": "/credentials" });
        let mut follows = kubelet::pod(&[container(json!({ "volumeMounts": [mount] }))]);
        follows["volumes"] = json!([{ "name": "credentials", "secret": { "secretName": secret(number) } }]);
        for (kind, pod) in [("env", at_start), ("volume", follows)] {
            kubelet.applied(&in_use(kubelet::deployment(&team.name, &format!("{kind}-{number}"), 1, &pod)));
        }
    }
}

fn ask(team: &Team<'_>, number: usize, time: usize) {
    let annotations = json!({ "technicaluser.dev/rotate": time.to_string() });
    team.patch(&format!("technicalusers/{}", user(number)), &json!({ "metadata": { "annotations": annotations } }));
}

/// Whether the credential of this sequence is the only one.
fn stands_alone(team: &Team<'_>, number: usize, sequence: usize) -> bool {
    let object = team.get(&format!("technicalusers/{}", user(number))).expect("a TechnicalUser");
    object["status"]["credential"]["sequence"] == sequence && object["status"]["superseded"].is_null()
}

/// Rotates each so often, whenever the one before has ended.
fn rotate(team: &Team<'_>) {
    let held = |number| team.secret(&secret(number)).expect("a Secret");
    let mut before: Vec<BTreeMap<String, String>> = (0..USERS).map(held).collect();
    let mut done = [0; USERS];
    (0..USERS).for_each(|number| ask(team, number, 1));
    eventually("all are rotated", LIMIT, || {
        thread::sleep(LOOK);
        for number in (0..USERS).filter(|number| done[*number] < TIMES).collect::<Vec<_>>() {
            if stands_alone(team, number, done[number] + 2) {
                assert!(credential::token(&before[number]).is_err(), "the old one of {} works on", user(number));
                before[number] = held(number);
                done[number] += 1;
                if done[number] < TIMES {
                    ask(team, number, done[number] + 1);
                }
            }
        }
        (done == [TIMES; USERS]).then_some(())
    });
}

/// The calls, once somebody has used every credential that there was.
fn all_used(consumers: &Consumers) -> Calls {
    eventually("the last of the credentials are used", LIMIT, || {
        Some(consumers.calls()).filter(|calls| calls.credentials.len() == USERS * (TIMES + 1))
    })
}

#[test]
fn over_a_hundred_rotations_not_one_call_fails() {
    let stage = Stage::that_may_restart();
    let team = Team::with(&stage, "turnover", Simulator::start_set(&json!({ "rates": "lifted" })));
    team.btp_secrets();
    team.apply(&team.btp());
    let operator = stage.start_operator(&[]);
    provision(&team);
    deploy(&team);
    let consumers = Consumers::begin(&stage.administrator(), &team.name, PAUSE);

    rotate(&team);

    let calls = all_used(&consumers);
    println!("{} calls with {} credentials", calls.made, calls.credentials.len());
    assert_eq!(calls.failed, Vec::<String>::new());
    assert_eq!(team.instances_and_keys(), (USERS, USERS));
    assert_eq!(team.requests_of("service-manager.delete-binding").len(), USERS * TIMES);
    drop(consumers);
    operator.stop();
}

//! A service key whose Deployment reads it when it starts, and is restarted for the next one: once, whoever dies meanwhile.

use serde_json::{Value, json};

use super::{Act, Btp, Line};
use crate::crash::crash_everywhere_on;
use crate::harness::kubelet::{self, container};
use crate::harness::{Stage, Team, credential};

/// The multi-environment.
struct Restarts;

impl Line for Restarts {
    const NAME: &str = "restarts";

    const ACTS: &[Act] = &[Act::Apply, Act::Rotate, Act::Delete];

    const KILLED_IN: &[Act] = &[Act::Rotate];

    fn environment(team: &Team<'_>, url: &str) -> Value {
        Btp::environment(team, url)
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let mut user = team.service_key("orders");
        user["spec"]["credential"]["rotation"] = json!({ "minOverlap": "0s", "settling": "1s" });
        user["spec"]["credential"]["restart"] = "RolloutRestart".into();
        let own = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
        let mut objects =
            vec![user, team.role_binding("orders", &json!({ "technicalUser": { "name": "orders" } }), &[own])];
        // It is not applied again, which would take back what it was restarted for.
        if act != Act::Rotate {
            objects.push(deployment(team));
        }
        objects
    }

    fn world(team: &Team<'_>) -> Value {
        let state = team.simulator.state();
        let count = |kind: &str| state["service-manager"][kind].as_array().map(Vec::len);
        let sent = team.secret("orders-credentials").and_then(|secret| {
            let token = credential::token(&secret).ok()?;
            Some(credential::send(&secret, &token))
        });
        let deployment = team.get("deployments/orders");
        let templates =
            deployment.as_ref().filter(|one| kubelet::has_rolled_out(one)).map(|one| &one["metadata"]["generation"]);
        json!({ "instances": count("instances"), "bindings": count("bindings"), "sent": sent, "templates": templates })
    }

    fn wanted(act: Act) -> Value {
        let holding = |templates: usize| json!({ "instances": 1, "bindings": 1, "sent": 200, "templates": templates });
        match act {
            Act::Delete => json!({ "instances": 0, "bindings": 0, "sent": null, "templates": null }),
            Act::Rotate => holding(2),
            Act::Apply | Act::Change => holding(1),
        }
    }
}

/// It was restarted before, for a TechnicalUser of the same name that is gone: that says nothing about this one.
fn deployment(team: &Team<'_>) -> Value {
    let secret = json!({ "secretRef": { "name": "orders-credentials" } });
    let pod = kubelet::pod(&[container(json!({ "envFrom": [secret] }))]);
    let mut deployment = kubelet::deployment(&team.name, "orders", 1, &pod);
    deployment["metadata"]["annotations"] =
        json!({ "technicaluser.dev/restarted-for": "orders-credentials/9/earlier" });
    deployment
}

#[test]
fn a_restart_for_another_key_survives_a_crash_at_every_effect_and_happens_once() {
    let stage = Stage::that_may_restart();
    stage.kubelet();
    crash_everywhere_on::<Restarts>(&stage);
}

//! A service key with a role of its own, and a role collection for a person.

use serde_json::{Value, json};

use super::{Act, Line, leading_to};
use crate::crash::crash_everywhere;
use crate::harness::{Team, credential};

/// The multi-environment.
pub(crate) struct Btp;

impl Line for Btp {
    const NAME: &str = "btp";

    fn environment(team: &Team<'_>, url: &str) -> Value {
        for api in ["xsuaa", "service-manager"] {
            team.admin_secret(api, &leading_to(url, team, api));
        }
        team.btp()["spec"]["environment"].take()
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let (role, collection) = roles(act);
        let own = json!({ "instanceRole": { "name": role } });
        let collection = json!({ "roleCollection": { "name": collection } });
        let mut orders = team.service_key("orders");
        // Another form too, for which nothing may be issued.
        orders["spec"]["credential"]["form"] = json!(if act == Act::Apply { "Descriptor" } else { "Flat" });
        vec![
            orders,
            team.role_binding("orders", &json!({ "technicalUser": { "name": "orders" } }), &[own]),
            team.role_binding("jane", &json!({ "user": { "name": "jane@acme.example" } }), &[collection]),
        ]
    }

    fn world(team: &Team<'_>) -> Value {
        let state = team.simulator.state();
        let count = |kind: &str| state["service-manager"][kind].as_array().map(Vec::len);
        let collections = state["xsuaa"]["roleCollections"].as_array().expect("role collections");
        let held =
            collections.iter().filter(|one| one["members"].as_array().is_some_and(|members| !members.is_empty()));
        let mut roles = vec![];
        let sent = team.secret("orders-credentials").and_then(|secret| {
            let token = credential::token(&secret).ok()?;
            roles.clone_from(&token.roles);
            Some(credential::send(&secret, &token))
        });
        roles.retain(|role| role.starts_with("ESBMessaging."));
        json!({
            "instances": count("instances"), "bindings": count("bindings"), "roles": roles, "sent": sent,
            "held": held.map(|one| one["name"].clone()).collect::<Vec<_>>(),
        })
    }

    fn wanted(act: Act) -> Value {
        let (role, collection) = roles(act);
        match act {
            Act::Apply => {
                json!({ "instances": 1, "bindings": 1, "roles": [role], "sent": 200, "held": [collection] })
            }
            // Only who has `ESBMessaging.send` may send.
            Act::Change | Act::Rotate => {
                json!({ "instances": 1, "bindings": 1, "roles": [role], "sent": 403, "held": [collection] })
            }
            Act::Delete => json!({ "instances": 0, "bindings": 0, "roles": [], "sent": null, "held": [] }),
        }
    }
}

/// The technical user's role, and Jane's role collection.
const fn roles(act: Act) -> (&'static str, &'static str) {
    match act {
        Act::Apply => ("ESBMessaging.send", "PI_Read_Only"),
        Act::Change | Act::Rotate | Act::Delete => ("ESBMessaging.receive", "PI_Business_Expert"),
    }
}

#[test]
fn a_service_key_and_a_role_collection_survive_a_crash_at_every_effect() {
    crash_everywhere::<Btp>();
}

//! A service key in a space with a role of its own, and a person who gets a role there and so comes into the organization.

use serde_json::{Value, json};

use super::{Act, Line, led};
use crate::cloud_foundry::{JOE, admin_credential, joe, roles, send, service_key, space_role};
use crate::crash::crash_everywhere;
use crate::harness::Team;

/// Cloud Foundry.
struct CloudFoundry;

impl Line for CloudFoundry {
    const NAME: &str = "cloud-foundry";

    fn environment(team: &Team<'_>, url: &str) -> Value {
        let credential = led(url, team, &admin_credential(team, "secret"));
        team.admin_secret("cf", &credential);
        let secret = json!({ "name": format!("{}-cf", team.name) });
        json!({ "cloudFoundry": { "apiUrl": credential["url"], "credentialsSecretRef": secret } })
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let own = json!({ "instanceRole": { "name": own_role(act) } });
        let secret = json!({ "secretName": "orders-credentials" });
        vec![
            team.technical_user("orders", &service_key("integration"), &secret),
            team.role_binding("orders", &json!({ "technicalUser": { "name": "orders" } }), &[own]),
            team.role_binding("joe", &joe(), &[space_role(in_space(act))]),
        ]
    }

    fn world(team: &Team<'_>) -> Value {
        let state = team.simulator.state()["cloud-foundry"].take();
        let count = |kind: &str| state[kind].as_array().map(Vec::len);
        let held: Vec<String> = roles(team, JOE.0, JOE.1).into_iter().map(|(kind, _)| kind).collect();
        json!({ "instances": count("instances"), "keys": count("bindings"), "sent": send(team), "held": held })
    }

    fn wanted(act: Act) -> Value {
        // Only who has `ESBMessaging.send` may send.
        let sent = if act == Act::Apply { 200 } else { 403 };
        match act {
            Act::Apply | Act::Change | Act::Rotate => {
                json!({ "instances": 1, "keys": 1, "sent": sent, "held": ["organization_user", in_space(act)] })
            }
            Act::Delete => json!({ "instances": 0, "keys": 0, "sent": null, "held": [] }),
        }
    }
}

/// The technical user's role.
const fn own_role(act: Act) -> &'static str {
    match act {
        Act::Apply => "ESBMessaging.send",
        Act::Change | Act::Rotate | Act::Delete => "ESBMessaging.receive",
    }
}

/// Joe's role.
const fn in_space(act: Act) -> &'static str {
    match act {
        Act::Apply => "space_developer",
        Act::Change | Act::Rotate | Act::Delete => "space_auditor",
    }
}

#[test]
fn a_key_in_a_space_and_a_role_there_survive_a_crash_at_every_effect() {
    crash_everywhere::<CloudFoundry>();
}

//! A client of a UAA with an authority, here of the simulator's imitation.

use serde_json::{Value, json};

use super::{Act, Line, leading_to};
use crate::crash::crash_everywhere;
use crate::harness::{Team, credential};

/// A UAA.
pub(crate) struct Uaa;

impl Line for Uaa {
    const NAME: &str = "uaa";

    fn environment(team: &Team<'_>, url: &str) -> Value {
        team.admin_secret("uaa", &leading_to(url, team, "uaa"));
        let secret = json!({ "name": format!("{}-uaa", team.name) });
        json!({ "uaa": { "url": format!("{url}/uaa"), "credentialsSecretRef": secret } })
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let role = json!({ "authority": { "name": authority(act) } });
        // Another form too, which is made of what the Secret holds.
        let form = if act == Act::Apply { "Descriptor" } else { "Flat" };
        let secret = json!({ "secretName": "reports-credentials", "form": form });
        vec![
            team.technical_user("reports", &json!({ "oauthClient": {} }), &secret),
            team.role_binding("reports", &json!({ "technicalUser": { "name": "reports" } }), &[role]),
        ]
    }

    fn world(team: &Team<'_>) -> Value {
        let clients = team.simulator.state()["uaa"]["clients"].as_array().expect("clients").len();
        let token = team.secret("reports-credentials").and_then(|secret| credential::token(&secret).ok());
        // One of the clients is the administrator.
        json!({ "clients": clients - 1, "roles": token.map(|token| token.roles) })
    }

    fn wanted(act: Act) -> Value {
        match act {
            Act::Apply | Act::Change | Act::Rotate => json!({ "clients": 1, "roles": [authority(act)] }),
            Act::Delete => json!({ "clients": 0, "roles": null }),
        }
    }
}

const fn authority(act: Act) -> &'static str {
    match act {
        Act::Apply => "scim.read",
        Act::Change | Act::Rotate | Act::Delete => "reports.write",
    }
}

#[test]
fn a_client_and_its_authority_survive_a_crash_at_every_effect() {
    crash_everywhere::<Uaa>();
}

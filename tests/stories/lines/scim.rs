//! A user of a directory with a password, in one group and then in another, and a person who was there before.

use serde_json::{Value, json};

use super::{Act, Line, leading_to};
use crate::crash::crash_everywhere;
use crate::harness::Team;
use crate::scim::{directory, members, prepare, user, works};

/// A directory that speaks SCIM.
struct Scim;

impl Line for Scim {
    const NAME: &str = "scim";

    fn environment(team: &Team<'_>, url: &str) -> Value {
        if directory(team)["groups"].as_array().is_none_or(Vec::is_empty) {
            prepare(team);
        }
        team.admin_secret("scim", &leading_to(url, team, "scim"));
        let secret = json!({ "name": format!("{}-scim", team.name) });
        json!({ "scim": { "url": format!("{url}/scim/v2"), "credentialsSecretRef": secret } })
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let [orders, reports] = groups(act);
        let identity = json!({ "directoryUser": { "userName": "tu-intake" } });
        let member = |group: &str| [json!({ "groupMembership": { "group": group } })];
        vec![
            team.technical_user("intake", &identity, &json!({ "secretName": "intake-credentials" })),
            team.role_binding("intake", &json!({ "technicalUser": { "name": "intake" } }), &member(orders)),
            team.role_binding("jane", &json!({ "user": { "name": "jane@acme.example" } }), &member(reports)),
        ]
    }

    fn world(team: &Team<'_>) -> Value {
        let users = directory(team)["users"].as_array().map(Vec::len);
        // Whose name is in the directory can log on if the Secret has its password.
        let works = user(team, "tu-intake").map(|_| works(team).is_some());
        let members = ["Orders", "Reports"].map(|group| members(team, group));
        json!({ "users": users, "works": works, "members": members })
    }

    fn wanted(act: Act) -> Value {
        let (itself, jane) = (["tu-intake"], ["jane@acme.example"]);
        match act {
            Act::Apply => json!({ "users": 2, "works": true, "members": [itself, jane] }),
            Act::Change | Act::Rotate => json!({ "users": 2, "works": true, "members": [jane, itself] }),
            Act::Delete => json!({ "users": 1, "works": null, "members": [[], []] }),
        }
    }
}

/// The group of the technical user, and Jane's.
const fn groups(act: Act) -> [&'static str; 2] {
    match act {
        Act::Apply => ["Orders", "Reports"],
        Act::Change | Act::Rotate | Act::Delete => ["Reports", "Orders"],
    }
}

#[test]
fn a_user_with_a_password_and_its_groups_survive_a_crash_at_every_effect() {
    crash_everywhere::<Scim>();
}

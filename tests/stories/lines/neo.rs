//! An existing user, a member by one role binding, with application roles by another.

use serde_json::{Map, Value, json};

use super::{Act, Line, leading_to};
use crate::crash::crash_everywhere;
use crate::harness::Team;

const USER: &str = "P1234567";

/// The Neo environment.
pub(crate) struct Neo;

impl Line for Neo {
    const NAME: &str = "neo";
    const ACTS: &[Act] = &[Act::Apply, Act::Change, Act::Delete];

    fn environment(team: &Team<'_>, url: &str) -> Value {
        team.simulator.settings(&json!({ "neoRequestsPerMinute": null }));
        team.admin_secret("neo", &leading_to(url, team, "neo"));
        let secret = json!({ "name": format!("{}-neo", team.name) });
        json!({ "neo": { "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": secret } })
    }

    fn objects(team: &Team<'_>, act: Act) -> Vec<Value> {
        let subject = json!({ "technicalUser": { "name": "legacy" } });
        let application = |name: &str| {
            let application = if name == "ESBMessaging.send" { "abciflmap" } else { "abctmn" };
            json!({ "applicationRole": { "application": application, "provider": "sapprovider", "name": name } })
        };
        let roles: Vec<Value> = applications(act).iter().map(|name| application(name)).collect();
        vec![
            team.technical_user("legacy", &json!({ "existing": { "userName": USER } }), &Value::Null),
            team.role_binding("member", &subject, &[json!({ "memberRole": { "name": member(act) } })]),
            team.role_binding("integration", &subject, &roles),
        ]
    }

    fn world(team: &Team<'_>) -> Value {
        let state = team.simulator.state();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let members = list(&state["neo"]["members"]).into_iter().map(|mut one| {
            let name = one["userName"].as_str().expect("a name").to_uppercase();
            (name, one["roles"].take())
        });
        let roles = list(&state["neo"]["applications"]).into_iter().flat_map(|one| list(&one["roles"]));
        let held = roles.filter(|role| !list(&role["users"]).is_empty()).map(|role| role["name"].clone());
        json!({ "members": members.collect::<Map<_, _>>(), "held": held.collect::<Vec<_>>() })
    }

    fn wanted(act: Act) -> Value {
        // The administrator was there before us.
        let mut members = json!({ "P0000001": ["AccountAdministrator"] });
        if act == Act::Delete {
            return json!({ "members": members, "held": [] });
        }
        members[USER] = json!([member(act)]);
        json!({ "members": members, "held": applications(act) })
    }
}

const fn member(act: Act) -> &'static str {
    match act {
        Act::Apply => "Developer",
        Act::Change | Act::Rotate | Act::Delete => "ReadOnly",
    }
}

/// Roles of the tenant, in the order in which the platform lists them.
const fn applications(act: Act) -> [&'static str; 2] {
    match act {
        Act::Apply => ["AuthGroup.ReadOnly", "ESBMessaging.send"],
        Act::Change | Act::Rotate | Act::Delete => ["AuthGroup.BusinessExpert", "AuthGroup.ReadOnly"],
    }
}

#[test]
fn a_member_and_application_roles_survive_a_crash_at_every_effect() {
    crash_everywhere::<Neo>();
}

//! Who can hold a role beside the people and technical users of the other stories: what each gets is seen on the platform,
//! and is gone with its RoleBinding.

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Stage, Team, eventually};

/// The origin key of an identity provider of one's own, which the simulated subaccount trusts.
const ORIGIN: &str = "sap.custom";

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn technical_user(name: &str) -> Value {
    json!({ "technicalUser": { "name": name } })
}

/// Applies the RoleBinding `roles`, waits until the platform shows what it gives, and deletes it again.
fn come_and_go(team: &Team<'_>, subject: &Value, roles: &[Value], held: impl Fn() -> bool) {
    team.apply(&team.role_binding("roles", subject, roles));
    team.ready(&["rolebindings/roles"]);
    eventually("the roles are held", PATIENCE, || held().then_some(()));
    team.delete("rolebindings/roles");
    team.gone("rolebindings/roles");
    assert!(!held(), "{subject}: the roles stay");
}

#[test]
fn an_existing_user_and_a_group_hold_a_role_collection() {
    let team = Team::on_btp(Stage::shared(), "holders-btp");
    let collection = [json!({ "roleCollection": { "name": "PI_Read_Only" } })];
    let has = |kind: &str, of: &str, what: &str| {
        let all = list(&team.simulator.state()["xsuaa"][kind]);
        all.iter().any(|one| one.to_string().contains(of) && one.to_string().contains(what))
    };
    let user = || has("users", "robot@acme.example", "PI_Read_Only");
    let mapping = || has("roleCollections", "\"PI_Read_Only\"", "\"developers\"");
    let robot = json!({ "existing": { "userName": "robot@acme.example", "origin": ORIGIN } });
    team.apply(&team.technical_user("robot", &robot, &Value::Null));
    come_and_go(&team, &technical_user("robot"), &collection, user);
    let group = json!({ "group": { "name": "developers", "origin": ORIGIN } });
    come_and_go(&team, &group, &collection, mapping);
}

#[test]
fn a_person_becomes_a_member_and_a_user_of_an_application() {
    let team = super::neo::team("holders-neo");
    let roles = [
        json!({ "memberRole": { "name": "Developer" } }),
        json!({ "applicationRole": { "application": "abctmn", "provider": "sapprovider", "name": "AuthGroup.ReadOnly" } }),
    ];
    let jane = "jane@acme.example";
    let held = || {
        let neo = team.simulator.state()["neo"].take();
        let users = list(&neo["applications"]).iter().flat_map(|one| list(&one["roles"])).collect::<Vec<_>>();
        let is_user = users.iter().any(|role| role["users"].to_string().to_lowercase().contains(jane));
        let is_member = neo["members"].to_string().to_lowercase().contains(jane);
        is_user && is_member
    };
    come_and_go(&team, &json!({ "user": { "name": jane } }), &roles, held);
}

#[test]
fn a_person_has_roles_of_an_organization_and_of_a_space() {
    let team = super::cloud_foundry::team("holders-cf");
    let joe = json!({ "user": { "name": "joe@acme.example", "origin": "acme-platform" } });
    let roles = [
        json!({ "organizationRole": { "organization": "acme", "type": "organization_auditor" } }),
        json!({ "spaceRole": { "organization": "acme", "space": "integration", "type": "space_auditor" } }),
    ];
    let held = || {
        let held = super::cloud_foundry::roles(&team, "joe@acme.example", "acme-platform");
        !held.is_empty()
    };
    come_and_go(&team, &joe, &roles, held);
}

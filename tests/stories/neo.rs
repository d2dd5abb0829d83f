//! The story this product began with: a P-user that a person registered becomes a member of a Neo subaccount and gets the
//! roles of Cloud Integration, and the operator says plainly what is wrong with P-users.

use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::{PATIENCE, Stage, Team, eventually};

const P_USER: &str = "P1234567";

/// A team on the subaccount `acme`, whose Neo answers without a limit of its own.
pub(super) fn team(name: &str) -> Team<'static> {
    let team = Team::new(Stage::shared(), name);
    team.simulator.settings(&json!({ "neoRequestsPerMinute": null }));
    team.admin_secret("neo", &team.simulator.credential("neo", "secret"));
    let secret = json!({ "name": format!("{name}-neo") });
    let neo = json!({ "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": secret });
    team.apply(&team.platform(&json!({ "neo": neo })));
    team
}

fn p_user(team: &Team<'_>) -> Value {
    team.technical_user("legacy", &json!({ "existing": { "userName": P_USER } }), &Value::Null)
}

fn binding(team: &Team<'_>, name: &str, roles: &[Value]) -> Value {
    team.role_binding(name, &json!({ "technicalUser": { "name": "legacy" } }), roles)
}

/// A role of an application that SAP provides.
pub(super) fn application_role(application: &str, name: &str) -> Value {
    json!({ "applicationRole": { "application": application, "provider": "sapprovider", "name": name } })
}

/// The environment of a team with a tenant of Cloud Integration, whose admin Secret is `<team>-tenant`.
pub(super) fn tenant(team: &Team<'_>, url: &str) -> Value {
    let secret = |api: &str| json!({ "name": format!("{}-{api}", team.name) });
    let runtime = format!("{}/runtime", team.simulator.mtls_url());
    let url = format!("{url}/cloud-integration");
    let tenant = json!({ "url": url, "runtimeUrl": runtime, "credentialsSecretRef": secret("tenant") });
    let (host, subaccount) = ("hana.ondemand.com", "acme");
    json!({ "neo": { "host": host, "subaccount": subaccount, "credentialsSecretRef": secret("neo"), "cloudIntegration": tenant } })
}

/// The mappings of certificates.
pub(super) fn mappings(team: &Team<'_>) -> Vec<Value> {
    let state = team.simulator.state();
    state["cloud-integration"]["certificateUserMappings"].as_array().cloned().unwrap_or_default()
}

/// The platform roles of a member; `None` if it is none.
fn member_roles(team: &Team<'_>, user: &str) -> Option<Vec<String>> {
    let state = team.simulator.state();
    let members = state["neo"]["members"].as_array().expect("members").clone();
    let member = members.iter().find(|member| named(&member["userName"], user))?;
    Some(serde_json::from_value(member["roles"].clone()).expect("roles"))
}

/// Neo spells user names in either case.
fn named(name: &Value, user: &str) -> bool {
    name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(user))
}

/// Whether a user has a role of an application.
fn has(team: &Team<'_>, user: &str, role: &str) -> bool {
    let state = team.simulator.state();
    let applications = state["neo"]["applications"].as_array().expect("applications");
    let mut roles = applications.iter().flat_map(|one| one["roles"].as_array().expect("roles"));
    roles.any(|one| one["name"] == role && one["users"].to_string().to_lowercase().contains(&user.to_lowercase()))
}

#[test]
fn a_p_user_becomes_a_member_with_roles_and_the_operator_advises_against_it() {
    let team = team("legacy");
    team.apply(&p_user(&team));
    team.apply(&binding(&team, "member", &[json!({ "memberRole": { "name": "Developer" } })]));
    let roles = [application_role("abctmn", "AuthGroup.ReadOnly"), application_role("abciflmap", "ESBMessaging.send")];
    team.apply(&binding(&team, "integration", &roles));

    team.ready(&["technicalusers/legacy", "rolebindings/member", "rolebindings/integration"]);

    assert_eq!(member_roles(&team, P_USER).expect("a member"), ["Developer"]);
    assert!(has(&team, P_USER, "AuthGroup.ReadOnly") && has(&team, P_USER, "ESBMessaging.send"));
    let user = team.get("technicalusers/legacy").expect("the user");
    let discouraged = condition(&user, "Discouraged").expect("the advice");
    assert_eq!(discouraged.status, "True");
    assert!(discouraged.message.contains("P1234567 is a P-user"), "{discouraged:?}");
    team.told("legacy", "Discouraged", "which SAP advises against");
    roles_come_and_go(&team);
    last_role_ends_membership(&team);
}

fn roles_come_and_go(team: &Team<'_>) {
    team.apply(&binding(team, "integration", &[application_role("abctmn", "AuthGroup.ReadOnly")]));
    eventually("the role is gone", PATIENCE, || (!has(team, P_USER, "ESBMessaging.send")).then_some(()));
    assert!(has(team, P_USER, "AuthGroup.ReadOnly"), "the other stays");
}

fn last_role_ends_membership(team: &Team<'_>) {
    team.delete_everything();
    assert_eq!(member_roles(team, P_USER), None);
    assert!(!has(team, P_USER, "AuthGroup.ReadOnly"));
}

#[test]
fn a_role_from_before_stays_when_we_go() {
    let team = team("legacy-before");
    // The simulated subaccount's administrator has had this role from its first day.
    let administrator = json!({ "existing": { "userName": "P0000001", "origin": "accounts.sap.com" } });
    team.apply(&team.technical_user("legacy", &administrator, &Value::Null));
    team.apply(&binding(&team, "member", &[json!({ "memberRole": { "name": "AccountAdministrator" } })]));

    team.ready(&["technicalusers/legacy", "rolebindings/member"]);

    let found = team.get("rolebindings/member").expect("the RoleBinding");
    assert_eq!(found["status"]["roles"][0]["state"], "PreExisting");
    team.delete_everything();
    assert_eq!(member_roles(&team, "P0000001").expect("still a member"), ["AccountAdministrator"]);
}

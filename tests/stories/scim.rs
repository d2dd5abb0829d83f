//! A user of a directory that speaks SCIM, here the simulator's: its password works, groups come and go, a password that
//! was lost is made anew, and in the end nothing of it is left.

use serde_json::{Value, json};

use crate::admission::{refused, taken};
use crate::harness::{PATIENCE, Stage, Team, eventually, runtime};

const SECRET: &str = "intake-credentials";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A namespace that may do everything in the directory.
fn team(name: &str) -> Team<'static> {
    let team = Team::new(Stage::shared(), name);
    team.admin_secret("scim", &team.simulator.credential("scim", "secret"));
    let secret = json!({ "name": format!("{name}-scim") });
    let url = format!("{}/scim/v2", team.simulator.url());
    team.apply(&team.platform(&json!({ "scim": { "url": url, "credentialsSecretRef": secret } })));
    team
}

/// What somebody else has made in the directory: Jane, and the groups of both.
pub(super) fn prepare(team: &Team<'_>) {
    let token = team.simulator.credential("scim", "secret")["token"].as_str().expect("a token").to_owned();
    let post = |path: &str, body: &Value| {
        let url = format!("{}/scim/v2/{path}", team.simulator.url());
        let request = reqwest::Client::new().post(url).bearer_auth(&token).json(body);
        assert_eq!(runtime().block_on(request.send()).expect("an answer").status(), 201, "{body}");
    };
    post("Users", &json!({ "schemas": [USER], "userName": "jane@acme.example", "externalId": "4711" }));
    for group in ["Orders", "Reports"] {
        post("Groups", &json!({ "schemas": [GROUP], "displayName": group }));
    }
}

/// Everything in the directory, with passwords.
pub(super) fn directory(team: &Team<'_>) -> Value {
    team.simulator.state_with_secrets()["scim"].clone()
}

/// The user of this name, as the directory keeps it.
pub(super) fn user(team: &Team<'_>, name: &str) -> Option<Value> {
    let directory = directory(team);
    directory["users"].as_array().expect("users").iter().find(|user| user["userName"] == name).cloned()
}

/// Who is in a group.
pub(super) fn members(team: &Team<'_>, group: &str) -> Vec<String> {
    let directory = directory(team);
    let list = |kind: &str| directory[kind].as_array().expect("a list").clone();
    let group = list("groups").into_iter().find(|one| one["displayName"] == group).expect("the group");
    let is_in = |user: &Value| {
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().any(|member| member["value"] == user["id"])
    };
    let users = list("users");
    users.iter().filter(|user| is_in(user)).map(|user| user["userName"].as_str().expect("a name").to_owned()).collect()
}

fn has(team: &Team<'_>, group: &str, expected: &[&str]) {
    eventually(&format!("{expected:?} are in {group}"), PATIENCE, || (members(team, group) == expected).then_some(()));
}

/// Whether the Secret holds what the directory keeps.
pub(super) fn works(team: &Team<'_>) -> Option<()> {
    let secret = team.secret(SECRET)?;
    let kept = user(team, &secret["username"])?;
    (kept["password"] == secret["password"].as_str() && kept["active"] == true).then_some(())
}

fn binding(team: &Team<'_>, name: &str, subject: &Value, group: &str) -> Value {
    team.role_binding(name, subject, &[json!({ "groupMembership": { "group": group } })])
}

#[test]
fn a_user_of_a_directory_works_and_leaves_nothing() {
    let team = team("intake");
    prepare(&team);
    let identity = json!({ "directoryUser": { "userName": "tu-intake" } });
    team.apply(&team.technical_user("intake", &identity, &json!({ "secretName": SECRET })));
    let itself = json!({ "technicalUser": { "name": "intake" } });
    team.apply(&binding(&team, "intake-orders", &itself, "Orders"));
    team.apply(&binding(&team, "jane-orders", &json!({ "user": { "name": "Jane@acme.example" } }), "Orders"));
    let existing = json!({ "existing": { "userName": "jane@acme.example" } });
    team.apply(&team.technical_user("jane", &existing, &Value::Null));
    team.apply(&binding(&team, "jane-reports", &json!({ "technicalUser": { "name": "jane" } }), "Reports"));
    let bindings = ["intake-orders", "jane-orders", "jane-reports"].map(|name| format!("rolebindings/{name}"));
    team.ready(&["technicalusers/intake", &bindings[0], &bindings[1], &bindings[2]]);
    eventually("the password works", PATIENCE, || works(&team));
    has(&team, "Orders", &["jane@acme.example", "tu-intake"]);
    has(&team, "Reports", &["jane@acme.example"]);
    a_membership_goes_and_comes_back(&team);
    a_lost_password_is_made_anew(&team);
    team.delete_everything();
    assert_eq!(user(&team, "tu-intake"), None, "nothing of it is left");
    assert!(
        user(&team, "jane@acme.example").is_some_and(|jane| jane["externalId"] == "4711"),
        "nobody else's user goes"
    );
    assert!(members(&team, "Orders").is_empty() && members(&team, "Reports").is_empty());
}

fn a_membership_goes_and_comes_back(team: &Team<'_>) {
    team.delete("rolebindings/intake-orders");
    team.gone("rolebindings/intake-orders");
    assert_eq!(members(team, "Orders"), ["jane@acme.example"]);
    team.apply(&binding(team, "intake-orders", &json!({ "technicalUser": { "name": "intake" } }), "Orders"));
    has(team, "Orders", &["jane@acme.example", "tu-intake"]);
}

fn a_lost_password_is_made_anew(team: &Team<'_>) {
    let lost = team.secret(SECRET).expect("the Secret");
    team.delete(&format!("secrets/{SECRET}"));
    let found = eventually("the Secret is back", PATIENCE, || team.secret(SECRET));
    assert!(found["password"] != lost["password"], "the lost password again");
    eventually("the new password works", PATIENCE, || works(team));
}

#[test]
fn a_name_that_is_taken_stays_its_owners() {
    let team = team("taken");
    prepare(&team);
    let identity = json!({ "directoryUser": { "userName": "jane@acme.example" } });
    team.apply(&team.technical_user("taken", &identity, &json!({ "secretName": SECRET })));
    eventually("the TechnicalUser says that the name is taken", PATIENCE, || {
        let status = team.get("technicalusers/taken")?["status"].clone();
        let text = status["conditions"].to_string();
        (text.contains("jane@acme.example") && text.contains("not ours")).then_some(())
    });
    assert!(team.secret(SECRET).is_none());
    team.delete_everything();
    assert!(
        user(&team, "jane@acme.example").is_some_and(|jane| jane["externalId"] == "4711"),
        "it is not ours to touch"
    );
}

#[test]
fn a_directory_is_addressed_properly() {
    let at =
        |url: &str| json!({ "environment": { "scim": { "url": url, "credentialsSecretRef": { "name": "admin" } } } });
    taken("Platform", &at("https://directory.example.com/scim/v2"));
    refused("Platform", &at("ldap://directory.example.com"), &["environment.scim.url", "should match"]);
}

//! What the product began with: a technical user of a subaccount that no person's mailbox has to confirm. It is a user of
//! Cloud Identity Services with a password, it holds a role collection, and it is in a group.

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Stage, Team, eventually, runtime};

const SECRET: &str = "sender-credentials";

fn post(team: &Team<'_>, path: &str, body: &Value) {
    let key = team.simulator.credential("identity-service", "secret");
    let text = |name: &str| key[name].as_str().expect("a field");
    let request = reqwest::Client::new().post(format!("{}/identity-service/scim/{path}", team.simulator.url()));
    let request = request.basic_auth(text("clientid"), Some(text("clientsecret")));
    let request = request.header("content-type", "application/scim+json").json(body);
    assert_eq!(runtime().block_on(request.send()).expect("an answer").status(), 201);
}

pub(super) fn post_group(team: &Team<'_>, name: &str) {
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
    post(team, "Groups", &json!({ "schemas": schemas, "displayName": name }));
}

pub(super) fn post_user(team: &Team<'_>, name: &str) {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": true,
        "name": { "givenName": "Jane", "familyName": "Doe" },
        "emails": [{ "value": format!("{name}@acme.example"), "type": "work", "primary": true }],
    });
    post(team, "Users", &user);
}

/// Whether the Secret's name and password log on.
fn logs_on(team: &Team<'_>) -> Option<()> {
    let secret = team.secret(SECRET)?;
    let url = format!("{}/identity-service/logon", team.simulator.url());
    let request = reqwest::Client::new().get(url).basic_auth(&secret["username"], Some(&secret["password"]));
    let answer = runtime().block_on(request.send()).expect("an answer");
    answer.status().is_success().then_some(())
}

pub(super) fn tenant(team: &Team<'_>) -> Value {
    team.simulator.state()["identity-service"].clone()
}

/// Whether the subaccount's user of this address, of the tenant's origin, has this role collection.
fn holds(team: &Team<'_>, address: &str, collection: &str) -> bool {
    let users = team.simulator.state()["xsuaa"]["users"].take();
    users.as_array().expect("users").iter().any(|user| {
        let has = |held: &Value| held.as_array().is_some_and(|all| all.iter().any(|one| one == collection));
        user["username"] == address && user["origin"] == "sap.custom" && has(&user["roleCollections"])
    })
}

#[test]
fn a_technical_user_that_nobody_has_to_confirm() {
    let team = Team::on_btp_with_identity_service(Stage::shared(), "sender");
    post_group(&team, "Senders");
    let identity = json!({ "directoryUser": { "userName": "tu-sender", "email": "tu-sender@acme.example" } });
    team.apply(&team.technical_user("sender", &identity, &json!({ "secretName": SECRET })));
    let itself = json!({ "technicalUser": { "name": "sender" } });
    let roles =
        [json!({ "roleCollection": { "name": "PI_Read_Only" } }), json!({ "groupMembership": { "group": "Senders" } })];
    team.apply(&team.role_binding("sender-roles", &itself, &roles));
    team.ready(&["technicalusers/sender", "rolebindings/sender-roles"]);
    eventually("the password logs on", PATIENCE, || logs_on(&team));
    assert!(holds(&team, "tu-sender@acme.example", "PI_Read_Only"), "{}", team.simulator.state()["xsuaa"]);
    let groups = tenant(&team)["groups"].clone();
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(1), "{groups}");
    assert!(tenant(&team)["mails"].as_array().expect("mails").is_empty(), "nobody was written to");
    team.delete_everything();
    assert!(!holds(&team, "tu-sender@acme.example", "PI_Read_Only"), "the role collection stays");
    let left = tenant(&team);
    assert!(left["users"].as_array().expect("users").is_empty(), "{left}");
    assert_eq!(left["groups"][0]["members"].as_array().map_or(0, Vec::len), 0, "{left}");
}

#[test]
fn users_that_are_there_already_become_members_of_groups() {
    let team = Team::on_btp_with_identity_service(Stage::shared(), "senders");
    post_group(&team, "Senders");
    ["jane", "joe"].iter().for_each(|name| post_user(&team, name));
    let membership = [json!({ "groupMembership": { "group": "Senders" } })];
    let joe = json!({ "existing": { "userName": "joe@acme.example", "origin": "sap.custom" } });
    team.apply(&team.technical_user("joe", &joe, &Value::Null));
    team.apply(&team.role_binding("joe", &json!({ "technicalUser": { "name": "joe" } }), &membership));
    let jane = json!({ "user": { "name": "jane@acme.example", "origin": "sap.custom" } });
    team.apply(&team.role_binding("jane", &jane, &membership));
    team.ready(&["rolebindings/joe", "rolebindings/jane"]);
    let members = || tenant(&team)["groups"][0]["members"].as_array().map_or(0, Vec::len);
    assert_eq!(members(), 2);
    team.delete_everything();
    assert_eq!(members(), 0);
}

#[test]
fn nobody_becomes_whoever_has_an_address() {
    let team = Team::on_btp_with_identity_service(Stage::shared(), "impostor");
    let mut access = crate::harness::team::everything(&json!({ "names": [team.name] }));
    access["identities"] = json!([{ "directoryUser": { "userName": "*" } }]);
    team.patch("platforms/impostor", &json!({ "spec": { "access": [access] } }));
    let boss = json!({ "directoryUser": { "userName": "tu-me", "email": "boss@acme.example" } });
    team.apply(&team.technical_user("me", &boss, &json!({ "secretName": SECRET })));
    team.not_ready("technicalusers/me", "AccessDenied", "does not allow");
    assert!(tenant(&team)["users"].as_array().expect("users").is_empty(), "{}", tenant(&team));
}

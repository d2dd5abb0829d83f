//! What the product began with, without a P-user: a technical user of a Neo subaccount that no person's mailbox has to
//! confirm. It is a user of the tenant of Cloud Identity Services that the subaccount trusts, becomes a member, gets the
//! roles of Cloud Integration, and calls it with its password.

use std::time::Duration;

use serde_json::{Value, json};

use super::identity_service::{post_group, post_user, tenant};
use crate::harness::{PATIENCE, Stage, Team, eventually, never, runtime};

const SECRET: &str = "sender-credentials";
const USER_BASE: &str = "acme.accounts.ondemand.com";
const SAP: &str = "urn:ietf:params:scim:schemas:extension:sap:2.0:User";

fn platform(team: &Team<'_>, url: &str) -> Value {
    let secret = |api: &str| json!({ "name": format!("{}-{api}", team.name) });
    team.platform(&json!({ "neo": {
        "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": secret("neo"),
        "identityService": { "url": url, "origin": USER_BASE, "credentialsSecretRef": secret("identity-service") },
    } }))
}

/// A team on the subaccount `acme` and its tenant, with a group there.
fn team(name: &str) -> Team<'static> {
    let team = Team::new(Stage::shared(), name);
    team.simulator.settings(&json!({ "neoRequestsPerMinute": null }));
    for api in ["neo", "identity-service"] {
        team.admin_secret(api, &team.simulator.credential(api, "secret"));
    }
    post_group(&team, "Senders");
    team.apply(&platform(&team, &format!("{}/identity-service", team.simulator.url())));
    team
}

/// The id that the tenant gave to the user of this name.
fn user_id(team: &Team<'_>, name: &str) -> Option<String> {
    let users = tenant(team)["users"].take();
    let user = users.as_array().expect("users").iter().find(|user| user["userName"] == name)?.clone();
    Some(user[SAP]["userId"].as_str().expect("an id").to_owned())
}

/// The user base and platform roles of a member.
fn member(team: &Team<'_>, id: &str) -> Option<(String, Value)> {
    let members = team.simulator.state()["neo"]["members"].take();
    let member = members.as_array().expect("members").iter().find(|one| one["userName"] == id)?.clone();
    Some((member["userbase"].as_str().expect("a user base").to_lowercase(), member["roles"].clone()))
}

fn in_group(team: &Team<'_>) -> usize {
    tenant(team)["groups"][0]["members"].as_array().map_or(0, Vec::len)
}

/// How Cloud Integration answers a message that is sent with the Secret's name and password.
fn sent(team: &Team<'_>) -> Option<u16> {
    let secret = team.secret(SECRET)?;
    let url = format!("{}/runtime/http/orders", team.simulator.url());
    let request = reqwest::Client::new().post(url).basic_auth(&secret["username"], Some(&secret["password"]));
    Some(runtime().block_on(request.send()).expect("an answer").status().as_u16())
}

fn sender(team: &Team<'_>) -> Value {
    team.technical_user(
        "sender",
        &json!({ "directoryUser": { "userName": "tu-sender" } }),
        &json!({ "secretName": SECRET }),
    )
}

fn roles(team: &Team<'_>) -> Value {
    let roles = [
        json!({ "memberRole": { "name": "Developer" } }),
        json!({ "applicationRole": { "application": "abciflmap", "provider": "sapprovider", "name": "ESBMessaging.send" } }),
        json!({ "groupMembership": { "group": "Senders" } }),
    ];
    team.role_binding("sender-roles", &json!({ "technicalUser": { "name": "sender" } }), &roles)
}

#[test]
fn a_technical_user_with_a_password_is_a_member_and_calls_cloud_integration() {
    let team = team("neo-sender");
    team.apply(&sender(&team));
    team.apply(&roles(&team));
    team.ready(&["technicalusers/sender", "rolebindings/sender-roles"]);
    let id = user_id(&team, "tu-sender").expect("the tenant's user");
    assert_eq!(member(&team, &id), Some((USER_BASE.to_owned(), json!(["Developer"]))));
    assert_eq!(in_group(&team), 1);
    eventually("the password and the role send a message", PATIENCE, || (sent(&team) == Some(200)).then_some(()));
    assert!(tenant(&team)["mails"].as_array().expect("mails").is_empty(), "nobody was written to");
    let user = team.get("technicalusers/sender").expect("the user");
    assert!(!user["status"]["conditions"].to_string().contains("Discouraged"), "it is no P-user of a person");

    team.delete("rolebindings/sender-roles");
    team.gone("rolebindings/sender-roles");
    assert_eq!((member(&team, &id), in_group(&team), sent(&team)), (None, 0, Some(403)));
    team.delete_everything();
    assert_eq!(user_id(&team, "tu-sender"), None, "nothing of it is left");
}

#[test]
fn whoever_the_tenant_knows_becomes_a_member_of_its_groups() {
    let team = team("neo-senders");
    ["jane", "joe"].iter().for_each(|name| post_user(&team, name));
    let known = |name: &str| user_id(&team, name).expect("a user");
    let membership = [json!({ "groupMembership": { "group": "Senders" } })];
    let joe = json!({ "existing": { "userName": known("joe"), "origin": USER_BASE } });
    team.apply(&team.technical_user("joe", &joe, &Value::Null));
    team.apply(&team.role_binding("joe", &json!({ "technicalUser": { "name": "joe" } }), &membership));
    let jane = json!({ "user": { "name": known("jane"), "origin": USER_BASE } });
    team.apply(&team.role_binding("jane", &jane, &membership));
    team.ready(&["rolebindings/joe", "rolebindings/jane"]);
    assert_eq!(in_group(&team), 2);
    team.delete_everything();
    assert_eq!(in_group(&team), 0);
}

#[test]
fn another_tenant_stops_the_platform_until_the_right_one_is_back() {
    let team = team("neo-moved");
    team.ready(&["platforms/neo-moved"]);
    let place = || team.get("platforms/neo-moved").expect("the Platform")["status"]["place"].clone();
    let url = format!("{}/identity-service", team.simulator.url());
    assert!(place().as_str().is_some_and(|place| place.ends_with(&format!("/acme with identity service {url}"))));
    team.apply(&sender(&team));
    team.apply(&roles(&team));
    team.ready(&["technicalusers/sender", "rolebindings/sender-roles"]);

    let elsewhere = url.replace("127.0.0.1", "localhost");
    team.apply(&platform(&team, &elsewhere));
    team.not_ready("platforms/neo-moved", "PlatformElsewhere", &format!("identity service {elsewhere}"));
    team.delete("technicalusers/sender");
    let gone = || user_id(&team, "tu-sender").is_none().then_some(());
    never("the user goes", Duration::from_secs(4), gone);
    team.apply(&platform(&team, &url));
    team.gone("technicalusers/sender");
    assert!(gone().is_some());
    team.delete_everything();
}

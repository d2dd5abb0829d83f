//! Cloud Foundry: a service key in a space that works as long as its role says so, and people who get roles in a space, for
//! which they must belong to its organization.

use serde_json::{Value, json};

use crate::admission::{refused, taken};
use crate::harness::{PATIENCE, Stage, Team, credential, eventually, http};

/// A namespace that may do everything on a Cloud Foundry, where the operator logs on as a technical user.
pub(super) fn team(name: &str) -> Team<'static> {
    let team = Team::new(Stage::shared(), name);
    let credential = admin_credential(&team, "secret");
    team.admin_secret("cf", &credential);
    let secret = json!({ "name": format!("{name}-cf") });
    let environment = json!({ "cloudFoundry": { "apiUrl": credential["url"], "credentialsSecretRef": secret } });
    team.apply(&team.platform(&environment));
    team
}

/// A credential with the address of the UAA, as whoever runs the cluster reads it in the root of the API. `variant` is
/// `secret` for a technical user or `client`.
pub(super) fn admin_credential(team: &Team<'_>, variant: &str) -> Value {
    let mut credential = team.simulator.credential("cloud-foundry", variant);
    let root = http::get_json(credential["url"].as_str().expect("an address"));
    credential["uaaurl"] = root["links"]["uaa"]["href"].clone();
    credential
}

const SECRET: &str = "orders-credentials";

/// A person, and where that one comes from.
pub(super) const JOE: (&str, &str) = ("joe@acme.example", "acme-platform");

pub(super) fn service_key(space: &str) -> Value {
    let space = json!({ "organization": "acme", "name": space });
    json!({ "serviceKey": { "offering": "it-rt", "plan": "integration-flow", "space": space } })
}

pub(super) fn space_role(kind: &str) -> Value {
    json!({ "spaceRole": { "organization": "acme", "space": "integration", "type": kind } })
}

fn member() -> Value {
    json!({ "organizationRole": { "organization": "acme", "type": "organization_user" } })
}

pub(super) fn joe() -> Value {
    json!({ "user": { "name": JOE.0, "origin": JOE.1 } })
}

/// The types of the roles that a user has, sorted; each with its guid.
pub(super) fn roles(team: &Team<'_>, user: &str, origin: &str) -> Vec<(String, String)> {
    let state = team.simulator.state()["cloud-foundry"].clone();
    let known = state["known"].as_array().expect("users").clone();
    let found = known.iter().find(|one| one["username"] == user && one["origin"] == origin).expect("the user");
    let all = state["roles"].as_array().expect("roles").clone();
    let own = all.iter().filter(|role| role["relationships"]["user"]["data"]["guid"] == found["guid"]);
    let text = |role: &Value, field: &str| role[field].as_str().expect("text").to_owned();
    let mut own: Vec<_> = own.map(|role| (text(role, "type"), text(role, "guid"))).collect();
    own.sort();
    own
}

fn has(team: &Team<'_>, kinds: &[&str]) {
    let mut seen = vec![];
    eventually(&format!("joe has {kinds:?}"), PATIENCE, || {
        seen = roles(team, JOE.0, JOE.1).into_iter().map(|(kind, _)| kind).collect();
        (seen == kinds).then_some(())
    });
}

/// How a message is answered that is sent with the Secret.
pub(super) fn send(team: &Team<'_>) -> Option<u16> {
    let secret = team.secret(SECRET)?;
    Some(credential::send(&secret, &credential::token(&secret).ok()?))
}

fn sends(team: &Team<'_>, status: u16) {
    eventually(&format!("a message is answered {status}"), PATIENCE, || (send(team) == Some(status)).then_some(()));
}

#[test]
fn a_service_key_in_a_space_works_as_long_as_its_role_says_so_and_leaves_nothing() {
    let team = team("cf-key");
    team.simulator.settings(&json!({ "asyncPlans": ["integration-flow"], "operationMillis": 4000 }));
    team.apply(&team.technical_user("orders", &service_key("integration"), &json!({ "secretName": SECRET })));
    team.apply(&team.may_send());

    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);

    team.simulator.settings(&json!({ "asyncPlans": [] }));
    sends(&team, 200);
    team.delete("rolebindings/orders-may-send");
    team.gone("rolebindings/orders-may-send");
    sends(&team, 403);
    team.apply(&team.may_send());
    sends(&team, 200);
    team.delete(&format!("secrets/{SECRET}"));
    sends(&team, 200);
    let held = |what: &str| team.simulator.state()["cloud-foundry"][what].as_array().expect("a list").len();
    assert_eq!((held("instances"), held("bindings")), (1, 1), "the Secret came from the platform's own copy");
    team.delete_everything();
    assert_eq!((held("instances"), held("bindings")), (0, 0));
}

#[test]
fn a_role_in_a_space_brings_its_holder_into_the_organization_and_takes_it_out_again() {
    let team = team("cf-roles");
    team.apply(&team.role_binding("develops", &joe(), &[space_role("space_developer")]));
    team.ready(&["rolebindings/develops"]);
    has(&team, &["organization_user", "space_developer"]);
    team.told("develops", "Granted", "spaceRole space_developer in acme/integration to joe@acme.example");
    let found = team.get("rolebindings/develops").expect("the RoleBinding");
    assert_eq!(found["status"]["roles"].as_array().map(Vec::len), Some(1), "a line for what was asked for");
    assert_eq!(found["status"]["ledger"].as_array().map(Vec::len), Some(2), "a record of what was done");

    drift_is_put_right(&team);
    team.apply(&team.role_binding("looks", &joe(), &[space_role("space_auditor")]));
    team.ready(&["rolebindings/looks"]);
    team.delete("rolebindings/develops");
    team.gone("rolebindings/develops");
    has(&team, &["organization_user", "space_auditor"]);
    team.delete_everything();
    has(&team, &[]);
}

/// Somebody takes both roles away on the platform; the next look at it gives them back.
fn drift_is_put_right(team: &Team<'_>) {
    let before = roles(team, JOE.0, JOE.1);
    let guid = &before.iter().find(|(kind, _)| kind == "space_developer").expect("the role").1;
    somebody_deletes_role(team, guid);
    eventually("another role of this type is there", PATIENCE, || {
        let now = roles(team, JOE.0, JOE.1);
        now.iter().any(|(kind, other)| kind == "space_developer" && other != guid).then_some(())
    });
}

/// The client that manages the organization, past the operator.
fn somebody_deletes_role(team: &Team<'_>, guid: &str) {
    let mut client = admin_credential(team, "client");
    client["tokenurl"] = json!(format!("{}/oauth/token", client["uaaurl"].as_str().expect("the UAA")));
    let fields = client.as_object().expect("fields").iter();
    let fields = fields.map(|(key, value)| (key.clone(), value.as_str().expect("text").to_owned())).collect();
    let token = credential::token(&fields).expect("a token");
    assert_eq!(credential::delete(&format!("{}/v3/roles/{guid}", fields["url"]), &token), 202);
}

#[test]
fn who_belonged_to_the_organization_before_still_does_afterwards() {
    let team = team("cf-before");
    let administrator = json!({ "existing": { "userName": "admin@acme.example" } });
    team.apply(&team.technical_user("admin", &administrator, &Value::Null));
    let subject = json!({ "technicalUser": { "name": "admin" } });
    let manager = json!({ "organizationRole": { "organization": "acme", "type": "organization_manager" } });
    team.patch("platforms/cf-before", &json!({ "spec": { "access": allowing_managers(&team) } }));
    team.apply(&team.role_binding("manages", &subject, &[manager, space_role("space_auditor"), member()]));
    team.ready(&["technicalusers/admin", "rolebindings/manages"]);
    let found = team.get("rolebindings/manages").expect("the RoleBinding");
    let states: Vec<_> =
        found["status"]["roles"].as_array().expect("lines").iter().map(|line| &line["state"]).collect();
    assert_eq!(states, ["PreExisting", "Granted", "Granted"]);
    team.delete_everything();
    let left: Vec<_> = roles(&team, "admin@acme.example", "sap.ids").into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(left, ["organization_manager", "organization_manager"], "of acme and of strangers, as before");
}

/// The team's rules, with managers spelled out.
fn allowing_managers(team: &Team<'_>) -> Value {
    let mut everything = crate::harness::team::everything(&json!({ "names": [team.name] }));
    let manager = json!({ "organizationRole": { "organization": "acme", "type": "organization_manager" } });
    everything["grants"][0]["roles"].as_array_mut().expect("roles").push(manager);
    json!([everything])
}

#[test]
fn what_can_never_be_is_said_in_words_that_help() {
    let team = team("cf-words");
    team.apply(&team.service_key("nowhere"));
    team.not_ready("technicalusers/nowhere", "Unsupported", "name it in identity.serviceKey.space");
    team.apply(&team.technical_user("lost", &service_key("no-such-space"), &json!({ "secretName": "lost" })));
    team.apply(&team.role_binding(
        "lost",
        &json!({ "technicalUser": { "name": "lost" } }),
        &[json!({ "instanceRole": { "name": "ESBMessaging.send" } })],
    ));
    team.not_ready("technicalusers/lost", "NotFoundOnPlatform", "space `no-such-space` of organization `acme`");
    let nobody = json!({ "user": { "name": "nobody@acme.example" } });
    team.apply(&team.role_binding("nobody", &nobody, &[member()]));
    team.not_ready("rolebindings/nobody", "NotFoundOnPlatform", "does not know user `nobody@acme.example`");
    let manager = json!({ "organizationRole": { "organization": "acme", "type": "organization_manager" } });
    team.apply(&team.role_binding("manages", &joe(), &[manager]));
    team.not_ready("rolebindings/manages", "AccessDenied", "spec.access must list it");
    team.delete_everything();
}

#[test]
fn cloud_foundry_is_addressed_properly() {
    let at = |url: &str| {
        let cloud_foundry = json!({ "apiUrl": url, "credentialsSecretRef": { "name": "admin" } });
        json!({ "environment": { "cloudFoundry": cloud_foundry } })
    };
    taken("Platform", &at("https://api.cf.eu10.hana.ondemand.com"));
    refused("Platform", &at("api.cf.eu10.hana.ondemand.com"), &["environment.cloudFoundry.apiUrl", "should match"]);
}

//! Cloud Identity Services in environment `btp`: its description, and what only it has.

use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::api::environment::{Btp, IdentityService};
use technical_user_operator::api::identity::DirectoryUser;
use technical_user_operator::api::role::GroupName;
use technical_user_operator::api::{Environment, Identity, Principal, Role, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::{Kind, NewCredential};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::suite::{create, credentials_of, delete, found, issue, listed, revoke, works};
use crate::{documents, faults, suite};

/// What the suite has to know.
static TENANT: Description = Description {
    environment: |simulator| environment(&format!("{}/identity-service", simulator.url())),
    credentials: |simulator| vec![("tenant", simulator.credential("identity-service", "secret"))],
    identity: Some(SAMPLE),
    grants: |environment| vec![vec![membership(environment, "JANE"), membership(environment, "jane.2@acme.example")]],
    prepare,
    count: |simulator| count(simulator.state()["identity-service"]["users"].as_array().expect("users")),
    routes: &[
        "identity-service.list-users",
        "identity-service.create-user",
        "identity-service.get-user",
        "identity-service.change-user",
        "identity-service.delete-user",
        "identity-service.list-groups",
        "identity-service.get-group",
        "identity-service.change-group",
    ],
};

/// A user of the tenant, whatever trusts it.
pub(crate) const SAMPLE: SampleIdentity = SampleIdentity {
    identity: || Identity::DirectoryUser(DirectoryUser { user_name: "tu-orders".into(), email: None, valid_to: None }),
    roles: &[],
    own_roles: || OwnRoles::None,
    fields: ["username", "password"],
    logs_on: Some(logs_on),
};

const ORIGIN: &str = "sap.custom";
pub(crate) const GROUP: &str = "Orders";

fn environment(url: &str) -> Environment {
    let credentials_secret_ref = SecretRef { name: "tenant".into() };
    let tenant = IdentityService { url: url.into(), origin: Some(ORIGIN.into()), credentials_secret_ref };
    Environment::Btp(Btp { authorization: None, service_manager: None, identity_service: Some(tenant) })
}

fn membership(environment: &Environment, name: &str) -> Grant {
    let principal = Principal { name: name.into(), origin: Some(ORIGIN.into()) };
    let holder = rules(environment).holder(HolderKind::User, &principal);
    Grant::new(holder, Role::GroupMembership(GroupName { group: GROUP.into() }))
}

/// Users that carry a mark, and those of them whose password somebody holds.
pub(crate) fn count(users: &[Value]) -> (usize, usize) {
    let marks: Vec<_> = users.iter().filter_map(|user| user["externalId"].as_str()).collect();
    let marks: Vec<_> = marks.into_iter().filter(|mark| mark.starts_with("cluster-1/")).collect();
    let issued = marks.iter().filter(|mark| mark.rsplit('/').next().is_some_and(|last| last.parse::<i64>().is_ok()));
    (marks.len(), issued.count())
}

/// As any application would ask that the tenant logs people on for.
pub(crate) fn logs_on(simulator: &Simulator, name: &str, password: &str) -> bool {
    let url = format!("{}/identity-service/logon", simulator.url());
    let request = reqwest::Client::new().get(url).basic_auth(name, Some(password));
    runtime().block_on(request.send()).expect("an answer").status().is_success()
}

/// Two users of somebody else's, and a group of nobody.
pub(crate) fn prepare(simulator: &Simulator) {
    for (name, mail) in [("jane", "jane@acme.example"), ("jane.2", "jane.2@acme.example")] {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": true,
            "externalId": "4711", "name": {"givenName": "Jane", "familyName": "Doe"},
            "emails": [{"value": mail, "type": "work", "primary": true}],
        });
        post(simulator, "Users", &user);
    }
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
    post(simulator, "Groups", &json!({"schemas": schemas, "displayName": GROUP}));
}

pub(crate) fn post(simulator: &Simulator, path: &str, body: &Value) {
    let key = simulator.credential("identity-service", "secret");
    let text = |name: &str| key[name].as_str().expect("a field");
    let request = reqwest::Client::new().post(format!("{}/identity-service/scim/{path}", simulator.url()));
    let request = request.basic_auth(text("clientid"), Some(text("clientsecret")));
    let request = request.header("content-type", "application/scim+json").json(body);
    assert_eq!(runtime().block_on(request.send()).expect("an answer").status(), 201, "{body}");
}

#[test]
fn the_suite() {
    let platform = suite::run(&TENANT);
    documents::hold(&platform.simulator);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run_but(&TENANT, &json!({}), |fault| fault["status"] == 401);
}

#[test]
fn lists_are_read_to_their_end() {
    let platform = Running::start(&TENANT);
    for number in 0..130 {
        let name = format!("tu-{number}");
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
            "externalId": format!("cluster-1/{number}"), "name": {"givenName": "T", "familyName": name},
            "emails": [{"value": format!("{name}@acme.example"), "type": "work", "primary": true}],
        });
        post(&platform.simulator, "Users", &user);
    }
    assert_eq!(listed(&platform, "cluster-1").len(), 130, "a page has a hundred");
}

#[test]
fn a_day_on_which_it_ends_is_the_directorys_to_keep() {
    let platform = Running::start(&TENANT);
    let mut sample = platform.sample(&owner("ends")).expect("a sample");
    let user = json!({"directoryUser": {"userName": "tu-ends", "validTo": "2027-01-31T12:00:00Z"}});
    sample.identity = serde_json::from_value(user).expect("an identity");
    let identities = suite::identities_of(&platform.driver);
    assert!(runtime().block_on(identities.create(&sample)).is_ok());
    let users = platform.simulator.state()["identity-service"]["users"].clone();
    let made = users.as_array().expect("users").iter().find(|user| user["userName"] == "tu-ends").expect("it").clone();
    let sap = &made["urn:ietf:params:scim:schemas:extension:sap:2.0:User"];
    assert_eq!((&sap["validTo"], &sap["mailVerified"]), (&"2027-01-31T12:00:00Z".into(), &true.into()));
    let shown = found(&platform, "ends").remove(0).user.expect("a user");
    assert!(shown.name.ends_with("@technical-user.invalid"), "a subaccount knows it by its address: {}", shown.name);
    assert_eq!(shown.origin.as_deref(), Some(ORIGIN));
}

#[test]
fn a_strict_policy_takes_no_second_password_within_a_day_and_says_so() {
    let platform = Running::start(&TENANT);
    platform.simulator.settings(&json!({"identityPasswordPolicy": "enterprise"}));
    let identity = create(&platform, "strict");
    let first = issue(&platform, &identity, "strict", 1);
    let issue_second = || {
        let (owner, name) = (owner("strict"), owner("strict").credential_name(2));
        runtime().block_on(credentials_of(&platform.driver).issue(&identity, &NewCredential::made(&owner, &name)))
    };
    let error = issue_second().err().expect("it is not a day old");
    assert!(error.kind() == Kind::Invalid && error.to_string().contains("24 hours"), "{error}");
    assert_eq!(works(&platform, &first), Some(true), "and the first one is still good");
    assert_eq!(found(&platform, "strict").remove(0).credential, Some(owner("strict").credential_name(1)));
    platform.simulator.advance_clock(Duration::from_hours(25));
    assert!(issue_second().is_ok());
    assert_eq!(works(&platform, &first), Some(false));
}

#[test]
fn a_credential_ends_at_once_under_a_strict_policy_too() {
    let platform = Running::start(&TENANT);
    platform.simulator.settings(&json!({"identityPasswordPolicy": "enterprise", "identityDelete": "blocks"}));
    let identity = create(&platform, "ended");
    let issued = issue(&platform, &identity, "ended", 1);
    assert_eq!(works(&platform, &issued), Some(true));
    revoke(&platform, &issued.credential);
    assert_eq!(works(&platform, &issued), Some(false));
    delete(&platform, &identity);
    assert!(found(&platform, "ended").is_empty() && listed(&platform, "cluster-1").is_empty());
}

#[test]
fn users_of_another_provider_are_not_the_tenants() {
    let platform = Running::start(&TENANT);
    let principal = Principal { name: "jane".into(), origin: None };
    let holder = rules(&platform.environment).holder(HolderKind::User, &principal);
    let batch = [Grant::new(holder, Role::GroupMembership(GroupName { group: GROUP.into() }))];
    let grants = suite::granting(&platform.driver, &batch);
    let error = runtime().block_on(grants.grant(&batch)).remove(0).expect_err("she is of sap.default");
    assert!(error.kind() == Kind::Invalid && error.to_string().contains(ORIGIN), "{error}");
    assert!(runtime().block_on(grants.revoke(&batch)).remove(0).is_ok(), "who cannot be in is out");
}

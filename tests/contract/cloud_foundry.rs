//! Environment `cloudFoundry`: its description, and what only it has.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use technical_user_operator::api::environment::CloudFoundry;
use technical_user_operator::api::identity::{ServiceKey, Space};
use technical_user_operator::api::role::{OrganizationRole, OrganizationRoleType, SpaceRole, SpaceRoleType};
use technical_user_operator::api::{Environment, Identity, Principal, Role, RoleKind, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::{Error, Grants, Health, Kind, NewIdentity, Ordered, Progress};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::simulator::Simulator;
use crate::harness::{http, runtime};
use crate::suite::{
    confirmed, create, delete, found, grant, held, identities_of, issue, listed, revoke_grants, set_roles,
};
use crate::{documents, faults, suite};

use OrganizationRoleType::{OrganizationAuditor, OrganizationUser};
use SpaceRoleType::{SpaceAuditor, SpaceSupporter};

/// What the suite has to know.
pub(crate) static CLOUD_FOUNDRY: Description = DESCRIPTION;

/// The same, for a client of the UAA instead of a technical user.
static AS_A_CLIENT: Description =
    Description { credentials: |simulator| vec![("cf", credential(simulator, "client"))], ..DESCRIPTION };

const DESCRIPTION: Description = Description {
    environment,
    credentials: |simulator| vec![("cf", credential(simulator, "secret"))],
    identity: Some(SampleIdentity {
        identity: || service_key("integration"),
        roles: &["ESBMessaging.send", "Custom.role"],
        own_roles: || OwnRoles::Parameter("roles".into()),
        fields: ["clientid", "clientsecret"],
        logs_on: None,
    }),
    grants: |environment| {
        let of = |name: &str, origin: Option<&str>, role: Role| user(environment, name, origin, role);
        let members = vec![
            of("JANE@acme.example", None, organization(OrganizationUser)),
            of("jane@acme.example", Some("acme-platform"), organization(OrganizationUser)),
            of("joe@acme.example", Some("acme-platform"), organization(OrganizationAuditor)),
        ];
        // Only members of the organization can have these.
        let developers = vec![
            of("admin@acme.example", None, space("monitoring", SpaceSupporter)),
            of("admin@acme.example", None, space("monitoring", SpaceAuditor)),
        ];
        vec![members, developers]
    },
    prepare: |_| {},
    count: |simulator| {
        let state = simulator.state();
        let length = |collection: &str| state["cloud-foundry"][collection].as_array().map_or(0, Vec::len);
        (length("instances"), length("bindings"))
    },
    routes: &[
        "cf-uaa.token",
        "auth.token",
        "cloud-foundry.list-organizations",
        "cloud-foundry.list-spaces",
        "cloud-foundry.list-plans",
        "cloud-foundry.get-plan",
        "cloud-foundry.get-offering",
        "cloud-foundry.list-instances",
        "cloud-foundry.create-instance",
        "cloud-foundry.get-instance",
        "cloud-foundry.update-instance",
        "cloud-foundry.delete-instance",
        "cloud-foundry.list-bindings",
        "cloud-foundry.create-binding",
        "cloud-foundry.get-binding-details",
        "cloud-foundry.delete-binding",
        "cloud-foundry.get-job",
        "cloud-foundry.list-roles",
        "cloud-foundry.create-role",
        "cloud-foundry.delete-role",
    ],
};

/// A Secret as whoever runs the cluster writes it: what was noted of the technical user, and where the UAA is, which the
/// root of the API shows.
fn credential(simulator: &Simulator, variant: &str) -> Value {
    let mut credential = simulator.credential("cloud-foundry", variant);
    let root = http::get_json(credential["url"].as_str().expect("the API's address"));
    credential["uaaurl"] = root["links"]["uaa"]["href"].clone();
    credential
}

fn environment(simulator: &Simulator) -> Environment {
    let credentials_secret_ref = SecretRef { name: "cf".into() };
    Environment::CloudFoundry(CloudFoundry {
        api_url: format!("{}/cloud-foundry", simulator.url()),
        credentials_secret_ref,
    })
}

fn service_key(space: &str) -> Identity {
    Identity::ServiceKey(ServiceKey {
        offering: "it-rt".into(),
        plan: "integration-flow".into(),
        space: Some(Space { organization: "acme".into(), name: space.into() }),
        parameters: None,
    })
}

pub(crate) fn user(environment: &Environment, name: &str, origin: Option<&str>, role: Role) -> Grant {
    let principal = Principal { name: name.into(), origin: origin.map(str::to_owned) };
    Grant::new(rules(environment).holder(HolderKind::User, &principal), role)
}

pub(crate) fn organization(kind: OrganizationRoleType) -> Role {
    Role::OrganizationRole(OrganizationRole { organization: "acme".into(), kind })
}

pub(crate) fn space(name: &str, kind: SpaceRoleType) -> Role {
    Role::SpaceRole(SpaceRole { organization: "acme".into(), space: name.into(), kind })
}

fn grants_of(platform: &Running) -> &dyn Grants {
    platform.driver.grants[&RoleKind::SpaceRole].as_ref()
}

pub(crate) fn granted(platform: &Running, one: &Grant) -> Result<(), Error> {
    runtime().block_on(grants_of(platform).grant(std::slice::from_ref(one))).remove(0)
}

pub(crate) fn revoked(platform: &Running, one: &Grant) -> Result<(), Error> {
    runtime().block_on(grants_of(platform).revoke(std::slice::from_ref(one))).remove(0)
}

fn sample(platform: &Running, uid: &str) -> NewIdentity {
    platform.sample(&owner(uid)).expect("a sample")
}

fn order(
    platform: &Running,
    wanted: &NewIdentity,
) -> Result<Ordered<technical_user_operator::platform::ObservedIdentity>, Error> {
    runtime().block_on(identities_of(&platform.driver).create(wanted))
}

pub(crate) fn calls(platform: &Running, route: &str) -> usize {
    platform.simulator.requests().iter().filter(|request| request["route"] == route).count()
}

/// Somebody else asks the Cloud Controller, as the client that manages `acme`.
pub(crate) fn somebody_asks(platform: &Running, method: Method, path: &str, body: &Value) -> Value {
    let key = credential(&platform.simulator, "client");
    let text = |name: &str| key[name].as_str().expect("a field").to_owned();
    let form = [("grant_type", "client_credentials")];
    runtime().block_on(async {
        let http = reqwest::Client::new();
        let asked = http.post(format!("{}/oauth/token", text("uaaurl"))).form(&form);
        let asked = asked.basic_auth(text("clientid"), Some(text("clientsecret"))).send().await.expect("a token");
        let token: Value = asked.json().await.expect("a token");
        let bearer = token["access_token"].as_str().expect("a token");
        let request = http.request(method, format!("{}{path}", text("url"))).bearer_auth(bearer);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json().await.unwrap_or_default()
    })
}

#[test]
fn the_suite() {
    let platform = suite::run(&CLOUD_FOUNDRY);
    documents::hold(&platform.simulator);
}

#[test]
fn the_suite_as_a_client() {
    suite::run(&AS_A_CLIENT);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&CLOUD_FOUNDRY, &json!({ "jobMillis": 0 }));
}

#[test]
fn an_answer_that_comes_too_late_is_survived() {
    faults::run_late(&CLOUD_FOUNDRY);
}

#[test]
fn everything_is_found_on_whatever_page_it_is() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    platform.simulator.settings(&json!({ "cloudFoundryPage": 1 }));
    for batch in platform.grants() {
        grant(&platform, &batch);
        assert_eq!(held(&platform, &batch), batch);
        assert_eq!(confirmed(&platform, &batch), batch);
        revoke_grants(&platform, &batch);
        assert!(held(&platform, &batch).is_empty());
    }
    for uid in ["one", "two"] {
        drop(issue(&platform, &create(&platform, uid), uid, 1));
    }
    assert_eq!(listed(&platform, "cluster-1").len(), 2);
}

#[test]
fn a_service_that_works_in_the_background_is_followed_and_not_ordered_again() {
    let mut platform = Running::start(&CLOUD_FOUNDRY);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"], "operationMillis": 60_000}));
    let Ok(Ordered::Begun(operation)) = order(&platform, &sample(&platform, "long")) else {
        panic!("it takes a minute")
    };
    // What follows it may be another process.
    platform.reconnect();
    let follow = || runtime().block_on(identities_of(&platform.driver).follow(&operation)).expect("an answer");
    assert!(matches!(follow(), Progress::Running));
    assert_eq!(found(&platform, "long")[0].health, Health::InProgress);
    assert!(matches!(order(&platform, &sample(&platform, "long")), Ok(Ordered::Found)));
    platform.simulator.advance_clock(Duration::from_mins(1));
    assert!(matches!(follow(), Progress::Succeeded));
    assert_eq!(create(&platform, "long").health, Health::Usable);
    assert_eq!(platform.count(), (1, 0));
}

#[test]
fn a_failed_creation_is_shown_as_failed_and_its_name_can_be_used_again() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    platform.simulator.settings(&json!({"failingPlans": ["integration-flow"]}));
    let error = order(&platform, &sample(&platform, "failed")).expect_err("the broker is broken");
    platform.check(&error);
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("CF-UnableToPerform"), "{error}");
    assert_eq!(found(&platform, "failed")[0].health, Health::Failed);
    platform.simulator.settings(&json!({"failingPlans": []}));
    assert!(matches!(order(&platform, &sample(&platform, "failed")), Ok(Ordered::Done(_))));
    assert_eq!(platform.count(), (1, 0));
}

#[test]
fn an_instance_takes_all_its_keys_along() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let identity = create(&platform, "bound");
    drop(issue(&platform, &identity, "bound", 1));
    let instance = json!({"service_instance": {"data": {"guid": identity.id}}});
    let order = json!({"type": "key", "name": "somebody-elses", "relationships": instance});
    somebody_asks(&platform, Method::POST, "/v3/service_credential_bindings", &order);
    delete(&platform, &identity);
    assert_eq!(platform.count(), (0, 0));
}

#[test]
fn the_last_role_can_be_taken_away() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let identity = create(&platform, "bare");
    drop(issue(&platform, &identity, "bare", 1));
    let none = NewIdentity { roles: [].into(), ..sample(&platform, "bare") };
    platform.simulator.settings(&json!({"emptyRoles": "default"}));
    let refused = runtime().block_on(identities_of(&platform.driver).set_roles(&identity, &none));
    let error = refused.expect_err("the broker gives the usual role instead of none");
    assert!(error.to_string().contains("still carry roles"), "{error}");
    platform.simulator.settings(&json!({"emptyRoles": "nothing"}));
    set_roles(&platform, &identity, &none);
}

#[test]
fn a_name_that_somebody_else_has_is_a_conflict() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let state = platform.simulator.state();
    let space =
        state["cloud-foundry"]["spaces"].as_array().expect("spaces").iter().find(|one| one["name"] == "integration");
    let space = space.expect("the space")["guid"].clone();
    let plan = somebody_asks(&platform, Method::GET, "/v3/service_plans?names=integration-flow", &Value::Null);
    let order_of_theirs = json!({
        "type": "managed", "name": owner("taken").identity_name(),
        "parameters": {"roles": ["ESBMessaging.send"], "grant-types": ["client_credentials"]},
        "relationships": {"space": {"data": {"guid": space}},
                          "service_plan": {"data": {"guid": plan["resources"][0]["guid"]}}},
    });
    somebody_asks(&platform, Method::POST, "/v3/service_instances", &order_of_theirs);
    assert_eq!(order(&platform, &sample(&platform, "taken")).expect_err("theirs").kind(), Kind::Conflict);
    let looked = runtime().block_on(identities_of(&platform.driver).find(&owner("taken")));
    assert_eq!(looked.expect_err("theirs").kind(), Kind::Conflict);
    assert_eq!(platform.count(), (1, 0));
}

#[test]
fn what_is_not_there_is_named_and_asked_for_once() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let strange = |name: &str| NewIdentity { identity: service_key(name), ..sample(&platform, "nowhere") };
    for _ in 0..3 {
        let error = order(&platform, &strange("no such space")).expect_err("there is none");
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.to_string().contains("space `no such space` of organization `acme`"), "{error}");
    }
    assert_eq!(calls(&platform, "cloud-foundry.list-spaces"), 1);
    platform.simulator.settings(&json!({"itRtActivated": false}));
    let error = order(&platform, &sample(&platform, "plan")).expect_err("nobody activated it");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("is it entitled"), "{error}");
    let strangers = OrganizationRole { organization: "strangers".into(), kind: OrganizationUser };
    let there =
        user(&platform.environment, "joe@acme.example", Some("acme-platform"), Role::OrganizationRole(strangers));
    for error in [granted(&platform, &there), revoked(&platform, &there)].map(|result| result.expect_err("not seen")) {
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.to_string().contains("has the admin credential a role in it"), "{error}");
    }
}

#[test]
fn an_estimate_of_nothing_left_stops_nobody() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    platform.simulator.settings(&json!({ "cloudFoundryRequestsPerHour": 40 }));
    let joe = user(&platform.environment, "joe@acme.example", Some("acme-platform"), organization(OrganizationUser));
    for _ in 0..38 {
        let told = runtime().block_on(grants_of(&platform).holds(std::slice::from_ref(&joe))).remove(0);
        assert_eq!(told.map_err(|error| error.to_string()), Ok(false), "what is left is told as 0 from the 37th on");
    }
    platform.simulator.settings(&json!({ "cloudFoundryRetryAfter": "epoch" }));
    let refused =
        (0..3).find_map(|_| runtime().block_on(grants_of(&platform).holds(std::slice::from_ref(&joe))).remove(0).err());
    let error = refused.expect("the hour's requests are used up");
    assert_eq!(error.kind(), Kind::Throttled);
    assert!(error.wait().is_some_and(|wait| wait > Duration::from_secs(60)), "{:?}", error.wait());
}

#[test]
fn a_wrong_password_locks_nobody_out() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    platform.simulator.fault("cf-uaa.token", &json!({"kind": "status", "status": 401}));
    for _ in 0..5 {
        runtime().block_on(platform.driver.log_on()).expect_err("refused");
    }
    assert!(calls(&platform, "cf-uaa.token") < 5, "five wrong passwords lock the account");
}

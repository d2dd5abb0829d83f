//! Environment `btp`: its description, and what only it has.

use std::time::{Duration, Instant};

use serde_json::json;
use technical_user_operator::api::platform::{ApiAccess, Btp};
use technical_user_operator::api::role_binding::RoleName;
use technical_user_operator::api::technical_user::ServiceKey;
use technical_user_operator::api::{Environment, Identity, Principal, Role, SecretRef};
use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};
use technical_user_operator::platform::{Health, Kind, Ordered, Progress};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::runtime;
use crate::suite::{create, delete, identities_of, issue, listed, revoke};
use crate::{documents, faults, suite};

/// What the suite has to know.
pub(crate) static BTP: Description = Description {
    environment: |_| environment(),
    credentials: |simulator| {
        ["xsuaa", "service-manager"].map(|name| (name, simulator.credential(name, "secret"))).into()
    },
    identity: Some(SampleIdentity {
        identity: || service_key("it-rt", "integration-flow"),
        roles: ["ESBMessaging.send", "Custom.role"],
        roles_parameter: Some("roles"),
    }),
    grants: |environment| {
        let of = |kind, name: &str, origin: Option<&str>, role: &str| {
            let principal = Principal { name: name.into(), origin: origin.map(str::to_owned) };
            let role = Role::RoleCollection(RoleName { name: role.into() });
            Grant::new(Holder::new(kind, &principal, environment), role)
        };
        let users = vec![
            of(HolderKind::User, "P0001", None, "PI_Read_Only"),
            of(HolderKind::User, "P0002", Some("ldap"), "PI_Read_Only"),
            of(HolderKind::User, "jane+sender@acme.example", Some("sap.custom"), "PI_Read_Only"),
        ];
        let groups = vec![
            of(HolderKind::Group, "Integration Developers", Some("sap.custom"), "PI_Integration_Developer"),
            of(HolderKind::Group, "a/b", Some("sap.custom"), "PI_Integration_Developer"),
        ];
        vec![users, vec![of(HolderKind::User, "P0001", Some("ldap"), "PI_Administrator")], groups]
    },
    count: |simulator| {
        let state = simulator.state();
        let length = |collection: &str| state["service-manager"][collection].as_array().map_or(0, Vec::len);
        (length("instances"), length("bindings"))
    },
    routes: &[
        "auth.token",
        "service-manager.list-offerings",
        "service-manager.list-plans",
        "service-manager.create-instance",
        "service-manager.list-bindings",
        "service-manager.create-binding",
        "service-manager.get-binding",
        "service-manager.delete-binding",
        "service-manager.delete-instance",
        "xsuaa.assign",
        "xsuaa.unassign",
        "xsuaa.get-collection",
        "xsuaa.get-user",
        "xsuaa.add-mapping",
        "xsuaa.remove-mapping",
        "xsuaa.list-attribute-mappings",
    ],
};

pub(crate) fn environment() -> Environment {
    let access = |name: &str| Some(ApiAccess { credentials_secret_ref: SecretRef { name: name.into() } });
    Environment::Btp(Btp { authorization: access("xsuaa"), service_manager: access("service-manager") })
}

fn service_key(offering: &str, plan: &str) -> Identity {
    Identity::ServiceKey(ServiceKey { offering: offering.into(), plan: plan.into(), parameters: None })
}

/// Somebody else, with the same admin credential, makes an instance.
fn order_instance(platform: &Running, order: &serde_json::Value) {
    let key = platform.simulator.credential("service-manager", "secret");
    let text = |name: &str| key[name].as_str().expect("a service key's field").to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &text("clientid")),
        ("client_secret", &text("clientsecret")),
    ];
    runtime().block_on(async {
        let http = reqwest::Client::new();
        let asked = http.post(format!("{}/oauth/token", text("url"))).form(&form).send().await.expect("a token");
        let token: serde_json::Value = asked.json().await.expect("a token");
        let url = format!("{}/v1/service_instances?async=false", text("sm_url"));
        let bearer = token["access_token"].as_str().expect("a token");
        let made = http.post(url).bearer_auth(bearer).json(order).send().await.expect("an instance");
        assert_eq!(made.status(), 201);
    });
}

#[test]
fn the_suite() {
    let platform = suite::run(&BTP);
    documents::hold(&platform.simulator);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&BTP);
}

#[test]
fn what_others_answer_in_place_of_the_role_apis_is_not_believed() {
    faults::run_with_answers_of_others(&BTP, "xsuaa.");
}

#[test]
fn a_service_that_works_in_the_background_is_waited_for() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"]}));
    let identity = create(&platform, "background");
    assert_eq!(identity.health, Health::Usable);
    let issued = issue(&platform, &identity, "background", 1);
    assert!(issued.fields.contains_key("clientid"));
    revoke(&platform, &issued.credential);
    delete(&platform, &identity);
    assert_eq!(platform.count(), (0, 0));
    documents::hold(&platform.simulator);
}

#[test]
fn a_creation_that_takes_long_is_followed_and_not_ordered_again() {
    let mut platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"], "operationMillis": 60_000}));
    let (owner, sample) = (owner("long"), platform.sample(&owner("long")).expect("a sample"));
    let begun = runtime().block_on(identities_of(&platform.driver).create(&sample)).expect("an answer");
    let Ordered::Begun(operation) = begun else { panic!("it takes a minute: {begun:?}") };
    // What follows it may be another process.
    platform.reconnect();
    let follow = |driver| runtime().block_on(identities_of(driver).follow(&operation)).expect("an answer");
    assert!(matches!(follow(&platform.driver), Progress::Running));
    let found = runtime().block_on(identities_of(&platform.driver).find(&owner)).expect("an answer");
    assert_eq!(found.iter().map(|one| one.health).collect::<Vec<_>>(), [Health::InProgress]);
    assert_eq!(listed(&platform, "cluster-1")[0].health, Health::InProgress);
    platform.simulator.advance_clock(Duration::from_mins(1));
    assert!(matches!(follow(&platform.driver), Progress::Succeeded));
    assert_eq!(create(&platform, "long").health, Health::Usable);
    let requests = platform.simulator.requests();
    let orders = requests.iter().filter(|request| request["route"] == "service-manager.create-instance").count();
    assert_eq!((orders, platform.count()), (1, (1, 0)));
}

#[test]
fn a_failed_creation_is_shown_as_failed_and_can_be_cleared_away() {
    let platform = Running::start(&BTP);
    let broken = json!({"asyncPlans": ["integration-flow"], "failingPlans": ["integration-flow"]});
    platform.simulator.settings(&broken);
    let sample = platform.sample(&owner("failed")).expect("a sample");
    let identities = platform.driver.identities.clone().expect("identities");
    let error = runtime().block_on(identities.create(&sample)).expect_err("the broker is broken");
    platform.check(&error);
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    let failed = listed(&platform, "cluster-1").remove(0);
    assert_eq!(failed.health, Health::Failed);
    platform.simulator.settings(&json!({"failingPlans": []}));
    delete(&platform, &failed);
    assert_eq!(create(&platform, "failed").health, Health::Usable);
}

#[test]
fn a_plan_that_is_not_there_yet_is_named_and_found_when_it_comes() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"itRtActivated": false}));
    let sample = platform.sample(&owner("plan")).expect("a sample");
    let identities = platform.driver.identities.clone().expect("identities");
    let error = runtime().block_on(identities.create(&sample)).expect_err("there is no such plan");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("`integration-flow`"), "{error}");
    platform.simulator.settings(&json!({"itRtActivated": true}));
    create(&platform, "plan");
}

#[test]
fn what_is_not_ours_is_a_conflict() {
    let platform = Running::start(&BTP);
    let owner = owner("foreign");
    let foreign = json!({
        "name": owner.identity_name(), "service_offering_name": "it-rt", "service_plan_name": "integration-flow",
    });
    order_instance(&platform, &foreign);
    let sample = platform.sample(&owner).expect("a sample");
    let identities = platform.driver.identities.clone().expect("identities");
    let error = runtime().block_on(identities.create(&sample)).expect_err("the name is taken");
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(listed(&platform, "cluster-1").is_empty(), "what is not marked is not listed");
}

#[test]
fn lists_are_read_to_their_end() {
    let platform = Running::start(&BTP);
    let made: Vec<_> = (0..60).map(|number| create(&platform, &format!("page-{number}")).id).collect();
    let mut listed: Vec<_> = listed(&platform, "cluster-1").into_iter().map(|identity| identity.id).collect();
    listed.sort();
    assert!(made.iter().all(|id| listed.binary_search(id).is_ok()));
    assert_eq!(listed.len(), made.len());
}

#[test]
fn many_callers_share_one_token_and_one_look_up() {
    let platform = Running::start(&BTP);
    let identities = platform.driver.identities.clone().expect("identities");
    let samples: Vec<_> = (0..50).filter_map(|number| platform.sample(&owner(&format!("many-{number}")))).collect();
    let results = runtime().block_on(futures::future::join_all(samples.iter().map(|sample| identities.create(sample))));
    assert!(results.iter().all(Result::is_ok));
    let requests = platform.simulator.requests();
    let count = |route: &str| requests.iter().filter(|request| request["route"] == route).count();
    assert_eq!(count("auth.token"), 1);
    assert_eq!(count("service-manager.list-plans"), 1);
    assert_eq!(count("service-manager.create-instance"), 50);
}

#[test]
fn a_long_wait_is_handed_on_and_not_waited_out() {
    let platform = Running::start(&BTP);
    let throttle = json!({"kind": "throttle", "retryAfter": "go-time", "retryAfterSeconds": 120, "times": 1});
    platform.simulator.fault("service-manager.list-instances", &throttle);
    let identities = platform.driver.identities.clone().expect("identities");
    for _ in 0..2 {
        let started = Instant::now();
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("two minutes are asked for");
        assert_eq!(error.kind(), Kind::Throttled);
        assert!(error.wait().is_some_and(|wait| wait > Duration::from_secs(100)), "{:?}", error.wait());
        assert!(started.elapsed() < Duration::from_secs(5));
    }
    let requests = platform.simulator.requests();
    let lists = requests.iter().filter(|request| request["route"] == "service-manager.list-instances").count();
    assert_eq!(lists, 1, "nobody asks again before the time has come");
}

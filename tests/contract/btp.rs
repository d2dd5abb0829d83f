//! Environment `btp`: its description, and what only it has.

use std::time::{Duration, Instant};

use serde_json::json;
use technical_user_operator::api::environment::{ApiAccess, Btp};
use technical_user_operator::api::identity::ServiceKey;
use technical_user_operator::api::role::RoleName;
use technical_user_operator::api::{Environment, Identity, Principal, Role, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::Kind;

use crate::description::{Description, Running, SampleIdentity};
use crate::harness::runtime;
use crate::{documents, faults, suite};

/// What the suite has to know.
pub(crate) static BTP: Description = DESCRIPTION;

const DESCRIPTION: Description = Description {
    environment: |_| environment(),
    credentials: |simulator| {
        ["xsuaa", "service-manager"].map(|name| (name, simulator.credential(name, "secret"))).into()
    },
    identity: Some(SampleIdentity {
        identity: || service_key("it-rt", "integration-flow"),
        roles: &["ESBMessaging.send", "Custom.role"],
        own_roles: || OwnRoles::Parameter("roles".into()),
        fields: ["clientid", "clientsecret"],
        logs_on: None,
    }),
    grants: |environment| {
        let of = |kind, name: &str, origin: Option<&str>, role: &str| {
            let principal = Principal { name: name.into(), origin: origin.map(str::to_owned) };
            let role = Role::RoleCollection(RoleName { name: role.into() });
            Grant::new(rules(environment).holder(kind, &principal), role)
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
    prepare: |_| {},
    count: |simulator| {
        let state = simulator.state();
        let length = |collection: &str| state["service-manager"][collection].as_array().map_or(0, Vec::len);
        (length("instances"), length("bindings"))
    },
    routes: &[
        "auth.token",
        "service-manager.list-offerings",
        "service-manager.list-plans",
        "service-manager.get-offering",
        "service-manager.get-plan",
        "service-manager.create-instance",
        "service-manager.list-instances",
        "service-manager.get-instance",
        "service-manager.update-instance",
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

/// The same, where its brokers take their time: the routes that then matter.
static IN_THE_BACKGROUND: Description = Description {
    grants: |_| Vec::new(),
    routes: &[
        "service-manager.create-instance",
        "service-manager.get-operation",
        "service-manager.list-instances",
        "service-manager.get-instance",
        "service-manager.update-instance",
        "service-manager.create-binding",
        "service-manager.list-bindings",
        "service-manager.get-binding",
        "service-manager.delete-binding",
        "service-manager.delete-instance",
    ],
    ..DESCRIPTION
};

pub(crate) fn environment() -> Environment {
    let access = |name: &str| Some(ApiAccess { credentials_secret_ref: SecretRef { name: name.into() } });
    Environment::Btp(Btp {
        authorization: access("xsuaa"),
        service_manager: access("service-manager"),
        identity_service: None,
    })
}

pub(crate) fn service_key(offering: &str, plan: &str) -> Identity {
    Identity::ServiceKey(ServiceKey { offering: offering.into(), plan: plan.into(), space: None, parameters: None })
}

#[test]
fn the_suite() {
    let platform = suite::run(&BTP);
    documents::hold(&platform.simulator);
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&BTP, &json!({}));
}

#[test]
fn every_fault_is_survived_while_brokers_work_in_the_background() {
    faults::run(&IN_THE_BACKGROUND, &json!({"asyncPlans": ["integration-flow"], "operationMillis": 300}));
}

#[test]
fn an_answer_that_comes_too_late_is_survived() {
    faults::run_late(&BTP);
}

#[test]
fn a_long_wait_is_handed_on_and_not_waited_out() {
    let platform = Running::start(&BTP);
    let throttle = json!({"kind": "throttle", "retryAfter": "go-time", "retryAfterSeconds": 120, "times": 1});
    platform.simulator.fault("service-manager.list-instances", &throttle);
    let identities = suite::identities_of(&platform.driver);
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

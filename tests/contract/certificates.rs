//! Certificates that are mapped to users of Cloud Integration on Neo: their description, and what only they have.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use technical_user_operator::api::environment::{CloudIntegration, Neo};
use technical_user_operator::api::role::ApplicationRole;
use technical_user_operator::api::{Environment, Identity, Principal, Role, SecretRef};
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::{KeyPair, Kind, Making, NewCredential, ObservedIdentity, Ordered};

use crate::description::{Description, Running, SampleIdentity, owner};
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::suite::{create, credentials_of, issue, revoke};
use crate::{documents, faults, suite};

/// With a quote in it, which OData doubles.
const USER: &str = "tu-o'rders";

/// What all administrators have in common.
const MAPPINGS: Description = Description {
    environment: |simulator| environment(simulator.url()),
    credentials: |simulator| {
        let tenant = simulator.credential("cloud-integration", "secret");
        vec![("neo", simulator.credential("neo", "secret")), ("tenant", tenant)]
    },
    identity: Some(SAMPLE),
    grants: |environment| vec![vec![sender(environment)]],
    prepare: |_| {},
    count: |simulator| (0, mappings(simulator).len()),
    routes: &[
        "neo.token",
        "neo.list-role-users",
        "neo.add-role-users",
        "neo.remove-role-users",
        "cloud-integration.token",
        "cloud-integration.service-document",
        "cloud-integration.list-certificate-mappings",
        "cloud-integration.map-certificate",
        "cloud-integration.get-certificate-mapping",
        "cloud-integration.delete-certificate-mapping",
    ],
};

/// An OAuth client maps them.
static BY_TOKEN: Description = MAPPINGS;

/// A user with a password maps them.
static BY_PASSWORD: Description = Description {
    credentials: |simulator| {
        let key = simulator.credential("cloud-integration", "secret");
        let user = json!({"username": key["clientid"], "password": key["clientsecret"]});
        vec![("neo", simulator.credential("neo", "secret")), ("tenant", user)]
    },
    ..MAPPINGS
};

const SAMPLE: SampleIdentity = SampleIdentity {
    identity: || {
        serde_json::from_value::<Identity>(json!({"certificateUser": {"userName": USER}})).expect("an identity")
    },
    roles: &[],
    own_roles: || OwnRoles::None,
    fields: ["tls.crt", "tls.key"],
    logs_on: None,
};

fn environment(url: &str) -> Environment {
    let secret = |name: &str| SecretRef { name: name.into() };
    let cloud_integration = Some(CloudIntegration {
        url: format!("{url}/cloud-integration"),
        runtime_url: Some(format!("{url}/runtime")),
        credentials_secret_ref: secret("tenant"),
    });
    let (host, subaccount) = ("hana.ondemand.com".into(), "acme".into());
    Environment::Neo(Neo {
        host,
        subaccount,
        credentials_secret_ref: secret("neo"),
        cloud_integration,
        identity_service: None,
    })
}

/// The role that lets the user send.
fn sender(environment: &Environment) -> Grant {
    let user = Principal { name: USER.into(), origin: None };
    let (application, provider) = ("abciflmap".into(), Some("sapprovider".into()));
    let role = Role::ApplicationRole(ApplicationRole { application, provider, name: "ESBMessaging.send".into() });
    Grant::new(rules(environment).holder(HolderKind::User, &user), role)
}

fn mappings(simulator: &Simulator) -> Vec<Value> {
    simulator.state()["cloud-integration"]["certificateUserMappings"].as_array().cloned().unwrap_or_default()
}

/// An order for somebody, made of this pair.
fn order(platform: &Running, user: &str, pair: &KeyPair) -> Result<(), Kind> {
    let owner = owner(user);
    let making = Making::Brought(pair.certificate().clone());
    let wanted = NewCredential { making, ..NewCredential::made(&owner, &owner.credential_name(1)) };
    let identity = ObservedIdentity::named(user);
    let ordered = credentials_of(&platform.driver).issue(&identity, &wanted);
    match runtime().block_on(ordered) {
        Ok(Ordered::Done(_)) => Ok(()),
        Ok(_) => Err(Kind::InProgress),
        Err(error) => {
            platform.check(&error);
            Err(error.kind())
        }
    }
}

#[test]
fn the_suite_by_token_and_by_password() {
    for description in [&BY_TOKEN, &BY_PASSWORD] {
        documents::hold(&suite::run(description).simulator);
    }
}

#[test]
fn every_fault_on_every_route_is_survived() {
    faults::run(&BY_TOKEN, &json!({}));
}

#[test]
fn an_answer_that_comes_too_late_is_survived() {
    faults::run_late(&BY_TOKEN);
}

#[test]
fn what_others_have_mapped_is_neither_taken_over_nor_removed() {
    let platform = Running::start(&BY_TOKEN);
    let pair = platform.pair("somebody else", 1);
    order(&platform, "P0000001", &pair).expect("nobody has mapped it before");
    let before = mappings(&platform.simulator);
    assert_eq!(order(&platform, "tu-orders", &pair), Err(Kind::Conflict));
    assert_eq!(order(&platform, "P0000001", &pair), Err(Kind::InProgress), "found, and not ordered");
    assert_eq!(mappings(&platform.simulator), before);

    let identity = create(&platform, "intake");
    let issued = issue(&platform, &identity, "intake", 1);
    let ours = platform.pair("intake", 1);
    change_user(&platform, "P0000001", &ours);
    revoke(&platform, &issued.credential);
    assert_eq!(mappings(&platform.simulator).len(), 2, "it stands for somebody else now");
}

#[test]
fn a_404_of_nobody_in_particular_proves_nothing() {
    let platform = Running::start(&BY_TOKEN);
    let pair = platform.pair("somebody else", 1);
    order(&platform, "P0000001", &pair).expect("nobody has mapped it before");
    for kind in ["not-found", "html"] {
        let fault = json!({"kind": kind, "status": 404});
        platform.simulator.fault("cloud-integration.get-certificate-mapping", &fault);
        assert_eq!(order(&platform, "tu-orders", &pair), Err(Kind::UnexpectedAnswer), "{kind}");
    }
    assert_eq!(mappings(&platform.simulator)[0]["User"], "P0000001");
}

#[test]
fn a_token_that_the_tenant_has_forgotten_is_fetched_again() {
    let platform = Running::start(&BY_TOKEN);
    let identity = create(&platform, "intake");
    drop(issue(&platform, &identity, "intake", 1));
    drop(issue(&platform, &identity, "intake", 2));
    let fetched = || calls(&platform, "service-document");
    assert_eq!(fetched(), 1, "one token is good for many changes");
    let forgotten = json!({"kind": "status", "status": 403, "times": 1});
    platform.simulator.fault("cloud-integration.map-certificate", &forgotten);
    assert_eq!(order(&platform, USER, &platform.pair("denied", 1)), Err(Kind::Forbidden), "that is about rights");
    // The tenant forgets its sessions, and the driver does not know.
    platform.simulator.advance_clock(Duration::from_mins(30));
    order(&platform, USER, &platform.pair("forgotten", 1)).expect("another token does");
    assert_eq!(fetched(), 2);
}

#[test]
fn what_the_tenant_would_refuse_is_refused_before() {
    let platform = Running::start(&BY_TOKEN);
    let names: Vec<String> = (0..200).map(|number| format!("a-long-name-of-somebody-{number}.acme.example")).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = made.signing_key.serialize_pem();
    let pair = KeyPair::read(made.cert.pem().as_bytes(), key.as_bytes(), None).expect("a pair that fits");
    assert_eq!(order(&platform, USER, &pair), Err(Kind::Invalid));
    assert_eq!(calls(&platform, "map-certificate"), 0);
}

#[test]
fn the_private_key_stays_here() {
    let platform = Running::start(&BY_TOKEN);
    let identity = create(&platform, "intake");
    let issued = suite::texts(&issue(&platform, &identity, "intake", 1));
    assert!(issued["tls.key"].contains("PRIVATE KEY") && issued["url"].ends_with("/runtime"));
    let mapped = mappings(&platform.simulator)[0]["Certificate"].as_str().expect("a certificate").to_owned();
    let text = String::from_utf8(BASE64_STANDARD.decode(mapped).expect("base64")).expect("PEM");
    assert_eq!(text.matches("-----BEGIN ").count(), 1);
    assert!(text.starts_with("-----BEGIN CERTIFICATE-----"));
}

fn calls(platform: &Running, route: &str) -> usize {
    let route = format!("cloud-integration.{route}");
    platform.simulator.requests().iter().filter(|request| request["route"] == route.as_str()).count()
}

/// Somebody else maps a certificate again, to another user, past the driver.
fn change_user(platform: &Running, user: &str, pair: &KeyPair) {
    let key = platform.simulator.credential("cloud-integration", "secret");
    let text = |name: &str| key[name].as_str().expect("an admin credential's field");
    let asked = |method, path: &str| {
        let request = reqwest::Client::new().request(method, format!("{}/api/v1/{path}", text("url")));
        request.basic_auth(text("clientid"), Some(text("clientsecret")))
    };
    runtime().block_on(async {
        let fetched = asked(reqwest::Method::GET, "").header("x-csrf-token", "Fetch").send().await.expect("a token");
        let header = |name: &str| fetched.headers()[name].to_str().expect("text").to_owned();
        let certificate = BASE64_STANDARD.encode(pair.certificate().pem());
        let changed = asked(reqwest::Method::POST, "CertificateUserMappings")
            .header("x-csrf-token", header("x-csrf-token"))
            .header("cookie", header("set-cookie").split(';').next().expect("a cookie"))
            .json(&json!({"User": user, "Certificate": certificate}));
        assert_eq!(changed.send().await.expect("an answer").status(), 201);
    });
}

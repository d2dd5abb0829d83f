//! Logging on with an admin credential: what stops it, what only pauses, and how a certificate does it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::api::environment::{ApiAccess, Btp};
use technical_user_operator::api::{Environment, SecretRef};
use technical_user_operator::platform::budget::{CallObserver, Unobserved};
use technical_user_operator::platform::{Accounts, AdminSecret, Driver, Kind, LoggedOn, Proof, connect};

use crate::btp;
use crate::description::{Running, owner};
use crate::harness::runtime;
use crate::harness::simulator::Simulator;
use crate::harness::simulator::ca_file;
use crate::role_collections::count;
use crate::suite;
use crate::suite::{create, credentials_of, found, issue, listed};

#[test]
fn a_refused_admin_credential_stops_all_calls() {
    let simulator = Simulator::start();
    let mut key = simulator.credential("service-manager", "secret");
    key["clientsecret"] = json!("another");
    let driver = service_manager(&key);
    let identities = suite::identities_of(&driver);
    for _ in 0..5 {
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("the credential is refused");
        assert_eq!(error.kind(), Kind::CredentialsRefused);
    }
    assert_eq!(simulator.requests().len(), 2, "asked twice and never again");
}

#[test]
fn a_401_that_no_token_service_wrote_is_an_outage() {
    let platform = Running::start(&btp::BTP);
    platform.simulator.fault("auth.token", &json!({"kind": "html", "status": 401}));
    let identities = suite::identities_of(&platform.driver);
    for _ in 0..5 {
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("there is no token");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.wait().is_some(), "it is said when to come back");
    }
    assert_eq!(platform.simulator.requests().len(), 1, "it may be a wrong credential all the same");
}

#[test]
fn an_api_that_refuses_tokens_is_left_alone_and_found_again() {
    let platform = Running::start(&btp::BTP);
    platform.converge("log on", async |driver| driver.log_on().await?.whole());
    platform.simulator.fault("service-manager.list-instances", &json!({"kind": "status", "status": 401, "times": 1}));
    assert!(listed(&platform, "cluster-1").is_empty());
    platform.simulator.fault("service-manager.list-instances", &json!({"kind": "status", "status": 401}));
    let identities = suite::identities_of(&platform.driver);
    for _ in 0..3 {
        let error = runtime().block_on(identities.list("cluster-1")).expect_err("the token is refused");
        assert_eq!(error.kind(), Kind::Unavailable, "the token service has just accepted the credential");
    }
    let requests = platform.simulator.requests();
    let of = |route: &str| requests.iter().filter(|request| request["route"] == route).count();
    assert!(of("service-manager.list-instances") <= 8, "it is asked less and less often");
    assert_eq!(of("auth.token"), 2, "once for each admin credential");
    platform.simulator.heal();
    assert!(listed(&platform, "cluster-1").is_empty());
}

#[test]
fn an_api_that_is_down_is_left_alone_and_found_again() {
    let platform = Running::start(&btp::BTP);
    let route = "service-manager.list-instances";
    platform.simulator.fault(route, &json!({"kind": "status", "status": 503}));
    let identities = suite::identities_of(&platform.driver);
    let sent_away = (0..20).find_map(|_| {
        let asked = count(&platform, route);
        let error = runtime().block_on(identities.find(&owner("down"))).expect_err("it is down");
        assert_eq!(error.kind(), Kind::Unavailable);
        error.wait().filter(|_| count(&platform, route) == asked)
    });
    let wait = sent_away.expect("after so many failures nobody asks any more");
    assert!(wait <= Duration::from_secs(60), "{wait:?}");
    platform.simulator.heal();
    assert_eq!(found(&platform, "down"), []);
}

#[test]
fn what_a_platform_knows_only_after_a_moment_is_waited_for() {
    let platform = Running::start(&btp::BTP);
    platform.simulator.settings(&json!({"freshTokenMillis": 700, "clientDelayMillis": 2000}));
    let identity = create(&platform, "moment");
    let issued = issue(&platform, &identity, "moment", 1);
    let proof = runtime().block_on(credentials_of(&platform.driver).prove(&issued));
    assert!(matches!(proof.expect("the client is known in the end"), Proof::Works(_)));
}

/// Name of the test that [`a_client_certificate_logs_on`] runs, and of the variable by which it finds its simulator.
const WITH_CERTIFICATE: &str = "log_on::log_on_with_a_certificate";
const SERVICE_KEY: &str = "CONTRACT_SERVICE_KEY";

#[test]
fn a_client_certificate_logs_on() {
    let simulator = Simulator::start();
    // The authority to trust is read from the environment of a process, so this takes a process of its own.
    let ended = Command::new(std::env::current_exe().expect("this test's binary"))
        .args(["--ignored", "--exact", WITH_CERTIFICATE])
        .env("SSL_CERT_FILE", ca_file())
        .env(SERVICE_KEY, simulator.credential("service-manager", "x509").to_string())
        .output()
        .expect("run a test");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by a_client_certificate_logs_on, in a process that trusts its simulator"]
fn log_on_with_a_certificate() {
    let key = std::env::var(SERVICE_KEY).expect("a service key");
    let driver = service_manager(&serde_json::from_str(&key).expect("JSON"));
    runtime().block_on(driver.log_on()).and_then(LoggedOn::whole).expect("the certificate logs on");
    let identities = suite::identities_of(&driver);
    assert!(runtime().block_on(identities.list("cluster-1")).expect("the token is good").is_empty());
}

/// A subaccount with a Service Manager alone, which this service key is for.
fn service_manager(key: &Value) -> Driver {
    let entries = BTreeMap::from([("key.json".to_owned(), key.to_string().into_bytes())]);
    let secrets = BTreeMap::from([("key".to_owned(), AdminSecret::parse(&entries).expect("a good Secret"))]);
    let access = ApiAccess { credentials_secret_ref: SecretRef { name: "key".into() } };
    let environment =
        Environment::Btp(Btp { authorization: None, service_manager: Some(access), identity_service: None });
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    connect(&environment, &secrets, &Accounts::default(), &observer).expect("a driver")
}

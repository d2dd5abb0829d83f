//! Connections of several Platforms, and what they share, at a stand-in for their platform.

use std::collections::BTreeSet;

use super::super::stand_in::{Answering, StandIn};
use super::*;
use crate::api::environment::{ApiAccess, Btp};
use crate::plan::environment::{rules, samples};
use crate::platform::budget::Unobserved;
use crate::platform::{Kind, LoggedOn};

const WRONG: Answering = Answering::With(401, r#"{"error":"invalid_client","error_description":"hunter2"}"#);

/// A subaccount whose APIs are reached with these Secrets.
fn environment(authorization: &str, service_manager: &str) -> Environment {
    let access = |name: &str| Some(ApiAccess { credentials_secret_ref: SecretRef { name: name.into() } });
    Environment::Btp(Btp {
        authorization: access(authorization),
        service_manager: access(service_manager),
        identity_service: None,
    })
}

fn connected(accounts: &Accounts, secrets: [(&str, AdminSecret); 2]) -> Driver {
    let environment = environment(secrets[0].0, secrets[1].0);
    let secrets = secrets.into_iter().map(|(name, secret)| (name.to_owned(), secret)).collect();
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    connect(&environment, &secrets, accounts, &observer).unwrap()
}

/// A Platform that has one credential for both of its APIs.
fn with_one_credential(accounts: &Accounts, platform: &StandIn) -> Driver {
    let secret = || platform.admin_secret("sb-1");
    connected(accounts, [("xsuaa", secret()), ("service-manager", secret())])
}

fn place(logged_on: &LoggedOn) -> &str {
    logged_on.whereabouts.place()
}

#[tokio::test]
async fn three_platforms_with_one_wrong_secret_make_two_failing_log_ons() {
    let (platform, accounts) = (StandIn::start().await, Accounts::default());
    platform.token_service(WRONG);
    let drivers = [(); 3].map(|()| with_one_credential(&accounts, &platform));
    for outcome in futures::future::join_all(drivers.iter().map(Driver::log_on)).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), Kind::CredentialsRefused);
        assert!(!error.to_string().contains("hunter2"));
    }
    assert_eq!(platform.log_ons(), 2);
    let [first, ..] = drivers;
    let again = with_one_credential(&accounts, &platform);
    again.log_on().await.unwrap_err();
    first.log_on().await.unwrap_err();
    assert_eq!(platform.log_ons(), 2, "connecting anew with the same Secret is not another try");
}

#[tokio::test]
async fn platforms_with_one_credential_share_its_token() {
    let (platform, accounts) = (StandIn::start().await, Accounts::default());
    let drivers = [(); 3].map(|()| with_one_credential(&accounts, &platform));
    for outcome in futures::future::join_all(drivers.iter().map(Driver::log_on)).await {
        assert_eq!(place(&outcome.unwrap()), "subaccount s-1");
    }
    assert_eq!(platform.log_ons(), 1);
}

#[tokio::test]
async fn one_refused_credential_leaves_the_other_api_alone() {
    let [well, ill] = [StandIn::start().await, StandIn::start().await];
    ill.token_service(WRONG);
    let secrets = [("xsuaa", ill.admin_secret("sb-1")), ("service-manager", well.admin_secret("sb-2"))];
    let driver = connected(&Accounts::default(), secrets);
    let logged_on = driver.log_on().await.unwrap();
    assert_eq!(place(&logged_on), "subaccount s-1");
    let failures: Vec<_> = logged_on.failures.iter().map(|(api, error)| (*api, error.kind())).collect();
    assert_eq!(failures, [("xsuaa", Kind::CredentialsRefused)]);
    assert_eq!(logged_on.whole().unwrap_err().kind(), Kind::CredentialsRefused);
}

#[tokio::test]
async fn two_credentials_that_lead_to_different_subaccounts_are_no_platform() {
    let [one, other] = [StandIn::start().await, StandIn::start().await];
    other.is_in("s-2");
    let secrets = [("xsuaa", one.admin_secret("sb-1")), ("service-manager", other.admin_secret("sb-2"))];
    let error = connected(&Accounts::default(), secrets).log_on().await.unwrap_err();
    assert_eq!(error.kind(), Kind::MalformedSecret);
    assert!(error.to_string().contains("subaccount s-1 and subaccount s-2"), "{error}");
}

#[tokio::test]
async fn an_odd_refusal_of_the_log_on_is_an_outage_and_not_repeated_at_once() {
    for answer in [Answering::With(401, "<html>"), Answering::With(407, ""), Answering::With(400, "{}")] {
        let platform = StandIn::start().await;
        platform.token_service(answer);
        let driver = with_one_credential(&Accounts::default(), &platform);
        for _ in 0..10 {
            let error = driver.log_on().await.unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "a proxy's word stops no credential");
            assert!(error.wait().is_some());
        }
        assert_eq!(platform.log_ons(), 1);
        platform.token_service(Answering::Well);
    }
}

#[tokio::test]
async fn what_a_credential_may_do_is_told_by_its_token_and_by_what_is_refused() {
    let (platform, accounts) = (StandIn::start().await, Accounts::default());
    let driver = with_one_credential(&accounts, &platform);
    let scopes = driver.log_on().await.unwrap().scopes;
    let told: BTreeSet<String> = ["a.read", "b.write"].map(str::to_owned).into();
    assert_eq!(scopes, [("xsuaa", told.clone()), ("service-manager", told)].into());

    let read = || driver.sessions[0].get("read it", &["it"]).accept(&[404]).send();
    platform.api(Answering::With(403, "{}"));
    assert_eq!(read().await.err().unwrap().kind(), Kind::Forbidden);
    let refused = [("xsuaa", "read it")].into();
    assert_eq!(driver.forbidden(), refused);
    platform.api(Answering::With(404, "{}"));
    read().await.unwrap();
    assert_eq!(driver.forbidden(), refused, "a 404 says nothing of rights");
    platform.api(Answering::Well);
    read().await.unwrap();
    assert!(driver.forbidden().is_empty());
}

#[test]
fn every_right_is_one_at_an_api_that_its_environment_has() {
    let observer: Arc<dyn CallObserver> = Arc::new(Unobserved);
    for sample in samples() {
        let environment: Environment = serde_json::from_value(sample).unwrap();
        let address = "https://sub.example";
        let addresses = ["url", "apiurl", "sm_url", "tokenurl"].map(|key| (key, address));
        let fields = [("clientid", "c"), ("clientsecret", "s")].into_iter().chain(addresses);
        let entries = fields.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec())).collect();
        let secrets = [("s".to_owned(), AdminSecret::parse(&entries).unwrap())].into();
        let driver = connect(&environment, &secrets, &Accounts::default(), &observer).unwrap();
        for right in rules(&environment).rights() {
            assert!(driver.sessions.iter().any(|session| session.api() == right.api), "{right:?}");
        }
    }
}

//! Service keys that are client certificates: asked for in each broker's own dialect, of the Service Manager and of a Cloud
//! Controller.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;
use reqwest::Identity as Shown;
use secrecy::ExposeSecret;
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::platform::{
    Asked, Field, Issued, Making, NewCredential, NewIdentity, ObservedIdentity, Ordered, certificate,
};

use crate::btp::{BTP, service_key};
use crate::cloud_foundry::CLOUD_FOUNDRY;
use crate::description::{Description, Running, owner};
use crate::documents;
use crate::harness::simulator::ca_file;
use crate::harness::{http, runtime};
use crate::suite::{create, credentials_of, delete, identities_of, reveal};

const OWNER: &str = "certified";

/// Orders the key of this number.
fn order(platform: &Running, identity: &ObservedIdentity, sequence: i64, making: Making) -> Issued {
    let owner = owner(OWNER);
    let wanted = NewCredential { making, ..NewCredential::made(&owner, &owner.credential_name(sequence)) };
    match runtime().block_on(credentials_of(&platform.driver).issue(identity, &wanted)) {
        Ok(Ordered::Done(issued)) => issued,
        Ok(Ordered::Found | Ordered::Begun(_)) => panic!("it is made at once"),
        Err(error) => panic!("{error}"),
    }
}

fn text<'a>(issued: &'a Issued, field: &str) -> &'a str {
    match issued.fields.get(field) {
        Some(Field::Text(text)) => text.expose_secret(),
        _ => panic!("{field} is missing"),
    }
}

/// How the sender endpoint answers whoever shows the certificate.
fn sent(issued: &Issued) -> u16 {
    let shown = Shown::from_pem(format!("{}{}", text(issued, "tls.crt"), text(issued, "tls.key")).as_bytes());
    let client = http::client_with(ca_file(), shown.expect("a pair that fits"));
    let url = format!("{}/http/orders", text(issued, "url"));
    runtime().block_on(async { client.post(url).body("{}").send().await.expect("an answer").status().as_u16() })
}

fn a_certificate(days: u64) -> Making {
    Making::Generated(Asked { days: Some(days), key_length: Some(2048) })
}

/// Of a runtime on this platform: made there, brought along, shown again, and over when it is over.
fn on(description: &'static Description) {
    let platform = Running::start(description);
    let identity = create(&platform, OWNER);
    let generated = order(&platform, &identity, 1, a_certificate(3));
    let life = certificate::life(&generated).ok().flatten().expect("a certificate");
    assert_eq!(life.until.duration_since(life.from), SignedDuration::from_hours(3 * 24), "as was asked for");
    for (name, known_as) in [("certificate", "tls.crt"), ("key", "tls.key")] {
        assert_eq!(text(&generated, name), text(&generated, known_as));
    }
    assert!(!generated.fields.contains_key("clientsecret"));

    let pair = platform.pair(OWNER, 2);
    let ordered = order(&platform, &identity, 2, Making::Brought(pair.certificate().clone()));
    assert!(!ordered.fields.contains_key("key"), "the platform never had it");
    let shown = reveal(&platform, &ordered.credential).expect("shown again");
    let brought = pair.complete(ordered);
    assert_eq!((sent(&generated), sent(&brought)), (200, 200));
    let again = pair.complete(shown);
    assert_eq!((text(&again, "clientid"), sent(&again)), (text(&brought, "clientid"), 200));

    let found = runtime().block_on(credentials_of(&platform.driver).find(&identity)).expect("an answer");
    let materials: BTreeSet<_> = found.into_iter().filter_map(|one| one.material).collect();
    let made_of = ["generated".to_owned(), pair.certificate().digest()];
    assert_eq!(materials, made_of.into(), "their marks say what they are made of");
    platform.simulator.advance_clock(Duration::from_hours(4 * 24));
    assert_eq!((sent(&generated), sent(&brought)), (401, 200));
    documents::hold(&platform.simulator);
    delete(&platform, &identity);
}

#[test]
fn a_key_of_the_service_manager_is_a_certificate() {
    on(&BTP);
}

#[test]
fn a_key_in_a_space_is_a_certificate() {
    on(&CLOUD_FOUNDRY);
}

#[test]
fn other_brokers_are_asked_in_the_dialect_that_they_know() {
    let platform = Running::start(&BTP);
    let wanted = NewIdentity {
        owner: owner(OWNER),
        identity: service_key("destination", "lite"),
        roles: [].into(),
        own_roles: OwnRoles::None,
    };
    let made = runtime().block_on(identities_of(&platform.driver).create(&wanted));
    let Ok(Ordered::Done(identity)) = made else { panic!("it is made at once") };
    let generated = order(&platform, &identity, 1, a_certificate(30));
    let pair = platform.pair(OWNER, 2);
    let brought = order(&platform, &identity, 2, Making::Brought(pair.certificate().clone()));
    for issued in [&generated, &brought] {
        assert!(text(issued, "certurl").starts_with("https://"));
        assert_eq!(text(issued, "credential-type"), "x509");
    }
    assert!(text(&pair.complete(brought), "tls.crt").starts_with("-----BEGIN CERTIFICATE-----"));
    documents::hold(&platform.simulator);
}

//! A service key that is a client certificate: made by the platform, or somebody else's; moved to and away from without a call
//! that fails, and proven before anybody has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::certificate::{Pair, send};
use crate::harness::conditions::{Condition, condition};
use crate::harness::simulator::ca_file;
use crate::harness::{PATIENCE, Stage, Team, credential, eventually};

const SECRET: &str = "orders-credentials";
const SOURCE: &str = "orders-tls";

/// A team whose TechnicalUser `orders` has this credential.
fn team(name: &str, credential: &Value) -> Team<'static> {
    let team = Team::on_btp(Stage::shared(), name);
    let mut user = team.service_key("orders");
    let own = user["spec"]["credential"].as_object_mut().expect("a credential");
    own.insert("rotation".into(), json!({ "minOverlap": "0s" }));
    own.extend(credential.as_object().expect("fields").clone());
    team.apply(&user);
    team.apply(&team.may_send());
    team
}

fn generated(days: u16) -> Value {
    json!({ "type": "ClientCertificate", "certificate": { "validity": format!("{days}d") } })
}

fn brought() -> Value {
    json!({ "type": "ClientCertificate", "certificate": { "sourceSecretRef": { "name": SOURCE } } })
}

/// Makes the credential this one. A certificate with a source has neither validity nor key length, and the reverse.
fn change(team: &Team<'_>, credential: &Value) {
    let nothing = json!({ "type": null, "certificate": null });
    let mut whole = nothing.as_object().expect("fields").clone();
    whole.extend(credential.as_object().expect("fields").clone());
    if let Some(certificate) = whole["certificate"].as_object_mut() {
        for field in ["sourceSecretRef", "validity", "keyLength"] {
            certificate.entry(field).or_insert(Value::Null);
        }
    }
    team.patch("technicalusers/orders", &json!({ "spec": { "credential": whole } }));
}

/// How the sender endpoint answers whoever has this Secret, with a certificate or a token.
fn call(secret: &BTreeMap<String, String>) -> Option<u16> {
    if secret.contains_key("tls.key") {
        return Some(send(secret, ca_file()));
    }
    Some(credential::send(secret, &credential::token(secret).ok()?))
}

/// The Secret, once it is another than this; what stands in it works at every moment.
fn moved(team: &Team<'_>, from: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let next = eventually("another credential stands in the Secret", PATIENCE, || {
        let now = team.secret(SECRET).expect("a Secret at every moment");
        assert_eq!(call(&now), Some(200), "a gap");
        (now != *from).then_some(now)
    });
    eventually("the one before has ended", PATIENCE, || (team.instances_and_keys() == (1, 1)).then_some(()));
    team.ready(&["technicalusers/orders"]);
    next
}

fn told(team: &Team<'_>) -> Value {
    team.get("technicalusers/orders").expect("the user")["status"]["credential"].take()
}

#[test]
fn a_certificate_that_the_platform_makes_is_proven_dated_healed_and_left_again() {
    let team = team("client-certificate", &generated(30));
    team.ready(&["technicalusers/orders"]);
    let first = team.secret(SECRET).expect("the Secret");
    assert_eq!(call(&first), Some(200));
    assert_eq!((&first["certificate"], &first["key"]), (&first["tls.crt"], &first["tls.key"]));
    assert!(!first.contains_key("clientsecret"));
    let status = told(&team);
    assert!(status["verifiedAt"].is_string(), "a token was issued for it: {status}");
    assert_eq!((&status["material"], &status["rotateEvery"]), (&json!("generated"), &json!("two thirds of its life")));
    let days = |field: &str| days_after(&status["validFrom"], &status[field]);
    assert_eq!(days("expiresAt"), 30);
    assert!((18..=20).contains(&days("rotateAt")), "{status}");
    let table = team.stage.kubectl().ok(&["get", "technicaluser", "orders", "-o", "wide", "-n", &team.name]);
    assert!(table.contains("EXPIRES") && table.contains(status["expiresAt"].as_str().expect("a time")), "{table}");

    team.delete(&format!("secrets/{SECRET}"));
    eventually("the Secret is back", PATIENCE, || (team.secret(SECRET)? == first).then_some(()));
    assert_eq!(team.instances_and_keys(), (1, 1), "nothing was issued for it");

    change(&team, &json!({}));
    let secret = moved(&team, &first);
    assert!(secret.contains_key("clientsecret") && !secret.contains_key("tls.key"));
    assert!(told(&team)["expiresAt"].is_null());
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

/// From one time to another, in whole days.
fn days_after(from: &Value, to: &Value) -> i64 {
    let time = |value: &Value| -> k8s_openapi::jiff::Timestamp {
        value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {value}"))
    };
    time(to).duration_since(time(from)).as_hours() / 24
}

#[test]
fn a_certificate_of_somebody_elses_keeping_is_followed_and_its_key_stays_here() {
    let team = team("client-certificate-brought", &brought());
    team.not_ready("technicalusers/orders", "SourceSecretMissing", SOURCE);
    let pairs = [Pair::new(), Pair::new()];
    team.apply(&pairs[0].secret(&team.name, SOURCE));
    team.ready(&["technicalusers/orders"]);
    let first = team.secret(SECRET).expect("the Secret");
    assert_eq!((&first["tls.crt"], &first["tls.key"]), (&pairs[0].certificate, &pairs[0].key));
    assert_eq!((&first["key"], call(&first)), (&pairs[0].key, Some(200)));
    assert!(told(&team)["expiresAt"].is_string() && told(&team)["rotateAt"].is_null());
    assert!(told(&team)["verifiedAt"].is_string(), "a token was issued for it");

    team.apply(&pairs[1].secret(&team.name, SOURCE));
    let second = moved(&team, &first);
    assert_eq!((&second["tls.crt"], call(&first)), (&pairs[1].certificate, Some(401)));
    // Somebody lost it. Nobody but the source has the key.
    team.delete(&format!("secrets/{SECRET}"));
    eventually("the Secret is back", PATIENCE, || (team.secret(SECRET)? == second).then_some(()));

    change(&team, &generated(7));
    let third = moved(&team, &second);
    assert_ne!(third["key"], second["key"]);
    let sent = team.simulator.requests().iter().map(ToString::to_string).collect::<String>();
    assert!(pairs.iter().all(|pair| !sent.contains(pair.key.lines().nth(1).expect("a key"))));
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn a_certificate_that_is_put_back_is_used_again_and_not_ordered_twice() {
    let team = team("client-certificate-back", &brought());
    team.patch("technicalusers/orders", &json!({ "spec": { "credential": { "rotation": { "minOverlap": "1h" } } } }));
    let pairs = [Pair::new(), Pair::new()];
    for (pair, keys) in [(&pairs[0], 1), (&pairs[1], 2), (&pairs[0], 2)] {
        team.apply(&pair.secret(&team.name, SOURCE));
        let holds = || team.secret(SECRET).filter(|secret| secret["tls.crt"] == pair.certificate);
        let secret = eventually("the Secret holds what its source does", PATIENCE, holds);
        assert_eq!((call(&secret), team.instances_and_keys()), (Some(200), (1, keys)));
        team.ready(&["technicalusers/orders"]);
    }
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn a_broker_that_knows_no_certificates_leaves_the_secret_as_it_is_and_says_so() {
    let team = Team::on_btp(Stage::shared(), "client-certificate-refused");
    let identity = json!({ "serviceKey": { "offering": "alert-notification", "plan": "standard" } });
    let user = team.technical_user("orders", &identity, &json!({ "secretName": SECRET }));
    team.apply(&user);
    team.ready(&["technicalusers/orders"]);
    let before = team.secret(SECRET).expect("the Secret");
    change(&team, &generated(7));
    team.until("technicalusers/orders", "it says why it is not replaced", |user| {
        let is_told = |rotated: Condition| rotated.status == "False" && rotated.reason == "PlatformRefused";
        condition(user, "Rotated").is_some_and(is_told)
            && condition(user, "Ready").is_some_and(|it| it.status == "True")
    });
    assert_eq!(team.secret(SECRET), Some(before));
    team.delete_everything();
}

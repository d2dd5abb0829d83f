//! Whoever shows a certificate of somebody else's making is a user of Cloud Integration on Neo: as long as the certificate is
//! kept, through its renewals, and without taking anything from anybody.

use serde_json::{Value, json};

use crate::harness::certificate::{self, Pair, send};
use crate::harness::simulator::ca_file;
use crate::harness::{PATIENCE, Stage, Team, eventually};
use crate::neo::{application_role, mappings, tenant};

const USER: &str = "tu-intake";
const SOURCE: &str = "intake-tls";
const SECRET: &str = "intake-credentials";

/// A team on the subaccount `acme`, with a tenant of Cloud Integration.
fn team(name: &str) -> Team<'static> {
    let team = Team::new(Stage::shared(), name);
    team.simulator.settings(&json!({ "neoRequestsPerMinute": null }));
    team.admin_secret("neo", &team.simulator.credential("neo", "secret"));
    team.admin_secret("tenant", &team.simulator.credential("cloud-integration", "secret"));
    team.apply(&team.platform(&tenant(&team, team.simulator.url())));
    team
}

fn intake(team: &Team<'_>) -> Value {
    named(team, "intake", USER, SECRET)
}

fn named(team: &Team<'_>, name: &str, user: &str, secret: &str) -> Value {
    let source = json!({ "sourceSecretRef": { "name": SOURCE } });
    let credential = json!({ "secretName": secret, "certificate": source, "rotation": { "minOverlap": "0s" } });
    team.technical_user(name, &json!({ "certificateUser": { "userName": user } }), &credential)
}

fn may_send(team: &Team<'_>) -> Value {
    let subject = json!({ "technicalUser": { "name": "intake" } });
    team.role_binding("intake-may-send", &subject, &[application_role("abciflmap", "ESBMessaging.send")])
}

/// The users that certificates are mapped to.
fn mapped(team: &Team<'_>) -> Vec<String> {
    let user = |one: &Value| one["User"].as_str().expect("a user").to_owned();
    mappings(team).iter().map(user).collect()
}

/// The certificate that the Secret holds.
fn held(team: &Team<'_>) -> Option<String> {
    team.secret(SECRET)?.remove("tls.crt")
}

#[test]
fn a_certificate_opens_the_runtime_and_is_renewed_without_a_gap() {
    let team = team("certificates");
    team.apply(&intake(&team));
    team.apply(&may_send(&team));
    team.not_ready("technicalusers/intake", "SourceSecretMissing", "there is no Secret intake-tls");

    let first = Pair::new();
    team.apply(&first.secret(&team.name, SOURCE));
    team.ready(&["technicalusers/intake", "rolebindings/intake-may-send"]);

    let secret = team.secret(SECRET).expect("the Secret");
    assert_eq!((&secret["tls.crt"], &secret["tls.key"]), (&first.certificate, &first.key));
    assert_eq!((secret["ca.crt"].as_str(), secret["username"].as_str()), (first.certificate.as_str(), USER));
    assert_eq!(send(&secret, ca_file()), 200);
    assert_eq!(mapped(&team), [USER]);
    it_is_healed(&team, &first);
    it_is_renewed(&team);
    it_goes(&team);
}

fn it_is_healed(team: &Team<'_>, pair: &Pair) {
    let before = mappings(team);
    team.patch(&format!("secrets/{SECRET}"), &json!({ "data": { "tls.key": null } }));
    let whole = || team.secret(SECRET).is_some_and(|secret| secret.get("tls.key") == Some(&pair.key));
    eventually("the key is back", PATIENCE, || whole().then_some(()));
    team.delete(&format!("secrets/{SECRET}"));
    eventually("the Secret is back", PATIENCE, || whole().then_some(()));
    assert_eq!(mappings(team), before, "nothing was mapped anew");
}

/// At every moment what the Secret holds opens the runtime.
fn it_is_renewed(team: &Team<'_>) {
    let second = Pair::new();
    team.apply(&second.secret(&team.name, SOURCE));
    eventually("the Secret holds the new certificate", PATIENCE, || {
        let secret = team.secret(SECRET).expect("a Secret at every moment");
        assert_eq!(send(&secret, ca_file()), 200, "a gap");
        (secret["tls.crt"] == second.certificate).then_some(())
    });
    eventually("the old mapping is gone", PATIENCE, || (mapped(team).len() == 1).then_some(()));
    team.told("intake", "Issued", "issued credential");
    team.ready(&["technicalusers/intake"]);
    assert_eq!(send(&team.secret(SECRET).expect("the Secret"), ca_file()), 200);
}

fn it_goes(team: &Team<'_>) {
    let source = team.get(&format!("secrets/{SOURCE}")).expect("the source");
    team.delete("technicalusers/intake");
    team.gone("technicalusers/intake");
    assert_eq!(mapped(team), Vec::<String>::new());
    let left = team.get(&format!("secrets/{SOURCE}")).expect("the source is somebody else's");
    assert_eq!(left["metadata"]["resourceVersion"], source["metadata"]["resourceVersion"]);
    team.delete_everything();
}

#[test]
fn a_mapping_of_somebody_elses_is_neither_taken_over_nor_removed() {
    let team = team("certificates-taken");
    let pair = Pair::new();
    team.apply(&pair.secret(&team.name, SOURCE));
    // The first to ask has it; to the others it is somebody else's, whatever name they ask for.
    team.apply(&named(&team, "owner", "P0000001", "owner-credentials"));
    team.ready(&["technicalusers/owner"]);
    let before = mappings(&team);
    for (name, user) in [("thief", "tu-thief"), ("namesake", "P0000001")] {
        team.apply(&named(&team, name, user, &format!("{name}-credentials")));
        team.not_ready(&format!("technicalusers/{name}"), "NotOurs", "mapped already");
        assert!(team.secret(&format!("{name}-credentials")).is_none());
    }
    for name in ["thief", "namesake"] {
        team.delete(&format!("technicalusers/{name}"));
        team.gone(&format!("technicalusers/{name}"));
    }
    assert_eq!(mappings(&team), before);
    team.delete_everything();
    assert!(mappings(&team).is_empty());
}

#[test]
fn a_certificate_that_cannot_be_used_says_why_and_costs_nothing() {
    let team = team("certificates-unusable");
    let good = Pair::new();
    team.apply(&good.secret(&team.name, SOURCE));
    team.apply(&intake(&team));
    team.ready(&["technicalusers/intake"]);

    let unfitting = Pair { key: Pair::new().key, ..Pair::new() };
    let no_certificate = Pair { certificate: "nothing".into(), ..Pair::new() };
    let no_key = Pair { key: "nothing".into(), ..Pair::new() };
    for (pair, why) in [
        (Pair::ending_in(2020), "expired at 2020-01-01T00:00:00Z"),
        (unfitting, "`tls.key` is not the key of the certificate in `tls.crt`"),
        (no_certificate, "`tls.crt` is not a certificate in PEM"),
        (no_key, "`tls.key` is not a private key in PEM"),
    ] {
        team.apply(&pair.secret(&team.name, SOURCE));
        team.not_ready("technicalusers/intake", "CertificateUnusable", why);
    }
    team.delete(&format!("secrets/{SOURCE}"));
    team.not_ready("technicalusers/intake", "SourceSecretMissing", SOURCE);
    assert_eq!((held(&team).as_deref(), mapped(&team)), (Some(good.certificate.as_str()), vec![USER.to_owned()]));

    team.apply(&good.secret(&team.name, SOURCE));
    team.ready(&["technicalusers/intake"]);
    team.delete_everything();
    assert!(mappings(&team).is_empty());
}

#[test]
fn what_somebody_removed_is_mapped_again_at_the_next_look() {
    let team = team("certificates-removed");
    team.apply(&Pair::new().secret(&team.name, SOURCE));
    team.apply(&intake(&team));
    team.ready(&["technicalusers/intake"]);
    let id = mappings(&team)[0]["Id"].as_str().expect("an id").to_owned();
    certificate::unmap(&team.simulator.credential("cloud-integration", "secret"), &id);
    eventually("it is mapped again", PATIENCE, || (mapped(&team) == [USER]).then_some(()));
    team.delete_everything();
    assert!(mappings(&team).is_empty());
}

#[test]
fn without_a_tenant_there_are_no_certificates_for_users() {
    let team = super::neo::team("certificates-nowhere");
    team.apply(&Pair::new().secret(&team.name, SOURCE));
    team.apply(&intake(&team));
    team.not_ready("technicalusers/intake", "Unsupported", "add environment.neo.cloudIntegration");
    team.delete_everything();
}

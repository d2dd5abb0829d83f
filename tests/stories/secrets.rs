//! The Secrets around a Platform and a TechnicalUser: one that is not ours is never touched, and an admin Secret that is
//! no good stops calls and says so, until it changes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::conditions::condition;
use crate::harness::stage::OPERATOR_NAMESPACE;
use crate::harness::team::secret;
use crate::harness::{PATIENCE, Stage, Team, eventually};

/// Several resyncs of a story's Platform.
const A_WHILE: Duration = Duration::from_secs(12);

#[test]
fn a_secret_that_is_not_ours_is_never_touched() {
    let team = Team::on_btp(Stage::shared(), "foreign");
    team.apply(&secret("foreign", "orders-credentials", &json!({ "theirs": "value" })));
    let before = team.get("secrets/orders-credentials").expect("their Secret");

    team.apply_quickstart();

    team.not_ready("technicalusers/orders", "SecretNotOurs", "it is left alone");
    team.told("orders", "SecretNotOurs", "name another in credential.secretName");
    assert_eq!(team.get("secrets/orders-credentials").expect("their Secret"), before);
    assert_eq!(team.instances_and_keys().1, 0, "no key is issued that nobody could read");

    // It goes, and ours takes its place. Of two who wait for a name one has it then, and the other one after that.
    let mut second = team.service_key("second");
    second["spec"]["credential"]["secretName"] = json!("orders-credentials");
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    team.apply(&second);
    team.apply(&team.role_binding("second", &json!({ "technicalUser": { "name": "second" } }), &[role]));
    team.not_ready("technicalusers/second", "SecretNotOurs", "");
    team.delete("secrets/orders-credentials");
    let owner = eventually("one of them has it", PATIENCE, || {
        let secret = team.get("secrets/orders-credentials")?;
        Some(secret["metadata"]["ownerReferences"][0]["name"].as_str()?.to_owned())
    });
    team.ready(&[&format!("technicalusers/{owner}")]);
    team.delete(&format!("technicalusers/{owner}"));
    let other = if owner == "orders" { "second" } else { "orders" };
    team.ready(&[&format!("technicalusers/{other}")]);
    team.delete_everything();
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn a_secret_that_was_stripped_of_owner_and_labels_is_still_looked_after() {
    let team = Team::on_btp(Stage::shared(), "stripped");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders"]);
    let (what, before) = ("secrets/orders-credentials", team.secret("orders-credentials").expect("the Secret"));
    let owner = team.get("technicalusers/orders").expect("the user")["metadata"]["uid"].clone();
    let bare = json!({ "ownerReferences": null, "labels": null, "annotations": null });
    let is_right = |secret: &Value| {
        let metadata = &secret["metadata"];
        let labelled = metadata["labels"]["app.kubernetes.io/managed-by"] == "technical-user-operator";
        labelled && metadata["ownerReferences"][0]["uid"] == owner
    };

    team.patch(what, &json!({ "metadata": bare }));
    team.until(what, "dressed again", is_right);
    // A stripped one that is altered, too, and then gone.
    team.patch(what, &json!({ "metadata": bare, "stringData": { "clientsecret": "altered" } }));
    team.until(what, "dressed again", is_right);
    team.until(what, "right again", |_| team.secret("orders-credentials").as_ref() == Some(&before));
    team.patch(what, &json!({ "metadata": bare }));
    team.delete(what);
    team.until(what, "back", |secret| is_right(secret) && team.secret("orders-credentials").as_ref() == Some(&before));
    assert_eq!(team.instances_and_keys(), (1, 1));
    team.delete_everything();
}

#[test]
fn who_alters_a_secret_again_and_again_is_answered_once_a_second() {
    let team = Team::on_btp(Stage::shared(), "altered-ever");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders"]);
    let (what, before) = ("secrets/orders-credentials", team.secret("orders-credentials").expect("the Secret"));
    let (begun, mut answers) = (Instant::now(), 0);

    while answers < 4 {
        team.patch(what, &json!({ "stringData": { "clientsecret": "altered" } }));
        team.until(what, "right again", |_| team.secret("orders-credentials").as_ref() == Some(&before));
        answers += 1;
    }

    // Between four answers there are three rests.
    assert!(begun.elapsed() > Duration::from_millis(2500), "{:?}", begun.elapsed());
    team.delete_everything();
}

#[test]
fn the_deletion_of_a_technical_user_leaves_a_foreign_secret_alone() {
    let team = Team::on_btp(Stage::shared(), "foreign-stays");
    team.apply(&secret("foreign-stays", "orders-credentials", &json!({ "theirs": "value" })));
    team.apply_quickstart();
    team.not_ready("technicalusers/orders", "SecretNotOurs", "");

    team.delete("technicalusers/orders");

    team.gone("technicalusers/orders");
    assert_eq!(team.secret("orders-credentials").expect("their Secret")["theirs"], "value");
    team.delete_everything();
}

#[test]
fn a_refused_admin_credential_is_tried_twice_and_not_again_before_it_changes() {
    let team = Team::new(Stage::shared(), "refused");
    let mut wrong = team.simulator.credential("service-manager", "secret");
    wrong["clientsecret"] = json!("not-the-one");
    team.admin_secret("service-manager", &wrong);
    team.admin_secret("xsuaa", &team.simulator.credential("xsuaa", "secret"));
    team.apply(&team.btp());
    team.apply_quickstart();

    team.not_ready("platforms/refused", "CredentialsRefused", "calls stop until its Secret changes");
    team.not_ready("technicalusers/orders", "CredentialsRefused", "calls stop until its Secret changes");
    // The other API has a credential of its own, and goes on.
    team.ready(&["rolebindings/jane-reads"]);
    team.is_quiet("auth.token", A_WHILE);
    let refused = team.requests_of("auth.token").into_iter().filter(|request| request["status"] == 401).count();
    assert!((1..=2).contains(&refused), "{refused} refusals: the third could lock the account");
    let platform = team.get("platforms/refused").expect("the Platform");
    assert_eq!(condition(&platform, "Stalled").expect("kstatus").status, "True");

    team.admin_secret("service-manager", &team.simulator.credential("service-manager", "secret"));

    team.ready(&["platforms/refused", "technicalusers/orders", "rolebindings/jane-reads"]);
    team.delete_everything();
}

#[test]
fn a_malformed_admin_secret_is_described_and_its_values_are_not() {
    let team = Team::new(Stage::shared(), "malformed");
    let good = team.simulator.credential("service-manager", "secret");
    team.admin_secret("xsuaa", &team.simulator.credential("xsuaa", "secret"));
    let without = |key: &str| {
        let mut credential = good.clone();
        credential.as_object_mut().expect("an object").remove(key);
        json!({ "credentials": credential.to_string() })
    };
    let with = |key: &str, value: &str| {
        let mut credential = good.clone();
        credential[key] = json!(value);
        json!({ "credentials": credential.to_string() })
    };
    let cases = [
        (json!({ "credentials": "planted: no JSON" }), "no key `clientid`"),
        (json!({ "credentials": "[\"planted\"]" }), "no key `clientid`"),
        (json!({ "a": good.to_string(), "b": good.to_string() }), "several of its keys hold a service key"),
        (without("clientid"), "no key `clientid`"),
        (without("clientsecret"), "neither a key `clientsecret`"),
        (without("sm_url"), "no key `sm_url`"),
        (with("clientid", ""), "key `clientid` is empty"),
        (with("sm_url", "http://planted.example.com"), "`sm_url` is plain http; use https"),
        (with("sm_url", "planted"), "`sm_url` is not a URL"),
        (with("url", "ftp://planted"), "`url` is not an https URL"),
    ];
    team.apply(&team.btp());
    for (data, complaint) in cases {
        replace(&team, &data);
        team.not_ready("platforms/malformed", "MalformedSecret", complaint);
        let status = team.get("platforms/malformed").expect("the Platform")["status"].to_string();
        assert!(status.contains("malformed-service-manager"), "it names the Secret: {status}");
        assert!(!status.contains("planted"), "{status}");
    }
    team.admin_secret("service-manager", &good);
    team.ready(&["platforms/malformed"]);
    team.delete_everything();
}

/// Another Secret of the same name; an applied one would keep old keys.
fn replace(team: &Team<'_>, data: &Value) {
    let name = format!("{}-service-manager", team.name);
    team.stage.api().delete(&path("secrets", OPERATOR_NAMESPACE, &name));
    team.apply(&secret(OPERATOR_NAMESPACE, &name, data));
}

#[test]
fn a_secret_has_the_labels_and_annotations_of_its_template_and_no_longer() {
    let team = Team::on_btp(Stage::shared(), "dressed");
    let mut user = team.service_key("orders");
    user["spec"]["credential"]["secretTemplate"] =
        json!({ "labels": { "team": "orders" }, "annotations": { "note": "kept" } });
    team.apply(&user);
    team.apply(&team.may_send());
    team.ready(&["technicalusers/orders"]);

    let bare =
        json!({ "metadata": { "labels": { "team": null }, "annotations": { "note": "changed", "more": "theirs" } } });
    team.patch("secrets/orders-credentials", &bare);

    team.until("secrets/orders-credentials", "dressed again", |secret| {
        secret["metadata"]["labels"]["team"] == "orders" && secret["metadata"]["annotations"]["note"] == "kept"
    });
    let secret = team.get("secrets/orders-credentials").expect("the Secret");
    assert_eq!(secret["metadata"]["annotations"]["more"], "theirs", "what others put there stays");

    let other = json!({ "spec": { "credential": { "secretTemplate": { "labels": null, "annotations": null } } } });
    team.patch("technicalusers/orders", &other);
    team.until("secrets/orders-credentials", "rid of what left the template", |secret| {
        let [labels, annotations] = ["labels", "annotations"].map(|map| &secret["metadata"][map]);
        labels["team"].is_null() && annotations["note"].is_null() && annotations["more"] == "theirs"
    });
    team.ready(&["technicalusers/orders"]);
    team.delete_everything();
}

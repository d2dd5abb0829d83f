//! The operator's own credential: what a Secret holds is proven before it is used, nothing that works stops, and people are told
//! of its end and of what it lacks before that matters.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::certificate::Pair;
use crate::harness::conditions::condition;
use crate::harness::stage::OPERATOR_NAMESPACE;
use crate::harness::team::secret;
use crate::harness::{PATIENCE, Stage, Team, eventually, never};

/// More than one resync of a story's Platform.
const A_WHILE: Duration = Duration::from_secs(7);
const EXPIRES_AT: &str = "technicaluser.dev/expires-at";

/// One of the team's admin Secrets.
fn admin(team: &Team<'_>, api: &str) -> String {
    path("secrets", OPERATOR_NAMESPACE, &format!("{}-{api}", team.name))
}

/// Another Secret of the same name, or none; an applied one would keep old keys.
fn replace(team: &Team<'_>, api: &str, data: Option<&Value>) {
    team.stage.api().delete(&admin(team, api));
    if let Some(data) = data {
        team.apply(&secret(OPERATOR_NAMESPACE, &format!("{}-{api}", team.name), data));
    }
}

fn as_key(credential: &Value) -> Value {
    json!({ "credentials": credential.to_string() })
}

/// Waits until a condition of the team's Platform has this reason, and this in its message.
fn says(team: &Team<'_>, kind: &str, reason: &str, part: &str) -> Value {
    team.until(&format!("platforms/{}", team.name), &format!("{kind}, {reason}: {part}"), |platform| {
        condition(platform, kind).is_some_and(|said| said.reason == reason && said.message.contains(part))
    })
}

/// Waits until the team's Platform says nothing of the kind any more.
fn silent(team: &Team<'_>, kind: &str) {
    team.until(&format!("platforms/{}", team.name), &format!("without {kind}"), |platform| {
        condition(platform, kind).is_none()
    });
}

/// Something new is made, and goes again: what is in use works.
fn works(team: &Team<'_>) {
    team.apply(&team.service_key("new"));
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    team.apply(&team.role_binding("new", &json!({ "technicalUser": { "name": "new" } }), &[role]));
    team.ready(&["technicalusers/new", "rolebindings/new", &format!("platforms/{}", team.name)]);
    for object in ["rolebindings/new", "technicalusers/new"] {
        team.delete(object);
        team.gone(object);
    }
}

fn refusals(team: &Team<'_>) -> usize {
    team.requests_of("auth.token").into_iter().filter(|one| one["status"] == 401).count()
}

#[test]
fn what_worked_stays_in_use_while_the_secret_that_replaced_it_does_not_work() {
    let team = Team::on_btp(Stage::shared(), "successors");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    let good = team.simulator.credential("service-manager", "secret");
    let with = |changes: &[(&str, &str)], dropped: &[&str]| {
        let mut credential = good.clone();
        changes.iter().for_each(|(key, value)| credential[*key] = json!(value));
        dropped.iter().for_each(|key| drop(credential.as_object_mut().expect("an object").remove(*key)));
        as_key(&credential)
    };
    let (one, other) = (Pair::new(), Pair::new());
    let pair = |certificate: &str, key: &str| {
        with(&[("certificate", certificate), ("key", key), ("certurl", "https://tokens.invalid")], &["clientsecret"])
    };
    let cases = [
        (None, "AdminSecretMissing", "there is no Secret successors-service-manager"),
        (
            Some(json!({ "credentials": good.to_string()[..40] })),
            "MalformedSecret",
            "Secret successors-service-manager",
        ),
        (Some(with(&[], &["clientsecret"])), "MalformedSecret", "neither a key `clientsecret`"),
        (Some(pair("planted", "planted")), "MalformedSecret", "Secret successors-service-manager"),
        (Some(pair(&one.certificate, &other.key)), "MalformedSecret", "Secret successors-service-manager"),
        (Some(with(&[("clientsecret", "planted")], &[])), "CredentialsRefused", "service-manager"),
        (
            Some(as_key(&team.simulator.credential_of_other("service-manager", "secret"))),
            "MalformedSecret",
            "the admin Secrets lead to different places",
        ),
    ];
    for (data, reason, part) in cases {
        replace(&team, "service-manager", data.as_ref());
        let platform = says(&team, "AdminSecretRejected", reason, part);
        let said = condition(&platform, "AdminSecretRejected").expect("the condition");
        assert!(said.message.contains("What worked before is in use since 2"), "{said:?}");
        assert_eq!(condition(&platform, "Ready").expect("Ready").status, "True", "{platform:#}");
        assert!(!platform["status"].to_string().contains("planted"), "{platform:#}");
        works(&team);
    }
    assert!(team.stage.metrics().contains(r#"technical_user_admin_secret_rejected{platform="successors"} 1"#));
    assert_eq!(refusals(&team), 2, "a third could lock the account");

    // Twice in a row, of which the second is right.
    replace(&team, "service-manager", Some(&with(&[("clientsecret", "planted-too")], &[])));
    replace(&team, "service-manager", Some(&as_key(&good)));
    silent(&team, "AdminSecretRejected");
    works(&team);
    assert!(refusals(&team) <= 4, "{} refusals of two credentials", refusals(&team));
    team.delete_everything();
}

#[test]
fn a_credential_that_is_refused_beside_one_that_works_is_tried_twice() {
    let team = Team::on_btp(Stage::shared(), "tried-twice");
    team.ready(&["platforms/tried-twice"]);
    let mut wrong = team.simulator.credential("xsuaa", "secret");
    wrong["clientsecret"] = json!("not-the-one");
    team.admin_secret("xsuaa", &wrong);
    says(&team, "AdminSecretRejected", "CredentialsRefused", "calls stop until its Secret changes");
    never("a third refusal", A_WHILE, || (refusals(&team) > 2).then_some(()));
    team.btp_secrets();
    silent(&team, "AdminSecretRejected");
    team.delete_everything();
}

#[test]
fn two_platforms_whose_secrets_were_swapped_stay_what_they_are() {
    let team = Team::on_btp(Stage::shared(), "swapped");
    let other = "swapped-other";
    for api in ["xsuaa", "service-manager"] {
        let data = as_key(&team.simulator.credential_of_other(api, "secret"));
        team.apply(&secret(OPERATOR_NAMESPACE, &format!("{other}-{api}"), &data));
    }
    let mut platform = team.btp();
    platform["metadata"]["name"] = json!(other);
    let reference = |api: &str| json!({ "credentialsSecretRef": { "name": format!("{other}-{api}") } });
    platform["spec"]["environment"]["btp"] =
        json!({ "authorization": reference("xsuaa"), "serviceManager": reference("service-manager") });
    team.apply(&platform);
    team.ready(&["platforms/swapped", "platforms/swapped-other"]);
    let places = ["platforms/swapped", "platforms/swapped-other"]
        .map(|one| team.get(one).expect("it")["status"]["place"].clone());
    assert_ne!(places[0], places[1]);

    for api in ["xsuaa", "service-manager"] {
        let theirs = as_key(&team.simulator.credential_of_other(api, "secret"));
        let ours = as_key(&team.simulator.credential(api, "secret"));
        team.apply(&secret(OPERATOR_NAMESPACE, &format!("swapped-{api}"), &theirs));
        team.apply(&secret(OPERATOR_NAMESPACE, &format!("{other}-{api}"), &ours));
    }
    for (at, name) in ["platforms/swapped", "platforms/swapped-other"].into_iter().enumerate() {
        let platform = team.until(name, "led elsewhere", |platform| {
            condition(platform, "AdminSecretRejected").is_some_and(|said| said.reason == "PlatformElsewhere")
        });
        assert_eq!(platform["status"]["place"], places[at]);
        assert_eq!(condition(&platform, "Ready").expect("Ready").status, "True");
    }
    works(&team);
    let made = &team.simulator.state_of_other()["service-manager"]["instances"];
    assert_eq!(made.as_array().map(Vec::len), Some(0), "nothing is touched there");
    team.delete(&format!("platforms/{other}"));
    team.gone(&format!("platforms/{other}"));
    team.delete_everything();
}

#[test]
fn a_restart_forgets_what_worked_and_touches_nothing_until_the_secret_is_right() {
    let stage = Stage::alone();
    let team = Team::new(&stage, "forgotten");
    for api in ["xsuaa", "service-manager"] {
        team.admin_secret(api, &team.simulator.credential(api, "x509"));
    }
    team.apply(&team.btp());
    let operator = stage.start_operator(&[]);
    team.apply_quickstart();
    team.ready(&["platforms/forgotten", "technicalusers/orders", "rolebindings/orders-may-send"]);
    let platform = team.get("platforms/forgotten").expect("the Platform");
    assert!(platform["status"]["expiresAt"].is_string(), "the certificate says so: {platform:#}");
    assert!(platform["status"]["expiringSecret"].as_str().expect("a name").starts_with("forgotten-"));
    for api in ["xsuaa", "service-manager"] {
        replace(&team, api, Some(&as_key(&team.simulator.credential_of_other(api, "secret"))));
    }
    says(&team, "AdminSecretRejected", "PlatformElsewhere", "nothing is touched there");
    operator.stop();

    let operator = stage.start_operator(&[]);
    team.not_ready("platforms/forgotten", "PlatformElsewhere", "Put the right credential back");
    silent(&team, "AdminSecretRejected");
    let asked = team.simulator.requests().len();
    team.delete("rolebindings/jane-reads");
    team.not_ready("rolebindings/jane-reads", "PlatformNotReady", "leads to");
    let is_change = |one: &&Value| one["method"] != "GET" && !one["route"].to_string().contains("token");
    never("a change", A_WHILE, || team.simulator.requests()[asked..].iter().find(is_change).cloned());

    for api in ["xsuaa", "service-manager"] {
        replace(&team, api, Some(&as_key(&team.simulator.credential(api, "secret"))));
    }
    team.gone("rolebindings/jane-reads");
    team.ready(&["platforms/forgotten", "technicalusers/orders"]);
    team.delete_everything();
    operator.stop();
}

#[test]
fn the_end_of_a_credential_is_told_before_it_comes_and_when_it_has_come() {
    let team = Team::new(Stage::shared(), "ending");
    team.btp_secrets();
    let mut platform = team.btp();
    platform["spec"]["resyncInterval"] = json!("15m");
    team.apply(&platform);
    team.ready(&["platforms/ending"]);
    let record = |text: Value| {
        let annotations = json!({ "metadata": { "annotations": { EXPIRES_AT: text } } });
        team.stage.api().patch(&admin(&team, "xsuaa"), &annotations).expect("annotated");
    };
    let after = |span: Duration| {
        let at = std::time::SystemTime::now() + span;
        let seconds = at.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        k8s_openapi::jiff::Timestamp::from_second(i64::try_from(seconds).expect("seconds")).expect("a time")
    };
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);

    record(json!("next winter"));
    says(&team, "CredentialExpiring", "ExpiryUnreadable", "of Secret ending-xsuaa is not a time");
    let far = after(days(40));
    record(json!(far.to_string()));
    silent(&team, "CredentialExpiring");
    let platform = team.get("platforms/ending").expect("the Platform");
    assert_eq!(platform["status"]["expiresAt"], far.to_string());
    assert_eq!(platform["status"]["expiringSecret"], "ending-xsuaa");
    let metric = format!(
        r#"technical_user_admin_credential_expires_timestamp_seconds{{platform="ending"}} {}"#,
        far.as_second()
    );
    assert!(team.stage.metrics().contains(&metric), "{metric}");
    let printed = team.stage.kubectl().ok(&["get", "platforms", "ending"]);
    assert!(printed.contains("EXPIRES") && printed.contains(&far.to_string()), "{printed}");

    // A notice that is due in some seconds comes then, long before the next resync.
    record(json!(after(days(30) + Duration::from_secs(8)).to_string()));
    team.until("platforms/ending", "told of its new end", |platform| {
        platform["status"]["expiresAt"] != far.to_string()
    });
    says(&team, "CredentialExpiring", "CredentialExpiring", "the credential in Secret ending-xsuaa ends at 2");
    record(json!(after(Duration::from_secs(8)).to_string()));
    says(&team, "CredentialExpiring", "CredentialExpired", "the credential in Secret ending-xsuaa ended at 2");
    let platform = team.get("platforms/ending").expect("the Platform");
    assert_eq!(condition(&platform, "Ready").expect("Ready").status, "True", "it works all the same");
    for reason in ["CredentialExpiring", "CredentialExpired"] {
        told(&team, reason);
    }
    record(Value::Null);
    silent(&team, "CredentialExpiring");
    team.until("platforms/ending", "without an end", |platform| platform["status"]["expiresAt"].is_null());
    team.delete_everything();
}

/// Waits for an event about the team's Platform, which is in no namespace: its events are in `default`.
fn told(team: &Team<'_>, reason: &str) {
    eventually(&format!("an event {reason} of {}", team.name), PATIENCE, || {
        let events = team.stage.api().list(&path("events", "default", ""));
        let is_it = |event: &Value| event["reason"] == reason && event["involvedObject"]["name"] == team.name.as_str();
        events.iter().any(is_it).then_some(())
    });
}

#[test]
fn what_an_admin_credential_may_not_do_is_said_before_anybody_asks_for_it() {
    let team = Team::new(Stage::shared(), "reader");
    let clients = team.simulator.state_with_secrets()["neo"]["apiClients"].clone();
    let mut credential = team.simulator.credential("neo", "secret");
    let good = credential.clone();
    for key in ["clientid", "clientsecret"] {
        assert!(clients[1][key].is_string(), "a client that only reads");
        credential[key] = clients[1][key].clone();
    }
    team.admin_secret("neo", &credential);
    let neo =
        json!({ "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": { "name": "reader-neo" } });
    team.apply(&team.platform(&json!({ "neo": neo })));

    let part = "neo-members: the admin credential has no manageAccountMembers, which memberRole needs";
    let platform = says(&team, "RightsMissing", "ScopesMissing", part);
    assert_eq!(condition(&platform, "Ready").expect("Ready").status, "True", "it can read");
    assert!(!platform["status"].to_string().contains("readAccountMembers"), "{platform:#}");
    let metric = r#"technical_user_admin_rights_missing{platform="reader"} 2"#;
    assert!(team.stage.metrics().contains(metric));
    told(&team, "ScopesMissing");

    team.admin_secret("neo", &good);
    silent(&team, "RightsMissing");
    // One that may do less does not take the place of one that may do more.
    team.admin_secret("neo", &credential);
    says(&team, "AdminSecretRejected", "RightsMissing", "what is in use may do more: the new credential has no manage");
    team.admin_secret("neo", &good);
    silent(&team, "AdminSecretRejected");
    team.delete_everything();
}

#[test]
fn what_a_platform_refused_is_said_until_it_takes_it() {
    let team = Team::new(Stage::shared(), "forbidden");
    team.btp_secrets();
    let mut platform = team.btp();
    platform["spec"]["resyncInterval"] = json!("15m");
    team.apply(&platform);
    team.ready(&["platforms/forbidden"]);
    team.simulator.fault("xsuaa.assign", &json!({ "kind": "status", "status": 403 }));
    team.apply(&team.jane_reads());
    team.not_ready("rolebindings/jane-reads", "PlatformDenied", "");
    says(&team, "RightsMissing", "OperationsRefused", "xsuaa refused with 403: assign role collection");
    team.simulator.heal();
    team.patch("rolebindings/jane-reads", &json!({ "metadata": { "annotations": { "retry": "now" } } }));
    team.ready(&["rolebindings/jane-reads"]);
    team.patch("platforms/forbidden", &json!({ "metadata": { "annotations": { "look": "again" } } }));
    silent(&team, "RightsMissing");
    team.delete_everything();
}

//! Who may use a Platform: nobody unless a rule says so, and what a rule stops allowing goes after its grace.

use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::team::everything;
use crate::harness::{PATIENCE, Stage, Team, eventually};

/// A team whose Platform has these access rules.
fn team(name: &str, access: &Value, more: &Value) -> Team<'static> {
    let team = Team::on_btp(Stage::shared(), name);
    let mut platform = team.btp();
    platform["spec"]["access"] = access.clone();
    for (field, value) in more.as_object().expect("an object") {
        platform["spec"][field] = value.clone();
    }
    team.apply(&platform);
    team
}

#[test]
fn nobody_may_use_a_platform_that_says_nothing() {
    let team = team("denied", &json!([]), &json!({}));
    team.apply_quickstart();

    team.not_ready("technicalusers/orders", "AccessDenied", "does not allow namespace denied this identity");
    team.not_ready("rolebindings/jane-reads", "AccessDenied", "");
    team.not_ready("rolebindings/orders-may-send", "AccessDenied", "");

    let stalled = team.get("technicalusers/orders").expect("the user");
    assert_eq!(condition(&stalled, "Stalled").expect("kstatus").status, "True");
    assert!(!team.has_written(), "{:#?}", team.simulator.requests());
    assert_eq!(team.secret("orders-credentials"), None);
    team.delete_everything();
}

#[test]
fn a_rule_allows_no_more_than_it_says() {
    let send = json!({ "instanceRole": { "offering": "it-rt", "name": "ESBMessaging.*" } });
    let by_name = json!([{
        "namespaces": { "names": ["narrow"] },
        "identities": [{ "serviceKey": { "offering": "it-rt", "plan": "*" } }],
        "grants": [{ "roles": [send], "to": [{ "technicalUser": {} }] }],
    }]);
    let team = team("narrow", &by_name, &json!({}));
    team.apply_quickstart();

    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);
    // Neither users as subjects nor this role are in the rule.
    team.not_ready("rolebindings/jane-reads", "AccessDenied", "");
    let line = team.get("rolebindings/jane-reads").expect("the RoleBinding")["status"]["roles"][0].clone();
    assert_eq!(line["state"], "Denied");
    assert!(line["message"].to_string().contains("its spec.access must list it"), "{line}");
    team.delete_everything();
}

#[test]
fn what_is_no_longer_allowed_is_announced_and_goes_after_the_grace() {
    let access = json!([everything(&json!({ "names": ["withdrawn"] }))]);
    let team = team("withdrawn", &access, &json!({ "withdrawalGrace": "1h" }));
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/jane-reads"]);

    team.patch("platforms/withdrawn", &json!({ "spec": { "access": [] } }));
    team.not_ready("technicalusers/orders", "AccessDenied", "It is withdrawn at");
    team.not_ready("rolebindings/jane-reads", "AccessDenied", "");
    team.told("orders", "AccessDenied", "It is withdrawn at");
    assert!(
        team.instances_and_keys().0 == 1 && team.secret("orders-credentials").is_some(),
        "not before the grace is over"
    );

    // Taken back in time, nothing has happened.
    team.patch("platforms/withdrawn", &json!({ "spec": { "access": access } }));
    team.ready(&["technicalusers/orders", "rolebindings/jane-reads", "rolebindings/orders-may-send"]);
    assert_eq!(team.instances_and_keys().0, 1);

    team.patch("platforms/withdrawn", &json!({ "spec": { "access": [], "withdrawalGrace": "1s" } }));
    team.not_ready("technicalusers/orders", "AccessDenied", "It was withdrawn");
    team.platform_is_emptied();
    assert_eq!(team.secret("orders-credentials"), None);
    team.delete_everything();
}

#[test]
fn a_namespace_is_chosen_by_its_labels_as_they_are_now() {
    let access = json!([everything(&json!({ "selector": { "matchLabels": { "team": "integration" } } }))]);
    let team = team("labelled", &access, &json!({ "withdrawalGrace": "1s" }));
    team.apply(&team.service_key("orders"));
    team.apply(&team.may_send());
    team.not_ready("technicalusers/orders", "AccessDenied", "");

    team.patch("namespaces/labelled", &json!({ "metadata": { "labels": { "team": "integration" } } }));
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);

    team.patch("namespaces/labelled", &json!({ "metadata": { "labels": { "team": null } } }));
    eventually("it is withdrawn", PATIENCE, || (team.instances_and_keys().0 == 0).then_some(()));
    team.delete_everything();
}

#[test]
fn observing_says_what_would_be_done_and_does_nothing() {
    let access = json!([everything(&json!({ "names": ["observed"] }))]);
    let team = team("observed", &access, &json!({ "mode": "Observe" }));
    team.apply_quickstart();

    let planned = |object: &Value, part: &str| object["status"]["plan"].to_string().contains(part);
    team.until("technicalusers/orders", "planned", |user| planned(user, "create"));
    team.until("rolebindings/jane-reads", "planned", |binding| planned(binding, "grant"));
    let user = team.get("technicalusers/orders").expect("the user");
    assert_eq!(condition(&user, "Ready").expect("Ready").reason, "Observed");
    assert!(!team.has_written(), "{:#?}", team.simulator.requests());
    assert_eq!(team.secret("orders-credentials"), None);

    team.patch("platforms/observed", &json!({ "spec": { "mode": "Enforce" } }));
    team.ready(&["technicalusers/orders", "rolebindings/jane-reads", "rolebindings/orders-may-send"]);
    let user = team.get("technicalusers/orders").expect("the user");
    assert_eq!(user["status"]["plan"], Value::Null);
    team.delete_everything();
}

#[test]
fn one_technical_user_can_be_observed_alone() {
    let team = Team::on_btp(Stage::shared(), "observed-alone");
    let mut observed = team.service_key("orders");
    observed["spec"]["mode"] = json!("Observe");
    team.apply(&observed);
    team.apply(&team.may_send());
    team.apply(&team.jane_reads());

    team.ready(&["rolebindings/jane-reads"]);
    team.until("technicalusers/orders", "planned", |user| !user["status"]["plan"].is_null());

    assert_eq!(team.instances_and_keys().0, 0);
    team.delete_everything();
}

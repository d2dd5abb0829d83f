//! Ways to more than the rules say: by another kind of identity, by a wildcard, by a parameter. Each is refused with its
//! reason, and nothing of it reaches the platform.

use serde_json::{Value, json};

use crate::harness::{Stage, Team, credential};

/// A team whose Platform has this one rule.
fn team(name: &str, identities: &Value, grants: &Value) -> Team<'static> {
    let team = Team::on_btp(Stage::shared(), name);
    let mut platform = team.btp();
    let mut rule = json!({ "namespaces": { "names": [name] }, "identities": identities });
    if !grants.is_null() {
        rule["grants"] = grants.clone();
    }
    platform["spec"]["access"] = json!([rule]);
    team.apply(&platform);
    team
}

/// Waits until a RoleBinding is denied, and its one line with it.
fn denied(team: &Team<'_>, binding: &str) {
    team.not_ready(binding, "AccessDenied", "");
    let line = team.get(binding).expect("the RoleBinding")["status"]["roles"][0].clone();
    assert_eq!(line["state"], "Denied", "{line}");
}

#[test]
fn a_technical_user_is_no_way_to_a_role_for_oneself() {
    let every = json!({ "roleCollection": { "name": "*" } });
    let team = team(
        "to-oneself",
        &json!([{ "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } }]),
        &json!([{ "roles": [every], "to": [{ "technicalUser": {} }] }]),
    );
    let me = "mallory@acme.example";
    team.apply(&team.technical_user("me", &json!({ "existing": { "userName": me } }), &Value::Null));
    let collection = json!({ "roleCollection": { "name": "PI_Administrator" } });
    team.apply(&team.role_binding("mine", &json!({ "technicalUser": { "name": "me" } }), &[collection]));

    team.not_ready("technicalusers/me", "AccessDenied", "does not allow namespace to-oneself this identity");
    denied(&team, "rolebindings/mine");

    // To be allowed the identity is not to be allowed the grant: it is one to a user.
    let existing = json!([{ "existing": { "userName": "*" } }]);
    let mut platform = team.btp();
    platform["spec"]["access"][0]["identities"] = existing;
    platform["spec"]["access"][0]["grants"][0]["to"] = json!([{ "technicalUser": {} }]);
    team.apply(&platform);
    team.ready(&["technicalusers/me"]);
    denied(&team, "rolebindings/mine");
    assert!(!team.has_written(), "{:#?}", team.simulator.requests());
    assert!(!team.holds(me, "PI_Administrator"));
    team.delete_everything();
}

#[test]
fn a_wildcard_does_not_mean_what_administers_the_subaccount() {
    let all = json!({ "serviceKey": { "offering": "*", "plan": "*" } });
    let team = team("wildcard", &json!([all]), &Value::Null);
    let administrating =
        [("keys", "xsuaa", "apiaccess"), ("plain-keys", "XSUAA", "application"), ("manager", "service-manager", "x")];
    for (name, offering, plan) in administrating {
        let identity = json!({ "serviceKey": { "offering": offering, "plan": plan } });
        team.apply(&team.technical_user(name, &identity, &json!({ "secretName": name })));
    }
    for (name, _, _) in administrating {
        team.not_ready(&format!("technicalusers/{name}"), "AccessDenied", "");
    }
    let other = json!({ "serviceKey": { "offering": "destination", "plan": "lite" } });
    team.apply(&team.technical_user("other", &other, &json!({ "secretName": "other" })));
    team.ready(&["technicalusers/other"]);

    assert_eq!(team.instances_and_keys(), (1, 1), "{:#}", team.simulator.state()["service-manager"]);
    assert!(administrating.iter().all(|(name, _, _)| team.secret(name).is_none()));

    let spelled_out = json!({ "serviceKey": { "offering": "xsuaa", "plan": "apiaccess" } });
    let rule = json!([{ "namespaces": { "names": ["wildcard"] }, "identities": [all, spelled_out] }]);
    team.patch("platforms/wildcard", &json!({ "spec": { "access": rule } }));
    team.ready(&["technicalusers/keys"]);
    team.not_ready("technicalusers/manager", "AccessDenied", "");
    team.delete_everything();
}

#[test]
fn a_parameter_carries_no_role_past_the_rules() {
    let messages = json!({ "instanceRole": { "offering": "it-rt", "name": "ESBMessaging.*" } });
    let team = team(
        "by-parameter",
        &json!([{ "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } }]),
        &json!([{ "roles": [messages], "to": [{ "technicalUser": {} }] }]),
    );
    for (name, parameter) in [("orders", "roles"), ("spelled", "Roles")] {
        let mut user = team.service_key(name);
        user["spec"]["identity"]["serviceKey"]["parameters"] = json!({ parameter: ["Secret.Admin"] });
        team.apply(&user);
        let says = format!("identity.serviceKey.parameters cannot carry {parameter}");
        team.not_ready(&format!("technicalusers/{name}"), "Unsupported", &says);
    }
    // A role that is allowed changes nothing about that.
    team.apply(&team.may_send());
    team.not_ready("technicalusers/orders", "Unsupported", "give roles by a RoleBinding with instanceRole");
    assert!(!team.has_written(), "{:#?}", team.simulator.requests());

    team.delete("technicalusers/orders");
    team.gone("technicalusers/orders");
    team.apply(&team.service_key("orders"));
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);
    let role = json!({ "instanceRole": { "name": "Secret.Admin" } });
    team.apply(&team.role_binding("more", &json!({ "technicalUser": { "name": "orders" } }), &[role]));
    denied(&team, "rolebindings/more");
    let parameters = json!({ "serviceKey": { "parameters": { "roles": ["Secret.Admin"] } } });
    let edited =
        team.stage.api().patch(&team.path("technicalusers/orders"), &json!({ "spec": { "identity": parameters } }));
    assert!(edited.expect_err("an identity stays as it is").contains("identity cannot be changed"));

    let token = credential::token(&team.secret("orders-credentials").expect("the Secret"));
    let roles = token.unwrap_or_else(|status| panic!("a token: {status}")).roles;
    assert!(
        roles.contains(&"ESBMessaging.send".to_owned()) && !roles.contains(&"Secret.Admin".to_owned()),
        "{roles:?}"
    );
    team.delete_everything();
}

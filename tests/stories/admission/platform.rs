//! Refusals of Platforms.

use serde_json::{Value, json};

use super::{long, refused, taken, with};
use crate::harness::team::everything;

fn spec() -> Value {
    let secret = json!({ "credentialsSecretRef": { "name": "admin" } });
    json!({
        "environment": { "btp": { "authorization": secret } },
        "access": [everything(&json!({ "names": ["orders"] }))],
    })
}

fn refuses(pointer: &str, value: Value, words: &[&str]) {
    refused("Platform", &with(&spec(), pointer, value), words);
}

#[test]
fn a_platform_is_exactly_one_environment() {
    taken("Platform", &spec());
    let neo = json!({ "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": { "name": "a" } });
    refuses("/environment", json!({}), &["environment"]);
    refuses("/environment", json!({ "btp": spec()["environment"]["btp"], "neo": neo }), &["environment"]);
    refuses("/environment", Value::Null, &["spec.environment", "Required value"]);
    refuses("/environment/btp", json!({}), &["name authorization, serviceManager, identityService or several"]);
}

#[test]
fn a_tenant_needs_an_origin_where_it_does_not_follow_from_its_address() {
    let secret = json!({ "name": "a" });
    let tenant = json!({ "url": "https://acme.accounts.ondemand.com", "credentialsSecretRef": secret });
    let says = "identityService needs its origin";
    refuses("/environment/btp", json!({ "identityService": tenant }), &[says]);
    let neo = json!({ "host": "h", "subaccount": "s", "credentialsSecretRef": secret, "identityService": tenant });
    taken("Platform", &with(&spec(), "/environment", json!({ "neo": neo })));
    let mut named = tenant;
    named["origin"] = json!("sap.custom");
    taken("Platform", &with(&spec(), "/environment/btp", json!({ "identityService": named })));
}

#[test]
fn a_secret_is_named_as_kubernetes_names_secrets() {
    let name = "/environment/btp/authorization/credentialsSecretRef/name";
    refuses(name, json!("Admin Secret"), &["credentialsSecretRef.name", "should match"]);
    refuses(name, json!(""), &["credentialsSecretRef.name", "at least 1 chars long"]);
    refuses(name, long(254), &["credentialsSecretRef.name", "may not be more than 253"]);
    refuses(name, long(10_000), &["credentialsSecretRef.name"]);
}

#[test]
fn spans_are_a_number_and_a_unit_and_a_resync_is_not_too_often() {
    for wrong in ["", "10", "m", "1.5h", "1w", "-1s", "1 m", "9999999s"] {
        refuses("/resyncInterval", json!(wrong), &["spec.resyncInterval", "should match"]);
        refuses("/withdrawalGrace", json!(wrong), &["spec.withdrawalGrace", "should match"]);
    }
    for short in ["0s", "4s", "0m", "0h"] {
        refuses("/resyncInterval", json!(short), &["resyncInterval must be at least 5s"]);
    }
    for right in ["5s", "15m", "1h", "1d"] {
        taken("Platform", &with(&spec(), "/resyncInterval", json!(right)));
    }
    taken("Platform", &with(&spec(), "/withdrawalGrace", json!("0s")));
}

#[test]
fn access_rules_are_bounded_and_name_what_exists() {
    refuses("/access/0/namespaces", Value::Null, &["access[0].namespaces", "Required value"]);
    refuses("/access/0/identities/0", json!("serviceKey"), &["access[0].identities[0]", "must be of type object"]);
    refuses("/access/0/identities/0", json!({}), &["access[0].identities[0]", "one and only one schema"]);
    let plan = "/access/0/identities/0/serviceKey/plan";
    refuses(plan, Value::Null, &["serviceKey.plan", "Required value"]);
    refuses(plan, json!(""), &["serviceKey.plan", "at least 1 chars long"]);
    let anybody = json!({ "certificateUser": { "userName": "*" } });
    refuses("/access/0/identities/0", anybody, &["certificateUser.userName", "should match"]);
    refuses("/access/0/grants/0/roles/0", json!({}), &["grants[0].roles[0]", "one and only one schema"]);
    refuses("/access/0/grants/0/to", json!([]), &["access[0].grants[0].to", "at least 1 items"]);
    refuses("/access/0/grants/0/to/0", json!({ "everyone": {} }), &["grants[0].to[0]", "one and only one schema"]);
    let name = "/access/0/grants/0/roles/0/roleCollection/name";
    refuses(name, long(256), &["roleCollection.name", "may not be more than 255"]);
    refuses("/access/0/namespaces/names/0", long(64), &["names[0]", "may not be more than 63"]);
    let no_labels = json!({ "selector": { "matchLabels": {} } });
    refuses("/access/0/namespaces", no_labels, &["matchLabels", "at least 1"]);
    let rule = spec()["access"][0].clone();
    refuses("/access", Value::Array(vec![rule; 65]), &["spec.access", "must have at most 64 items"]);
}

#[test]
fn a_rule_that_says_nothing_is_refused() {
    let namespaces = json!({ "names": ["orders"] });
    refuses("/access/0", json!({ "namespaces": namespaces }), &["a rule allows something"]);
    refuses("/access/0", json!({ "namespaces": namespaces, "orphan": false }), &["a rule allows something"]);
    taken("Platform", &with(&spec(), "/access/0", json!({ "namespaces": namespaces, "orphan": true })));
    refuses("/access/0/namespaces", json!({}), &["a rule speaks of somebody"]);
}

#[test]
fn what_is_known_of_an_offering_cannot_be_changed() {
    let takes = |parameter: &str| json!({ "rolesParameter": parameter });
    taken("Platform", &with(&spec(), "/offerings", json!({ "my-service": takes("scopes") })));
    refuses("/offerings", json!({ "it-rt": takes("redirect-uris") }), &["it-rt is known"]);
    refuses("/offerings", json!({ "my-service": takes("") }), &["rolesParameter"]);
}

#[test]
fn neo_and_uaa_are_addressed_properly() {
    let secret = json!({ "name": "admin" });
    let neo = |host: &str, subaccount: &str| {
        let neo = json!({ "host": host, "subaccount": subaccount, "credentialsSecretRef": secret });
        json!({ "environment": { "neo": neo } })
    };
    taken("Platform", &neo("eu2.hana.ondemand.com", "acme"));
    refused("Platform", &neo("https://hana.ondemand.com", "acme"), &["environment.neo.host", "should match"]);
    refused("Platform", &neo("hana.ondemand.com", "ac/me"), &["environment.neo.subaccount", "should match"]);
    let uaa = |url: &str| json!({ "environment": { "uaa": { "url": url, "credentialsSecretRef": secret } } });
    taken("Platform", &uaa("https://uaa.example.com"));
    refused("Platform", &uaa("ftp://uaa.example.com"), &["environment.uaa.url", "should match"]);
    refused("Platform", &uaa("https://uaa example"), &["environment.uaa.url", "should match"]);
}

#[test]
fn a_mode_is_one_of_two() {
    taken("Platform", &with(&spec(), "/mode", json!("Observe")));
    refuses("/mode", json!("Pretend"), &["spec.mode", "Unsupported value", "Enforce", "Observe"]);
}

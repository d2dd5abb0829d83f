//! Refusals of TechnicalUsers.

use serde_json::{Value, json};

use super::{immutable, long, refused, taken, with};

const KIND: &str = "TechnicalUser";

fn spec() -> Value {
    json!({
        "platformRef": { "name": "platform-of-admission" },
        "identity": { "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } },
        "credential": { "secretName": "credentials", "secretTemplate": { "labels": {}, "annotations": {} } },
    })
}

fn existing(name: &str) -> Value {
    json!({ "platformRef": { "name": "p" }, "identity": { "existing": { "userName": name } } })
}

fn refuses(pointer: &str, value: Value, words: &[&str]) {
    refused(KIND, &with(&spec(), pointer, value), words);
}

#[test]
fn an_identity_is_exactly_one() {
    taken(KIND, &spec());
    refuses("/identity", json!({}), &["identity"]);
    let two = json!({ "serviceKey": { "offering": "a", "plan": "b" }, "oauthClient": {} });
    refuses("/identity", two, &["identity"]);
    refuses("/identity", Value::Null, &["spec.identity", "Required value"]);
    refuses("/identity/serviceKey/plan", Value::Null, &["serviceKey.plan", "Required value"]);
}

#[test]
fn a_space_is_named_with_its_organization() {
    let space = json!({ "organization": "acme", "name": "integration" });
    taken(KIND, &with(&spec(), "/identity/serviceKey/space", space));
    refuses("/identity/serviceKey/space", json!({ "name": "integration" }), &["space.organization", "Required value"]);
    refuses("/identity/serviceKey/space", json!({ "organization": "acme", "name": "" }), &["space.name"]);
}

#[test]
fn who_gets_a_credential_needs_one_and_nobody_else_takes_one() {
    taken(KIND, &existing("P1234567"));
    let with_credential = with(&existing("P1234567"), "/credential", json!({ "secretName": "a" }));
    refused(KIND, &with_credential, &["an existing identity takes no credential", "remove credential"]);
    refuses("/credential", Value::Null, &["name the Secret for the credential in credential.secretName"]);
}

#[test]
fn names_have_their_patterns_and_bounds() {
    let service_key = "/identity/serviceKey";
    for field in ["offering", "plan"] {
        refuses(&format!("{service_key}/{field}"), json!("it rt"), &[field, "should match"]);
        refuses(&format!("{service_key}/{field}"), long(10_000), &[field, "may not be more than"]);
    }
    refuses("/platformRef/name", json!("Integration"), &["platformRef.name", "should match"]);
    refuses("/platformRef/name", long(10_000), &["platformRef.name", "may not be more than 253"]);
    refuses("/credential/secretName", json!("My_Secret"), &["credential.secretName", "should match"]);
    refuses("/credential/secretName", long(10_000), &["credential.secretName", "may not be more than 253"]);
    refuses("/description", long(513), &["spec.description", "may not be more than 512"]);
    for name in ["", " P1", "P1 ", "a<b", "a>b", "a:b", "a/b", "a;b"] {
        refused(KIND, &existing(name), &["identity.existing.userName"]);
    }
    refused(KIND, &existing(&"a".repeat(10_000)), &["identity.existing.userName", "may not be more than 255"]);
    taken(KIND, &existing("oauth_client_0815"));
}

#[test]
fn a_certificate_is_for_whoever_is_known_by_it() {
    let source = json!({ "sourceSecretRef": { "name": "intake-tls" } });
    let user = with(&spec(), "/identity", json!({ "certificateUser": { "userName": "tu-intake" } }));
    let whole = with(&user, "/credential/certificate", source.clone());
    taken(KIND, &whole);
    refused(KIND, &user, &["name the Secret with the certificate in credential.certificate.sourceSecretRef"]);
    refuses("/credential/certificate", source, &["a certificate belongs to the type ClientCertificate"]);
    let same = with(&whole, "/credential/certificate/sourceSecretRef/name", json!("credentials"));
    refused(KIND, &same, &["secretName and certificate.sourceSecretRef are two Secrets"]);
    let name = "/identity/certificateUser/userName";
    refused(KIND, &with(&whole, name, long(151)), &["certificateUser.userName", "may not be more than 150"]);
    refused(KIND, &with(&whole, name, json!("a;b")), &["certificateUser.userName"]);
    let renamed = json!({ "identity": { "certificateUser": { "userName": "other" } } });
    immutable(KIND, "remapped", &whole, &renamed, "identity cannot be changed; make a new TechnicalUser");
}

#[test]
fn a_credential_is_of_a_type_that_the_identity_has() {
    let of = |identity: &str, fields: Value| with(&spec(), "/identity", json!({ identity: fields }));
    let typed = |user: &Value, kind: &str| with(user, "/credential/type", json!(kind));
    let (client, user) = (of("oauthClient", json!({})), of("directoryUser", json!({ "userName": "tu" })));
    for (user, kind) in [(&spec(), "ClientSecret"), (&client, "ClientSecret"), (&user, "Password")] {
        taken(KIND, &typed(user, kind));
    }
    let key = typed(&spec(), "ClientCertificate");
    let asked = with(&key, "/credential/certificate", json!({ "validity": "30d", "keyLength": 4096 }));
    taken(KIND, &key);
    taken(KIND, &asked);
    for (user, kind) in [(&spec(), "Password"), (&client, "ClientCertificate"), (&user, "ClientSecret")] {
        refused(KIND, &typed(user, kind), &["credential.type is ClientSecret or ClientCertificate for a serviceKey"]);
    }
    let field = |name: &str, value: Value| with(&asked, &format!("/credential/certificate/{name}"), value);
    refused(KIND, &field("validity", json!("30h")), &["certificate.validity", "should match"]);
    refused(KIND, &field("keyLength", json!(1024)), &["keyLength is 2048 or 4096"]);
    let both = field("sourceSecretRef", json!({ "name": "orders-tls" }));
    refused(KIND, &both, &["a certificate with a source has the validity and the key of its source"]);
}

#[test]
fn a_client_has_grant_types_for_machines() {
    let client = |types: Value| with(&spec(), "/identity", json!({ "oauthClient": { "grantTypes": types } }));
    taken(KIND, &client(json!(["client_credentials"])));
    refused(KIND, &client(json!([])), &["grantTypes", "at least 1 items"]);
    refused(KIND, &client(json!(["password"])), &["grantTypes[0]", "Unsupported value"]);
}

#[test]
fn labels_and_annotations_of_ours_are_reserved() {
    let template = "/credential/secretTemplate";
    let ours = json!({ "technicaluser.dev/credential": "x" });
    let managed_by = json!({ "app.kubernetes.io/managed-by": "me" });
    let labels = "labels under technicaluser.dev/ and app.kubernetes.io/managed-by are the operator's own";
    refuses(&format!("{template}/labels"), ours.clone(), &[labels]);
    refuses(&format!("{template}/labels"), managed_by.clone(), &[labels]);
    let message = "annotations under technicaluser.dev/ are the operator's own";
    refuses(&format!("{template}/annotations"), ours, &[message]);
    taken(KIND, &with(&spec(), &format!("{template}/annotations"), managed_by));
    refuses(&format!("{template}/labels"), json!({ "team": "a".repeat(64) }), &["labels", "may not be more than 63"]);
}

#[test]
fn what_identifies_it_cannot_be_changed() {
    let other = json!({ "platformRef": { "name": "other" } });
    immutable(KIND, "moved", &spec(), &other, "platformRef cannot be changed; make a new TechnicalUser");
    let other = json!({ "identity": { "serviceKey": { "plan": "other" } } });
    immutable(KIND, "replanned", &spec(), &other, "identity cannot be changed; make a new TechnicalUser");
    let other = json!({ "credential": { "secretName": "other" } });
    let message = "secretName cannot be changed while workloads use the Secret; make a new TechnicalUser";
    immutable(KIND, "renamed", &spec(), &other, message);
}

#[test]
fn policies_are_one_of_two() {
    refuses("/deletionPolicy", json!("Keep"), &["spec.deletionPolicy", "Unsupported value", "Orphan"]);
    refuses("/mode", json!("Pretend"), &["spec.mode", "Unsupported value", "Observe"]);
}

#[test]
fn a_form_is_one_of_three_and_keeps_what_its_readers_need() {
    let template = "/credential/secretTemplate";
    refuses("/credential/form", json!("Xml"), &["credential.form", "Unsupported value", "Descriptor", "Flat", "Json"]);
    for (part, words) in [
        (json!({ "type": "kubernetes.io/dockerconfigjson" }), "should match"),
        (json!({ "type": "servicebinding.io/" }), "should match"),
        (json!({ "data": { "a b": "" } }), "a key of data consists of letters"),
        (json!({ "data": { "..data": "" } }), "a key of data consists of letters"),
        (json!({ "data": { ".metadata": "" } }), "form: Flat leaves it out"),
        (json!({ "data": { "a": "{{ clientid" } }), "opens {{ and does not close it"),
        (json!({ "data": { "a": "{% if clientid %}{% endif %}" } }), "there are no statements"),
        (json!({ "data": { "a": long(4097) } }), "may not be more than 4096"),
        (json!({ "data": { "a": "" }, "rename": { "b": "a" } }), "a key of data is the new name of another key"),
        (json!({ "rename": { "a": "c", "b": "c" } }), "two keys cannot have one name"),
        (json!({ "rename": { "a": "..b" } }), "should match"),
        (json!({ "rename": { "a": ".metadata" } }), "the operator writes .metadata"),
        (json!({ "rename": { "a": "b" }, "omit": ["a"] }), "either renamed or omitted"),
        (json!({ "omit": [".metadata"] }), "form: Flat leaves .metadata out"),
        (json!({ "omit": ["type"] }), "readers of .metadata find a binding by its key type"),
        (json!({ "rename": { "type": "kind" } }), "readers of .metadata find a binding by its key type"),
        (json!({ "type": "kubernetes.io/tls", "omit": ["tls.key"] }), "needs tls.crt and tls.key"),
        (json!({ "type": "kubernetes.io/basic-auth", "rename": { "username": "u" } }), "needs username and password"),
    ] {
        refuses(template, part, &[words]);
    }
    let flat = with(&spec(), "/credential/form", json!("Flat"));
    taken(KIND, &with(&flat, template, json!({ "omit": ["type", "tags"], "rename": { "label": "offering" } })));
    let binding = json!({ "type": "servicebinding.io/oauth2", "omit": ["type"] });
    refused(KIND, &with(&flat, template, binding), &["has that type in its key type too"]);
    let whole = with(&spec(), "/credential/form", json!("Json"));
    refused(KIND, &with(&whole, template, json!({ "omit": ["credentials"] })), &["it cannot be omitted"]);
}

#[test]
fn the_type_of_a_secret_stays() {
    let says = "the type of a Secret cannot be changed; make a new TechnicalUser";
    let other = json!({ "credential": { "secretTemplate": { "type": "kubernetes.io/basic-auth" } } });
    immutable(KIND, "untyped", &spec(), &other, says);
    let typed = with(&spec(), "/credential/secretTemplate", json!({ "type": "servicebinding.io/oauth2" }));
    immutable(KIND, "typed", &typed, &json!({ "credential": { "secretTemplate": null } }), says);
}

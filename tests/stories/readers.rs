//! SAP's own libraries find the credential in the Secret, in the form that is for them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::readers::{Readers, mount};
use crate::harness::uaa::Uaa;
use crate::harness::{PATIENCE, Stage, Team, eventually};

const SECRET: &str = "reports-credentials";

/// A client of the simulator's UAA.
fn on_uaa() -> Team<'static> {
    let team = Team::new(Stage::shared(), "readers");
    let uaa = Uaa::simulated(&team.simulator);
    team.admin_secret("uaa", &uaa.credential);
    team.apply(
        &team.platform(&json!({ "uaa": { "url": uaa.url(), "credentialsSecretRef": { "name": "readers-uaa" } } })),
    );
    let data = json!({ "connection": "{{ url }}?user={{ clientid | urlencode }}" });
    let credential = json!({ "secretName": SECRET, "secretTemplate": { "data": data } });
    team.apply(&team.technical_user("reports", &json!({ "oauthClient": {} }), &credential));
    team.ready(&["technicalusers/reports"]);
    team
}

/// What the libraries find when the Secret is mounted at `path` below a root.
fn read(readers: &Readers, secret: &BTreeMap<String, String>, layout: &str, path: &str) -> BTreeMap<String, Value> {
    let root = tempfile::tempdir().expect("a folder");
    mount(&root.path().join(path), secret);
    readers.read(layout, root.path(), "uaa", true)
}

/// Each of these libraries found one credential, with what the client has.
fn all_find_it(found: &BTreeMap<String, Value>, libraries: &[&str], client: &BTreeMap<String, String>) {
    for library in libraries {
        let bindings = found[*library].as_array().unwrap_or_else(|| panic!("{library}: {found:?}"));
        assert_eq!(bindings.len(), 1, "{library}: {found:?}");
        for field in ["clientid", "clientsecret", "tokenurl", "url"] {
            assert_eq!(bindings[0][field], client[field].as_str(), "{library}: {found:?}");
        }
    }
    assert_eq!(found["xssec"], true, "@sap/xssec logs on with it: {found:?}");
}

#[test]
fn sap_s_own_readers_find_the_credential() {
    let Some(readers) = Readers::installed() else { return };
    let team = on_uaa();
    let descriptor = team.secret(SECRET).expect("the Secret");
    let all = ["xsenv", "cloudSdk", "cap", "java"];

    let found = read(&readers, &descriptor, "one-level", "reports");
    all_find_it(&found, &all, &descriptor);
    let connection = |library: &&str| found[*library][0]["connection"] == descriptor["connection"].as_str();
    assert!(all.iter().all(connection), "what the template adds is a property too: {found:?}");

    let whole = in_form(&team, "Json");
    assert!(!whole.contains_key("clientsecret"));
    all_find_it(&read(&readers, &whole, "one-level", "reports"), &all, &descriptor);

    // Two levels of folders, as the older layout has them.
    let flat = in_form(&team, "Flat");
    all_find_it(&read(&readers, &flat, "two-level", "uaa/reports"), &["xsenv", "java"], &descriptor);
    team.delete_everything();
}

fn in_form(team: &Team<'_>, form: &str) -> BTreeMap<String, String> {
    team.patch("technicalusers/reports", &json!({ "spec": { "credential": { "form": form } } }));
    let is_right = |texts: &BTreeMap<String, String>| {
        texts.contains_key("credentials") == (form == "Json") && texts.contains_key(".metadata") == (form != "Flat")
    };
    eventually(&format!("the Secret is {form}"), PATIENCE, || team.secret(SECRET).filter(is_right))
}

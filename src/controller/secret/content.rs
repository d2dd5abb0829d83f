//! What stands in the Secret before anything is renamed, omitted or added: the credential's own keys flat, or one key with
//! all of them as JSON; the entries of servicebinding.io; and `.metadata`.
//!
//! The default form is the one that SAP's own readers (`@sap/xsenv`, SAP Cloud SDK, CAP, the Java library) all read at
//! `SERVICE_BINDING_ROOT/<binding>/`: `.metadata` names every other key as text or JSON, formats in lower case, with a
//! `type` among the metadata properties and no `sourceName`. Pure; values never leave it but in the content.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::Content;
use crate::api::Form;
use crate::plan::digest;
use crate::platform::{Field, Issued, Provenance};

/// The key that describes all others.
const DESCRIPTOR: &str = ".metadata";

/// The key of the whole credential in the form `Json`.
pub const CREDENTIALS: &str = "credentials";

/// The keys that say where a credential comes from.
pub const PROVENANCE: [&str; 7] = ["type", "provider", "label", "plan", "instance_name", "instance_guid", "tags"];

/// One key of the Secret.
pub struct Entry {
    /// Its value.
    pub value: SecretString,
    /// What it is to the readers of `.metadata`.
    pub part: Part,
}

/// What a key is to the readers of `.metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A property of the credential, as text.
    Text,
    /// A property of the credential, as JSON.
    Json,
    /// All properties of the credential, in one JSON object.
    Container,
    /// It says where the credential comes from, as text or as JSON.
    Provenance(&'static str),
    /// Nothing.
    Unlisted,
}

/// The keys of a Secret, without the one that describes them.
pub type Entries = BTreeMap<String, Entry>;

/// The keys for an issued credential. `kind` is what the binding is called where not by its offering.
pub fn entries(issued: &Issued, form: Form, kind: Option<&str>) -> Entries {
    let mut entries = match form {
        Form::Descriptor | Form::Flat => flat(issued),
        Form::Json => [(CREDENTIALS.to_owned(), whole(issued))].into(),
    };
    // A credential's own key of that name would be lost; none of the services we know has one.
    entries.extend(provenance(&issued.provenance, kind));
    entries
}

/// The content of a Secret with these keys.
pub fn assembled(entries: &Entries, form: Form) -> Content {
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    let values = entries.iter().map(|(key, entry)| (key.clone(), bytes(entry.value.expose_secret())));
    let descriptor = (form != Form::Flat).then(|| (DESCRIPTOR.to_owned(), bytes(&descriptor(entries))));
    Content(values.chain(descriptor).collect())
}

fn flat(issued: &Issued) -> Entries {
    let entry = |field: &Field| match field {
        Field::Text(value) => Entry { value: value.clone(), part: Part::Text },
        Field::Json(value) => Entry { value: value.clone(), part: Part::Json },
    };
    issued.fields.iter().map(|(name, field)| (key_of(name), entry(field))).collect()
}

fn whole(issued: &Issued) -> Entry {
    let value = |field: &Field| match field {
        Field::Text(text) => Value::from(text.expose_secret()),
        Field::Json(json) => serde_json::from_str(json.expose_secret()).unwrap_or(Value::Null),
    };
    let object: Map<String, Value> = issued.fields.iter().map(|(name, field)| (name.clone(), value(field))).collect();
    Entry { value: Value::Object(object).to_string().into(), part: Part::Container }
}

/// `type` and `provider` are those of servicebinding.io, the others what the SAP BTP service operator writes.
fn provenance(provenance: &Provenance, kind: Option<&str>) -> impl Iterator<Item = (String, Entry)> {
    let values = [
        ("text", kind.unwrap_or(&provenance.label).to_owned()),
        ("text", "sap".to_owned()),
        ("text", provenance.label.clone()),
        ("text", provenance.plan.clone()),
        ("text", provenance.instance_name.clone()),
        ("text", provenance.instance_guid.clone()),
        ("json", json!(provenance.tags).to_string()),
    ];
    let entry = |(format, value): (_, String)| Entry { value: value.into(), part: Part::Provenance(format) };
    PROVENANCE.into_iter().map(str::to_owned).zip(values.into_iter().map(entry))
}

fn descriptor(entries: &Entries) -> String {
    let (mut described, mut properties) = (vec![], vec![]);
    for (name, entry) in entries {
        match entry.part {
            Part::Text => properties.push(json!({"name": name, "format": "text"})),
            Part::Json => properties.push(json!({"name": name, "format": "json"})),
            Part::Container => properties.push(json!({"name": name, "format": "json", "container": true})),
            Part::Provenance(format) => described.push(json!({"name": name, "format": format})),
            Part::Unlisted => {}
        }
    }
    json!({"metaDataProperties": described, "credentialProperties": properties}).to_string()
}

/// A Secret's keys are letters, digits, `-`, `_` and `.`; anything else in a field's name becomes `_`.
pub fn key_of(name: &str) -> String {
    name.chars().map(|one| if one.is_ascii_alphanumeric() || "-_.".contains(one) { one } else { '_' }).collect()
}

/// A fingerprint of a Secret's content, by which an alteration is seen without keeping the content. It says nothing
/// about the values: they are long and random.
pub fn fingerprint(data: &BTreeMap<String, ByteString>) -> String {
    digest::of(data.iter().flat_map(|(key, ByteString(value))| [key.as_bytes(), value]), 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Health, ObservedCredential};

    fn issued(fields: &[(&str, &str)]) -> Issued {
        let name = "tuo-1".to_owned();
        let credential =
            ObservedCredential { name, id: "i".into(), identity: "x".into(), health: Health::Usable, material: None };
        let provenance = Provenance {
            label: "it-rt".into(),
            plan: "integration-flow".into(),
            tags: vec!["a".into()],
            ..Provenance::default()
        };
        let mut fields: BTreeMap<String, Field> =
            fields.iter().map(|(key, value)| ((*key).to_owned(), Field::Text((*value).into()))).collect();
        fields.insert("nested".into(), Field::Json("{\"a\":1}".into()));
        Issued { credential, provenance, fields }
    }

    #[test]
    fn every_key_is_described_in_the_form_that_all_readers_take() {
        let issued = issued(&[("clientid", "sb-1!b2|it"), ("odd key", "v")]);
        let Content(data) = assembled(&entries(&issued, Form::Descriptor, None), Form::Descriptor);
        let descriptor: Value = serde_json::from_slice(&data[DESCRIPTOR].0).unwrap();
        let names = |part: &str| -> Vec<(String, String)> {
            let text = |property: &Value, key: &str| property[key].as_str().unwrap().to_owned();
            descriptor[part].as_array().unwrap().iter().map(|one| (text(one, "name"), text(one, "format"))).collect()
        };
        let (described, properties) = (names("metaDataProperties"), names("credentialProperties"));
        assert!(
            described.contains(&("type".into(), "text".into())) && described.contains(&("tags".into(), "json".into()))
        );
        let expected = [("clientid", "text"), ("nested", "json"), ("odd_key", "text")];
        assert_eq!(properties, expected.map(|(name, format)| (name.to_owned(), format.to_owned())));
        for (name, _) in described.iter().chain(&properties) {
            assert!(data.contains_key(name), "{name} is described and missing");
        }
        assert_eq!(data["type"].0, b"it-rt");
        assert!(!descriptor.to_string().contains("sourceName"));
    }
}

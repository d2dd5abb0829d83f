//! What stands in the Secret: the credential's own keys flat, the entries of servicebinding.io, and `.metadata`.
//!
//! The form is the one that SAP's own readers (`@sap/xsenv`, SAP Cloud SDK, CAP, the Java library) all read at
//! `SERVICE_BINDING_ROOT/<binding>/`: `.metadata` names every other key as text or JSON, formats in lower case, with a
//! `type` among the metadata properties and no `sourceName`. Pure; values never leave it but in the content.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Content;
use crate::plan::digest;
use crate::platform::{Field, Issued, Provenance};

/// The key that describes all others.
const DESCRIPTOR: &str = ".metadata";

/// The content for an issued credential.
pub fn content(issued: &Issued) -> Content {
    let mut data: BTreeMap<String, ByteString> = BTreeMap::new();
    let mut properties: Vec<Value> = vec![];
    for (name, field) in &issued.fields {
        let (format, value) = match field {
            Field::Text(value) => ("text", value),
            Field::Json(value) => ("json", value),
        };
        let key = key_of(name);
        properties.push(json!({"name": key, "format": format}));
        data.insert(key, ByteString(value.expose_secret().as_bytes().to_vec()));
    }
    let mut described: Vec<Value> = vec![];
    for (name, format, value) in provenance(&issued.provenance) {
        // A credential's own key of that name would be lost; none of the services we know has one.
        properties.retain(|property| property["name"] != name);
        described.push(json!({"name": name, "format": format}));
        data.insert(name.to_owned(), ByteString(value.into_bytes()));
    }
    let descriptor = json!({"metaDataProperties": described, "credentialProperties": properties});
    data.insert(DESCRIPTOR.to_owned(), ByteString(descriptor.to_string().into_bytes()));
    Content(data)
}

/// The metadata entries: `type` and `provider` are those of servicebinding.io, the others what the SAP BTP service
/// operator writes.
fn provenance(provenance: &Provenance) -> [(&'static str, &'static str, String); 7] {
    [
        ("type", "text", provenance.label.clone()),
        ("provider", "text", "sap".to_owned()),
        ("label", "text", provenance.label.clone()),
        ("plan", "text", provenance.plan.clone()),
        ("instance_name", "text", provenance.instance_name.clone()),
        ("instance_guid", "text", provenance.instance_guid.clone()),
        ("tags", "json", json!(provenance.tags).to_string()),
    ]
}

/// A Secret's keys are letters, digits, `-`, `_` and `.`; anything else in a field's name becomes `_`.
fn key_of(name: &str) -> String {
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
        let credential = ObservedCredential { name, id: "i".into(), identity: "x".into(), health: Health::Usable };
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
        let Content(data) = content(&issued(&[("clientid", "sb-1!b2|it"), ("odd key", "v")]));
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

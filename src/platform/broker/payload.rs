//! The payload of a key, and the credential that it is, with flat fields. Pure.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::order::in_progress;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{Field, Health, Issued, ObservedCredential, Provenance};

/// Process Integration Runtime wraps its fields in this.
const WRAPPER: &str = "oauth";

/// The credential that a key is, with what the platform shows of it.
pub fn issued(
    operation: &'static str,
    credential: ObservedCredential,
    payload: Map<String, Value>,
    provenance: Provenance,
) -> Result<Issued> {
    match payload {
        payload if !payload.is_empty() => Ok(Issued { credential, provenance, fields: fields(payload) }),
        _ if credential.health == Health::InProgress => Err(in_progress(operation)),
        _ => Err(Error::new(Kind::UnexpectedAnswer, operation).detail("it has no credentials")),
    }
}

/// What certificate and key are called in a payload, and in Secrets of type `kubernetes.io/tls`.
const CERTIFICATE: [(&str, &str); 2] = [("certificate", "tls.crt"), ("key", "tls.key")];

/// The fields of a credential. The wrapper of `it-rt` is taken off, so that every Secret has `clientid` in one place. A
/// certificate and its key stand under both their names.
pub fn fields(payload: Map<String, Value>) -> BTreeMap<String, Field> {
    let mut fields = unwrapped(payload);
    let pair = CERTIFICATE.map(|(name, known_as)| match fields.get(name) {
        Some(Field::Text(text)) => Some((name, known_as, broken_into_lines(text))),
        _ => None,
    });
    if let [Some(certificate), Some(key)] = pair {
        for (name, known_as, text) in [certificate, key] {
            fields.insert(name.to_owned(), Field::Text(text.clone()));
            fields.insert(known_as.to_owned(), Field::Text(text));
        }
    }
    fields
}

/// Some brokers write the line breaks of PEM as `\n` once more than JSON does.
fn broken_into_lines(pem: &SecretString) -> SecretString {
    match pem.expose_secret() {
        text if text.contains('\n') => pem.clone(),
        text => text.replace("\\n", "\n").into(),
    }
}

fn unwrapped(payload: Map<String, Value>) -> BTreeMap<String, Field> {
    let mut fields = BTreeMap::new();
    for (name, value) in payload {
        match value {
            Value::Object(inner) if name == WRAPPER => {
                fields.extend(inner.into_iter().map(|(name, value)| (name, field(value))));
            }
            value => {
                fields.insert(name, field(value));
            }
        }
    }
    fields
}

fn field(value: Value) -> Field {
    match value {
        Value::String(text) => Field::Text(text.into()),
        other => Field::Json(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(payload: Value) -> Vec<(String, String)> {
        let Value::Object(payload) = payload else { panic!("a payload is an object") };
        let text = |field: Field| match field {
            Field::Text(text) => text.expose_secret().to_owned(),
            Field::Json(json) => format!("json {}", json.expose_secret()),
        };
        fields(payload).into_iter().map(|(name, field)| (name, text(field))).collect()
    }

    #[test]
    fn the_wrapper_goes_and_types_stay() {
        let payload = json!({"oauth": {"clientid": "sb-1", "certificatedetails": {"serialnumber": "0x1"}}, "n": 1});
        let expected =
            [("certificatedetails", r#"json {"serialnumber":"0x1"}"#), ("clientid", "sb-1"), ("n", "json 1")];
        assert_eq!(shown(payload), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(shown(json!({"oauth": "text"})), [("oauth".to_owned(), "text".to_owned())]);
    }

    #[test]
    fn a_certificate_has_both_its_names_and_real_line_breaks() {
        let shown = shown(json!({"oauth": {"certificate": "-----A-----\\nB", "key": "-----K-----\nB"}}));
        let expected = [
            ("certificate", "-----A-----\nB"),
            ("key", "-----K-----\nB"),
            ("tls.crt", "-----A-----\nB"),
            ("tls.key", "-----K-----\nB"),
        ];
        assert_eq!(shown, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }
}

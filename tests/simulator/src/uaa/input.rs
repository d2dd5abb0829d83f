//! Request bodies as the UAA reads them: JSON that says it is JSON, and a client's fields in all their spellings.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// Names of a client's lists, roles and grants; order has no meaning.
pub(super) type Words = BTreeSet<String>;

/// A client as a request describes it. A field that is absent says nothing; `null` in a list is refused.
#[derive(Deserialize)]
pub(super) struct ClientInput {
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) authorized_grant_types: Option<Words>,
    #[serde(default, deserialize_with = "words")]
    pub(super) authorities: Option<Words>,
    #[serde(default, deserialize_with = "words")]
    pub(super) scope: Option<Words>,
    #[serde(default, deserialize_with = "words")]
    pub(super) redirect_uri: Option<Words>,
    pub(super) access_token_validity: Option<u64>,
    /// Every other field is kept as it is, under its own name.
    #[serde(flatten)]
    pub(super) additional: Map<String, Value>,
}

/// What the UAA sets itself: sent back by a client that had read it, these are dropped.
const COMPUTED: [&str; 4] = ["lastModified", "required_user_groups", "autoapprove", "resource_ids"];

impl ClientInput {
    /// The additional fields worth keeping.
    pub(super) fn own_additional(&self) -> Map<String, Value> {
        let kept = self.additional.iter().filter(|(name, _)| !COMPUTED.contains(&name.as_str()));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The body of a request, which must say that it is JSON.
pub(super) fn json_body<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Refusal::UnsupportedMediaType);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::Unreadable)
}

/// A list of words, or one string of them; a comma separates words in both. Empty words are refused.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Words>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelling {
        One(String),
        Many(Vec<String>),
    }
    let all = match Spelling::deserialize(deserializer)? {
        Spelling::One(text) => vec![text],
        Spelling::Many(texts) => texts,
    };
    let words: Words = all.iter().flat_map(|text| text.split(',')).map(|word| word.trim().to_owned()).collect();
    if words.contains("") { Err(Error::custom("an empty word")) } else { Ok(Some(words)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<ClientInput, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn a_comma_splits_an_authority_and_a_blank_does_not() {
        let input = read(json!({"authorities": ["with space", "comma,inside"]})).unwrap();
        assert_eq!(input.authorities.unwrap(), Words::from(["comma", "inside", "with space"].map(String::from)));
    }

    #[test]
    fn null_and_empty_words_and_other_types_are_refused() {
        for authorities in [json!(null), json!(["", "ok"]), json!(["ok", null]), json!([3])] {
            assert!(read(json!({"authorities": authorities})).is_err());
        }
        assert!(read(json!({"authorities": []})).unwrap().authorities.unwrap().is_empty());
    }

    #[test]
    fn computed_fields_are_not_kept() {
        let input = read(json!({"lastModified": 1, "owner": {"nested": [1]}})).unwrap();
        assert_eq!(Value::Object(input.own_additional()), json!({"owner": {"nested": [1]}}));
    }
}

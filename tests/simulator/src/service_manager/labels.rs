//! Labels: `{"key": ["value", …]}`, and the operations that change them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::subaccount::Place;

use super::refusal::Refusal;

/// The label the Service Manager sets itself and nobody may touch.
const OWN: &str = "subaccount_id";

/// The labels of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(pub(crate) BTreeMap<String, Vec<String>>);

/// One change of labels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelChange {
    op: LabelOp,
    key: String,
    #[serde(default, deserialize_with = "or_null")]
    values: Vec<String>,
}

/// Go clients send `null` for a list without entries.
fn or_null<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    Option::<Vec<String>>::deserialize(reader).map(Option::unwrap_or_default)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LabelOp {
    Add,
    Remove,
}

impl Labels {
    /// The labels of a new object, with the Service Manager's own. A key may have no values (the open core).
    pub(crate) fn of_new(wanted: BTreeMap<String, Vec<String>>, place: &Place) -> Result<Self, Refusal> {
        if wanted.contains_key(OWN) {
            return Err(protected());
        }
        for (key, values) in &wanted {
            readable(key, values)?;
        }
        let mut labels = wanted;
        labels.insert(OWN.to_owned(), vec![place.zone.clone()]);
        Ok(Self(labels))
    }

    /// Applies changes in their order.
    pub(crate) fn change(&mut self, changes: &[LabelChange]) -> Result<(), Refusal> {
        for change in changes {
            if change.key == OWN {
                return Err(protected());
            }
            match change.op {
                LabelOp::Add => self.add(change)?,
                LabelOp::Remove => self.remove(change),
            }
        }
        Ok(())
    }

    fn add(&mut self, change: &LabelChange) -> Result<(), Refusal> {
        if change.values.is_empty() {
            return Err(Refusal::bad_request(format!("operation add requires values to be provided: {}", change.key)));
        }
        readable(&change.key, &change.values)?;
        let values = self.0.entry(change.key.clone()).or_default();
        for value in &change.values {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        Ok(())
    }

    /// Removes the values, or all if none is named; a key without values goes.
    fn remove(&mut self, change: &LabelChange) {
        if let Some(values) = self.0.get_mut(&change.key) {
            values.retain(|value| !change.values.is_empty() && !change.values.contains(value));
            if values.is_empty() {
                self.0.remove(&change.key);
            }
        }
    }

    /// The first value of a key.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.first().map(String::as_str)
    }

    /// All pairs of key and value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().flat_map(|(key, values)| values.iter().map(move |value| (key.clone(), value.clone())))
    }
}

/// Keys without spaces, and neither keys nor values of several lines (the open core, `pkg/types/labels.go`).
fn readable(key: &str, values: &[String]) -> Result<(), Refusal> {
    if key.is_empty() || key.contains([' ', '\n']) {
        return Err(Refusal::bad_request(format!("label key \"{key}\" cannot be empty or contain whitespaces")));
    }
    if values.iter().any(|value| value.contains('\n')) {
        let text = format!("label with key \"{key}\" has a value containing forbidden new line character");
        return Err(Refusal::bad_request(text));
    }
    Ok(())
}

fn protected() -> Refusal {
    Refusal::bad_request(format!("Set/Add values for label {OWN} is not allowed"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_grow_and_shrink() {
        let mut labels =
            Labels::of_new(BTreeMap::from([("a".into(), vec!["1".into()])]), &crate::subaccount::OWN).unwrap();
        let changes: Vec<LabelChange> = serde_json::from_value(json!([
            {"op": "add", "key": "a", "values": ["1", "2"]},
            {"op": "add", "key": "b", "values": ["3"]},
            {"op": "remove", "key": "a", "values": ["1"]},
            {"op": "remove", "key": "b", "values": null},
        ]))
        .unwrap();
        labels.change(&changes).unwrap();
        assert_eq!(labels.0["a"], ["2"]);
        assert!(!labels.0.contains_key("b"));
        assert_eq!(labels.0[OWN], *std::slice::from_ref(&crate::subaccount::OWN.zone));
    }

    #[test]
    fn a_label_is_one_line_and_may_be_empty() {
        let made = |key: &str, values: Vec<String>| {
            Labels::of_new(BTreeMap::from([(key.to_owned(), values)]), &crate::subaccount::OWN)
        };
        assert!(made("a", vec![]).is_ok());
        assert!(made("a", vec!["1\n2".into()]).is_err());
        assert!(made("a b", vec!["1".into()]).is_err());
    }
}

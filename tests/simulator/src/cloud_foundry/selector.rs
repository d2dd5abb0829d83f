//! Labels and annotations of an object, and the selector that finds objects by their labels (cloud_controller_ng,
//! `app/messages/metadata_validator_helper.rb`, `docs/v3`, "Labels and selectors").

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// Most characters of a label's name and value.
const LONGEST: usize = 63;
/// Most characters of an annotation's value.
const LONGEST_ANNOTATION: usize = 5000;

/// Labels and annotations.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Metadata {
    /// Lays `metadata` of a request over what is there: `null` takes an entry away.
    pub(super) fn change(&mut self, wanted: Option<&Value>) -> Result<(), Refusal> {
        let Some(wanted) = wanted.and_then(Value::as_object) else { return Ok(()) };
        super::refusal::only_known(wanted, &["labels", "annotations"])?;
        let entries = |name: &str| wanted.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let (labels, annotations) = (entries("labels"), entries("annotations"));
        for (key, value) in &labels {
            key_is_right(key).map_err(|text| Refusal::unprocessable(format!("Metadata label key error: {text}")))?;
            let value = value.as_str().unwrap_or_default();
            value_is_right(value)
                .map_err(|text| Refusal::unprocessable(format!("Metadata label value error: {text}")))?;
        }
        for (key, value) in &annotations {
            key_is_right(key)
                .map_err(|text| Refusal::unprocessable(format!("Metadata annotation key error: {text}")))?;
            let value = value.as_str().unwrap_or_default();
            if value.chars().count() > LONGEST_ANNOTATION {
                let text = format!(
                    "Metadata annotation value error: '{}...' is greater than 5000 characters",
                    value.get(..8).unwrap_or_default()
                );
                return Err(Refusal::unprocessable(text));
            }
        }
        lay_over(&mut self.labels, labels);
        lay_over(&mut self.annotations, annotations);
        Ok(())
    }

    /// As objects show it.
    pub(super) fn shown(&self) -> Value {
        json!({"labels": self.labels, "annotations": self.annotations})
    }
}

fn lay_over(held: &mut BTreeMap<String, String>, wanted: Map<String, Value>) {
    for (key, value) in wanted {
        match value {
            Value::String(value) => drop(held.insert(key, value)),
            _ => drop(held.remove(&key)),
        }
    }
}

fn key_is_right(key: &str) -> Result<(), String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if name.is_empty() {
        return Err("key cannot be empty string".to_owned());
    }
    if name.contains('/') {
        return Err("key has more than one '/'".to_owned());
    }
    if let Some(prefix) = prefix {
        let labels = prefix
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-'));
        if !labels || !prefix.contains('.') {
            return Err(format!("prefix '{prefix}' must be in valid dns format"));
        }
        if prefix.eq_ignore_ascii_case("cloudfoundry.org") {
            return Err("prefix 'cloudfoundry.org' is reserved".to_owned());
        }
    }
    value_is_right(name)
}

fn value_is_right(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Ok(());
    }
    if !value.chars().all(|sign| sign.is_ascii_alphanumeric() || "_-.".contains(sign)) {
        return Err(format!("'{value}' contains invalid characters"));
    }
    let edge = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric());
    if !edge(value.chars().next()) || !edge(value.chars().next_back()) {
        return Err(format!("'{value}' starts or ends with invalid characters"));
    }
    if value.len() > LONGEST {
        return Err(format!("'{}...' is greater than {LONGEST} characters", &value[..8]));
    }
    Ok(())
}

/// What a label selector asks for: every requirement must hold.
#[derive(Debug, Default)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Selector {
    /// Reads a selector.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let parts = split(text);
        let read: Option<Vec<Requirement>> = parts.iter().map(|part| Requirement::read(part.trim())).collect();
        read.filter(|read| !read.is_empty()).map(Self).ok_or("Invalid label_selector value")
    }

    /// Whether an object with these labels is meant.
    pub(super) fn meets(&self, metadata: &Metadata) -> bool {
        self.0.iter().all(|requirement| requirement.meets(&metadata.labels))
    }
}

/// The requirements of a selector: commas divide them, except in parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, sign) in text.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl Requirement {
    fn read(text: &str) -> Option<Self> {
        let one = |value: &str| vec![value.trim().to_owned()];
        if let Some((key, list)) = text.split_once(" notin ") {
            return Some(Self::NotIn(named(key)?, set(list)?));
        }
        if let Some((key, list)) = text.split_once(" in ") {
            return Some(Self::In(named(key)?, set(list)?));
        }
        if let Some((key, value)) = text.split_once("!=") {
            return Some(Self::NotIn(named(key)?, one(value)));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Some(Self::In(named(key)?, one(value)));
        }
        match text.strip_prefix('!') {
            Some(key) => Some(Self::Missing(named(key)?)),
            None => Some(Self::Exists(named(text)?)),
        }
    }

    fn meets(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Exists(key) => labels.contains_key(key),
            Self::Missing(key) => !labels.contains_key(key),
            Self::In(key, values) => labels.get(key).is_some_and(|held| values.contains(held)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|held| !values.contains(held)),
        }
    }
}

fn named(key: &str) -> Option<String> {
    let key = key.trim();
    key_is_right(key).ok().map(|()| key.to_owned())
}

fn set(list: &str) -> Option<Vec<String>> {
    let inside = list.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(inside.split(',').map(|value| value.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(pairs: &[(&str, &str)]) -> Metadata {
        let mut metadata = Metadata::default();
        let labels: BTreeMap<_, _> = pairs.iter().copied().collect();
        metadata.change(Some(&json!({"labels": labels}))).unwrap();
        metadata
    }

    #[test]
    fn every_requirement_must_hold() {
        let held = labelled(&[("acme.example/owner", "us"), ("stage", "dev")]);
        let meets = |text: &str| Selector::read(text).unwrap().meets(&held);
        assert!(meets("acme.example/owner=us") && meets("stage in (dev,test),acme.example/owner==us"));
        assert!(meets("stage!=prod") && meets("!colour") && meets("stage") && meets("colour notin (red)"));
        assert!(!meets("stage=prod") && !meets("colour") && !meets("stage notin (dev)") && !meets("!stage"));
        assert!(Selector::read("stage in dev").is_err() && Selector::read("a b").is_err());
    }

    #[test]
    fn labels_are_held_to_their_rules_and_null_takes_one_away() {
        let mut metadata = labelled(&[("a", "1"), ("b", "2")]);
        metadata
            .change(Some(&json!({"labels": {"a": null, "b": "3"}, "annotations": {"n": "any text, really"}})))
            .unwrap();
        assert_eq!(metadata.shown(), json!({"labels": {"b": "3"}, "annotations": {"n": "any text, really"}}));
        for wrong in [json!({"a": "x y"}), json!({"cloudfoundry.org/a": "x"}), json!({"a": "x".repeat(64)})] {
            assert!(metadata.change(Some(&json!({"labels": wrong}))).is_err(), "{wrong}");
        }
    }
}

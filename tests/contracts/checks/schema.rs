//! Validation of a JSON value against a schema of an OpenAPI document: the few keywords these documents use,
//! and the rule that a field no schema names is a violation. A general JSON Schema library would have to be told both.

use serde_json::{Map, Value};

use super::document::Document;
use super::exceptions;

/// Everything that is wrong with the value, each with its place. `operation` is for exceptions.
pub(crate) fn violations(document: &Document, schema: &Value, value: &Value, operation: &str) -> Vec<String> {
    let mut check = Check { document, operation, found: Vec::new() };
    check.value(schema, "", value, "");
    check.found
}

struct Check<'a> {
    document: &'a Document,
    operation: &'a str,
    found: Vec<String>,
}

impl Check<'_> {
    /// `name` is the component the schema belongs to; `at` is where in the value we are.
    fn value(&mut self, schema: &Value, name: &str, value: &Value, at: &str) {
        if value.is_null() && names_null(&schema["type"]) {
            return;
        }
        if schema["allOf"].is_array() {
            let mut whole = Map::new();
            self.joined(schema, &mut whole);
            return self.value(&Value::Object(whole), name, value, at);
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            match self.document.resolve(reference) {
                Some(target) => self.value(target, name, value, at),
                None => self.found.push(format!("{at}: the document does not define {reference}")),
            }
            return;
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.one_of(choices, value, at);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            return self.any_of(choices, value, at);
        }
        if value.is_null() && schema["nullable"] == true || exceptions::excused(self.operation, name, at, value) {
            return;
        }
        if !has_type(&schema["type"], value) {
            self.found.push(format!("{at}: not of type {}", schema["type"]));
            return;
        }
        self.text(schema, value, at);
        if let Some(items) = value.as_array() {
            for (index, item) in items.iter().enumerate() {
                self.value(&schema["items"], name, item, &format!("{at}/{index}"));
            }
        }
        if let Some(fields) = value.as_object() {
            self.object(schema, name, fields, at);
        }
    }

    /// A schema with everything that `allOf` adds to it, written as one.
    fn joined(&self, schema: &Value, whole: &mut Map<String, Value>) {
        let target = schema["$ref"].as_str().and_then(|reference| self.document.resolve(reference));
        let parts = target.into_iter().chain(schema["allOf"].as_array().into_iter().flatten());
        parts.for_each(|part| self.joined(part, whole));
        for (keyword, content) in schema.as_object().into_iter().flatten() {
            match (keyword.as_str(), content) {
                ("$ref" | "allOf", _) => {}
                ("properties", Value::Object(more)) => {
                    let known = whole.entry(keyword.clone()).or_insert_with(|| Value::Object(Map::new()));
                    known.as_object_mut().into_iter().for_each(|known| known.extend(more.clone()));
                }
                ("required", Value::Array(more)) => {
                    let known = whole.entry(keyword.clone()).or_insert_with(|| Value::Array(Vec::new()));
                    known.as_array_mut().into_iter().for_each(|known| known.extend(more.clone()));
                }
                _ => drop(whole.insert(keyword.clone(), content.clone())),
            }
        }
    }

    fn one_of(&mut self, choices: &[Value], value: &Value, at: &str) {
        let fits = |choice: &&Value| violations(self.document, choice, value, self.operation).is_empty();
        let fitting = choices.iter().filter(fits).count();
        if fitting != 1 {
            self.found.push(format!("{at}: fits {fitting} of {} alternatives", choices.len()));
        }
    }

    fn any_of(&mut self, choices: &[Value], value: &Value, at: &str) {
        let wrong = choices.iter().map(|choice| violations(self.document, choice, value, self.operation));
        if let Some(least) = wrong.min_by_key(Vec::len).filter(|least| !least.is_empty()) {
            self.found.push(format!("{at}: fits no alternative, best but for {}", least.join(", ")));
        }
    }

    fn text(&mut self, schema: &Value, value: &Value, at: &str) {
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            self.found.push(format!("{at}: {value} is not one of {}", schema["enum"]));
        }
        if schema["format"] == "date-time" && !value.as_str().is_some_and(is_date_time) {
            self.found.push(format!("{at}: {value} is no time"));
        }
    }

    fn object(&mut self, schema: &Value, name: &str, fields: &Map<String, Value>, at: &str) {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(required) {
                self.found.push(format!("{at}: {required} is missing"));
            }
        }
        let properties = schema["properties"].as_object();
        for (field, value) in fields {
            let at = format!("{at}/{field}");
            match (properties.and_then(|known| known.get(field)), &schema["additionalProperties"]) {
                (Some(property), _) => self.value(property, &format!("{name}.{field}"), value, &at),
                (None, Value::Object(_)) => {
                    self.value(&schema["additionalProperties"], &format!("{name}.*"), value, &at);
                }
                (None, Value::Null) if properties.is_some() && !exceptions::extra_field(name, field) => {
                    self.found.push(format!("{at}: not documented in {name}"));
                }
                (None, _) => {}
            }
        }
    }
}

fn names_null(wanted: &Value) -> bool {
    wanted.as_array().is_some_and(|choices| choices.iter().any(|choice| choice == "null"))
}

/// One type, or a list of those that will do (3.1).
fn has_type(wanted: &Value, value: &Value) -> bool {
    if let Some(choices) = wanted.as_array() {
        return choices.iter().any(|choice| has_type(choice, value));
    }
    match wanted.as_str() {
        Some("null") => value.is_null(),
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => true,
    }
}

/// RFC 3339, as far as it can be seen without a calendar: `2026-07-15T14:02:25.478451Z`, `…+00:00`.
fn is_date_time(text: &str) -> bool {
    let shape: String = text.chars().map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let rest = rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches('0'));
    matches!(rest, "Z" | "+00:00" | "-00:00")
}

#[test]
fn times_are_told_from_other_text() {
    assert!(is_date_time("2026-07-15T14:02:25.478451Z") && is_date_time("2024-03-05T09:44:38.949+00:00"));
    assert!(!is_date_time("2026-07-15 14:02:25") && !is_date_time("yesterday"));
}

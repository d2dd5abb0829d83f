//! Generated files are what the code generates, and they are fit for an API server.

use std::fs;

use serde_json::Value;
use technical_user_operator::plan::environment::TABLES;

use super::sources::root;

fn definitions() -> Vec<(&'static str, Value)> {
    let definitions = technical_user_operator::plan::definitions::definitions().unwrap();
    definitions.into_iter().map(|(plural, definition)| (plural, serde_json::to_value(definition).unwrap())).collect()
}

#[test]
fn definitions_are_current() {
    for (plural, definition) in definitions() {
        let text = fs::read_to_string(root().join(format!("crds/{plural}.yaml"))).unwrap();
        let written: Value = serde_saphyr::from_str(&text).unwrap();
        assert!(written == definition, "crds/{plural}.yaml is not what the code generates: make generate");
    }
}

#[test]
fn the_page_of_what_works_where_is_current() {
    let written = fs::read_to_string(root().join("docs/what-works-where.md")).unwrap();
    let page = technical_user_operator::plan::capability_page::page();
    assert!(written == page, "docs/what-works-where.md is not what the table says: make generate");
}

#[test]
fn every_environment_that_a_platform_can_name_has_a_table() {
    let definitions = definitions();
    let (_, platforms) = definitions.iter().find(|(plural, _)| *plural == "platforms").unwrap();
    let environment = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/environment/oneOf";
    let choices = platforms.pointer(environment).and_then(Value::as_array).unwrap();
    let named: Vec<_> = choices.iter().map(|choice| choice["required"][0].as_str().unwrap()).collect();
    assert_eq!(named, TABLES.map(|(name, _)| name));
}

/// Every schema in a definition, with its path.
fn schemas<'a>(path: &str, value: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(path, value);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| schemas(&format!("{path}.{key}"), value, visit)),
        Value::Array(items) => items.iter().for_each(|value| schemas(path, value, visit)),
        _ => {}
    }
}

#[test]
fn formats_are_ones_that_api_servers_know() {
    for (plural, definition) in definitions() {
        schemas(plural, &definition["spec"], &mut |path, value| {
            let format = value.get("format").and_then(Value::as_str);
            assert!(
                format.is_none_or(|format| ["int32", "int64", "date-time"].contains(&format)),
                "{path}: {format:?}"
            );
        });
    }
}

#[test]
fn every_field_of_a_spec_explains_itself() {
    for (plural, definition) in definitions() {
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        for part in ["spec", "status"] {
            schemas(part, &schema[part], &mut |path, value| {
                let fields = value.get("properties").and_then(Value::as_object);
                for (name, field) in fields.into_iter().flatten() {
                    assert!(field.get("description").is_some(), "{plural}: {path}.{name} has no description");
                }
            });
        }
    }
}

#[test]
fn every_condition_and_reason_of_the_admin_credentials_is_in_the_failure_guide() {
    let guide = fs::read_to_string(root().join("docs/failures.md")).unwrap();
    let files = ["src/api/conditions.rs", "src/plan/admin_credential/expiry.rs", "src/plan/admin_credential/rights.rs"];
    let is_word =
        |text: &str| text.len() > 3 && text.starts_with(char::is_uppercase) && text.chars().all(char::is_alphabetic);
    let mut words = 0;
    for file in files {
        let code = fs::read_to_string(root().join(file)).unwrap();
        let quoted = super::sources::without_tests(&code).split('"').skip(1).step_by(2);
        for word in quoted.filter(|text| is_word(text) && !["True", "False", "Unknown"].contains(text)) {
            assert!(guide.contains(&format!("`{word}")), "docs/failures.md does not explain {word}");
            words += 1;
        }
    }
    assert!(words >= 12, "{words} words were found");
}

#[test]
fn every_reason_is_in_the_failure_guide() {
    let guide = fs::read_to_string(root().join("docs/failures.md")).unwrap();
    let code = fs::read_to_string(root().join("src/controller/error.rs")).unwrap();
    let reasons = code.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    for reason in reasons.filter(|reason| *reason != "LostRace" && !reason.contains(' ')) {
        assert!(guide.contains(reason), "docs/failures.md does not explain {reason}");
    }
}

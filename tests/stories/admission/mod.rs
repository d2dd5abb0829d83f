//! What the API server refuses before anything happens, and what it says to write instead. Needs the CRDs, no operator.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::Stage;
use crate::harness::team::manifest;

mod platform;
mod role_binding;
mod technical_user;

/// A manifest of a kind, in a namespace that is always there.
fn of(kind: &str, spec: &Value) -> Value {
    let namespace = if kind == "Platform" { "" } else { "default" };
    manifest(kind, namespace, "admission", spec)
}

/// A spec with one field, given as a JSON pointer below it, set to something else; null takes it away.
fn with(spec: &Value, pointer: &str, value: Value) -> Value {
    let mut spec = spec.clone();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = spec.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
    match (parent, key.parse::<usize>()) {
        (Value::Array(items), Ok(index)) => items[index] = value,
        (Value::Object(fields), _) if value.is_null() => drop(fields.remove(key)),
        (Value::Object(fields), _) => drop(fields.insert(key.to_owned(), value)),
        (other, _) => panic!("{pointer} leads to {other}"),
    }
    spec
}

/// The objects of our kinds in a folder of examples.
fn example(folder: &Path) -> Vec<Value> {
    let folder = folder.to_str().expect("a path");
    let shown = ["create", "--dry-run=client", "--output=json", "--filename", folder];
    let shown = Stage::shared().kubectl().ok(&shown);
    let documents = serde_json::Deserializer::from_str(&shown).into_iter::<Value>().map(|one| one.expect("JSON"));
    let objects = documents.flat_map(|one| one["items"].as_array().cloned().unwrap_or_else(|| vec![one]));
    objects.filter(|one| one["apiVersion"] == "technicaluser.dev/v1alpha1").collect()
}

#[test]
fn every_example_is_taken() {
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).expect("examples");
    let folders = folders.map(|entry| entry.expect("an entry").path());
    let folders: Vec<_> = folders.filter(|path| path.join("platform.yaml").exists()).collect();
    assert!(folders.len() > 5, "{folders:?}");
    for folder in folders {
        let objects = example(&folder);
        assert!(objects.len() > 2, "{} has {} objects", folder.display(), objects.len());
        objects.iter().for_each(|object| taken(object["kind"].as_str().expect("a kind"), &object["spec"]));
    }
}

pub(crate) fn taken(kind: &str, spec: &Value) {
    let answer = Stage::shared().api().try_create(&of(kind, spec));
    assert!(answer.is_ok(), "{spec} is refused: {answer:?}");
}

/// The API server refuses it, and its message contains all these words.
pub(crate) fn refused(kind: &str, spec: &Value, words: &[&str]) {
    match Stage::shared().api().try_create(&of(kind, spec)) {
        Ok(_) => panic!("{kind} {spec} is taken"),
        Err(message) => said(&message, words),
    }
}

fn said(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "not {word:?} but: {message}");
    }
}

/// Once made, a change of this part of the spec is refused with this message.
fn immutable(kind: &str, name: &str, spec: &Value, part: &Value, message: &str) {
    let api = Stage::shared().api();
    let mut object = of(kind, spec);
    object["metadata"]["name"] = json!(name);
    api.apply(&object).expect("the object");
    let resource = format!("{}s", kind.to_lowercase());
    let path = crate::harness::api::path(&resource, "default", name);
    let refusal = api.patch(&path, &json!({ "spec": part })).expect_err("it cannot be changed");
    said(&refusal, &[message]);
    api.delete(&path);
}

fn long(length: usize) -> Value {
    Value::String("a".repeat(length))
}

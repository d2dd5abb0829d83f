//! What a write does to an object: compare-and-swap, the status apart, generations, finalizers.
//!
//! As `k8s.io/apiserver` does it (`registry/rest/update.go`, `registry/generic/registry/store.go`) and its strategy for
//! custom resources.

use serde_json::{Map, Value, json};

use super::address::Address;
use super::store::{Refusal, Store};

/// What the API server keeps, whatever a write says.
const KEPT: [&str; 6] = ["uid", "name", "namespace", "creationTimestamp", "deletionTimestamp", "generation"];

impl Store {
    /// `PUT`: all but the status, where there is one.
    pub fn replace(&mut self, address: &Address, mut next: Value) -> Result<Value, Refusal> {
        let old = self.objects.get(address).ok_or(Refusal::NOT_FOUND)?.as_ref().clone();
        preconditions(&old, &next["metadata"], address.kind.is_custom())?;
        if address.kind.is_custom() {
            put_or_remove(&mut next, "status", &old["status"]);
        }
        self.commit(address, &old, next)
    }

    /// `PUT` of the status: nothing else.
    pub fn replace_status(&mut self, address: &Address, next: &Value) -> Result<Value, Refusal> {
        let old = self.objects.get(address).ok_or(Refusal::NOT_FOUND)?.as_ref().clone();
        preconditions(&old, &next["metadata"], true)?;
        let mut with_status = old.clone();
        put_or_remove(&mut with_status, "status", &next["status"]);
        self.commit(address, &old, with_status)
    }

    /// `PATCH` by RFC 7386. A version or a uid in it is a precondition.
    pub fn merge(&mut self, address: &Address, patch: &Value, is_status: bool) -> Result<Value, Refusal> {
        let old = self.objects.get(address).ok_or(Refusal::NOT_FOUND)?.as_ref().clone();
        preconditions(&old, &patch["metadata"], false)?;
        let mut next = old.clone();
        if is_status {
            merge(&mut next["status"], &patch["status"]);
        } else {
            merge(&mut next, patch);
            if address.kind.is_custom() {
                put_or_remove(&mut next, "status", &old["status"]);
            }
        }
        self.commit(address, &old, next)
    }

    /// `DELETE`: at once, or when the last finalizer goes.
    pub fn delete(&mut self, address: &Address, options: &Value) -> Result<Value, Refusal> {
        let old = self.objects.get(address).ok_or(Refusal::NOT_FOUND)?.as_ref().clone();
        preconditions(&old, &options["preconditions"], false)?;
        if !has_finalizers(&old) {
            return Ok(self.take(address, old));
        }
        if old["metadata"]["deletionTimestamp"].is_string() {
            return Ok(old);
        }
        let mut next = old;
        next["metadata"]["deletionTimestamp"] = json!((self.now)().to_string());
        if let Some(generation) = next["metadata"]["generation"].as_i64() {
            next["metadata"]["generation"] = json!(generation + 1);
        }
        Ok(self.put(address, next))
    }

    /// Stores what a write made of an object. A write that changes nothing makes no version.
    fn commit(&mut self, address: &Address, old: &Value, mut next: Value) -> Result<Value, Refusal> {
        let metadata = next["metadata"].as_object_mut().ok_or(Refusal::INVALID)?;
        for field in KEPT.into_iter().chain(["resourceVersion"]) {
            match &old["metadata"][field] {
                Value::Null => drop(metadata.remove(field)),
                kept => drop(metadata.insert(field.to_owned(), kept.clone())),
            }
        }
        if next == *old {
            return Ok(next);
        }
        let deleting = old["metadata"]["deletionTimestamp"].is_string();
        if deleting && finalizers(&next).iter().any(|one| !finalizers(old).contains(one)) {
            return Err(Refusal::INVALID);
        }
        if address.kind.is_custom() && next["spec"] != old["spec"] {
            next["metadata"]["generation"] = json!(old["metadata"]["generation"].as_i64().unwrap_or_default() + 1);
        }
        if deleting && !has_finalizers(&next) {
            return Ok(self.take(address, next));
        }
        Ok(self.put(address, next))
    }
}

/// The version and the uid that a write names, if it does, must be those that are.
fn preconditions(old: &Value, asked: &Value, owes_version: bool) -> Result<(), Refusal> {
    let stands = |field: &str| matches!(&asked[field], Value::Null) || asked[field] == old["metadata"][field];
    if owes_version && !asked["resourceVersion"].is_string() {
        return Err(Refusal::INVALID);
    }
    if stands("resourceVersion") && stands("uid") { Ok(()) } else { Err(Refusal::CONFLICT) }
}

fn finalizers(object: &Value) -> &[Value] {
    object["metadata"]["finalizers"].as_array().map_or(&[], Vec::as_slice)
}

fn has_finalizers(object: &Value) -> bool {
    !finalizers(object).is_empty()
}

fn put_or_remove(object: &mut Value, field: &str, value: &Value) {
    let Some(fields) = object.as_object_mut() else { return };
    match value {
        Value::Null => drop(fields.remove(field)),
        value => drop(fields.insert(field.to_owned(), value.clone())),
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        return target.clone_from(patch);
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (field, value) in patch {
        if value.is_null() {
            put_or_remove(target, field, value);
        } else {
            merge(&mut target[field.as_str()], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Kind;
    use super::*;
    use k8s_openapi::jiff::Timestamp;

    fn store() -> (Store, Address) {
        let mut store = Store::new(|| Timestamp::UNIX_EPOCH);
        let address = Address::new(Kind::RoleBinding, "n", "a");
        let object = json!({"metadata": {"finalizers": ["f"]}, "spec": {"a": 1}, "status": {"forged": true}});
        store.create(&address, object).unwrap();
        (store, address)
    }

    #[test]
    fn the_status_is_written_apart_and_only_over_what_was_read() {
        let (mut store, address) = store();
        let read = store.get(&address).unwrap().clone();
        assert!(read["status"].is_null());
        let mut next = read.clone();
        next["status"] = json!({"a": 1});
        next["spec"] = json!({"a": 2});
        let written = store.replace_status(&address, &next).unwrap();
        assert_eq!((&written["status"]["a"], &written["spec"]["a"]), (&json!(1), &json!(1)));
        assert_eq!(store.replace_status(&address, &next), Err(Refusal::CONFLICT));
        let edited = store.merge(&address, &json!({"spec": {"a": 2}, "status": {"a": 3}}), false).unwrap();
        assert_eq!((&edited["status"]["a"], &edited["metadata"]["generation"]), (&json!(1), &json!(2)));
        let before = store.version();
        store.replace_status(&address, &edited).unwrap();
        assert_eq!(store.version(), before);
    }

    #[test]
    fn an_object_goes_with_its_last_finalizer_and_takes_no_new_ones() {
        let (mut store, address) = store();
        store.delete(&address, &Value::Null).unwrap();
        let more = json!({"metadata": {"finalizers": ["f", "g"]}});
        assert_eq!(store.merge(&address, &more, false), Err(Refusal::INVALID));
        store.merge(&address, &json!({"metadata": {"finalizers": []}}), false).unwrap();
        assert!(store.get(&address).is_none());
    }

    #[test]
    fn what_nobody_owns_any_more_is_collected() {
        let (mut store, address) = store();
        let uid = store.get(&address).unwrap()["metadata"]["uid"].clone();
        let secret = Address::new(Kind::Secret, "n", "s");
        let owner = json!({"metadata": {"ownerReferences": [{"uid": uid}]}});
        store.create(&secret, owner).unwrap();
        store.collect_garbage();
        assert!(store.get(&secret).is_some());
        store.merge(&address, &json!({"metadata": {"finalizers": null}}), false).unwrap();
        store.delete(&address, &Value::Null).unwrap();
        store.collect_garbage();
        assert!(store.get(&secret).is_none());
    }
}

//! The objects with their versions, and every change in the order in which watches tell it.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::address::{Address, Kind};

/// What the API server says instead of doing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
}

impl Refusal {
    pub const NOT_FOUND: Self = Self { code: 404, reason: "NotFound" };
    pub const EXISTS: Self = Self { code: 409, reason: "AlreadyExists" };
    pub const CONFLICT: Self = Self { code: 409, reason: "Conflict" };
    pub const INVALID: Self = Self { code: 422, reason: "Invalid" };
    pub const UNSUPPORTED: Self = Self { code: 415, reason: "UnsupportedMediaType" };
}

/// Something that a watch would tell.
#[derive(Clone, Debug)]
pub struct News {
    pub address: Address,
    pub gone: bool,
    pub object: Arc<Value>,
}

/// Everything that etcd would hold.
pub struct Store {
    pub(super) objects: BTreeMap<Address, Arc<Value>>,
    /// Counts changes.
    version: u64,
    /// Counts objects that were ever made.
    serial: u64,
    /// All changes there ever were.
    pub news: Vec<News>,
    /// What events said, which are not kept.
    pub events: Vec<String>,
    pub now: fn() -> Timestamp,
}

impl Store {
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self { objects: BTreeMap::new(), version: 0, serial: 0, news: vec![], events: vec![], now }
    }

    pub fn get(&self, address: &Address) -> Option<&Value> {
        self.objects.get(address).map(Arc::as_ref)
    }

    pub fn list<'a>(&'a self, of: &'a Address) -> impl Iterator<Item = (&'a Address, &'a Arc<Value>)> {
        self.objects.iter().filter(|(address, _)| of.covers(address))
    }

    pub fn all(&self, kind: Kind) -> Vec<Address> {
        self.list(&Address::new(kind, "", "")).map(|(address, _)| address.clone()).collect()
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// Makes an object, with all that the API server adds to it.
    pub fn create(&mut self, address: &Address, mut object: Value) -> Result<Value, Refusal> {
        if address.kind == Kind::Event {
            self.events.push(object.to_string());
            return Ok(object);
        }
        if self.objects.contains_key(address) {
            return Err(Refusal::EXISTS);
        }
        self.serial += 1;
        let serial = self.serial;
        object["apiVersion"] = json!(address.kind.api_version());
        object["kind"] = json!(address.kind.to_string());
        let metadata = object["metadata"].as_object_mut().ok_or(Refusal::INVALID)?;
        metadata.insert("name".into(), json!(address.name));
        if !address.namespace.is_empty() {
            metadata.insert("namespace".into(), json!(address.namespace));
        }
        metadata.insert("uid".into(), json!(format!("00000000-0000-0000-0000-{serial:012}")));
        metadata.insert("creationTimestamp".into(), json!((self.now)().to_string()));
        metadata.remove("deletionTimestamp");
        if address.kind.is_custom() {
            metadata.insert("generation".into(), json!(1));
            object.as_object_mut().ok_or(Refusal::INVALID)?.remove("status");
        }
        Ok(self.put(address, object))
    }

    /// Stores an object under the next version.
    pub(super) fn put(&mut self, address: &Address, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let stored = Arc::new(object.clone());
        self.news.push(News { address: address.clone(), gone: false, object: Arc::clone(&stored) });
        self.objects.insert(address.clone(), stored);
        object
    }

    /// Takes an object out.
    pub(super) fn take(&mut self, address: &Address, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.remove(address);
        self.news.push(News { address: address.clone(), gone: true, object: Arc::new(object.clone()) });
        object
    }

    /// The garbage collector: what has owners and none of them lives is deleted.
    pub fn collect_garbage(&mut self) {
        loop {
            let uids: Vec<&Value> = self.objects.values().map(|object| &object["metadata"]["uid"]).collect();
            let orphan = self.objects.iter().find(|(_, object)| {
                let owners = object["metadata"]["ownerReferences"].as_array();
                let deleting = object["metadata"]["deletionTimestamp"].is_string();
                !deleting
                    && owners.is_some_and(|all| !all.is_empty() && all.iter().all(|one| !uids.contains(&&one["uid"])))
            });
            let Some(address) = orphan.map(|(address, _)| address.clone()) else { return };
            self.delete(&address, &Value::Null).unwrap();
        }
    }
}

//! Instances that were seen and the plans that they are of, so that the origin of a credential costs no call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::platform::Provenance;

/// A plan with what is worth knowing of its offering.
pub struct Plan {
    /// The platform's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The offering's name.
    pub offering: String,
    /// The offering's tags.
    pub tags: Vec<String>,
}

impl Plan {
    /// Where the credentials of an instance of this plan come from.
    pub fn provenance(&self, instance: &str, seen: Seen) -> Provenance {
        Provenance {
            label: self.offering.clone(),
            plan: self.name.clone(),
            instance_name: seen.name,
            instance_guid: instance.to_owned(),
            tags: self.tags.clone(),
        }
    }
}

/// What is kept in mind of an instance.
#[derive(Clone)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// The id of its plan.
    pub plan: String,
}

/// The instances that were seen, by their ids.
#[derive(Default)]
pub struct Instances(Mutex<HashMap<String, Seen>>);

impl Instances {
    /// What was seen of this one.
    pub fn get(&self, id: &str) -> Option<Seen> {
        self.seen().get(id).cloned()
    }

    /// Keeps one more in mind.
    pub fn remember(&self, id: &str, seen: Seen) -> Seen {
        self.seen().insert(id.to_owned(), seen.clone());
        seen
    }

    /// Keeps what was listed in mind, and nothing else.
    pub fn remember_only(&self, all: impl Iterator<Item = (String, Seen)>) {
        *self.seen() = all.collect();
    }

    /// It is gone.
    pub fn forget(&self, id: &str) {
        self.seen().remove(id);
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

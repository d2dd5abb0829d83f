//! The newest version of each object that we wrote, until the cache has caught up: a reconcile that started from an older
//! one would plan from a record that has already changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::core::ObjectMeta;

/// Stands for a version that nothing is at least as new as.
const UNKNOWN: &str = "unknown";

/// Versions that the cache has yet to show, by uid.
#[derive(Default)]
pub struct Versions(Mutex<HashMap<String, String>>);

impl Versions {
    /// We wrote this.
    pub fn wrote(&self, object: &ObjectMeta) {
        if let (Some(uid), Some(version)) = (&object.uid, &object.resource_version) {
            self.newest().insert(uid.clone(), version.clone());
        }
    }

    /// The API server has a version that we do not know.
    pub fn lost(&self, object: &ObjectMeta) {
        if let Some(uid) = &object.uid {
            self.newest().insert(uid.clone(), UNKNOWN.to_owned());
        }
    }

    /// The object is gone.
    pub fn forget(&self, uid: &str) {
        self.newest().remove(uid);
    }

    /// Whether a cached object is older than what we wrote last. Versions that cannot be compared count as older.
    pub fn is_behind(&self, cached: &ObjectMeta) -> bool {
        let (Some(uid), Some(version)) = (&cached.uid, &cached.resource_version) else { return true };
        let mut newest = self.newest();
        let Some(written) = newest.get(uid) else { return false };
        if is_at_least(version, written) {
            newest.remove(uid);
            return false;
        }
        true
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn newest(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resource versions of one kind are decimal numbers that grow (Kubernetes API concepts, "Resource versions").
fn is_at_least(version: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<u128>().ok();
    version == other || number(version).zip(number(other)).is_some_and(|(version, other)| version >= other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_older_than_our_own_write_is_behind() {
        let of = |version: &str| ObjectMeta {
            uid: Some("u".into()),
            resource_version: Some(version.into()),
            ..ObjectMeta::default()
        };
        let versions = Versions::default();
        assert!(!versions.is_behind(&of("1")));
        versions.wrote(&of("10"));
        assert!(versions.is_behind(&of("9")) && versions.is_behind(&of("odd")));
        assert!(!versions.is_behind(&of("10")) && !versions.is_behind(&of("9")), "it has caught up");
        assert!(versions.is_behind(&ObjectMeta::default()));
        versions.lost(&of("10"));
        assert!(versions.is_behind(&of("11")), "only a live read tells");
        versions.forget("u");
        assert!(versions.newest().is_empty());
    }
}

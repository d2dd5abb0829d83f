//! The Secrets that we have just written and the watch has yet to tell of: that news wakes nobody.
//!
//! It only ever saves a look. A watch that is faster than the answer to the write wakes the object for nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::core::ObjectMeta;

/// The version that we wrote last, by the Secret's uid, until the watch tells anything of that Secret.
#[derive(Default)]
pub struct Written(Mutex<HashMap<String, String>>);

impl Written {
    /// We wrote this.
    pub fn remember(&self, secret: &ObjectMeta) {
        if let (Some(uid), Some(version)) = (&secret.uid, &secret.resource_version) {
            self.versions().insert(uid.clone(), version.clone());
        }
    }

    /// The watch has told of this. Whether it is as we wrote it.
    pub fn tells_of(&self, secret: &ObjectMeta) -> bool {
        let ours = secret.uid.as_ref().and_then(|uid| self.versions().remove(uid));
        ours.is_some() && ours == secret.resource_version
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn versions(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_that_was_written_is_ours_and_only_once() {
        let of = |version: &str| ObjectMeta {
            uid: Some("u".into()),
            resource_version: Some(version.into()),
            ..ObjectMeta::default()
        };
        let written = Written::default();
        written.remember(&of("1"));
        assert!(!written.tells_of(&of("2")));
        written.remember(&of("1"));
        assert!(written.tells_of(&of("1")));
        assert!(!written.tells_of(&of("1")));
    }
}

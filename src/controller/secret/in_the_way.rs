//! The Secrets of others that stand in somebody's way and are being watched.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::controller::index::Key;

/// Which Secrets are waited for.
#[derive(Default)]
pub struct InTheWay(Mutex<HashSet<Key>>);

impl InTheWay {
    /// Whether nobody waits for this one yet.
    pub fn begin(&self, secret: &Key) -> bool {
        self.waited_for().insert(secret.clone())
    }

    /// It is gone.
    pub fn end(&self, secret: &Key) {
        self.waited_for().remove(secret);
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn waited_for(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

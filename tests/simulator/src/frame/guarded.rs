//! A value behind a lock that is only ever held for the length of a closure, so never across an `await`.

use std::sync::{PoisonError, RwLock};

/// Shared state of the simulator. A panic while it was locked does not make it unusable.
#[derive(Default)]
pub(crate) struct Guarded<T>(RwLock<T>);

impl<T> Guarded<T> {
    /// Puts a value behind a lock.
    pub(crate) fn new(value: T) -> Self {
        Self(RwLock::new(value))
    }

    /// Looks at the value.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the value.
    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

//! The operations that an API has refused for want of a right, and not taken since. In memory only: the next try tells again.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an API thinks of the rights of whoever calls it.
#[derive(Default)]
pub struct Forbidden {
    operations: Mutex<BTreeSet<&'static str>>,
}

impl Forbidden {
    /// An operation was refused.
    pub fn refused(&self, operation: &'static str) {
        self.set().insert(operation);
    }

    /// An operation was taken, or nobody needs it.
    pub fn taken(&self, operation: &'static str) {
        self.set().remove(operation);
    }

    /// Those that are refused.
    pub fn operations(&self) -> BTreeSet<&'static str> {
        self.set().clone()
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn set(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_refused_until_it_is_taken() {
        let forbidden = Forbidden::default();
        forbidden.refused("create user");
        forbidden.taken("list users");
        assert_eq!(forbidden.operations(), ["create user"].into());
        forbidden.taken("create user");
        assert_eq!(forbidden.operations(), BTreeSet::new());
    }
}

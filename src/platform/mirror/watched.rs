//! The grants of a scope that somebody asks about. A picture holds these and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::plan::grant::Grant;

/// How many times a grant is read again without anyone asking before it is said to whom it concerns.
pub(super) const UNSEEN_READS: u32 = 8;

/// Grants, and how many reads ago somebody asked about each.
#[derive(Default)]
pub(super) struct Watched(Mutex<BTreeMap<Grant, u32>>);

impl Watched {
    /// Somebody asks about these.
    pub(super) fn watch<'a>(&self, grants: impl IntoIterator<Item = &'a Grant>) {
        let mut watched = self.watched();
        for grant in grants {
            match watched.get_mut(grant) {
                Some(unseen) => *unseen = 0,
                None => drop(watched.insert(grant.clone(), 0)),
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<Grant> {
        self.watched().keys().cloned().collect()
    }

    /// Whether nobody asks about anything.
    pub(super) fn is_empty(&self) -> bool {
        self.watched().is_empty()
    }

    /// Counts a read. Those that nobody has asked about for long are returned, once: whoever needs them asks, and so
    /// keeps them; otherwise they are dropped.
    pub(super) fn grow_old(&self) -> Vec<Grant> {
        let mut watched = self.watched();
        watched.retain(|_, unseen| {
            *unseen += 1;
            *unseen <= UNSEEN_READS
        });
        watched.iter().filter(|(_, unseen)| **unseen == UNSEEN_READS).map(|(grant, _)| grant.clone()).collect()
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn watched(&self) -> MutexGuard<'_, BTreeMap<Grant, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

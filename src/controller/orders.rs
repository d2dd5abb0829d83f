//! Orders whose outcome is not known: until such an order can no longer appear, nothing is ordered a second time and no
//! object is let go. In memory only: what a process before us may have ordered is in doubt from our own start.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Manifests that are applied together come one after the other, within this time.
pub const APPLIED_TOGETHER: Duration = Duration::from_millis(500);

/// The orders of this process, by the uid of the object that they were for.
pub struct Orders {
    limit: Duration,
    began: Instant,
    last: Mutex<HashMap<String, Outcome>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing was ever ordered, or what was is known not to have been made. Known since then.
    Nothing(Instant),
    Known,
    Unknown(Instant),
}

impl Orders {
    /// An order can no longer appear once this time has passed.
    pub fn new(limit: Duration) -> Self {
        Self { limit, began: Instant::now(), last: Mutex::default() }
    }

    /// The object is new: nothing was ever ordered for it.
    pub fn new_object(&self, uid: &str) {
        let mut last = self.last();
        if !matches!(last.get(uid), Some(Outcome::Nothing(_))) {
            last.insert(uid.to_owned(), Outcome::Nothing(Instant::now()));
        }
    }

    /// Whether nothing was ever made for it.
    pub fn has_nothing(&self, uid: &str) -> bool {
        matches!(self.last().get(uid), Some(Outcome::Nothing(_)))
    }

    /// Whether nothing was ever made for it, and it came so recently that what was applied with it may be on its way.
    pub fn just_came(&self, uid: &str) -> bool {
        matches!(self.last().get(uid), Some(Outcome::Nothing(since)) if since.elapsed() < APPLIED_TOGETHER)
    }

    /// Its last order was answered, and something was made.
    pub fn known(&self, uid: &str) {
        self.last().insert(uid.to_owned(), Outcome::Known);
    }

    /// Its last order was sent, and nothing tells what has come of it.
    pub fn unknown(&self, uid: &str) {
        self.last().insert(uid.to_owned(), Outcome::Unknown(Instant::now()));
    }

    /// Whether its last order in this process was sent and not answered.
    pub fn was_unknown(&self, uid: &str) -> bool {
        matches!(self.last().get(uid), Some(Outcome::Unknown(_)))
    }

    /// Whether something may yet appear that was ordered for it.
    pub fn in_doubt(&self, uid: &str) -> bool {
        let since = match self.last().get(uid) {
            Some(Outcome::Nothing(_) | Outcome::Known) => return false,
            Some(Outcome::Unknown(since)) => *since,
            None => self.began,
        };
        since.elapsed() < self.limit
    }

    /// The object is gone.
    pub fn forget(&self, uid: &str) {
        self.last().remove(uid);
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn last(&self) -> MutexGuard<'_, HashMap<String, Outcome>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_in_doubt_until_it_can_no_longer_appear() {
        let orders = Orders::new(Duration::from_secs(60));
        assert!(orders.in_doubt("of a process before us"));
        orders.new_object("new");
        assert!(orders.has_nothing("new") && !orders.in_doubt("new"));
        assert!(orders.just_came("new") && !orders.just_came("of a process before us"));
        tokio::time::advance(APPLIED_TOGETHER).await;
        orders.new_object("new");
        assert!(!orders.just_came("new"), "to be looked at again makes nothing newer");
        tokio::time::advance(Duration::from_secs(30)).await;
        orders.unknown("new");
        tokio::time::advance(Duration::from_secs(40)).await;
        assert!(orders.in_doubt("new") && !orders.in_doubt("of a process before us"));
        tokio::time::advance(Duration::from_secs(40)).await;
        assert!(!orders.in_doubt("new"));
        orders.forget("new");
        assert!(!orders.was_unknown("new") && orders.last().is_empty());
    }
}

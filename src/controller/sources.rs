//! Which TechnicalUsers take a certificate from which Secret, kept up to date from the watch. It wakes, and proves nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::index::Key;

/// The Secrets by TechnicalUser, and the other way round.
#[derive(Default)]
pub struct Sources(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    by_user: HashMap<Key, Key>,
    by_secret: BTreeMap<Key, BTreeSet<Key>>,
}

impl Sources {
    /// A TechnicalUser takes its certificate from this Secret of its namespace, or from none any more.
    pub fn takes(&self, user: &Key, secret: Option<&str>) {
        let mut inner = self.inner();
        inner.forget(user);
        if let Some(name) = secret {
            let secret = (user.0.clone(), name.to_owned());
            inner.by_secret.entry(secret.clone()).or_default().insert(user.clone());
            inner.by_user.insert(user.clone(), secret);
        }
    }

    /// The TechnicalUsers that take theirs from this Secret.
    pub fn takers(&self, secret: &Key) -> BTreeSet<Key> {
        self.inner().by_secret.get(secret).cloned().unwrap_or_default()
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget(&mut self, user: &Key) {
        let Some(secret) = self.by_user.remove(user) else { return };
        if let Some(users) = self.by_secret.get_mut(&secret) {
            users.remove(user);
            if users.is_empty() {
                self.by_secret.remove(&secret);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_from_another_secret_is_woken_by_that_one_alone() {
        let key = |name: &str| ("orders".to_owned(), name.to_owned());
        let (sources, user) = (Sources::default(), key("intake"));
        sources.takes(&user, Some("old"));
        sources.takes(&user, Some("new"));
        assert_eq!(
            (sources.takers(&key("old")).len(), sources.takers(&key("new"))),
            (0, BTreeSet::from([user.clone()]))
        );
        sources.takes(&user, None);
        assert!(sources.takers(&key("new")).is_empty() && sources.inner().by_secret.is_empty());
    }
}

//! What was looked up, kept for a while: names to guids and back.
//!
//! All who ask for the same at once share one look-up, and nobody waits for a look-up of something else. That there is
//! no such thing is kept for a moment too, or every object that names it would ask again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use crate::platform::error::{Error, Kind, Result};

/// How long what was found is believed: names are given to something else now and then.
const KEPT: Duration = Duration::from_mins(10);
/// How long it is believed that there is none.
const MISSED: Duration = Duration::from_secs(10);

/// What is known so far. Cheap to clone.
pub struct Known<K, V> {
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    found: BTreeMap<K, (Instant, Arc<V>)>,
    missed: BTreeMap<K, (Instant, Arc<Error>)>,
    looking: BTreeMap<K, WeakShared<Looking<V>>>,
}

type Looking<V> = BoxFuture<'static, Result<Arc<V>, Arc<Error>>>;

impl<K, V> Clone for Known<K, V> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        let state = State { found: BTreeMap::new(), missed: BTreeMap::new(), looking: BTreeMap::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }
}

impl<K: Ord + Clone + Send + 'static, V: Send + Sync + 'static> Known<K, V> {
    /// What is known of this, or what `look` finds. A look-up that fails with [`Kind::NotFound`] or [`Kind::Invalid`] says
    /// that there is none.
    pub async fn get<F>(&self, key: K, look: F) -> Result<Arc<V>>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        let looking = {
            let mut state = self.state();
            if let Some(answer) = state.answer(&key) {
                return answer;
            }
            self.join(&mut state, key, look)
        };
        looking.await.map_err(|error| error.share())
    }

    /// Forgets what was found: the platform has refused it, or it must be known anew.
    pub fn forget(&self, is_it: impl Fn(&K, &V) -> bool) {
        self.state().found.retain(|key, (_, value)| !is_it(key, value));
    }

    /// The look-up that is under way, or a new one.
    fn join<F>(&self, state: &mut State<K, V>, key: K, look: F) -> Shared<Looking<V>>
    where
        F: Future<Output = Result<V>> + Send + 'static,
    {
        if let Some(looking) = state.looking.get(&key).and_then(WeakShared::upgrade) {
            return looking;
        }
        let (known, wanted): (Self, K) = (self.clone(), key.clone());
        let look = async move {
            let outcome = look.await;
            known.state().land(wanted, outcome)
        };
        let looking = look.boxed().shared();
        state.looking.extend(looking.downgrade().map(|weak| (key, weak)));
        looking
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord, V> State<K, V> {
    fn answer(&self, key: &K) -> Option<Result<Arc<V>>> {
        if let Some((since, found)) = self.found.get(key)
            && since.elapsed() < KEPT
        {
            return Some(Ok(Arc::clone(found)));
        }
        let (since, error) = self.missed.get(key)?;
        let left = MISSED.checked_sub(since.elapsed())?;
        Some(Err(error.share().retry_after(Some(left))))
    }

    fn land(&mut self, key: K, outcome: Result<V>) -> Result<Arc<V>, Arc<Error>> {
        self.looking.remove(&key);
        self.missed.retain(|_, (since, _)| since.elapsed() < MISSED);
        let found = outcome.map(Arc::new).map_err(Arc::new);
        match &found {
            Ok(value) => drop(self.found.insert(key, (Instant::now(), Arc::clone(value)))),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Invalid) => {
                self.missed.insert(key, (Instant::now(), Arc::clone(error)));
            }
            Err(_) => {}
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_look_up_serves_all_until_it_is_forgotten_and_a_miss_is_remembered() {
        let (known, looks) = (Known::<&str, u8>::default(), Arc::new(AtomicUsize::new(0)));
        let look = |outcome: Result<u8, Kind>| {
            let looks = Arc::clone(&looks);
            async move {
                looks.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                outcome.map_err(|kind| Error::new(kind, "test"))
            }
        };
        let (one, other) = tokio::join!(known.get("a", look(Ok(1))), known.get("a", look(Ok(2))));
        assert_eq!((*one.unwrap(), *other.unwrap(), looks.load(Ordering::Relaxed)), (1, 1, 1));
        known.forget(|key, value| *key == "a" && *value == 1);
        assert_eq!((*known.get("a", look(Ok(3))).await.unwrap(), looks.load(Ordering::Relaxed)), (3, 2));
        for _ in 0..2 {
            let missing = known.get("b", look(Err(Kind::NotFound))).await.unwrap_err();
            assert_eq!((missing.kind(), looks.load(Ordering::Relaxed)), (Kind::NotFound, 3));
        }
        for count in [4, 5] {
            known.get("c", look(Err(Kind::Unavailable))).await.unwrap_err();
            assert_eq!(looks.load(Ordering::Relaxed), count, "an outage is no miss");
        }
    }
}

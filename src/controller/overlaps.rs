//! For how long a superseded credential has been watched, by a clock that does not jump. What is on record counts from
//! before; what nobody watched does not count, so that a credential stays in force too long rather than too short.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::SupersededStatus;

/// What is watched: by the object's uid and the credential's number, since when, and how much was on record then.
#[derive(Default)]
pub struct Overlaps(Mutex<HashMap<(String, i64), (Instant, i64)>>);

impl Overlaps {
    /// How long another has stood in a credential's place, also while that was not on record.
    pub fn overlapped(&self, uid: &str, superseded: &SupersededStatus) -> Duration {
        let recorded = superseded.overlapped_seconds;
        let mut watched = self.watched();
        let (since, from) =
            watched.entry((uid.to_owned(), superseded.sequence)).or_insert_with(|| (Instant::now(), recorded));
        Duration::from_secs(from.unsigned_abs()) + since.elapsed()
    }

    /// Forgets everything of an object but these credentials.
    pub fn retain(&self, uid: &str, superseded: &[SupersededStatus]) {
        let still = |sequence: &i64| superseded.iter().any(|one| one.sequence == *sequence);
        self.watched().retain(|(of, sequence), _| of != uid || still(sequence));
    }

    /// How many are watched.
    pub fn count(&self) -> usize {
        self.watched().len()
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn watched(&self) -> MutexGuard<'_, HashMap<(String, i64), (Instant, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn superseded(seconds: i64) -> SupersededStatus {
        let name = "tuo-1".to_owned();
        SupersededStatus { name, id: None, sequence: 1, overlapped_seconds: seconds, waits_for: vec![] }
    }

    #[tokio::test(start_paused = true)]
    async fn time_counts_on_from_what_is_on_record_and_not_twice_when_it_is_recorded() {
        let overlaps = Overlaps::default();
        assert_eq!(overlaps.overlapped("u", &superseded(60)), Duration::from_secs(60));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(overlaps.overlapped("u", &superseded(60)), Duration::from_secs(90));
        assert_eq!(overlaps.overlapped("u", &superseded(90)), Duration::from_secs(90));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_gone_is_forgotten() {
        let overlaps = Overlaps::default();
        overlaps.overlapped("u", &superseded(60));
        tokio::time::advance(Duration::from_secs(30)).await;
        overlaps.retain("another", &[]);
        assert_eq!(overlaps.overlapped("u", &superseded(0)), Duration::from_secs(90));
        overlaps.retain("u", &[]);
        assert_eq!(overlaps.overlapped("u", &superseded(0)), Duration::ZERO);
    }
}

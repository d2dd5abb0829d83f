//! The simulator's time: the system's, plus what the control API has added. Nothing else reads the system clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A clock that can be moved forward, never back.
#[derive(Default)]
pub(crate) struct Clock {
    ahead_millis: AtomicU64,
}

impl Clock {
    /// Time since the Unix epoch, as this simulator sees it.
    pub(crate) fn now(&self) -> Duration {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        system + Duration::from_millis(self.ahead_millis.load(Ordering::Relaxed))
    }

    /// Moves the clock forward, for everything at once.
    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Back to the system's time.
    pub(crate) fn reset(&self) {
        self.ahead_millis.store(0, Ordering::Relaxed);
    }

    /// Now, with microseconds and `Z`: `2026-07-15T14:02:25.478451Z`.
    pub(crate) fn stamp(&self) -> String {
        format(self.now(), "%Y-%m-%dT%H:%M:%S%.6fZ")
    }
}

/// A moment in `strftime` notation, in UTC.
pub(crate) fn format(moment: Duration, pattern: &str) -> String {
    let micros = i64::try_from(moment.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX).strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_every_reading() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_hours(1));
        assert!(clock.now() >= before + Duration::from_hours(1));
        clock.reset();
        assert!(clock.now() < before + Duration::from_hours(1));
    }

    #[test]
    fn a_stamp_has_microseconds_and_z() {
        let text = format(Duration::from_micros(1_784_124_145_478_451), "%Y-%m-%dT%H:%M:%S%.6fZ");
        assert_eq!(text, "2026-07-15T14:02:25.478451Z");
    }
}

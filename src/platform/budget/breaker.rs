//! The breaker: after repeated failure of a platform it stops asking for a while, then lets one call probe.
//!
//! Pure: the clock is a parameter.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
const PATIENCE: u32 = 5;
/// How long it first stays open; doubles each time that the probe fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long it stays open at most.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Failures within this time speak of the same mishap and count once.
const ONE_BURST: Duration = Duration::from_secs(1);

/// Counts failures in a row, whoever saw them.
#[derive(Clone, Copy, Debug)]
pub struct Breaker {
    patience: u32,
    failures: u32,
    counted: Option<Instant>,
    open_until: Option<Instant>,
    probing: bool,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::after(PATIENCE)
    }
}

impl Breaker {
    /// One that opens at this many failures in a row, of which at most one a second counts.
    pub const fn after(patience: u32) -> Self {
        Self { patience, failures: 0, counted: None, open_until: None, probing: false }
    }

    /// Whether a call may go out; otherwise after what time to come back. An open breaker whose pause is over lets one
    /// call through, the probe.
    pub fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(until) = self.open_until else { return Ok(()) };
        if now < until {
            return Err(until - now);
        }
        if self.probing {
            return Err(FIRST_PAUSE);
        }
        self.probing = true;
        Ok(())
    }

    /// How long it is still open, if it is.
    pub fn open_for(&self, now: Instant) -> Option<Duration> {
        self.open_until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// The platform answered, whatever it said.
    pub fn answered(&mut self) {
        *self = Self::after(self.patience);
    }

    /// The platform was not there, or not well.
    pub fn failed(&mut self, now: Instant) {
        // While it is open nothing goes out: these calls were on their way already, and tell nothing new.
        let on_its_way = self.open_until.is_some_and(|until| now < until);
        let same_burst = self.counted.is_some_and(|counted| now.saturating_duration_since(counted) < ONE_BURST);
        if on_its_way || (same_burst && !self.probing) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.counted = Some(now);
        self.probing = false;
        if self.failures >= self.patience {
            let doublings = (self.failures - self.patience).min(6);
            self.open_until = Some(now + (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE));
        }
    }

    /// A call was given up before it had an answer: if it was the probe, another may probe.
    pub fn abandoned(&mut self) {
        self.probing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that has just opened, and when.
    fn opened() -> (Breaker, Instant) {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        breaker.failed(now);
        for _ in 1..PATIENCE {
            now += ONE_BURST;
            breaker.failed(now);
        }
        (breaker, now)
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            for _ in 1..PATIENCE {
                breaker.failed(now);
                now += ONE_BURST;
            }
            breaker.answered();
        }
        assert_eq!(breaker.admit(now), Ok(()));
        let (mut breaker, now) = opened();
        assert_eq!(breaker.admit(now), Err(FIRST_PAUSE));
    }

    #[test]
    fn calls_that_fail_together_count_once() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        (0..64).for_each(|_| breaker.failed(now));
        assert_eq!(breaker.admit(now), Ok(()), "64 calls met one mishap");
        let (mut breaker, now) = opened();
        (0..64).for_each(|_| breaker.failed(now));
        assert_eq!(breaker.admit(now), Err(FIRST_PAUSE), "nor does the pause grow by those on their way");
    }

    #[test]
    fn one_probe_goes_out_and_decides() {
        let (mut breaker, now) = opened();
        let later = now + FIRST_PAUSE;
        assert_eq!(breaker.admit(later), Ok(()), "the probe");
        assert!(breaker.admit(later).is_err(), "one at a time");
        breaker.failed(later);
        assert_eq!(breaker.admit(later), Err(FIRST_PAUSE * 2), "a failed probe doubles the pause");
        let later = later + FIRST_PAUSE * 2;
        assert_eq!(breaker.admit(later), Ok(()));
        breaker.answered();
        assert_eq!(breaker.admit(later), Ok(()), "closed again");
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn an_abandoned_probe_does_not_block_the_next() {
        let (mut breaker, now) = opened();
        let later = now + FIRST_PAUSE;
        assert_eq!(breaker.admit(later), Ok(()));
        breaker.abandoned();
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn the_pause_is_capped() {
        let (mut breaker, mut now) = opened();
        for _ in 0..20 {
            now += LONGEST_PAUSE;
            assert_eq!(breaker.admit(now), Ok(()));
            breaker.failed(now);
        }
        assert_eq!(breaker.admit(now), Err(LONGEST_PAUSE));
    }

    #[test]
    fn one_that_has_no_patience_opens_at_once() {
        let now = Instant::now();
        let mut breaker = Breaker::after(1);
        breaker.failed(now);
        assert_eq!(breaker.admit(now), Err(FIRST_PAUSE));
        breaker.answered();
        assert_eq!(breaker.admit(now), Ok(()));
    }
}

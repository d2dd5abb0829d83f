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

/// Counts failures in a row, whoever saw them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
    probing: bool,
}

impl Breaker {
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

    /// The platform answered, whatever it said.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The platform was not there, or not well.
    pub fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.probing = false;
        if self.failures >= PATIENCE {
            let doublings = (self.failures - PATIENCE).min(6);
            let pause = FIRST_PAUSE * 2_u32.pow(doublings);
            // Calls that were already on their way when it opened must not shorten the pause.
            self.open_until = self.open_until.max(Some(now + pause.min(LONGEST_PAUSE)));
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

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        (0..PATIENCE).for_each(|_| breaker.failed(now));
        breaker
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            (1..PATIENCE).for_each(|_| breaker.failed(now));
            breaker.answered();
        }
        assert_eq!(breaker.admit(now), Ok(()));
        assert_eq!(opened(now).admit(now), Err(FIRST_PAUSE));
    }

    #[test]
    fn one_probe_goes_out_and_decides() {
        let now = Instant::now();
        let mut breaker = opened(now);
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
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + FIRST_PAUSE;
        assert_eq!(breaker.admit(later), Ok(()));
        breaker.abandoned();
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn the_pause_is_capped() {
        let now = Instant::now();
        let mut breaker = opened(now);
        (0..1000).for_each(|_| breaker.failed(now));
        assert_eq!(breaker.admit(now), Err(LONGEST_PAUSE));
    }
}

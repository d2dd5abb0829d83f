//! How fast calls may go out: a configured pace where the platform documents one, and what its answers teach us.
//!
//! Pure: the clock is a parameter. It decides for one call at a time; who asks first is the shell's business.

use std::time::{Duration, Instant};

use super::breaker::Breaker;

/// A throttled platform is asked this much more slowly.
const SLOW_DOWN: f64 = 0.5;
/// A second without throttling lets the pace grow by this much.
const RECOVERY: f64 = 1.2;
/// A platform without a documented pace is taken to bear at least this, or one stray answer would stop a quiet one.
const FIRST_GUESS: f64 = 8.0;
/// Never slower than this, or a burst of throttled answers would stop us for good.
const SLOWEST: f64 = 0.5;
/// A learned pace above this is no limit any more.
const UNLIMITED: f64 = 400.0;
/// Throttled answers within this time speak of the same burst and slow us down once.
const ONE_BURST: Duration = Duration::from_secs(1);
/// How long to stay away after a throttled answer that does not say.
const DEFAULT_COOLING: Duration = Duration::from_secs(1);

/// A pace that a platform documents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Calls per second in the long run.
    pub per_second: f64,
    /// Calls at once after a rest.
    pub burst: f64,
}

/// What a call may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go out. It counts as in flight until [`Limiter::finished`].
    Go,
    /// Ask again after this time.
    Wait(Duration),
    /// Ask again when a call in flight has ended.
    Full,
    /// Give up: the platform is down, come back after this time.
    Down(Duration),
}

/// How a call ended, as far as the pace is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform answered, whatever it said; it may have said that the budget is used up until later.
    Answered(Option<Duration>),
    /// The platform asked us to slow down, and perhaps for how long.
    Throttled(Option<Duration>),
    /// The platform was not there, or not well, and perhaps said for how long.
    Unavailable(Option<Duration>),
    /// The caller gave up before there was an answer.
    Abandoned,
}

/// The state of one budget.
#[derive(Debug)]
pub struct Limiter {
    configured: Option<Pace>,
    /// What throttling taught us; never faster than the configured pace.
    learned: Option<f64>,
    tokens: f64,
    refilled: Instant,
    in_flight: usize,
    max_in_flight: usize,
    cool_until: Option<Instant>,
    slowed: Option<Instant>,
    started: Meter,
    breaker: Breaker,
}

impl Limiter {
    /// A budget that nobody has used yet.
    pub fn new(configured: Option<Pace>, max_in_flight: usize, now: Instant) -> Self {
        Self {
            configured,
            learned: None,
            tokens: configured.map_or(1.0, |pace| pace.burst),
            refilled: now,
            in_flight: 0,
            max_in_flight,
            cool_until: None,
            slowed: None,
            started: Meter::new(now),
            breaker: Breaker::default(),
        }
    }

    /// Whether the next call may go out.
    pub fn ask(&mut self, now: Instant) -> Decision {
        self.refill(now);
        if let Some(until) = self.cool_until.filter(|until| *until > now) {
            return Decision::Wait(until - now);
        }
        if self.in_flight >= self.max_in_flight {
            return Decision::Full;
        }
        if let Some(wait) = self.until_next_token() {
            return Decision::Wait(wait);
        }
        if let Err(wait) = self.breaker.admit(now) {
            return Decision::Down(wait);
        }
        self.tokens -= 1.0;
        self.in_flight += 1;
        self.started.count(now);
        Decision::Go
    }

    /// A call that went out has ended.
    pub fn finished(&mut self, outcome: Outcome, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match outcome {
            Outcome::Answered(cooling) => {
                self.breaker.answered();
                self.cool(cooling, now);
            }
            Outcome::Throttled(cooling) => {
                self.breaker.answered();
                self.cool(Some(cooling.unwrap_or(DEFAULT_COOLING)), now);
                self.slow_down(now);
            }
            Outcome::Unavailable(cooling) => {
                self.breaker.failed(now);
                self.cool(cooling, now);
            }
            Outcome::Abandoned => self.breaker.abandoned(),
        }
    }

    fn cool(&mut self, cooling: Option<Duration>, now: Instant) {
        self.cool_until = self.cool_until.max(cooling.map(|wait| now + wait));
    }

    fn slow_down(&mut self, now: Instant) {
        if self.slowed.is_some_and(|slowed| now.duration_since(slowed) < ONE_BURST) {
            return;
        }
        let seen = self.started.per_second(now).max(FIRST_GUESS);
        let pace = self.per_second().unwrap_or(seen);
        self.learned = Some((pace * SLOW_DOWN).max(SLOWEST));
        self.tokens = self.tokens.min(1.0);
        self.slowed = Some(now);
    }

    /// The pace in force, or `None` where nothing limits it.
    fn per_second(&self) -> Option<f64> {
        self.learned.or(self.configured.map(|pace| pace.per_second))
    }

    fn burst(&self) -> f64 {
        // After throttling there is no burst until the configured pace is reached again.
        if self.learned.is_some() { 1.0 } else { self.configured.map_or(1.0, |pace| pace.burst) }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = self.refilled.max(now);
        self.tokens = match self.per_second() {
            Some(per_second) => (self.tokens + elapsed * per_second).min(self.burst()),
            None => 1.0,
        };
        let cooling = self.cool_until.is_some_and(|until| until > now);
        if let Some(learned) = self.learned.filter(|_| !cooling) {
            let grown = learned * RECOVERY.powf(elapsed);
            let ceiling = self.configured.map_or(UNLIMITED, |pace| pace.per_second);
            self.learned = (grown < ceiling).then_some(grown);
        }
    }

    fn until_next_token(&self) -> Option<Duration> {
        let missing = 1.0 - self.tokens;
        // A billionth of a token is rounding, not a debt.
        (missing > 1e-9).then(|| Duration::from_secs_f64(missing / self.per_second().unwrap_or(UNLIMITED)))
    }
}

/// Calls that went out lately, by which an undocumented limit is guessed once it shows.
#[derive(Debug)]
struct Meter {
    window: Instant,
    current: f64,
    previous: f64,
}

impl Meter {
    const WINDOW: Duration = Duration::from_secs(1);

    const fn new(now: Instant) -> Self {
        Self { window: now, current: 0.0, previous: 0.0 }
    }

    fn count(&mut self, now: Instant) {
        self.roll(now);
        self.current += 1.0;
    }

    fn per_second(&mut self, now: Instant) -> f64 {
        self.roll(now);
        self.current.max(self.previous)
    }

    fn roll(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.window);
        if elapsed >= Self::WINDOW {
            self.previous = if elapsed < Self::WINDOW * 2 { self.current } else { 0.0 };
            self.current = 0.0;
            self.window = now;
        }
    }
}

#[cfg(test)]
#[path = "limiter_tests.rs"]
mod tests;

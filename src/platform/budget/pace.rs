//! The pace of one lane: what the platform documents, and what its answers teach us.
//!
//! Pure: the clock is a parameter. It knows no other lane, and not how many calls are under way.

use std::time::{Duration, Instant};

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
/// How long a limit that the platform has shown is kept to. It may have been raised since.
const BELIEVED: Duration = Duration::from_hours(1);

/// So many calls in so much time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Calls per second in the long run.
    pub per_second: f64,
    /// Calls at once after a rest.
    pub burst: f64,
}

impl Pace {
    /// What a platform that counts by the minute allows.
    pub const fn a_minute(calls: f64) -> Self {
        Self { per_second: calls / 60.0, burst: calls }
    }
}

/// What is known of a lane's limit before the first call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Nothing: answers teach it.
    Unknown,
    /// Kept to from the first call on.
    Kept(Pace),
    /// Documented, but perhaps raised for this customer: kept to for a while once the platform has shown it.
    OnceShown(Pace),
}

/// Says when the next call of a lane may go out.
#[derive(Debug)]
pub struct Pacer {
    limit: Limit,
    shown_until: Option<Instant>,
    /// What throttling taught us; never faster than the limit.
    learned: Option<f64>,
    tokens: f64,
    refilled: Instant,
    cool_until: Option<Instant>,
    slowed: Option<Instant>,
    started: Meter,
    promised: Instant,
}

impl Pacer {
    /// A lane that nobody has used yet.
    pub fn new(limit: Limit, now: Instant) -> Self {
        Self {
            limit,
            shown_until: None,
            learned: None,
            tokens: if let Limit::Kept(pace) = limit { pace.burst } else { 1.0 },
            refilled: now,
            cool_until: None,
            slowed: None,
            started: Meter::new(now),
            promised: now,
        }
    }

    /// How long the next call must wait, if it must.
    pub fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.refill(now);
        if let Some(until) = self.cool_until.filter(|until| *until > now) {
            return Some(until - now);
        }
        let missing = 1.0 - self.tokens;
        // A billionth of a token is rounding, not a debt.
        (missing > 1e-9).then(|| Duration::from_secs_f64(missing / self.per_second(now).unwrap_or(UNLIMITED)))
    }

    /// A call goes out.
    pub fn start(&mut self, now: Instant) {
        self.tokens -= 1.0;
        self.started.count(now);
    }

    /// How long so many calls take to go out, where a pace is in force.
    pub fn span_of(&self, calls: usize, now: Instant) -> Duration {
        let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
        self.per_second(now).map_or(Duration::ZERO, |per_second| Duration::from_secs_f64(calls / per_second))
    }

    /// When one more call, which is sent away now, has its turn. Each is promised another moment, so that those who
    /// were sent away do not come back all at once.
    pub fn promise(&mut self, now: Instant) -> Duration {
        self.promised = self.promised.max(now).max(self.cool_until.unwrap_or(now)) + self.span_of(1, now);
        self.promised - now
    }

    /// Nothing goes out for a while.
    pub fn cool(&mut self, cooling: Option<Duration>, now: Instant) {
        self.cool_until = self.cool_until.max(cooling.map(|wait| now + wait));
    }

    /// The platform asked us to slow down, and perhaps for how long.
    pub fn throttled(&mut self, cooling: Option<Duration>, now: Instant) {
        self.cool(Some(cooling.unwrap_or(DEFAULT_COOLING)), now);
        self.shown_until = Some(now + BELIEVED);
        if self.slowed.is_some_and(|slowed| now.saturating_duration_since(slowed) < ONE_BURST) {
            return;
        }
        let seen = self.started.per_second(now).max(FIRST_GUESS);
        let pace = self.per_second(now).unwrap_or(seen);
        self.learned = Some((pace * SLOW_DOWN).max(SLOWEST));
        self.tokens = self.tokens.min(1.0);
        self.slowed = Some(now);
    }

    /// The limit that is kept to now.
    fn kept(&self, now: Instant) -> Option<Pace> {
        match self.limit {
            Limit::Kept(pace) => Some(pace),
            Limit::OnceShown(pace) => self.shown_until.filter(|until| now < *until).map(|_| pace),
            Limit::Unknown => None,
        }
    }

    /// The pace in force, or `None` where nothing limits it.
    fn per_second(&self, now: Instant) -> Option<f64> {
        self.learned.or(self.kept(now).map(|pace| pace.per_second))
    }

    fn burst(&self, now: Instant) -> f64 {
        // After throttling there is no burst until the documented pace is reached again.
        if self.learned.is_some() { 1.0 } else { self.kept(now).map_or(1.0, |pace| pace.burst) }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = self.refilled.max(now);
        self.tokens = match self.per_second(now) {
            Some(per_second) => (self.tokens + elapsed * per_second).min(self.burst(now)),
            None => 1.0,
        };
        let cooling = self.cool_until.is_some_and(|until| until > now);
        if let Some(learned) = self.learned.filter(|_| !cooling) {
            let grown = learned * RECOVERY.powf(elapsed);
            let ceiling = self.kept(now).map_or(UNLIMITED, |pace| pace.per_second);
            self.learned = (grown < ceiling).then_some(grown);
        }
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
#[path = "pace_tests.rs"]
mod tests;

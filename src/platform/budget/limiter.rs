//! Which calls of a budget may go out: each lane at its own pace, all of them within what may be under way at once, and
//! none while the platform is down.
//!
//! Pure: the clock is a parameter. It decides for one call at a time; who asks first is the shell's business.

use std::time::{Duration, Instant};

use super::Urgency;
use super::breaker::Breaker;
use super::pace::{Limit, Pacer};

/// A group of calls that the platform counts by itself. A budget whose platform has one limit uses [`Lane::Rest`] alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Creations of service instances.
    Instances,
    /// Changes and deletions of service instances.
    Changes,
    /// Service bindings, whatever is done with them.
    Bindings,
    /// Everything else.
    #[default]
    Rest,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Instances, Self::Changes, Self::Bindings, Self::Rest];

    /// Whether somebody's broker has to answer before the platform can: then silence says nothing of the platform.
    pub const fn is_brokered(self) -> bool {
        !matches!(self, Self::Rest)
    }
}

/// What is known of each lane's limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of [`Lane::Instances`].
    pub instances: Limit,
    /// Of [`Lane::Changes`].
    pub changes: Limit,
    /// Of [`Lane::Bindings`].
    pub bindings: Limit,
    /// Of [`Lane::Rest`].
    pub rest: Limit,
}

impl Limits {
    /// One limit for a platform that has but one.
    pub const fn one(limit: Limit) -> Self {
        Self { instances: limit, changes: limit, bindings: limit, rest: limit }
    }

    const fn of(&self, lane: Lane) -> Limit {
        match lane {
            Lane::Instances => self.instances,
            Lane::Changes => self.changes,
            Lane::Bindings => self.bindings,
            Lane::Rest => self.rest,
        }
    }
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
    /// Give up: the API refuses tokens that the token service has just issued, come back after this time.
    Refused(Duration),
}

/// How a call ended, as far as the budget is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform answered, whatever it said; it may have said that the budget is used up until later.
    Answered(Option<Duration>),
    /// The platform asked us to slow down, and perhaps for how long.
    Throttled(Option<Duration>),
    /// The platform was not there, or not well, and perhaps said for how long.
    Unavailable(Option<Duration>),
    /// The API refused a token that the token service had just issued.
    Unauthorized,
    /// Nothing came of it that tells how the platform is: the caller gave up, a broker did not answer, a token was old.
    Abandoned,
}

/// The state of one budget.
#[derive(Debug)]
pub struct Limiter {
    lanes: [(Pacer, usize); Lane::ALL.len()],
    in_flight: usize,
    max_in_flight: usize,
    breaker: Breaker,
    /// Opens for a while when the API refuses what its own token service issued.
    authorization: Breaker,
}

impl Limiter {
    /// A budget that nobody has used yet.
    pub fn new(limits: &Limits, max_in_flight: usize, now: Instant) -> Self {
        Self {
            lanes: Lane::ALL.map(|lane| (Pacer::new(limits.of(lane), now), 0)),
            in_flight: 0,
            max_in_flight,
            breaker: Breaker::default(),
            authorization: Breaker::after(1),
        }
    }

    /// Whether the next call of a lane may go out.
    pub fn ask(&mut self, lane: Lane, urgency: Urgency, now: Instant) -> Decision {
        if let Some(wait) = self.pacer(lane).wait(now) {
            return Decision::Wait(wait);
        }
        if !self.has_room(lane, urgency) {
            return Decision::Full;
        }
        if let Err(wait) = self.breaker.admit(now) {
            return Decision::Down(wait);
        }
        if let Err(wait) = self.authorization.admit(now) {
            self.breaker.abandoned();
            return Decision::Refused(wait);
        }
        self.pacer(lane).start(now);
        self.lanes[lane as usize].1 += 1;
        self.in_flight += 1;
        Decision::Go
    }

    /// What is urgent finds room as long as there is any. Other calls leave it a quarter, and those of one brokered lane,
    /// which a slow broker can hold for long, take no more than half.
    fn has_room(&self, lane: Lane, urgency: Urgency) -> bool {
        if urgency == Urgency::First {
            return self.in_flight < self.max_in_flight;
        }
        let (others, half) = (self.max_in_flight - self.max_in_flight / 4, self.max_in_flight.div_ceil(2));
        let of_lane = self.lanes[lane as usize].1;
        self.in_flight < others && !(lane.is_brokered() && of_lane >= half)
    }

    /// A call that went out has ended.
    pub fn finished(&mut self, lane: Lane, outcome: Outcome, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let of_lane = &mut self.lanes[lane as usize].1;
        *of_lane = of_lane.saturating_sub(1);
        match outcome {
            Outcome::Answered(cooling) => {
                self.answered();
                self.pacer(lane).cool(cooling, now);
            }
            Outcome::Throttled(cooling) => {
                self.answered();
                self.pacer(lane).throttled(cooling, now);
            }
            Outcome::Unavailable(cooling) => {
                self.breaker.failed(now);
                self.authorization.abandoned();
                self.lanes.iter_mut().for_each(|(pacer, _)| pacer.cool(cooling, now));
            }
            Outcome::Unauthorized => {
                self.breaker.answered();
                self.authorization.failed(now);
            }
            Outcome::Abandoned => {
                self.breaker.abandoned();
                self.authorization.abandoned();
            }
        }
    }

    /// How long the API is left alone because it refuses fresh tokens, if it does.
    pub fn refused_for(&self, now: Instant) -> Option<Duration> {
        self.authorization.open_for(now)
    }

    /// How long so many calls of a lane take to go out.
    pub fn span_of(&self, lane: Lane, calls: usize, now: Instant) -> Duration {
        self.lanes[lane as usize].0.span_of(calls, now)
    }

    /// When a call that is sent away now has its turn.
    pub fn promise(&mut self, lane: Lane, now: Instant) -> Duration {
        self.pacer(lane).promise(now)
    }

    fn answered(&mut self) {
        self.breaker.answered();
        self.authorization.answered();
    }

    const fn pacer(&mut self, lane: Lane) -> &mut Pacer {
        &mut self.lanes[lane as usize].0
    }
}

#[cfg(test)]
#[path = "limiter_tests.rs"]
mod tests;

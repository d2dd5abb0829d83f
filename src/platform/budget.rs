//! One budget of calls for each admin credential at each API, shared by everything that uses it.
//!
//! Every call passes [`Budget::admit`]: it waits its turn in its lane, revocations and heals before new work and that
//! before resync, as [`limiter`] decides. This shell only queues and sleeps. It knows nothing of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::platform::pause::pause;
use tokio::sync::Notify;

use super::error::{Error, Kind, Result};
use limiter::{Decision, Limiter};

mod breaker;
pub mod limiter;
pub mod pace;
pub mod retry_after;

pub use limiter::{Lane, Limits, Outcome};
pub use pace::{Limit, Pace};

/// Calls in flight at once, unless set otherwise.
pub const MAX_IN_FLIGHT: usize = 64;
/// A wait that a platform asks for is waited out up to here; a longer one is handed to the caller.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// New work that would wait longer than this is told when to come back: whoever waits for it has other work to do.
const PATIENCE_OF_NEW_WORK: Duration = Duration::from_secs(5);

/// Whose turn comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Revocation, and putting right what consumers need.
    First,
    /// New work.
    #[default]
    Normal,
    /// Reading the platform in whole.
    Last,
}

impl Urgency {
    /// The longest wait that is waited out; who must wait longer is told so.
    pub const fn patience(self) -> Duration {
        match self {
            Self::Normal => PATIENCE_OF_NEW_WORK,
            Self::First | Self::Last => PATIENCE,
        }
    }
}

/// Told of every call. The controller counts with it; nothing here is global.
pub trait CallObserver: Send + Sync {
    /// A call has ended. `outcome` is one of a small fixed set of words.
    fn called(
        &self,
        api: &'static str,
        operation: &'static str,
        outcome: &'static str,
        waited: Duration,
        took: Duration,
    );
}

/// An observer that is not interested.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl CallObserver for Unobserved {
    fn called(&self, _: &'static str, _: &'static str, _: &'static str, _: Duration, _: Duration) {}
}

/// The budget of one admin credential at one API.
#[derive(Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

struct Shared {
    api: &'static str,
    observer: Arc<dyn CallObserver>,
    state: Mutex<State>,
}

struct State {
    limiter: Limiter,
    /// Who waits, lane by lane, in the order in which they are served. Only the first of a lane asks the limiter.
    queue: BTreeMap<Place, Arc<Notify>>,
    next_ticket: u64,
}

/// A place in the queue: in its lane the urgent first, then first come, first served.
type Place = (Lane, Urgency, u64);

impl Budget {
    /// A budget for an API, with the limits that the platform documents, if it does.
    pub fn new(api: &'static str, limits: &Limits, max_in_flight: usize, observer: Arc<dyn CallObserver>) -> Self {
        let limiter = Limiter::new(limits, max_in_flight, Instant::now());
        let state = Mutex::new(State { limiter, queue: BTreeMap::new(), next_ticket: 0 });
        Self { shared: Arc::new(Shared { api, observer, state }) }
    }

    /// Whether both are one budget.
    #[cfg(test)]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The API that it is for.
    pub fn api(&self) -> &'static str {
        self.shared.api
    }

    /// How long the API is left alone because it refuses fresh tokens, if it does.
    pub fn refused_for(&self) -> Option<Duration> {
        self.shared.state().limiter.refused_for(Instant::now())
    }

    /// Waits for this call's turn. Does not wait beyond the deadline, nor beyond the patience of its urgency: a platform
    /// that asks for more time gets it, and the caller an error that says how much.
    pub async fn admit(
        &self,
        operation: &'static str,
        lane: Lane,
        urgency: Urgency,
        deadline: Instant,
    ) -> Result<Permit> {
        let asked = Instant::now();
        let turn = self.shared.enqueue(lane, urgency);
        while let Some(wait) = turn.next(operation, urgency, deadline)? {
            tokio::select! {
                () = pause(wait) => {}
                () = turn.called.notified() => {}
            }
        }
        Ok(Permit {
            shared: Arc::clone(&self.shared),
            operation,
            lane,
            waited: asked.elapsed(),
            since: Instant::now(),
            over: false,
        })
    }
}

fn throttled(operation: &'static str, wait: Duration) -> Error {
    // Nothing was asked of us when only the queue is long: then a second is as good as any time.
    Error::new(Kind::Throttled, operation).retry_after(Some(wait.max(Duration::from_secs(1))))
}

fn refused(operation: &'static str, wait: Duration) -> Error {
    let detail = "it does not accept the tokens that its own token service has just issued";
    Error::new(Kind::Unavailable, operation).detail(detail).retry_after(Some(wait))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(self: &Arc<Self>, lane: Lane, urgency: Urgency) -> Turn {
        let mut state = self.state();
        let place = (lane, urgency, state.next_ticket);
        state.next_ticket += 1;
        let called = Arc::new(Notify::new());
        state.queue.insert(place, Arc::clone(&called));
        Turn { shared: Arc::clone(self), place, called }
    }
}

impl State {
    /// Those of a lane that wait, the first first.
    fn lane(&self, lane: Lane) -> impl Iterator<Item = (&Place, &Arc<Notify>)> {
        self.queue.range((lane, Urgency::First, 0)..=(lane, Urgency::Last, u64::MAX))
    }

    fn wake_first_of(&self, lane: Lane) {
        if let Some((_, first)) = self.lane(lane).next() {
            first.notify_one();
        }
    }

    /// A call in flight has ended: that made room in every lane.
    fn wake_first_of_all(&self) {
        Lane::ALL.into_iter().for_each(|lane| self.wake_first_of(lane));
    }
}

/// A place in the queue. Given up on drop, also when the caller is cancelled.
struct Turn {
    shared: Arc<Shared>,
    place: Place,
    called: Arc<Notify>,
}

impl Turn {
    /// How long to wait before the next look; `None` when it may go out.
    fn next(&self, operation: &'static str, urgency: Urgency, deadline: Instant) -> Result<Option<Duration>> {
        let now = Instant::now();
        match self.ask(now) {
            Decision::Go => Ok(None),
            Decision::Down(wait) => Err(Error::new(Kind::Unavailable, operation).retry_after(Some(wait))),
            Decision::Refused(wait) => Err(refused(operation, wait)),
            Decision::Wait(wait) if wait > urgency.patience() || now + wait > deadline => {
                Err(throttled(operation, wait.max(self.shared.state().limiter.promise(self.place.0, now))))
            }
            Decision::Wait(wait) => Ok(Some(wait)),
            Decision::Full if now >= deadline => Err(throttled(operation, Duration::ZERO)),
            Decision::Full => Ok(Some(deadline - now)),
        }
    }

    /// What the limiter says to the first of the lane. Those behind wait to be called, unless it is new work and so far
    /// behind that it had better come back.
    fn ask(&self, now: Instant) -> Decision {
        let (lane, urgency, _) = self.place;
        let mut state = self.shared.state();
        let ahead = state.lane(lane).take_while(|(place, _)| **place < self.place).count();
        if ahead == 0 {
            return state.limiter.ask(lane, urgency, now);
        }
        let span = state.limiter.span_of(lane, ahead, now);
        let too_long = urgency == Urgency::Normal && span > urgency.patience();
        if too_long { Decision::Wait(span) } else { Decision::Full }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.queue.remove(&self.place);
        state.wake_first_of(self.place.0);
    }
}

/// Leave to make one call. Say how it ended with [`Permit::finish`].
#[must_use = "the call is in flight until the permit is finished"]
pub struct Permit {
    shared: Arc<Shared>,
    operation: &'static str,
    lane: Lane,
    waited: Duration,
    since: Instant,
    over: bool,
}

impl Permit {
    /// The call has ended; `word` names the outcome to the observer.
    pub fn finish(mut self, outcome: Outcome, word: &'static str) {
        self.end(outcome, word);
    }

    fn end(&mut self, outcome: Outcome, word: &'static str) {
        self.over = true;
        {
            let mut state = self.shared.state();
            state.limiter.finished(self.lane, outcome, Instant::now());
            state.wake_first_of_all();
        }
        let Shared { api, observer, .. } = self.shared.as_ref();
        observer.called(api, self.operation, word, self.waited, self.since.elapsed());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.over {
            self.end(Outcome::Abandoned, "abandoned");
        }
    }
}

#[cfg(test)]
#[path = "budget/budget_tests.rs"]
mod tests;

//! One budget of calls for each admin credential, shared by everything that uses it.
//!
//! Every call passes [`Budget::admit`]: it waits its turn, revocations and heals before new work and that before
//! resync, at the pace that [`limiter`] decides. This shell only queues and sleeps. It knows nothing of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::platform::pause::pause;
use tokio::sync::Notify;

use super::error::{Error, Kind, Result};
use limiter::{Decision, Limiter};

mod breaker;
pub mod limiter;
pub mod retry_after;

pub use limiter::{Outcome, Pace};

/// Calls in flight at once, unless set otherwise.
pub const MAX_IN_FLIGHT: usize = 64;
/// A wait that a platform asks for is waited out up to here; a longer one is handed to the caller.
pub const PATIENCE: Duration = Duration::from_secs(15);

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
    /// Who waits, in the order in which they are served. Only the first asks the limiter.
    queue: BTreeMap<Place, Arc<Notify>>,
    next_ticket: u64,
}

/// A place in the queue: the urgent first, then first come, first served.
type Place = (Urgency, u64);

impl Budget {
    /// A budget for an API, with the pace that the platform documents, if it does.
    pub fn new(api: &'static str, pace: Option<Pace>, max_in_flight: usize, observer: Arc<dyn CallObserver>) -> Self {
        let limiter = Limiter::new(pace, max_in_flight, Instant::now());
        let state = Mutex::new(State { limiter, queue: BTreeMap::new(), next_ticket: 0 });
        Self { shared: Arc::new(Shared { api, observer, state }) }
    }

    /// Waits for this call's turn. Does not wait beyond the deadline: a platform that asks for more time than that gets
    /// it, and the caller an error that says how much.
    pub async fn admit(&self, operation: &'static str, urgency: Urgency, deadline: Instant) -> Result<Permit> {
        let asked = Instant::now();
        let turn = self.shared.enqueue(urgency);
        loop {
            let now = Instant::now();
            let wait = match turn.ask(now) {
                Some(Decision::Go) => break,
                Some(Decision::Down(wait)) => {
                    return Err(Error::new(Kind::Unavailable, operation).retry_after(Some(wait)));
                }
                Some(Decision::Wait(wait)) if wait > PATIENCE || now + wait > deadline => {
                    return Err(throttled(operation, wait));
                }
                Some(Decision::Wait(wait)) => wait,
                Some(Decision::Full) | None if now >= deadline => return Err(throttled(operation, Duration::ZERO)),
                Some(Decision::Full) | None => deadline - now,
            };
            tokio::select! {
                () = pause(wait) => {}
                () = turn.called.notified() => {}
            }
        }
        Ok(Permit {
            shared: Arc::clone(&self.shared),
            operation,
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(self: &Arc<Self>, urgency: Urgency) -> Turn {
        let mut state = self.state();
        let place = (urgency, state.next_ticket);
        state.next_ticket += 1;
        let called = Arc::new(Notify::new());
        state.queue.insert(place, Arc::clone(&called));
        Turn { shared: Arc::clone(self), place, called }
    }
}

impl State {
    fn wake_first(&self) {
        if let Some(first) = self.queue.values().next() {
            first.notify_one();
        }
    }
}

/// A place in the queue. Given up on drop, also when the caller is cancelled.
struct Turn {
    shared: Arc<Shared>,
    place: Place,
    called: Arc<Notify>,
}

impl Turn {
    /// What the limiter says, or `None` while others come first.
    fn ask(&self, now: Instant) -> Option<Decision> {
        let mut state = self.shared.state();
        let first = state.queue.keys().next() == Some(&self.place);
        first.then(|| state.limiter.ask(now))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.queue.remove(&self.place);
        state.wake_first();
    }
}

/// Leave to make one call. Say how it ended with [`Permit::finish`].
#[must_use = "the call is in flight until the permit is finished"]
pub struct Permit {
    shared: Arc<Shared>,
    operation: &'static str,
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
            state.limiter.finished(outcome, Instant::now());
            state.wake_first();
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
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    fn budget(max_in_flight: usize) -> Budget {
        Budget::new("test", None, max_in_flight, Arc::new(Unobserved))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn the_urgent_overtake_those_who_wait() {
        let budget = budget(1);
        let held = budget.admit("hold", Urgency::Normal, soon()).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let waiting = [Urgency::Last, Urgency::Normal, Urgency::First].map(|urgency| {
            let (budget, order) = (budget.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let permit = budget.admit("wait", urgency, soon()).await.unwrap();
                order.lock().unwrap().push(urgency);
                permit.finish(Outcome::Answered(None), "ok");
            })
        });
        pause(SHORT).await;
        held.finish(Outcome::Answered(None), "ok");
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [Urgency::First, Urgency::Normal, Urgency::Last]);
    }

    #[tokio::test]
    async fn a_long_wait_is_an_error_and_not_a_wait() {
        let budget = budget(1);
        let permit = budget.admit("call", Urgency::Normal, soon()).await.unwrap();
        permit.finish(Outcome::Throttled(Some(Duration::from_secs(60))), "throttled");
        let error = budget.admit("call", Urgency::Normal, soon()).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Throttled);
        assert!(error.wait().unwrap() > Duration::from_secs(50));
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_blocks_nobody() {
        let budget = budget(1);
        let held = budget.admit("hold", Urgency::Normal, soon()).await.unwrap();
        let queued = tokio::spawn({
            let budget = budget.clone();
            async move { budget.admit("queued", Urgency::First, soon()).await.map(drop) }
        });
        pause(SHORT).await;
        queued.abort();
        let _ = queued.await;
        drop(held);
        budget.admit("next", Urgency::Last, soon()).await.unwrap().finish(Outcome::Answered(None), "ok");
    }
}

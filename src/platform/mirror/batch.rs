//! The one writer of a scope: requests gather, and go out together.
//!
//! There is never more than one write to a scope under way, since some platforms take a holder's roles only as a whole
//! list. The writer is a task of its own, so it outlives whoever asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::grants::Held;
use super::leaves_doubt;
use super::part::Part;
use crate::plan::grant::Grant;
use crate::platform::{Error, Grants, Kind, Result, Scope};

/// How long a request waits for others that can go out with it.
const COMPANY: Duration = Duration::from_millis(20);

/// Grant or revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Grant,
    Revoke,
}

/// A scope: what is held in it, and who waits to change it.
pub(super) struct ScopeOfGrants {
    pub(super) held: Arc<Part<Held>>,
    driver: Arc<dyn Grants>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Request>,
    /// Whether the writer is at work.
    writing: bool,
}

struct Request {
    direction: Direction,
    grant: Grant,
    since: Instant,
    answer: oneshot::Sender<Result<()>>,
}

/// Requests of one direction that go out together, and who waits for each.
type Batch = BTreeMap<Grant, Vec<oneshot::Sender<Result<()>>>>;

impl ScopeOfGrants {
    pub(super) fn new(name: Scope, driver: Arc<dyn Grants>) -> Arc<Self> {
        let (reader, name) = (Arc::clone(&driver), Arc::new(name));
        let held = Part::new(Box::new(move || {
            let (reader, name) = (Arc::clone(&reader), Arc::clone(&name));
            async move { reader.read(&name).await.map(Held) }.boxed()
        }));
        Arc::new(Self { held, driver, queue: Mutex::default() })
    }

    /// Joins the queue at once; the answer comes with the batch.
    pub(super) fn request(
        self: &Arc<Self>,
        direction: Direction,
        grant: Grant,
    ) -> impl Future<Output = Result<()>> + use<> {
        let (answer, answered) = oneshot::channel();
        let mut queue = self.queue();
        queue.requests.push_back(Request { direction, grant, since: Instant::now(), answer });
        if !queue.writing {
            queue.writing = true;
            tokio::spawn(Arc::clone(self).write());
        }
        drop(queue);
        async move { answered.await.unwrap_or_else(|_| Err(lost())) }
    }

    /// Sends batch after batch until nobody waits.
    async fn write(self: Arc<Self>) {
        while let Some(oldest) = self.oldest() {
            sleep_until(oldest + COMPANY).await;
            let (direction, batch) = self.queue().take();
            self.send(direction, batch).await;
        }
    }

    /// Since when the first in the queue has waited. With none left the writer is no longer at work.
    fn oldest(&self) -> Option<Instant> {
        let mut queue = self.queue();
        let oldest = queue.requests.front().map(|request| request.since);
        queue.writing = oldest.is_some();
        oldest
    }

    async fn send(&self, direction: Direction, batch: Batch) {
        let (grants, waiting): (Vec<Grant>, Vec<_>) = batch.into_iter().unzip();
        let effect = self.held.begin(grants.clone());
        let outcomes = self.call(direction, grants.clone()).await;
        for (grant, outcome) in grants.into_iter().zip(&outcomes) {
            if outcome.is_ok() {
                effect.fold((direction, grant));
            }
        }
        if outcomes.iter().any(|outcome| outcome.as_ref().is_err_and(leaves_doubt)) {
            drop(effect);
        } else {
            effect.settle();
        }
        for (outcome, waiting) in outcomes.into_iter().zip(waiting) {
            for answer in waiting {
                // Whoever asked may have gone.
                let _ = answer.send(outcome.as_ref().map(|&()| ()).map_err(Error::share));
            }
        }
    }

    /// One outcome for each grant, whatever the driver does: a task of its own keeps its panic from ending the writer.
    async fn call(&self, direction: Direction, grants: Vec<Grant>) -> Vec<Result<()>> {
        let (driver, wanted) = (Arc::clone(&self.driver), grants.len());
        let call = async move {
            match direction {
                Direction::Grant => driver.grant(&grants).await,
                Direction::Revoke => driver.revoke(&grants).await,
            }
        };
        let mut outcomes = tokio::spawn(call).await.unwrap_or_default();
        outcomes.resize_with(wanted, || Err(lost()));
        outcomes
    }

    /// What is held, as far as it was read.
    pub(super) fn grants(&self) -> BTreeSet<Grant> {
        self.held.peek(|held| held.0.clone()).unwrap_or_default()
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Takes out all that can go with the first: its direction, and not overtaking an opposite request for the same grant.
    fn take(&mut self) -> (Direction, Batch) {
        let direction = self.requests.front().map_or(Direction::Grant, |first| first.direction);
        let (mut batch, mut left, mut opposed) = (Batch::new(), VecDeque::new(), BTreeSet::new());
        for request in self.requests.drain(..) {
            if request.direction == direction && !opposed.contains(&request.grant) {
                batch.entry(request.grant).or_default().push(request.answer);
            } else {
                opposed.insert(request.grant.clone());
                left.push_back(request);
            }
        }
        self.requests = left;
        (direction, batch)
    }
}

fn lost() -> Error {
    Error::new(Kind::OutcomeUnknown, "change a grant")
}

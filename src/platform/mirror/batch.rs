//! The one writer of a scope: requests gather, and go out together. Who is on the way says so, and is waited for.
//!
//! There is never more than one write to a scope under way, since some platforms take a holder's roles only as a whole
//! list. The writer is a task of its own, so it outlives whoever asked.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::grants::Held;
use super::leaves_doubt;
use super::part::{Effect, Part};
use super::queue::{Batch, Direction, Queue};
use super::watched::Watched;
use crate::plan::grant::Grant;
use crate::platform::{Error, Grants, Kind, Result, Scope};

/// A scope: what is held in it of what somebody asks about, and who waits to change it.
pub(super) struct ScopeOfGrants {
    pub(super) held: Arc<Part<Held>>,
    pub(super) watched: Arc<Watched>,
    driver: Arc<dyn Grants>,
    most: usize,
    queue: Mutex<Queue>,
    /// Somebody came, or comes no more: the next batch may be due at another time.
    changed: Notify,
}

/// Somebody who will want grants in a moment, until this is dropped. The default is nobody.
#[derive(Default)]
#[must_use = "nobody is on the way any more when this is dropped"]
pub struct Coming(Vec<(Arc<ScopeOfGrants>, u64)>);

impl Coming {
    /// On the way to these, each of them once.
    pub(super) fn to(scopes: Vec<Arc<ScopeOfGrants>>) -> Self {
        let announced = |scope: Arc<ScopeOfGrants>| {
            let number = scope.queue().announce();
            (scope, number)
        };
        Self(scopes.into_iter().map(announced).collect())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        for (scope, number) in &self.0 {
            scope.queue().arrive(*number);
            scope.changed.notify_one();
        }
    }
}

impl ScopeOfGrants {
    pub(super) fn new(name: Scope, driver: Arc<dyn Grants>) -> Arc<Self> {
        let (watched, most) = (Arc::<Watched>::default(), driver.batch_size(&name).max(1));
        let (reader, asked, name) = (Arc::clone(&driver), Arc::clone(&watched), Arc::new(name));
        let held = Part::new(Box::new(move || {
            let (reader, asked, name) = (Arc::clone(&reader), Arc::clone(&asked), Arc::clone(&name));
            async move {
                let of = asked.all();
                let held = reader.read(&name, &of).await?;
                Ok(Held::of(of, &held))
            }
            .boxed()
        }));
        Arc::new(Self { held, watched, driver, most, queue: Mutex::default(), changed: Notify::new() })
    }

    /// Joins the queue at once; the answer comes with the batch.
    pub(super) fn request(
        self: &Arc<Self>,
        direction: Direction,
        grant: Grant,
    ) -> impl Future<Output = Result<()>> + use<> {
        self.watched.watch([&grant]);
        let (answer, answered) = oneshot::channel();
        let mut queue = self.queue();
        queue.push(direction, grant, answer);
        if !queue.writing {
            queue.writing = true;
            tokio::spawn(Arc::clone(self).write());
        }
        drop(queue);
        self.changed.notify_one();
        async move { answered.await.unwrap_or_else(|_| Err(lost())) }
    }

    /// Sends batch after batch until nobody waits.
    async fn write(self: Arc<Self>) {
        while let Some(due) = self.due() {
            let is_due = due <= Instant::now() || timeout_at(due, self.changed.notified()).await.is_err();
            if is_due {
                let (direction, batch) = self.queue().take(self.most);
                self.send(direction, batch).await;
            }
        }
    }

    /// When the next batch is due. With none left the writer is no longer at work.
    fn due(&self) -> Option<Instant> {
        let mut queue = self.queue();
        let due = queue.due(self.most);
        queue.writing = due.is_some();
        due
    }

    async fn send(&self, direction: Direction, batch: Batch) {
        let (grants, waiting): (Vec<Grant>, Vec<_>) = batch.into_iter().unzip();
        let effects: Vec<_> = grants.iter().map(|grant| self.held.begin(vec![grant.clone()])).collect();
        let outcomes = self.call(direction, grants.clone()).await;
        for ((effect, grant), outcome) in effects.into_iter().zip(grants).zip(&outcomes) {
            show(effect, (direction, grant), outcome);
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

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows what was done. What a failure leaves open is open for this grant alone.
fn show(effect: Effect<Held>, write: (Direction, Grant), outcome: &Result<()>) {
    match outcome {
        Ok(()) => effect.fold(write),
        Err(error) if leaves_doubt(error) => return,
        Err(_) => {}
    }
    effect.settle();
}

fn lost() -> Error {
    Error::new(Kind::OutcomeUnknown, "change a grant")
}

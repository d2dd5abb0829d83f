//! How far an operator gets: every call it makes takes a step, and where the leash ends it stands still.
//!
//! A call of a read takes one step, an effect takes one before it happens and one before its answer comes. An operator
//! that is left standing there has crashed: before the effect, or after it and before it knew. Decides nothing.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// So many steps that no operator comes to their end.
pub const FREE: usize = usize::MAX;

/// The leash of one operator.
#[derive(Default)]
pub struct Leash(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    left: usize,
    cut: bool,
    waiting: Vec<Waker>,
    taut: bool,
    holder: Option<Waker>,
    since: usize,
}

impl Leash {
    /// Takes a step, when there is one.
    pub async fn step(&self) {
        poll_fn(|context| self.inner().step(context)).await;
    }

    /// Resolves when somebody stands at the end of the leash.
    pub async fn taut(&self) {
        poll_fn(|context| self.inner().taut(context)).await;
    }

    /// Gives it so many steps, and no more.
    pub fn give(&self, steps: usize) {
        let mut inner = self.inner();
        inner.left = steps;
        inner.taut = false;
        inner.waiting.drain(..).for_each(Waker::wake);
    }

    /// How much of the news was seen when the oldest began of what is under way on it.
    pub fn since(&self) -> usize {
        self.inner().since
    }

    /// Says so.
    pub fn began(&self, since: usize) {
        self.inner().since = since;
    }

    /// Nobody on it ever moves again.
    pub fn cut(&self) {
        self.inner().cut = true;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

impl Inner {
    fn step(&mut self, context: &Context<'_>) -> Poll<()> {
        if !self.cut && self.left > 0 {
            if self.left != FREE {
                self.left -= 1;
            }
            return Poll::Ready(());
        }
        self.waiting.push(context.waker().clone());
        self.taut = true;
        self.holder.take().into_iter().for_each(Waker::wake);
        Poll::Pending
    }

    fn taut(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.taut {
            return Poll::Ready(());
        }
        self.holder = Some(context.waker().clone());
        Poll::Pending
    }
}

//! One part of the mirror: the last picture that was read of it, kept right by folding in what we write.
//!
//! Knows nothing of what is in the picture. Never writes to the platform.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

use crate::platform::{Error, Result};

/// What one bulk read shows.
pub(super) trait Picture: Send + 'static {
    /// What a write touches, and what is told when it changed.
    type Key: Ord + Clone + Send + 'static;
    /// Something that we did.
    type Write: Send + 'static;

    /// Brings the picture to what it would show after the write.
    fn fold(&mut self, write: &Self::Write);
    /// What a newer picture shows differently, apart from what our own writes touched.
    fn differences(&self, newer: &Self, touched: &BTreeSet<Self::Key>) -> BTreeSet<Self::Key>;
}

/// Takes a picture.
pub(super) type Source<P> = Box<dyn Fn() -> BoxFuture<'static, Result<P>> + Send + Sync>;

type Reading = BoxFuture<'static, Result<(), Arc<Error>>>;

/// A picture, who reads it, and our own writes to what it shows.
pub(super) struct Part<P: Picture> {
    source: Source<P>,
    state: Mutex<State<P>>,
}

struct State<P: Picture> {
    /// Counts beginnings of reads and doubts: orders what falls into one instant.
    tick: u64,
    /// A picture begun before this tick is not to be trusted.
    doubted: u64,
    current: Option<Begun<P>>,
    /// The read that is under way. Whoever waits for it keeps it alive: when all have gone, it ends, and with it the
    /// share of the call budget that it may hold.
    reading: Option<WeakShared<Reading>>,
    /// What our writes under way touch, and how many of them.
    writing: BTreeMap<P::Key, usize>,
    /// What was written since the last read began; that read may have missed it.
    written: Vec<P::Write>,
    /// What our writes touched since the last read began.
    touched: BTreeSet<P::Key>,
    /// What others changed, and nobody has been told yet.
    changed: BTreeSet<P::Key>,
    /// How many times in a row this part was refreshed without anyone having looked at it.
    unseen: u32,
}

/// Something, and when the read that brings or brought it began.
struct Begun<T> {
    at: Instant,
    tick: u64,
    what: T,
}

/// How new a picture must be.
struct Need {
    since: Option<Instant>,
    after: u64,
}

impl Need {
    fn met_by<T>(&self, picture: &Begun<T>) -> bool {
        picture.tick > self.after && self.since.is_none_or(|since| picture.at >= since)
    }
}

impl<P: Picture> Part<P> {
    pub(super) fn new(source: Source<P>) -> Arc<Self> {
        let state = State {
            tick: 0,
            doubted: 0,
            current: None,
            reading: None,
            writing: BTreeMap::new(),
            written: Vec::new(),
            touched: BTreeSet::new(),
            changed: BTreeSet::new(),
            unseen: 0,
        };
        Arc::new(Self { source, state: Mutex::new(state) })
    }

    /// Answers from a picture that is no older than `max_age`, or from one that is read now; all who need it newer
    /// share one read, and its error. A picture's age counts from when its read began.
    pub(super) async fn look<T>(self: &Arc<Self>, max_age: Duration, answer: impl FnOnce(&P) -> T) -> Result<T> {
        self.state().unseen = 0;
        self.read(max_age, answer).await
    }

    /// Reads again, unless it was never read.
    pub(super) async fn refresh(self: &Arc<Self>) -> Result<()> {
        let in_use = self.state().current.is_some();
        if in_use { self.read(Duration::ZERO, |_| ()).await } else { Ok(()) }
    }

    /// Counts a refresh, and says how many in a row nobody has looked.
    pub(super) fn grow_old(&self) -> u32 {
        let mut state = self.state();
        state.unseen = state.unseen.saturating_add(1);
        state.unseen
    }

    /// Answers from the picture as it is, if there is one.
    pub(super) fn peek<T>(&self, answer: impl FnOnce(&P) -> T) -> Option<T> {
        self.state().current.as_ref().map(|current| answer(&current.what))
    }

    /// What others changed since this was last asked.
    pub(super) fn take_changes(&self) -> BTreeSet<P::Key> {
        mem::take(&mut self.state().changed)
    }

    /// Opens a write that touches `keys`. Dropped without [`Effect::settle`] it leaves the picture in doubt.
    pub(super) fn begin(self: &Arc<Self>, keys: Vec<P::Key>) -> Effect<P> {
        let mut state = self.state();
        for key in &keys {
            *state.writing.entry(key.clone()).or_default() += 1;
            state.touched.insert(key.clone());
        }
        drop(state);
        Effect { part: Arc::clone(self), keys, settled: false }
    }

    async fn read<T>(self: &Arc<Self>, max_age: Duration, answer: impl FnOnce(&P) -> T) -> Result<T> {
        let need = Need { since: Instant::now().checked_sub(max_age), after: self.state().doubted };
        // Ends: a read that begins from here on meets the need, and at most one that began before stands in its way.
        loop {
            let reading = {
                let mut state = self.state();
                if let Some(current) = state.current.as_ref().filter(|current| need.met_by(current)) {
                    return Ok(answer(&current.what));
                }
                self.join(&mut state)
            };
            reading.await.map_err(|error| error.share())?;
        }
    }

    /// The read that is under way, or a new one.
    fn join(self: &Arc<Self>, state: &mut State<P>) -> Shared<Reading> {
        if let Some(reading) = state.reading.as_ref().and_then(WeakShared::upgrade) {
            return reading;
        }
        state.tick += 1;
        state.written.clear();
        state.touched = state.writing.keys().cloned().collect();
        let (at, tick) = (Instant::now(), state.tick);
        let part = Arc::clone(self);
        let read = async move {
            let outcome = (part.source)().await;
            part.land(outcome.map(|what| Begun { at, tick, what }))
        };
        let reading = read.boxed().shared();
        state.reading = reading.downgrade();
        reading
    }

    /// Takes over what was read, with the writes on top that it may have missed.
    fn land(&self, outcome: Result<Begun<P>>) -> Result<(), Arc<Error>> {
        let mut state = self.state();
        state.reading = None;
        let mut newer = outcome.map_err(Arc::new)?;
        for write in mem::take(&mut state.written) {
            newer.what.fold(&write);
        }
        if let Some(older) = state.current.take() {
            let changed = older.what.differences(&newer.what, &state.touched);
            state.changed.extend(changed);
        }
        state.current = Some(newer);
        Ok(())
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write of ours that is under way.
pub(super) struct Effect<P: Picture> {
    part: Arc<Part<P>>,
    keys: Vec<P::Key>,
    settled: bool,
}

impl<P: Picture> Effect<P> {
    /// Shows in the picture what was done, also in one that is being read right now.
    pub(super) fn fold(&self, write: P::Write) {
        let mut state = self.part.state();
        if let Some(current) = &mut state.current {
            current.what.fold(&write);
        }
        if state.reading.as_ref().and_then(WeakShared::upgrade).is_some() {
            state.written.push(write);
        }
    }

    /// Everything that this write did is known and folded.
    pub(super) fn settle(mut self) {
        self.settled = true;
    }
}

impl<P: Picture> Drop for Effect<P> {
    fn drop(&mut self) {
        let mut state = self.part.state();
        for key in &self.keys {
            if let Some(count) = state.writing.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    state.writing.remove(key);
                }
            }
        }
        if !self.settled {
            state.tick += 1;
            state.doubted = state.tick;
        }
    }
}

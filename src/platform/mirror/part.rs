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
    /// Something that we did, or saw of one thing alone.
    type Write: Send + 'static;

    /// Brings the picture to what it would show after the write. Whether it showed something else before.
    fn fold(&mut self, write: &Self::Write) -> bool;
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
    /// What our writes have left open: a picture begun before this tick is not to be trusted about the key.
    doubts: BTreeMap<P::Key, u64>,
    current: Option<Begun<P>>,
    /// The read that is under way. Whoever waits for it keeps it alive: when all have gone, it ends, and with it the
    /// share of the call budget that it may hold.
    reading: Option<WeakShared<Reading>>,
    /// What our writes under way touch, and how many of them.
    writing: BTreeMap<P::Key, usize>,
    /// What was written or seen since the last read began; that read may have missed it.
    written: Vec<P::Write>,
    /// The targeted reads under way, by when they began: what they are about, and whether a write of ours crossed them.
    sights: BTreeMap<u64, Sighted<P::Key>>,
    /// What our writes touched since the last read began.
    touched: BTreeSet<P::Key>,
    /// What others changed, and nobody has been told yet.
    changed: BTreeSet<P::Key>,
}

/// What a targeted read is about.
struct Sighted<K> {
    keys: Vec<K>,
    crossed: bool,
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
            doubts: BTreeMap::new(),
            current: None,
            reading: None,
            writing: BTreeMap::new(),
            written: Vec::new(),
            sights: BTreeMap::new(),
            touched: BTreeSet::new(),
            changed: BTreeSet::new(),
        };
        Arc::new(Self { source, state: Mutex::new(state) })
    }

    /// Answers from a picture that is no older than `max_age`, or from one that is read now; all who need it newer
    /// share one read, and its error. A picture's age counts from when its read began. One that is in doubt about any
    /// of `keys` is read again.
    pub(super) async fn look<T>(
        self: &Arc<Self>,
        max_age: Duration,
        keys: &[P::Key],
        answer: impl FnOnce(&P) -> T,
    ) -> Result<T> {
        let doubted = {
            let state = self.state();
            keys.iter().filter_map(|key| state.doubts.get(key).copied()).max().unwrap_or(0)
        };
        self.read(max_age, doubted, answer).await
    }

    /// Answers from a picture whose read begins after this.
    pub(super) async fn look_anew<T>(self: &Arc<Self>, answer: impl FnOnce(&P) -> T) -> Result<T> {
        let now = self.state().tick;
        self.read(Duration::MAX, now, answer).await
    }

    /// Whether a write of ours has left open what there is of this.
    pub(super) fn is_doubted(&self, key: &P::Key) -> bool {
        self.state().doubts.contains_key(key)
    }

    /// Reads again, unless it was never read.
    pub(super) async fn refresh(self: &Arc<Self>) -> Result<()> {
        let in_use = self.state().current.is_some();
        if in_use { self.read(Duration::ZERO, 0, |_| ()).await } else { Ok(()) }
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
        for sight in state.sights.values_mut() {
            sight.crossed |= sight.keys.iter().any(|key| keys.contains(key));
        }
        drop(state);
        Effect { part: Arc::clone(self), keys, settled: false }
    }

    /// Opens a targeted read of `keys`. What it shows goes into the picture by [`Sight::fold`].
    pub(super) fn sight(self: &Arc<Self>, keys: Vec<P::Key>) -> Sight<P> {
        let mut state = self.state();
        state.tick += 1;
        let (began, crossed) = (state.tick, keys.iter().any(|key| state.writing.contains_key(key)));
        state.sights.insert(began, Sighted { keys, crossed });
        drop(state);
        Sight { part: Arc::clone(self), began }
    }

    async fn read<T>(self: &Arc<Self>, max_age: Duration, after: u64, answer: impl FnOnce(&P) -> T) -> Result<T> {
        let need = Need { since: Instant::now().checked_sub(max_age), after };
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
        state.doubts.retain(|_, doubted| *doubted >= newer.tick);
        state.current = Some(newer);
        Ok(())
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Picture> State<P> {
    /// Brings the picture, and one that is being read right now, to what they show after a write. Whether the picture
    /// showed something else before.
    fn fold(&mut self, write: P::Write) -> bool {
        let changed = self.current.as_mut().is_some_and(|current| current.what.fold(&write));
        if self.reading.as_ref().and_then(WeakShared::upgrade).is_some() {
            self.written.push(write);
        }
        changed
    }
}

/// A targeted read that is under way.
pub(super) struct Sight<P: Picture> {
    part: Arc<Part<P>>,
    began: u64,
}

impl<P: Picture> Sight<P> {
    /// Shows in the picture what was seen, and ends the doubt about it. News are told under `told` by the next refresh,
    /// for others whom they concern. A write of ours that crossed the read knows better: what was seen is kept out then.
    pub(super) fn fold(self, seen: P::Write, told: &P::Key) {
        let mut state = self.part.state();
        let Some(Sighted { keys, crossed: false }) = state.sights.remove(&self.began) else { return };
        if state.fold(seen) {
            state.changed.insert(told.clone());
        }
        for key in keys {
            if state.doubts.get(&key).is_some_and(|doubted| *doubted < self.began) {
                state.doubts.remove(&key);
            }
        }
    }
}

impl<P: Picture> Drop for Sight<P> {
    fn drop(&mut self) {
        self.part.state().sights.remove(&self.began);
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
        self.part.state().fold(write);
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
            let tick = state.tick;
            state.doubts.extend(self.keys.drain(..).map(|key| (key, tick)));
        }
    }
}

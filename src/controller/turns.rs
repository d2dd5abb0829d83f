//! Whose turn it is: the workers of a kind are shared among Platforms, and within a Platform among namespaces, so that a
//! platform that is slow, or a namespace with a thousand objects, keeps nobody else from being served.
//!
//! Who has to wait gives the worker back and is woken when its turn comes. Within a Platform, what orders something new
//! gets half of the workers at most: a platform that throttles creations must not hold back heals and revocations.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use super::index::Key;
use super::runner::Reconcile;
use super::watches::Wake;
use crate::api::TechnicalUser;

/// A turn that is not taken within this time passes: the object may be gone.
pub const PASSES: Duration = Duration::from_secs(10);

/// What workers are shared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Work {
    /// Reconciles of TechnicalUsers.
    Users,
    /// Reconciles of RoleBindings.
    Bindings,
    /// Orders of something new, by TechnicalUsers.
    Orders,
}

impl Work {
    /// What objects of this kind do.
    fn of<K: Reconcile>() -> Self {
        if K::kind(&()) == <TechnicalUser as kube::Resource>::kind(&()) { Self::Users } else { Self::Bindings }
    }

    /// The work within which it is done: who orders has a turn to be reconciled already.
    fn around(self) -> Self {
        if self == Self::Orders { Self::Users } else { self }
    }
}

/// The turns of all Platforms.
pub struct Turns {
    workers: usize,
    wake: Wake,
    lines: Mutex<HashMap<(Work, String), Line>>,
}

/// Who works for one Platform, and who waits for it.
#[derive(Default)]
struct Line {
    working: usize,
    /// Whose turn has come, and since when.
    called: HashMap<Key, Instant>,
    /// The namespaces that have somebody waiting, in the order in which they are served.
    namespaces: VecDeque<String>,
    waiting: HashMap<String, VecDeque<Key>>,
    known: HashSet<Key>,
}

/// Leave to work, until it is dropped.
#[must_use = "the turn is over when this is dropped"]
pub struct Turn {
    taken: Option<(Arc<Turns>, Work, String)>,
}

impl Turns {
    /// Turns for kinds that have so many workers each.
    pub fn new(workers: usize, wake: Wake) -> Arc<Self> {
        Arc::new(Self { workers, wake, lines: Mutex::default() })
    }

    /// Leave to reconcile this object; `None` if others come first. Then it is woken.
    pub fn enter<K: Reconcile>(self: &Arc<Self>, object: &K) -> Option<Turn> {
        let Some(platform) = object.platform() else { return Some(Turn { taken: None }) };
        self.take(Work::of::<K>(), platform, (object.namespace().unwrap_or_default(), object.name_any()))
    }

    /// Leave for a TechnicalUser to order something new; `None` if others come first. Then it is woken.
    pub fn order(self: &Arc<Self>, platform: &str, user: &TechnicalUser) -> Option<Turn> {
        self.take(Work::Orders, platform, (user.namespace().unwrap_or_default(), user.name_any()))
    }

    /// The object is gone: nobody waits until it takes its turn.
    pub fn gone<K: Reconcile>(&self, key: &Key) {
        let mut lines = self.lines();
        let concerned = lines.keys().filter(|(work, _)| work.around() == Work::of::<K>());
        for (work, platform) in concerned.cloned().collect::<Vec<_>>() {
            let share = self.share(&lines, work, &platform);
            let Some(line) = lines.get_mut(&(work, platform)) else { continue };
            line.forget(key);
            self.wake(work, line.call(share, Instant::now()));
        }
        lines.retain(|_, line| !line.is_idle());
    }

    fn take(self: &Arc<Self>, work: Work, platform: &str, key: Key) -> Option<Turn> {
        let mut lines = self.lines();
        let share = self.share(&lines, work, platform);
        let expected = work == Work::Users && is_called(&lines, (Work::Orders, platform), &key);
        let line = lines.entry((work, platform.to_owned())).or_default();
        if line.admit(&key, share, expected, Instant::now()) {
            return Some(Turn { taken: Some((Arc::clone(self), work, platform.to_owned())) });
        }
        line.wait(key);
        // Those who were called before may have let it pass, and then nobody's end calls the next.
        let called = line.call(share, Instant::now());
        drop(lines);
        self.wake(work, called);
        None
    }

    /// How many may work for one Platform: there is always room for one Platform more than there are.
    fn share(&self, lines: &HashMap<(Work, String), Line>, work: Work, platform: &str) -> usize {
        let others = lines.keys().filter(|(other, name)| *other == work.around() && name != platform).count();
        let share = self.workers / (others + 2);
        if work == Work::Orders { (share / 2).max(1) } else { share.max(1) }
    }

    fn end(&self, work: Work, platform: &str) {
        let mut lines = self.lines();
        let key = (work, platform.to_owned());
        let share = self.share(&lines, work, platform);
        let Some(line) = lines.get_mut(&key) else { return };
        line.working = line.working.saturating_sub(1);
        let called = line.call(share, Instant::now());
        if line.is_idle() {
            lines.remove(&key);
        }
        drop(lines);
        self.wake(work, called);
    }

    fn wake(&self, work: Work, called: Vec<Key>) {
        for (namespace, name) in called {
            match work {
                Work::Users | Work::Orders => self.wake.user(ObjectRef::new(&name).within(&namespace)),
                Work::Bindings => self.wake.binding(ObjectRef::new(&name).within(&namespace)),
            }
        }
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn lines(&self) -> MutexGuard<'_, HashMap<(Work, String), Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some((turns, work, platform)) = self.taken.take() {
            turns.end(work, &platform);
        }
    }
}

/// Whether its turn has come in this line.
fn is_called(lines: &HashMap<(Work, String), Line>, (work, platform): (Work, &str), key: &Key) -> bool {
    lines.get(&(work, platform.to_owned())).is_some_and(|line| line.called.contains_key(key))
}

impl Line {
    /// Whether this one may work now. One that is `expected` in another line, where a place is kept for it, passes those
    /// who wait in this one.
    fn admit(&mut self, key: &Key, share: usize, expected: bool, now: Instant) -> bool {
        self.called.retain(|_, since| now.duration_since(*since) < PASSES);
        let called = self.called.remove(key).is_some();
        let free = share.saturating_sub(self.working + self.called.len());
        let admitted = called || expected || (free > 0 && self.known.is_empty());
        self.working += usize::from(admitted);
        admitted
    }

    fn wait(&mut self, key: Key) {
        if !self.known.insert(key.clone()) {
            return;
        }
        let queue = self.waiting.entry(key.0.clone()).or_default();
        if queue.is_empty() {
            self.namespaces.push_back(key.0.clone());
        }
        queue.push_back(key);
    }

    fn forget(&mut self, key: &Key) {
        self.called.remove(key);
        if self.known.remove(key)
            && let Some(queue) = self.waiting.get_mut(&key.0)
        {
            queue.retain(|waiting| waiting != key);
            if queue.is_empty() {
                self.waiting.remove(&key.0);
                self.namespaces.retain(|namespace| *namespace != key.0);
            }
        }
    }

    /// Whose turn it is now: a namespace after the other.
    fn call(&mut self, share: usize, now: Instant) -> Vec<Key> {
        self.called.retain(|_, since| now.duration_since(*since) < PASSES);
        let free = share.saturating_sub(self.working + self.called.len());
        let called: Vec<Key> = std::iter::from_fn(|| self.next()).take(free).collect();
        self.called.extend(called.iter().map(|key| (key.clone(), now)));
        called
    }

    fn next(&mut self) -> Option<Key> {
        let namespace = self.namespaces.pop_front()?;
        let queue = self.waiting.get_mut(&namespace)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&namespace);
        } else {
            self.namespaces.push_back(namespace);
        }
        if let Some(key) = &next {
            self.known.remove(key);
        }
        next
    }

    fn is_idle(&self) -> bool {
        self.working == 0 && self.called.is_empty() && self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &str, name: &str) -> Key {
        (namespace.to_owned(), name.to_owned())
    }

    fn turns() -> Arc<Turns> {
        Turns::new(8, super::super::watches::wire().1)
    }

    #[tokio::test(start_paused = true)]
    async fn one_platform_leaves_room_for_another() {
        let turns = turns();
        let busy: Vec<_> = (0..8).filter_map(|n| turns.take(Work::Users, "slow", key("a", &n.to_string()))).collect();
        assert_eq!(busy.len(), 4);
        assert!(turns.take(Work::Users, "other", key("a", "x")).is_some());
        assert!(turns.take(Work::Bindings, "slow", key("a", "x")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn orders_leave_room_for_heals() {
        let turns = turns();
        let orders: Vec<_> = (0..8).filter_map(|n| turns.take(Work::Orders, "p", key("a", &n.to_string()))).collect();
        assert_eq!(orders.len(), 2);
        assert!(turns.take(Work::Users, "p", key("a", "heal")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn namespaces_are_served_in_turn() {
        let mut line = Line { working: 1, ..Line::default() };
        for name in ["1", "2", "3"] {
            line.wait(key("many", name));
        }
        line.wait(key("one", "1"));
        line.working = 0;
        assert_eq!(line.call(2, Instant::now()), [key("many", "1"), key("one", "1")]);
        assert!(!line.admit(&key("new", "x"), 2, false, Instant::now()), "those who wait come first");
        assert!(line.admit(&key("one", "1"), 2, false, Instant::now()));
        tokio::time::advance(PASSES).await;
        assert_eq!(line.call(2, Instant::now()), [key("many", "2")], "a turn that nobody takes passes");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_let_their_turn_pass_hold_up_nobody() {
        let turns = turns();
        let take = |name: &str| turns.take(Work::Orders, "p", key("a", name));
        let working = [take("1"), take("2")];
        assert!(working.iter().all(Option::is_some) && ["3", "4", "5"].iter().all(|name| take(name).is_none()));
        drop(working);
        tokio::time::advance(PASSES).await;
        assert!(take("3").is_none(), "its turn has passed");
        assert!(take("5").is_some(), "and so the next was called");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_are_gone_hold_up_nobody() {
        let turns = Turns::new(4, super::super::watches::wire().1);
        let take = |name: &str| turns.take(Work::Users, "p", key("a", name));
        let working = [take("1"), take("2")];
        assert!(working.iter().all(Option::is_some) && ["3", "4", "5", "6"].iter().all(|name| take(name).is_none()));
        turns.gone::<TechnicalUser>(&key("a", "5"));
        drop(working);
        // Their turn has come, and they are gone before they take it.
        turns.gone::<TechnicalUser>(&key("a", "3"));
        turns.gone::<TechnicalUser>(&key("a", "4"));
        assert!(take("6").is_some(), "so that it is the next one's");
        assert!(take("7").is_some(), "nobody else waits");
    }

    #[tokio::test(start_paused = true)]
    async fn whose_turn_to_order_has_come_does_not_wait_to_be_looked_at() {
        let turns = turns();
        let ordering: Vec<_> = ["1", "2"].iter().filter_map(|n| turns.take(Work::Orders, "p", key("a", n))).collect();
        assert!(turns.take(Work::Orders, "p", key("a", "next")).is_none());
        let busy: Vec<_> = (0..8).filter_map(|n| turns.take(Work::Users, "p", key("b", &n.to_string()))).collect();
        drop(ordering);
        assert!(turns.take(Work::Users, "p", key("a", "other")).is_none());
        assert!(turns.take(Work::Users, "p", key("a", "next")).is_some());
        drop(busy);
    }
}

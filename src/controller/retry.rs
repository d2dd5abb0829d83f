//! When a failing object may be tried again: exponential, with jitter, and not earlier because something else woke it.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::{Class, Error};
use super::orders::APPLIED_TOGETHER;

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_mins(5);
/// What needs a person is tried again no sooner than this, whatever wakes it but the person.
const FLOOR: Duration = Duration::from_mins(1);
/// What the platform is at work on is looked at again after this, for as long as it takes.
const AT_WORK: Duration = Duration::from_secs(3);
/// A Secret that somebody keeps changing is put right no more often than this.
const REST: Duration = Duration::from_secs(1);

/// How the objects stand that fail, rest or are being tried, by uid.
///
/// One lock for all of it: a pardon that comes while an object is tried, or while it is noted that it failed, is not lost.
#[derive(Default)]
pub struct Retries {
    standings: Mutex<HashMap<String, Standing>>,
}

#[derive(Default)]
struct Standing {
    failing: Option<Failing>,
    /// It was put right just now, and is left alone until then, whatever wakes it.
    rests_until: Option<Instant>,
    /// It was pardoned since it began to be tried: what that try saw may be older than what was mended.
    pardoned_meanwhile: bool,
}

struct Failing {
    /// What somebody writes of the object is a new start.
    edition: u64,
    failures: u32,
    not_before: Instant,
    pardoned: Option<Instant>,
}

impl Retries {
    /// How long this object must still wait, if it must.
    pub fn too_soon(&self, uid: &str, edition: u64) -> Option<Duration> {
        let standings = self.standings();
        let standing = standings.get(uid)?;
        let until = standing.of(edition).map(|failing| failing.not_before).max(standing.rests_until)?;
        Some(until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
    }

    /// The object is being tried from now on, until it is well or has failed.
    pub fn begin(&self, uid: &str) {
        self.standings().entry(uid.to_owned()).or_default().pardoned_meanwhile = false;
    }

    /// The object is well, or gone. One that is to rest goes on resting.
    pub fn forget(&self, uid: &str) {
        let mut standings = self.standings();
        let Some(standing) = standings.get_mut(uid) else { return };
        standing.failing = None;
        if standing.rests_until.is_none_or(|until| until <= Instant::now()) {
            standings.remove(uid);
        }
    }

    /// Everything may be tried at once: what stood in the way of many objects is gone.
    pub fn forget_all(&self) {
        self.standings().values_mut().for_each(|standing| standing.failing = None);
    }

    /// What the object failed for may have been mended, or it is needed for something else: it may be tried at once, but
    /// not again and again.
    pub fn pardon(&self, uid: &str) {
        if let Some(standing) = self.standings().get_mut(uid) {
            standing.pardoned_meanwhile = true;
            standing.pardon();
        }
    }

    /// The object was put right just now, and is left alone for a moment.
    pub fn rest(&self, uid: &str) {
        self.standings().entry(uid.to_owned()).or_default().rests_until = Some(Instant::now() + REST);
    }

    /// Records a failure and says when to try again: `again` at the latest, which is due whatever failed.
    pub fn failed(&self, uid: &str, edition: u64, error: &Error, again: Option<Duration>) -> Duration {
        let (wait, held) = match error.class() {
            Class::Race if matches!(error, Error::JustCame) => return jittered(APPLIED_TOGETHER),
            Class::Race => return jittered(Duration::from_millis(50)),
            // A change wakes us; this is the net below the watch.
            Class::Dependency => return jittered(LAST * 2).min(again.unwrap_or(Duration::MAX)),
            Class::Work => (jittered(asked(error).unwrap_or(AT_WORK).max(AT_WORK)), Duration::ZERO),
            Class::Person => (jittered(asked(error).unwrap_or(LAST)), FLOOR),
            Class::Time | Class::Bug => {
                let wait = jittered(asked(error).unwrap_or_else(|| self.backoff(uid, edition)));
                (wait, wait)
            }
        };
        let latest = again.unwrap_or(Duration::MAX);
        self.standings().entry(uid.to_owned()).or_default().hold(edition, held.min(latest));
        wait.min(latest)
    }

    fn backoff(&self, uid: &str, edition: u64) -> Duration {
        let standings = self.standings();
        let known = standings.get(uid).and_then(|standing| standing.of(edition));
        let failures = known.map_or(0, |failing| failing.failures.saturating_add(1));
        FIRST.saturating_mul(1 << failures.min(10)).min(LAST)
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn standings(&self) -> MutexGuard<'_, HashMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    /// How this edition of the object fails.
    fn of(&self, edition: u64) -> Option<&Failing> {
        self.failing.as_ref().filter(|failing| failing.edition == edition)
    }

    fn hold(&mut self, edition: u64, held: Duration) {
        let known = self.of(edition);
        let (failures, pardoned) = known.map_or((0, None), |known| (known.failures.saturating_add(1), known.pardoned));
        self.failing = Some(Failing { edition, failures, not_before: Instant::now() + held, pardoned });
        if mem::take(&mut self.pardoned_meanwhile) {
            self.pardon();
        }
    }

    fn pardon(&mut self) {
        let now = Instant::now();
        if let Some(failing) = &mut self.failing {
            let last = failing.pardoned.replace(now);
            failing.not_before = last.map_or(now, |last| (last + REST).max(now)).min(failing.not_before);
        }
    }
}

/// How long the platform asked us to wait, if it did.
fn asked(error: &Error) -> Option<Duration> {
    match error {
        Error::Platform(platform) => platform.wait(),
        Error::Deletion(inner) | Error::Unserved(inner) => asked(inner),
        _ => None,
    }
}

/// Up to a quarter more, so that what failed together is not tried together.
pub fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random_range(0.0..0.25))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform;

    fn in_progress() -> Error {
        platform::Error::new(platform::Kind::InProgress, "provision").into()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_and_an_edit_starts_anew() {
        let retries = Retries::default();
        let first = retries.failed("a", 1, &Error::Timeout, None);
        let second = retries.failed("a", 1, &Error::Timeout, None);
        assert!(second > first);
        assert!(retries.too_soon("a", 1).is_some());
        assert_eq!(retries.too_soon("a", 2), None);
        retries.forget("a");
        assert_eq!(retries.too_soon("a", 1), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_a_person_has_a_floor_and_the_person_a_way_around_it() {
        let retries = Retries::default();
        let wait = retries.failed("a", 1, &Error::Unsupported(String::new()), None);
        assert!(wait >= LAST);
        assert_eq!(retries.too_soon("a", 1), Some(FLOOR));
        retries.pardon("a");
        assert_eq!(retries.too_soon("a", 1), None);
        retries.failed("a", 1, &Error::Unsupported(String::new()), None);
        retries.pardon("a");
        assert_eq!(retries.too_soon("a", 1), Some(REST), "but not again and again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pardon_that_comes_while_an_object_is_tried_is_not_lost() {
        let retries = Retries::default();
        let fails = || retries.failed("a", 1, &Error::Unsupported(String::new()), None);
        retries.begin("a");
        retries.pardon("b");
        fails();
        assert_eq!(retries.too_soon("a", 1), Some(FLOOR));
        retries.begin("a");
        retries.pardon("a");
        fails();
        assert!(retries.too_soon("a", 1) <= Some(REST));
        retries.begin("a");
        fails();
        assert_eq!(retries.too_soon("a", 1), Some(FLOOR), "it counts once");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_at_work_is_looked_at_every_few_seconds_for_as_long_as_it_takes() {
        let retries = Retries::default();
        for _ in 0..20 {
            assert!(retries.failed("a", 1, &in_progress(), None) < AT_WORK * 2);
        }
        assert_eq!(retries.too_soon("a", 1), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_is_not_put_off_by_what_failed() {
        let retries = Retries::default();
        let due = Duration::from_secs(2);
        assert_eq!(retries.failed("a", 1, &Error::Unsupported(String::new()), Some(due)), due);
        assert_eq!(retries.too_soon("a", 1), Some(due));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_just_put_right_rests() {
        let retries = Retries::default();
        retries.rest("a");
        retries.forget("a");
        assert_eq!(retries.too_soon("a", 7), Some(REST));
        retries.pardon("a");
        assert_eq!(retries.too_soon("a", 7), Some(REST), "who disturbs it again does not end its rest");
        retries.failed("a", 7, &in_progress(), None);
        assert_eq!(retries.too_soon("a", 7), Some(REST), "nor does what else fails");
        tokio::time::advance(REST).await;
        assert_eq!(retries.too_soon("a", 7), None);
    }
}

//! When a credential that works is replaced: by recorded time, or because a person asks. One at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::credential;
use super::facts::{Have, IdentityFact, Published, Recorded, SecretFact, Want};
use super::life::Life;
use super::steps::Strand;
use crate::plan::digest;

/// In so many parts a time is divided: a credential is due in the last of them.
pub const SPREAD: u32 = 10;
/// Whoever is there when a credential comes due is later than this only where there is too much to do.
const LATE: Duration = Duration::from_hours(1);

/// When a credential is due that was issued then: somewhat before its time is over, and each somewhat else, so that those
/// issued together are not replaced together. What would be due already, since how often was only now said, is due in as
/// much time as is otherwise between the first and the last.
pub fn due(uid: &str, issued: Timestamp, every: Duration, now: Timestamp) -> Timestamp {
    let due = moment(uid, issued, every);
    if due > now { due } else { later(now, share(uid, every)) }
}

/// By what it is reckoned when a credential is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By how often a person wishes it.
    Interval(Duration),
    /// By its life, of which two thirds are over before that.
    Life(Life),
}

impl By {
    /// What it is by; nothing, where the credential neither ends nor is to be replaced.
    pub fn of(life: Option<Life>, every: Option<Duration>) -> Option<Self> {
        let ends_first = |life: &Life| every.is_none_or(|every| !life.outlasts(every));
        life.filter(ends_first).map(Self::Life).or(every.map(Self::Interval))
    }

    /// When a credential is due that was issued then.
    pub fn due(self, uid: &str, issued: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Interval(every) => Some(due(uid, issued, every, now)),
            Self::Life(life) => life.renewal(uid, now),
        }
    }
}

/// The object's own moment near the end of a time that began then.
pub fn moment(uid: &str, from: Timestamp, time: Duration) -> Timestamp {
    later(from, time / SPREAD * (SPREAD - 1) + share(uid, time))
}

/// When a credential is due that nobody was there to replace in time, if it is one: while no operator ran, say, a whole
/// fleet may have come due. One that is tried already, or waits for the end of the one before, is simply late;
/// and one that ends by itself is not left to its end.
pub fn put_off(uid: &str, recorded: &Recorded, every: Duration, now: Timestamp) -> Option<Timestamp> {
    let published = recorded.credential.as_ref()?;
    let at = published.rotate_at?;
    let is_missed = later(at, LATE.min(every / SPREAD / SPREAD)) < now;
    let is_begun = recorded.rotation_fails || !recorded.superseded.is_empty();
    let presses = published.life.is_some_and(|life| life.presses(now));
    (is_missed && !is_begun && !presses).then(|| later(now, share(uid, every)))
}

/// A time past the end of time is its end.
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The object's own share of the last part of a time.
pub fn share(uid: &str, every: Duration) -> Duration {
    (every / SPREAD).mul_f64(share_of(uid))
}

/// A number from 0 to 1 that is each object's own.
fn share_of(uid: &str) -> f64 {
    let digest = digest::of([uid.as_bytes()], 4);
    f64::from(u32::from_str_radix(&digest, 16).unwrap_or_default()) / f64::from(u32::MAX)
}

/// Whether a new credential shall take the place of the one that works.
pub fn is_due(want: &Want, have: &Have, now: Timestamp) -> bool {
    let Some(published) = &have.recorded.credential else { return false };
    let is_demanded = want.rotation.demand.is_some() && want.rotation.demand != published.demand;
    let is_due = is_old(want, published, now) || is_demanded || is_of_another_material(want, published);
    is_due && !have.recall.is_brought()
}

fn is_old(want: &Want, published: &Published, now: Timestamp) -> bool {
    let ends = want.rotation.every.is_some() || published.life.is_some();
    ends && published.rotate_at.is_some_and(|at| at <= now)
}

/// Whether it is made of something else than what is wanted: a certificate in the place of a secret, or another
/// certificate.
fn is_of_another_material(want: &Want, published: &Published) -> bool {
    published.material != want.material
}

/// Whether a rotation that is due cannot wait for the one before: what is there ends by itself, or whoever keeps its source
/// has replaced it.
fn presses(want: &Want, have: &Have, now: Timestamp) -> bool {
    let ends =
        |published: &Published| published.life.is_some_and(|life| life.presses(now)) && is_old(want, published, now);
    let is_renewed = |published: &Published| want.brought.is_some() && is_of_another_material(want, published);
    let is_pressing = |published: &Published| ends(published) || is_renewed(published);
    have.recorded.credential.as_ref().is_some_and(is_pressing)
}

/// The strand that replaces a credential that works. None is replaced whose Secret is not right, nor while the one before
/// is still in force, unless it presses: there are platforms that keep two and no more.
pub fn rotate(want: &Want, have: &Have, kept: &IdentityFact, now: Timestamp) -> Strand {
    let foreign = have.secret == SecretFact::Foreign;
    if foreign || !is_due(want, have, now) {
        return Strand::default();
    }
    if !have.recorded.superseded.is_empty() && !presses(want, have, now) {
        return Strand::default();
    }
    if !credential::is_right(want, have, kept) {
        return Strand::default();
    }
    let steps = credential::successor(want, have, kept);
    Strand { steps, rotates: true }
}

/// The wanted roles that software has with the credential from before and would not have with the new one: what is not in
/// force for either is no reason to stay. Token services put a prefix of their own before a role.
pub fn not_yet_effective(wanted: &BTreeSet<String>, before: &[String], after: &[String]) -> Vec<String> {
    let carries = |scopes: &[String], role: &str| {
        scopes
            .iter()
            .any(|scope| scope.strip_suffix(role).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.')))
    };
    wanted.iter().filter(|role| carries(before, role) && !carries(after, role)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::technical_user::{Published, Superseded};

    const DAY: Duration = Duration::from_hours(24);

    fn at(days: u32) -> Timestamp {
        Timestamp::UNIX_EPOCH + days * DAY
    }

    #[test]
    fn the_fleet_is_not_due_at_once() {
        let due: Vec<Timestamp> = (0..1_000).map(|one| due(&format!("uid-{one}"), at(0), 90 * DAY, at(0))).collect();
        assert!(due.iter().all(|one| *one >= at(81) && *one <= at(90)));
        let on_the_fifth = due.iter().filter(|one| **one >= at(85) && **one < at(86)).count();
        assert!((60..160).contains(&on_the_fifth), "{on_the_fifth} of 1000 in one ninth of the time");
    }

    #[test]
    fn what_is_older_than_was_ever_allowed_is_not_due_at_once_either() {
        let due: Vec<Timestamp> = (0..1_000).map(|one| due(&format!("uid-{one}"), at(0), 90 * DAY, at(400))).collect();
        assert!(due.iter().all(|one| *one >= at(400) && *one <= at(409)));
        assert!(due.iter().filter(|one| **one < at(401)).count() < 160);
    }

    #[test]
    fn what_nobody_was_there_to_replace_is_put_off_and_what_is_late_is_not() {
        let overdue = |superseded: Vec<Superseded>, rotation_fails| {
            let published = Published { rotate_at: Some(at(90)), ..Published::default() };
            Recorded { credential: Some(published), superseded, rotation_fails, ..Recorded::default() }
        };
        let off = |recorded: &Recorded, late| put_off("a", recorded, 90 * DAY, at(90) + late);
        let waits = vec![Superseded { sequence: 1, id: None, overlapped: DAY }];
        assert!(off(&overdue(vec![], false), DAY).is_some_and(|again| again > at(91) && again <= at(100)));
        assert_eq!(off(&overdue(vec![], false), LATE), None, "it is about to be replaced");
        assert_eq!(off(&overdue(vec![], true), DAY), None, "it is tried");
        assert_eq!(off(&overdue(waits, false), DAY), None, "the one before has to end first");
        assert_eq!(off(&Recorded::default(), DAY), None);
        let ending = |days| Life { from: at(0), until: at(days) };
        let with = |life| {
            let mut ends = overdue(vec![], false);
            ends.credential.iter_mut().for_each(|one| one.life = Some(life));
            ends
        };
        assert!(off(&with(ending(400)), DAY).is_some());
        assert_eq!(off(&with(ending(100)), DAY), None, "it ends soon");
    }

    #[test]
    fn software_moves_when_it_can_do_there_what_it_can_do_here() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let wanted = texts(&["ESBMessaging.send", "Admin"]).into_iter().collect();
        let before = texts(&["it-rt!b1.ESBMessaging.send", "uaa.resource"]);
        assert_eq!(not_yet_effective(&wanted, &before, &texts(&["uaa.resource"])), texts(&["ESBMessaging.send"]));
        assert_eq!(not_yet_effective(&wanted, &before, &texts(&["xESBMessaging.send"])), texts(&["ESBMessaging.send"]));
        assert_eq!(not_yet_effective(&wanted, &before, &texts(&["ESBMessaging.send"])), texts(&[]));
        assert_eq!(not_yet_effective(&wanted, &[], &[]), texts(&[]), "nobody misses what nobody has");
    }

    #[test]
    fn a_clock_at_the_end_of_time_is_survived() {
        assert_eq!(due("a", Timestamp::MAX, 90 * DAY, at(0)), Timestamp::MAX);
    }
}

//! From when to when a credential is good that ends by itself, and when another is to take its place.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::rotation::{SPREAD, later, moment, share};

/// The life of a credential, as its certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

impl Life {
    /// When another is to take its place: when two thirds of it are over, or somewhat before, for each object at another
    /// time. None, where it never was good. Should that be over, as with a clock that was set, it is due in a while: whoever gets what is over again and again does not ask for
    /// it without a pause.
    pub fn renewal(&self, uid: &str, now: Timestamp) -> Option<Timestamp> {
        let time = self.two_thirds()?;
        let due = moment(uid, self.from, time);
        Some(if due > now { due } else { later(now, (time / SPREAD + share(uid, time)) / 2) })
    }

    /// Whether it waits for nothing any more.
    pub fn presses(&self, now: Timestamp) -> bool {
        self.two_thirds().is_some_and(|time| later(self.from, time) <= now)
    }

    /// Whether two thirds of it are longer than this.
    pub fn outlasts(&self, every: Duration) -> bool {
        self.two_thirds().is_none_or(|time| time > every)
    }

    fn two_thirds(&self) -> Option<Duration> {
        let whole = Duration::try_from(self.until.duration_since(self.from)).ok()?;
        (!whole.is_zero()).then_some(whole / 3 * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rotation::By;
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(days: u32) -> Timestamp {
        Timestamp::UNIX_EPOCH + days * DAY
    }

    #[test]
    fn it_is_renewed_when_two_thirds_are_over_and_not_all_at_once() {
        let life = Life { from: at(0), until: at(30) };
        let due: Vec<_> = (0..100).filter_map(|one| life.renewal(&format!("uid-{one}"), at(0))).collect();
        assert!(due.iter().all(|one| *one >= at(18) && *one <= at(20)));
        assert!(due.iter().any(|one| *one < at(19)) && due.iter().any(|one| *one > at(19)));
        assert!(!life.presses(at(19)) && life.presses(at(20)));
    }

    #[test]
    fn a_clock_that_was_set_asks_for_no_other_without_a_pause() {
        let life = Life { from: at(0), until: at(30) };
        let due = (0..100).filter_map(|one| life.renewal(&format!("uid-{one}"), at(365)));
        assert!(due.into_iter().all(|one| one >= at(366) && one <= at(367)));
    }

    #[test]
    fn what_never_was_good_is_not_renewed_for_that() {
        let life = Life { from: at(2), until: at(1) };
        assert_eq!((life.renewal("a", at(0)), life.presses(at(9))), (None, false));
        assert!(life.outlasts(90 * DAY));
    }

    #[test]
    fn what_is_replaced_more_often_is_not_replaced_for_its_end() {
        let life = Life { from: at(0), until: at(30) };
        assert!(life.outlasts(10 * DAY) && !life.outlasts(20 * DAY));
        let by = |every: Option<u32>| By::of(Some(life), every.map(|days| days * DAY));
        assert_eq!((by(Some(10)), by(Some(20))), (Some(By::Interval(10 * DAY)), Some(By::Life(life))));
        assert_eq!((by(None), By::of(None, None)), (Some(By::Life(life)), None));
        let never = Life { from: at(1), until: at(1) };
        assert_eq!(By::of(Some(never), None).and_then(|by| by.due("a", at(1), at(1))), None);
    }
}

//! From when to when a credential is good that ends by itself, and when another is to take its place.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::rotation::{later, share_of};

/// A credential is renewed when two thirds of its life are over, or somewhat before: in the last so many parts of them.
const SPREAD: u32 = 10;

/// The life of a credential, as its certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

impl Life {
    /// When another is to take its place; none, where it never was good. Each object is due at another time. Should that be
    /// over, as with a clock that was set, it is due in a while: whoever gets what is over again and again does not ask for
    /// it without a pause.
    pub fn renewal(&self, uid: &str, now: Timestamp) -> Option<Timestamp> {
        let time = self.two_thirds()?;
        let (spread, share) = (time / SPREAD, share_of(uid));
        let due = later(self.from, spread * (SPREAD - 1) + spread.mul_f64(share));
        Some(if due > now { due } else { later(now, spread.mul_f64(f64::midpoint(1.0, share))) })
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
    }
}

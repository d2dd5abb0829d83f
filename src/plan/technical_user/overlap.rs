//! How long a superseded credential stays in force: until nobody uses it any more, within bounds.
//!
//! Time counts here by a clock that does not jump: what is in use is not revoked because somebody set a clock.

use std::time::Duration;

use super::facts::{CredentialFact, Have, Want};

/// The last of so many parts of the longest time is when people are told that it comes to its end.
const LAST: u32 = 10;

/// A credential that stood in the Secret before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superseded {
    /// The number of its issue.
    pub sequence: i64,
    /// The platform's id for it, where it was told.
    pub id: Option<String>,
    /// How long another has stood in its place.
    pub overlapped: Duration,
}

/// How long a superseded credential stays in force. The default is not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// So long in any case.
    pub least: Duration,
    /// So long at most, unless `holds`.
    pub most: Duration,
    /// Whether it stays until nobody uses it any more.
    pub until_rolled_out: bool,
    /// Whether what is used after `most` is left for a person to end.
    pub holds: bool,
}

/// Who still uses a superseded credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Users {
    /// Nobody has looked.
    #[default]
    NotAsked,
    /// The workloads of this namespace cannot be seen.
    CannotBeSeen,
    /// These, in words; nobody, if there are none.
    Still(Vec<String>),
}

/// How a superseded credential stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can end.
    Over,
    /// It waits for the time that it stays in any case.
    Young,
    /// It waits for these, in words.
    Used(Vec<String>),
    /// It waits for these, and has not long to wait.
    Nearing(Vec<String>),
    /// It has waited for these as long as it may, and longer than a person wished.
    Overdue(Vec<String>),
}

impl Terms {
    /// So long at most, which is never shorter than so long in any case.
    fn longest(&self) -> Duration {
        self.most.max(self.least)
    }

    /// When people are told that the longest time comes to its end.
    fn nearing(&self) -> Duration {
        self.longest().saturating_sub(self.longest() / LAST)
    }

    /// How long it is until the longest time is over.
    pub fn left(&self, superseded: &Superseded) -> Duration {
        self.longest().saturating_sub(superseded.overlapped)
    }
}

impl Superseded {
    /// Whether this is it.
    fn is(&self, want: &Want, credential: &CredentialFact) -> bool {
        want.owner.sequence_of(&credential.name) == Some(self.sequence)
            && self.id.as_ref().is_none_or(|id| *id == credential.id)
    }

    /// How it stands.
    pub fn standing(&self, terms: &Terms, users: &Users) -> Standing {
        if self.overlapped < terms.least {
            return Standing::Young;
        }
        let used = match users {
            _ if !terms.until_rolled_out => return Standing::Over,
            Users::Still(none) if none.is_empty() => return Standing::Over,
            Users::Still(some) => some.clone(),
            Users::NotAsked | Users::CannotBeSeen => vec!["workloads that cannot be seen".to_owned()],
        };
        match (self.overlapped >= terms.longest(), terms.holds) {
            (false, _) if self.overlapped >= terms.nearing() => Standing::Nearing(used),
            (false, _) => Standing::Used(used),
            (true, true) => Standing::Overdue(used),
            (true, false) => Standing::Over,
        }
    }
}

/// Whether a credential must be left alone for now: it stood in the Secret, or stands there, and software may use it.
pub fn protects(want: &Want, have: &Have, credential: &CredentialFact) -> bool {
    let sequence = want.owner.sequence_of(&credential.name);
    let published = have.recorded.credential.as_ref();
    let superseded = || have.recorded.superseded.iter().filter(|one| one.is(want, credential));
    let in_use = || superseded().any(|one| one.standing(&want.rotation.terms, &have.users) != Standing::Over);
    let is_published = published.is_some_and(|published| {
        Some(published.sequence) == sequence && published.id.as_ref().is_none_or(|id| *id == credential.id)
    });
    is_published || in_use()
}

/// Whether the record speaks of a superseded credential that can end and that a list does not show. Only a targeted read
/// tells that it has ended.
pub fn may_have_ended(want: &Want, have: &Have) -> bool {
    let is_there = |one: &Superseded| have.credentials.iter().any(|credential| one.is(want, credential));
    let over = |one: &&Superseded| one.standing(&want.rotation.terms, &have.users) == Standing::Over;
    have.recorded.superseded.iter().filter(over).any(|one| !is_there(one))
}

/// When to look again at a credential that stands like this: at once where it can end, and else often at first, and ever
/// less often.
pub fn look_again(superseded: &Superseded, terms: &Terms, standing: &Standing) -> Duration {
    let until = |time: Duration| time.saturating_sub(superseded.overlapped).max(Duration::from_millis(100));
    match standing {
        Standing::Over => Duration::from_secs(1),
        Standing::Young => terms.least.saturating_sub(superseded.overlapped),
        Standing::Used(_) => often(superseded).min(until(terms.nearing())),
        Standing::Nearing(_) => often(superseded).min(until(terms.longest())),
        Standing::Overdue(_) => often(superseded),
    }
}

fn often(superseded: &Superseded) -> Duration {
    (superseded.overlapped / 10).clamp(Duration::from_secs(5), Duration::from_mins(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn terms() -> Terms {
        Terms { least: HOUR, most: 10 * HOUR, until_rolled_out: true, holds: false }
    }

    fn standing(hours: u32, terms: &Terms, users: &Users) -> Standing {
        Superseded { sequence: 1, id: None, overlapped: hours * HOUR }.standing(terms, users)
    }

    #[test]
    fn it_ends_when_nobody_uses_it_any_more_and_not_before_its_time() {
        let (nobody, somebody) = (Users::Still(vec![]), Users::Still(vec!["pod a".into()]));
        assert_eq!(standing(0, &terms(), &nobody), Standing::Young);
        assert_eq!(standing(1, &terms(), &nobody), Standing::Over);
        assert_eq!(standing(8, &terms(), &somebody), Standing::Used(vec!["pod a".into()]));
        assert_eq!(standing(9, &terms(), &somebody), Standing::Nearing(vec!["pod a".into()]));
        assert_eq!(standing(10, &terms(), &somebody), Standing::Over);
        let holding = Terms { holds: true, ..terms() };
        assert_eq!(standing(10, &holding, &somebody), Standing::Overdue(vec!["pod a".into()]));
    }

    #[test]
    fn whom_nobody_can_see_may_use_it() {
        for users in [Users::NotAsked, Users::CannotBeSeen] {
            assert!(matches!(standing(9, &terms(), &users), Standing::Nearing(_)));
            assert_eq!(standing(10, &terms(), &users), Standing::Over);
        }
        let fixed = Terms { until_rolled_out: false, ..terms() };
        assert_eq!(standing(1, &fixed, &Users::NotAsked), Standing::Over, "nobody asked for them to be waited for");
    }

    #[test]
    fn whatever_is_in_force_is_looked_at_again() {
        let old = Superseded { sequence: 1, id: None, overlapped: 30 * Duration::from_mins(1) };
        let again = |standing| look_again(&old, &terms(), &standing);
        assert!(again(Standing::Over) <= Duration::from_secs(1), "what can end does");
        assert_eq!(again(Standing::Young), 30 * Duration::from_mins(1));
        assert_eq!(again(Standing::Used(vec![])), Duration::from_mins(3));
        let late = Superseded { overlapped: (9 * HOUR).saturating_sub(Duration::from_secs(7)), ..old.clone() };
        assert_eq!(look_again(&late, &terms(), &Standing::Used(vec![])), Duration::from_secs(7), "when it nears");
        let last = Superseded { overlapped: (10 * HOUR).saturating_sub(Duration::from_secs(7)), ..old.clone() };
        assert_eq!(look_again(&last, &terms(), &Standing::Nearing(vec![])), Duration::from_secs(7), "when it is over");
    }

    #[test]
    fn the_longest_time_is_never_shorter_than_the_shortest() {
        let reversed = Terms { least: 2 * HOUR, most: HOUR, ..terms() };
        assert_eq!(standing(1, &reversed, &Users::Still(vec!["pod a".into()])), Standing::Young);
    }
}

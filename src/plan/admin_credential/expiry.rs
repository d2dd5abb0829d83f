//! When the operator's own credentials end, from when on people are told, and when to look again.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::EXPIRES_AT_ANNOTATION;
use crate::api::conditions::Verdict;

/// People are told this long before the end, and less where the whole life is short.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The part of a life at whose end people are told.
const LAST_PART: i32 = 3;
/// No clock is trusted for longer.
const AT_LEAST_EVERY: Duration = Duration::from_hours(24);

/// What is known of the ends of a Platform's admin credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Those that are known, the first one first.
    pub known: BTreeSet<End>,
    /// The Secrets whose annotation is not a time.
    pub unreadable: BTreeSet<String>,
}

/// The end of an admin credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// When it ends.
    pub at: Timestamp,
    /// The admin Secret that holds it.
    pub secret: String,
    /// What says so.
    pub said_by: SaidBy,
}

/// What says when a credential ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SaidBy {
    /// Its certificate, which is valid since then.
    Certificate(Timestamp),
    /// A person, in the Secret's annotation.
    Annotation,
}

/// What is to be said now, and until when that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What the condition says; `None` where there is nothing to say.
    pub verdict: Option<Verdict>,
    /// When something else may be to be said; `None` where no end is known.
    pub again: Option<Duration>,
}

impl End {
    /// Reads what an annotation says. A fraction of a second is of no use to anybody.
    pub fn recorded(secret: &str, text: &str) -> Option<Self> {
        let at: Timestamp = text.trim().parse().ok()?;
        let at = Timestamp::from_second(at.as_second()).ok()?;
        Some(Self { at, secret: secret.to_owned(), said_by: SaidBy::Annotation })
    }

    /// When people are told: thirty days before the end, or when a third is left of a life that is known and short.
    fn notice(&self) -> Timestamp {
        let before = match self.said_by {
            SaidBy::Certificate(since) => NOTICE.min(self.at.duration_since(since) / LAST_PART),
            SaidBy::Annotation => NOTICE,
        };
        self.at.checked_sub(before).unwrap_or(Timestamp::MIN)
    }

    fn sentence(&self, now: Timestamp) -> String {
        let Self { at, secret, said_by } = self;
        let ends = if *at <= now { "ended" } else { "ends" };
        match said_by {
            SaidBy::Certificate(_) => format!(
                "the certificate in Secret {secret} {ends} at {at}: put one that lasts, with its key, into the Secret"
            ),
            SaidBy::Annotation => format!(
                "the credential in Secret {secret} {ends} at {at}, as its annotation {EXPIRES_AT_ANNOTATION} says: \
                 put a new one into the Secret, and its end into the annotation"
            ),
        }
    }
}

impl Ends {
    /// The one that comes first.
    pub fn first(&self) -> Option<&End> {
        self.known.first()
    }

    /// What is to be said at this time.
    pub fn judge(&self, now: Timestamp) -> Judgement {
        let near = self.known.iter().filter(|end| end.notice() <= now).map(|end| end.sentence(now));
        let odd = self.unreadable.iter().map(|secret| {
            format!(
                "the annotation {EXPIRES_AT_ANNOTATION} of Secret {secret} is not a time such as 2027-01-31T00:00:00Z"
            )
        });
        let sentences: Vec<String> = near.chain(odd).collect();
        let verdict =
            self.standing(now).map(|(status, reason)| Verdict { status, reason, message: sentences.join("; ") });
        Judgement { verdict, again: self.next_change(now) }
    }

    /// Status and reason of the condition.
    fn standing(&self, now: Timestamp) -> Option<(&'static str, &'static str)> {
        if self.known.iter().any(|end| end.at <= now) {
            return Some(("True", "CredentialExpired"));
        }
        if self.known.iter().any(|end| end.notice() <= now) {
            return Some(("True", "CredentialExpiring"));
        }
        (!self.unreadable.is_empty()).then_some(("Unknown", "ExpiryUnreadable"))
    }

    fn next_change(&self, now: Timestamp) -> Option<Duration> {
        let changes = self.known.iter().flat_map(|end| [end.notice(), end.at]).filter(|change| *change > now);
        let wait = |change: Timestamp| Duration::try_from(change.duration_since(now)).unwrap_or_default();
        changes.min().map(|change| wait(change).min(AT_LEAST_EVERY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn certificate(secret: &str, since: i64, until: i64) -> End {
        End { at: at(until), secret: secret.to_owned(), said_by: SaidBy::Certificate(at(since)) }
    }

    fn ends(known: impl IntoIterator<Item = End>) -> Ends {
        Ends { known: known.into_iter().collect(), unreadable: BTreeSet::new() }
    }

    /// Reason at a time, and the seconds until it is looked at again.
    fn said(ends: &Ends, now: i64) -> (Option<&'static str>, Option<u64>) {
        let Judgement { verdict, again } = ends.judge(at(now));
        (verdict.map(|verdict| verdict.reason), again.map(|again| again.as_secs()))
    }

    #[test]
    fn nothing_is_said_of_what_has_no_known_end() {
        assert_eq!(said(&Ends::default(), 0), (None, None));
    }

    #[test]
    fn notice_is_given_thirty_days_before_the_end_of_a_long_life() {
        let ends = ends([certificate("a", 0, 365 * DAY)]);
        let notice = 335 * DAY;
        assert_eq!(said(&ends, 0), (None, Some(86_400)), "no clock is trusted for longer than a day");
        assert_eq!(said(&ends, notice - 10), (None, Some(10)));
        assert_eq!(said(&ends, notice), (Some("CredentialExpiring"), Some(86_400)));
        assert_eq!(said(&ends, 365 * DAY - 1), (Some("CredentialExpiring"), Some(1)));
        assert_eq!(said(&ends, 365 * DAY), (Some("CredentialExpired"), None));
    }

    #[test]
    fn a_short_life_gives_notice_when_a_third_of_it_is_left() {
        let ends = ends([certificate("a", 0, 90)]);
        assert_eq!(said(&ends, 59), (None, Some(1)));
        assert_eq!(said(&ends, 60), (Some("CredentialExpiring"), Some(30)));
        assert_eq!(said(&ends, 90), (Some("CredentialExpired"), None));
    }

    #[test]
    fn the_nearest_notice_counts_and_not_only_the_nearest_end() {
        let short = certificate("short", 0, 24 * DAY);
        let recorded = End::recorded("recorded", "1970-01-26T00:00:00Z").unwrap();
        let ends = ends([short, recorded]);
        assert_eq!(ends.first().unwrap().secret, "short");
        let verdict = ends.judge(at(0)).verdict.unwrap();
        assert!(verdict.message.contains("Secret recorded") && !verdict.message.contains("short"), "{verdict:?}");
        let later = ends.judge(at(25 * DAY)).verdict.unwrap();
        assert_eq!(later.reason, "CredentialExpired");
        assert!(later.message.contains("Secret short ended at 1970-01-25T00:00:00Z: put"), "{later:?}");
        assert!(later.message.contains("Secret recorded ended at 1970-01-26T00:00:00Z, as"), "{later:?}");
    }

    #[test]
    fn an_annotation_is_a_time_or_it_is_said_that_it_is_none() {
        let read = |text: &str| End::recorded("a", text).map(|end| end.at.as_second());
        assert_eq!(read(" 1970-01-01T00:00:10.75Z\n"), Some(10));
        assert_eq!(read("1970-01-01T01:00:00+01:00"), Some(0));
        for text in ["", "soon", "1970-01-01", "2027-13-01T00:00:00Z", "hunter2"] {
            assert_eq!(read(text), None, "{text}");
        }
        let odd = Ends { known: BTreeSet::new(), unreadable: ["a".to_owned()].into() };
        assert_eq!(said(&odd, 0), (Some("ExpiryUnreadable"), None));
        let both = Ends { known: [certificate("b", 0, 90)].into(), ..odd };
        let verdict = both.judge(at(60)).verdict.unwrap();
        assert_eq!((verdict.status, verdict.reason), ("True", "CredentialExpiring"));
        assert!(verdict.message.contains("of Secret a is not a time"), "{verdict:?}");
    }

    #[test]
    fn a_clock_that_jumps_and_a_life_that_is_none_do_no_harm() {
        let odd = ends([certificate("a", 100, 90), certificate("b", i64::from(i32::MIN), 91)]);
        for now in [Timestamp::MIN, at(0), at(90), Timestamp::MAX] {
            odd.judge(now);
        }
        assert_eq!(said(&odd, 95).0, Some("CredentialExpired"));
        assert_eq!(said(&odd, -40 * DAY).0, None, "the clock went back");
    }
}

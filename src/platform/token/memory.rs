//! What is remembered of a credential's log-ons: the token, or why there is none and for how long that is the answer.
//!
//! Pure: the clock is a parameter.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::{Token, Unissued};
use crate::platform::error::{Error, Kind, Result};

/// How long a failure is at first the answer for whoever asks next; doubles with each further one.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);
/// The same where the credential may be wrong: accounts are locked after a handful of tries.
const SUSPICION_HOLDS: Duration = Duration::from_mins(1);
/// A right that is missing is asked for again after this long.
const FORBIDDEN_HOLDS: Duration = Duration::from_mins(5);
/// So often does the time double: to about a minute after an outage, to about an hour with a suspicion.
const DOUBLINGS: u32 = 6;
/// A token this close to its end is not used any more.
const MARGIN: Duration = Duration::from_secs(20);

/// A token this young is as good as any: where it is refused, another would be too.
const FRESH: Duration = Duration::from_mins(1);

/// What is known of a credential.
#[derive(Debug)]
pub(super) enum Known {
    /// A token that is good for a while.
    Token(Arc<SecretString>),
    /// Why there is none, for now or for ever.
    Failure(Error),
    /// Nothing: ask.
    Nothing,
}

/// The token and the last failure.
#[derive(Default)]
pub(super) struct Memory {
    held: Option<Held>,
    failure: Option<Failure>,
    /// Failures in a row.
    failures: u32,
}

struct Held {
    value: Arc<SecretString>,
    scope: Option<String>,
    issued_at: Instant,
    renew_at: Instant,
    ends_at: Instant,
}

struct Failure {
    error: Error,
    /// `None`: until the credential changes, that is for ever.
    holds_until: Option<Instant>,
}

impl Held {
    /// A token of a few seconds is used until it is due; any other until shortly before its end.
    fn is_good(&self, now: Instant) -> bool {
        now < self.renew_at || now + MARGIN < self.ends_at
    }
}

impl Memory {
    /// What to answer whoever wants a token now.
    pub(super) fn look(&self, now: Instant) -> Known {
        if let Some(held) = self.held.as_ref().filter(|held| held.is_good(now)) {
            return Known::Token(Arc::clone(&held.value));
        }
        self.failing(now).map_or(Known::Nothing, |failure| Known::Failure(told(failure, now)))
    }

    /// Whether there is a token that is past half its life and should be replaced.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.held.as_ref().is_some_and(|held| now >= held.renew_at) && self.failing(now).is_none()
    }

    /// How the last fetch ended, for those who waited for it.
    pub(super) fn last(&self) -> Option<Result<Arc<SecretString>>> {
        match (&self.held, &self.failure) {
            (Some(held), None) => Some(Ok(Arc::clone(&held.value))),
            (_, Some(failure)) => Some(Err(failure.error.share())),
            (None, None) => None,
        }
    }

    /// What the token there is is good for, if its token service says so (RFC 6749 §3.3: words with spaces between).
    pub(super) fn scopes(&self) -> Option<BTreeSet<String>> {
        let scope = self.held.as_ref()?.scope.as_deref()?;
        Some(scope.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// Remembers how a fetch ended. A token that still has some life left stays in use after a failure.
    pub(super) fn keep(&mut self, fetched: Result<Token, Unissued>, now: Instant) {
        match fetched {
            Ok(token) => {
                let (renew_at, ends_at) = (now + token.life / 2, now + token.life);
                *self = Self::default();
                self.held =
                    Some(Held { value: Arc::new(token.value), scope: token.scope, issued_at: now, renew_at, ends_at });
            }
            Err(unissued) => self.fail(unissued, now),
        }
    }

    /// Whether this is the token there is, and it was issued just now.
    pub(super) fn is_fresh(&self, token: &Arc<SecretString>, now: Instant) -> bool {
        let held = self.held.as_ref().filter(|held| Arc::ptr_eq(&held.value, token));
        held.is_some_and(|held| now < held.issued_at + FRESH)
    }

    /// A token that was refused is not handed out again, unless it has been replaced meanwhile.
    pub(super) fn discard(&mut self, refused: &Arc<SecretString>) {
        if self.held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.value, refused)) {
            self.held = None;
        }
    }

    fn failing(&self, now: Instant) -> Option<&Failure> {
        self.failure.as_ref().filter(|failure| failure.holds_until.is_none_or(|end| now < end))
    }

    fn fail(&mut self, Unissued { error, perhaps_wrong }: Unissued, now: Instant) {
        let doubled = 2_u32.pow(self.failures.min(DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        let holds = match error.kind() {
            Kind::CredentialsRefused => None,
            Kind::Forbidden => Some(FORBIDDEN_HOLDS),
            _ if perhaps_wrong => Some(SUSPICION_HOLDS * doubled),
            _ => Some((FAILURE_HOLDS * doubled).max(error.wait().unwrap_or_default())),
        };
        let error = error.share().retry_after(holds);
        self.failure = Some(Failure { error, holds_until: holds.map(|holds| now + holds) });
    }
}

/// The failure, with how long it is still the answer.
fn told(failure: &Failure, now: Instant) -> Error {
    failure.error.share().retry_after(failure.holds_until.map(|until| until.saturating_duration_since(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(life: u32) -> Token {
        Token { value: SecretString::from("t"), life: SECOND * life, scope: None }
    }

    fn failed(kind: Kind) -> Result<Token, Unissued> {
        Err(Error::new(kind, "log on").into())
    }

    fn perhaps_wrong() -> Result<Token, Unissued> {
        Err(Unissued { error: Error::new(Kind::Unavailable, "log on"), perhaps_wrong: true })
    }

    fn has_token(memory: &Memory, now: Instant) -> bool {
        matches!(memory.look(now), Known::Token(_))
    }

    /// For how long the failure is the answer.
    fn holds(memory: &Memory, now: Instant) -> Option<Duration> {
        match memory.look(now) {
            Known::Failure(error) => error.wait(),
            Known::Token(_) | Known::Nothing => panic!("a failure is remembered"),
        }
    }

    #[test]
    fn a_token_past_half_its_life_is_due_and_still_good() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.keep(Ok(token(3600)), now);
        assert!(!memory.is_due(now + SECOND * 1799));
        assert!(memory.is_due(now + SECOND * 1800) && has_token(&memory, now + SECOND * 1800));
        assert!(has_token(&memory, now + SECOND * 3579));
        assert!(!has_token(&memory, now + SECOND * 3580), "too close to its end");
    }

    #[test]
    fn a_token_of_a_few_seconds_is_used_for_half_of_them() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.keep(Ok(token(10)), now);
        assert!(has_token(&memory, now + SECOND * 4) && !has_token(&memory, now + SECOND * 5));
    }

    #[test]
    fn a_failed_renewal_leaves_the_living_token_in_use_and_is_not_repeated_at_once() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.keep(Ok(token(3600)), now);
        let now = now + SECOND * 1800;
        memory.keep(failed(Kind::Unavailable), now);
        assert!(has_token(&memory, now) && !memory.is_due(now));
        assert!(memory.is_due(now + SECOND));
        assert!(!has_token(&memory, now + SECOND * 1800));
    }

    #[test]
    fn a_refused_credential_stays_refused_and_an_outage_passes() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.keep(failed(Kind::CredentialsRefused), now);
        assert!(matches!(memory.look(now + SECOND * 1_000_000), Known::Failure(_)));
        let mut memory = Memory::default();
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
            memory.keep(failed(Kind::Unavailable), now);
            assert_eq!(holds(&memory, now), Some(SECOND * seconds));
            assert!(matches!(memory.look(now + SECOND * seconds), Known::Nothing));
        }
    }

    #[test]
    fn a_credential_that_may_be_wrong_is_tried_less_often_than_accounts_are_locked_for() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let (mut now, mut tries) = (start, 0);
        while now < start + SECOND * 600 {
            memory.keep(perhaps_wrong(), now);
            now += holds(&memory, now).unwrap();
            tries += 1;
        }
        assert!(tries <= 4, "{tries} in ten minutes");
    }

    #[test]
    fn a_token_puts_the_failures_before_it_out_of_mind() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        (0..5).for_each(|_| memory.keep(failed(Kind::Unavailable), now));
        memory.keep(Ok(token(10)), now);
        memory.keep(failed(Kind::Unavailable), now + SECOND * 9);
        assert_eq!(holds(&memory, now + SECOND * 9), Some(SECOND));
    }

    #[test]
    fn what_a_token_is_good_for_is_known_if_its_token_service_says_so() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        assert_eq!(memory.scopes(), None);
        memory.keep(Ok(token(10)), now);
        assert_eq!(memory.scopes(), None);
        memory.keep(Ok(Token { scope: Some(" a.read  b.write".to_owned()), ..token(10) }), now);
        assert_eq!(memory.scopes(), Some(["a.read", "b.write"].map(str::to_owned).into()));
    }

    #[test]
    fn a_refused_token_is_not_handed_out_again_but_its_successor_is() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.keep(Ok(token(100)), now);
        let Known::Token(first) = memory.look(now) else { panic!("a token") };
        assert!(memory.is_fresh(&first, now) && !memory.is_fresh(&first, now + FRESH));
        memory.keep(Ok(token(100)), now);
        assert!(!memory.is_fresh(&first, now), "there is another");
        memory.discard(&first);
        let Known::Token(second) = memory.look(now) else { panic!("its successor") };
        memory.discard(&second);
        assert!(matches!(memory.look(now), Known::Nothing));
    }
}

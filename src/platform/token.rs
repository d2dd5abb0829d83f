//! Access tokens for an admin credential: OAuth client credentials (RFC 6749 §4.4) with a secret or a certificate.
//!
//! One fetch at a time for each credential. A token is renewed at half its life, beside the calls that still use it. A
//! refused credential is not tried again and again, since platforms lock accounts for that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use secrecy::SecretString;

use super::budget::{Budget, CallObserver, Limit, Limits, MAX_IN_FLIGHT};
use super::error::{Error, Kind, Result};
use super::http::Http;
use super::pause::pause;
pub use client::{Client, ClientProof, Token, Unissued};
use memory::{Known, Memory};

mod client;
mod memory;

/// Pause before the one second try after the token endpoint refused the credential.
const SECOND_TRY: Duration = Duration::from_secs(2);
/// How long a fetch may take, its wait for a turn included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(45);
const OPERATION: &str = "log on";

/// The current token of one admin credential.
pub struct TokenSource {
    fetcher: Arc<Fetcher>,
}

struct Fetcher {
    client: Client,
    http: Http,
    /// Token endpoints have limits apart from those of the APIs.
    budget: Budget,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    memory: Memory,
    /// The fetch under way. It is a task of its own, so that it ends and is remembered whoever stops waiting for it.
    flight: Option<Flight>,
}

type Flight = Shared<BoxFuture<'static, ()>>;

impl TokenSource {
    /// The source for a client. `http` presents the certificate where the client proves itself by one.
    pub fn new(client: Client, http: Http, observer: Arc<dyn CallObserver>) -> Self {
        let budget = Budget::new("token", &Limits::one(Limit::Unknown), MAX_IN_FLIGHT, observer);
        Self { fetcher: Arc::new(Fetcher { client, http, budget, state: Mutex::default() }) }
    }

    /// A token that is good for a while. Whoever has none waits for the one that is being fetched.
    pub async fn get(&self, deadline: Instant) -> Result<Arc<SecretString>> {
        let flight = match self.fetcher.look(Instant::now()) {
            Known::Token(value) => return Ok(value),
            Known::Failure(error) => return Err(error),
            Known::Nothing => self.fetcher.flight(),
        };
        let wait = deadline.saturating_duration_since(Instant::now());
        if tokio::time::timeout(wait, flight).await.is_err() {
            return Err(Error::new(Kind::Unavailable, OPERATION));
        }
        self.fetcher.state().memory.last().unwrap_or_else(|| Err(Error::new(Kind::Unavailable, OPERATION)))
    }

    /// What the token there is is good for, if its token service says so.
    pub fn scopes(&self) -> Option<BTreeSet<String>> {
        self.fetcher.state().memory.scopes()
    }

    /// Whether this token was issued just now, so that there is no better one.
    pub fn is_fresh(&self, token: &Arc<SecretString>) -> bool {
        self.fetcher.state().memory.is_fresh(token, Instant::now())
    }

    /// As if a token of this value had been issued so long ago.
    #[cfg(test)]
    pub fn hold(&self, value: &str, age: Duration) {
        let token = Token { value: value.into(), life: Duration::from_secs(3600), scope: None };
        let issued = Instant::now().checked_sub(age).unwrap();
        self.fetcher.state().memory.keep(Ok(token), issued);
    }

    /// The API refused this token: the next caller gets another. A token that was replaced meanwhile stays.
    pub fn discard(&self, refused: &Arc<SecretString>) {
        self.fetcher.state().memory.discard(refused);
    }
}

impl Fetcher {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known. A token that is past half its life is handed out, and another fetched beside.
    fn look(self: &Arc<Self>, now: Instant) -> Known {
        let (known, ageing) = {
            let state = self.state();
            (state.memory.look(now), state.memory.is_due(now))
        };
        if ageing {
            drop(self.flight());
        }
        known
    }

    /// The fetch under way, begun if there is none.
    fn flight(self: &Arc<Self>) -> Flight {
        let mut state = self.state();
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.peek().is_none()) {
            return flight.clone();
        }
        let fetcher = Arc::clone(self);
        let task = tokio::spawn(async move {
            let fetched = fetcher.fetch(Instant::now() + FETCH_TIMEOUT).await;
            let mut state = fetcher.state();
            state.memory.keep(fetched, Instant::now());
            state.flight = None;
        });
        let flight = task.map(drop).boxed().shared();
        state.flight = Some(flight.clone());
        flight
    }

    async fn fetch(&self, deadline: Instant) -> Result<Token, Unissued> {
        let first = self.client.ask(&self.http, &self.budget, OPERATION, deadline).await;
        match first {
            Err(refused) if refused.error.kind() == Kind::CredentialsRefused => {
                pause(SECOND_TRY).await;
                self.client.ask(&self.http, &self.budget, OPERATION, deadline).await
            }
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::platform::budget::Unobserved;
    use crate::platform::stand_in::{Answering, StandIn};

    #[tokio::test]
    async fn a_token_that_is_still_good_is_handed_out_while_another_is_fetched_beside() {
        let platform = StandIn::start().await;
        platform.token_service(Answering::Never);
        let client = platform.client("secret");
        let source = TokenSource::new(client.clone(), client.http().unwrap(), Arc::new(Unobserved));
        source.hold("old", Duration::from_mins(31));
        let asked = Instant::now();
        for _ in 0..3 {
            assert_eq!(source.get(asked + FETCH_TIMEOUT).await.unwrap().expose_secret(), "old");
        }
        assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
        pause(Duration::from_millis(200)).await;
        assert_eq!(platform.log_ons(), 1, "one fetches");
    }

    #[tokio::test]
    async fn those_who_wait_for_a_token_share_one_fetch_also_when_the_first_gives_up() {
        let platform = StandIn::start().await;
        platform.token_service(Answering::Slowly(Duration::from_millis(300)));
        let client = platform.client("secret");
        let source = Arc::new(TokenSource::new(client.clone(), client.http().unwrap(), Arc::new(Unobserved)));
        let soon = Instant::now() + Duration::from_secs(5);
        let first = tokio::time::timeout(Duration::from_millis(50), source.get(soon)).await;
        assert!(first.is_err(), "it gave up");
        let all = futures::future::join_all((0..10).map(|_| source.get(soon))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(platform.log_ons(), 1);
    }
}

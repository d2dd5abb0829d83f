//! Access tokens for an admin credential: OAuth client credentials (RFC 6749 §4.4) with a secret or a certificate.
//!
//! One fetch at a time for each credential. A token is renewed at half its life, beside the calls that still use it. A
//! refused credential is not tried again and again, since platforms lock accounts for that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::budget::{Budget, CallObserver, Lane, Limit, Limits, MAX_IN_FLIGHT, Outcome, Urgency};
use super::error::{Error, Kind, Result};
use super::http::verdict::judge_log_on;
use super::http::{Authorization, Body, Http, Lost, Request, address};
use super::pause::pause;
use crate::plan::digest;
use memory::{Known, Memory};

mod memory;

/// Pause before the one second try after the token endpoint refused the credential.
const SECOND_TRY: Duration = Duration::from_secs(2);
/// How long a fetch may take, its wait for a turn included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(45);
/// What a token lives if the platform does not say (RFC 6749 §5.1 only recommends `expires_in`).
const DEFAULT_LIFE: u64 = 600;
const OPERATION: &str = "log on";

/// How a client shows at the token endpoint that it is itself.
#[derive(Clone)]
pub enum ClientProof {
    /// `client_secret` in the form. What XSUAA and UAA want, as secrets may contain `+`.
    Body(SecretString),
    /// HTTP Basic (RFC 6749 §2.3.1).
    Basic(SecretString),
    /// A TLS identity (RFC 8705): the chain, leaf first, and its key. Both are PEM.
    Certificate(SecretString, SecretString),
}

/// A client and where it logs on. It has no `Debug`.
#[derive(Clone)]
pub struct Client {
    /// The token endpoint.
    pub token_url: Url,
    /// The client's id.
    pub id: String,
    /// How it shows that it is itself.
    pub proof: ClientProof,
    /// On whose behalf it asks.
    grant: Grant,
    /// Whether the fields of the grant stand in the query rather than in the form.
    in_query: bool,
}

/// On whose behalf a client asks for tokens.
#[derive(Clone)]
enum Grant {
    /// Its own (RFC 6749 §4.4).
    ClientCredentials,
    /// A user's, at an identity provider (RFC 6749 §4.3; the hint is the UAA's).
    Password { user: String, password: SecretString, origin: Option<String> },
}

/// A token and its life.
pub struct Token {
    value: SecretString,
    life: Duration,
    /// What it is good for, as the token service says (RFC 6749 §5.1), if it does.
    pub scope: Option<String>,
}

/// Why there is no token.
pub struct Unissued {
    /// What everybody is told who wanted one.
    pub error: Error,
    /// The endpoint said 401, but not in the words of OAuth: perhaps the credential is wrong, so it is tried rarely.
    pub perhaps_wrong: bool,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

impl Client {
    /// A client that asks for itself.
    pub fn new(token_url: Url, id: impl Into<String>, proof: ClientProof) -> Self {
        Self { token_url, id: id.into(), proof, grant: Grant::ClientCredentials, in_query: false }
    }

    /// The same, with the grant's type in the query. The only way on Neo ("Using Platform APIs").
    #[must_use]
    pub fn in_query(self) -> Self {
        Self { in_query: true, ..self }
    }

    /// The same, on behalf of a user.
    #[must_use]
    pub fn on_behalf_of(self, user: String, password: SecretString, origin: Option<String>) -> Self {
        Self { grant: Grant::Password { user, password, origin }, ..self }
    }

    /// What tells it from every other credential, without its values.
    pub fn digest(&self) -> String {
        let (kind, secret, more) = match &self.proof {
            ClientProof::Body(secret) => ("body", secret.expose_secret(), ""),
            ClientProof::Basic(secret) => ("basic", secret.expose_secret(), ""),
            ClientProof::Certificate(chain, key) => ("certificate", chain.expose_secret(), key.expose_secret()),
        };
        let (user, password, origin) = match &self.grant {
            Grant::ClientCredentials => ("", "", ""),
            Grant::Password { user, password, origin } => {
                (user.as_str(), password.expose_secret(), origin.as_deref().unwrap_or_default())
            }
        };
        let parts = [self.token_url.as_str(), &self.id, kind, secret, more, user, password, origin];
        digest::of(parts.map(str::as_bytes), 32)
    }

    /// What it sends with.
    pub fn http(&self) -> Result<Http> {
        match &self.proof {
            ClientProof::Certificate(chain, key) => Http::with_certificate(chain, key),
            ClientProof::Body(_) | ClientProof::Basic(_) => Http::new(),
        }
    }

    fn request(&self) -> Request {
        let hint = self.login_hint();
        let (mut url, mut fields) = (self.token_url.clone(), self.grant_fields(hint.as_deref()));
        if self.in_query {
            url.query_pairs_mut().extend_pairs(fields.drain(..));
        }
        match &self.proof {
            ClientProof::Body(secret) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", secret.expose_secret())]);
            }
            ClientProof::Certificate(..) => fields.push(("client_id", &self.id)),
            ClientProof::Basic(_) => {}
        }
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Request { method: Method::POST, url, headers, body: Body::Form(address::form(&fields)) }
    }

    fn grant_fields<'a>(&'a self, hint: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        match &self.grant {
            Grant::ClientCredentials => vec![("grant_type", "client_credentials")],
            Grant::Password { user, password, .. } => {
                let known = [("grant_type", "password"), ("username", user), ("password", password.expose_secret())];
                known.into_iter().chain(hint.map(|hint| ("login_hint", hint))).collect()
            }
        }
    }

    /// At which identity provider the user is, in the UAA's words.
    fn login_hint(&self) -> Option<String> {
        match &self.grant {
            Grant::ClientCredentials => None,
            Grant::Password { origin, .. } => {
                origin.as_ref().map(|origin| serde_json::json!({ "origin": origin }).to_string())
            }
        }
    }

    fn authorization(&self) -> Authorization<'_> {
        match &self.proof {
            ClientProof::Basic(secret) => Authorization::Basic(&self.id, secret),
            ClientProof::Body(_) | ClientProof::Certificate(..) => Authorization::None,
        }
    }

    /// Asks for a token, once. A client that the endpoint itself refuses is [`Kind::CredentialsRefused`].
    pub async fn ask(
        &self,
        http: &Http,
        budget: &Budget,
        operation: &'static str,
        deadline: Instant,
    ) -> Result<Token, Unissued> {
        let permit = budget.admit(operation, Lane::Rest, Urgency::First, deadline).await?;
        let answer = match http.exchange(self.request(), self.authorization()).await {
            Ok(answer) => answer,
            // Asking for a token changes nothing, so it does not matter whether the question arrived.
            Err(Lost::NeverSent(cause) | Lost::Unanswered(cause)) => {
                permit.finish(Outcome::Unavailable(None), "unavailable");
                return Err(Error::new(Kind::Unavailable, operation).caused_by(cause).into());
            }
        };
        let verdict = judge_log_on(&answer, SystemTime::now());
        permit.finish(verdict.outcome(), verdict.refusal.map_or("ok", Kind::word));
        match verdict.refusal {
            Some(kind) => {
                let perhaps_wrong = kind == Kind::Unavailable && answer.status() == 401;
                Err(Unissued { error: verdict.error(kind, operation), perhaps_wrong })
            }
            None => Ok(answer.json::<Issued>(operation)?.into()),
        }
    }
}

impl From<Error> for Unissued {
    fn from(error: Error) -> Self {
        Self { error, perhaps_wrong: false }
    }
}

impl From<Issued> for Token {
    fn from(issued: Issued) -> Self {
        let life = Duration::from_secs(issued.expires_in.unwrap_or(DEFAULT_LIFE));
        Self { value: issued.access_token.into(), life, scope: issued.scope }
    }
}

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
    use super::*;
    use crate::platform::budget::Unobserved;
    use crate::platform::stand_in::{Answering, StandIn};

    fn client(proof: ClientProof) -> Client {
        Client::new(Url::parse("https://uaa.example/oauth/token").unwrap(), "sb-1!b2|it!b3", proof)
    }

    fn sent(client: Client) -> (String, String) {
        let request = client.request();
        let Body::Form(form) = request.body else { panic!("a token request is a form") };
        (request.url.query().unwrap_or_default().to_owned(), form)
    }

    #[test]
    fn each_variant_sends_what_its_platform_reads() {
        let (grant, secret) = ("grant_type=client_credentials", SecretString::from("a+b$c=&d"));
        let form = format!("{grant}&client_id=sb-1%21b2%7Cit%21b3&client_secret=a%2Bb%24c%3D%26d");
        assert_eq!(sent(client(ClientProof::Body(secret.clone()))), (String::new(), form));
        let form = format!("{grant}&client_id=sb-1%21b2%7Cit%21b3");
        assert_eq!(sent(client(ClientProof::Certificate("c".into(), "k".into()))), (String::new(), form));
        assert_eq!(sent(client(ClientProof::Basic(secret.clone())).in_query()), (grant.to_owned(), String::new()));
        let user = client(ClientProof::Basic("".into())).on_behalf_of("jane@x".into(), secret, Some("acme".into()));
        let form = "grant_type=password&username=jane%40x&password=a%2Bb%24c%3D%26d&login_hint=%7B%22origin%22%3A%22acme%22%7D";
        assert_eq!(sent(user), (String::new(), form.to_owned()));
    }

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

    #[test]
    fn a_digest_tells_credentials_apart_and_shows_none() {
        let digests: std::collections::BTreeSet<_> = [
            ClientProof::Body("hunter2".into()),
            ClientProof::Body("hunter3".into()),
            ClientProof::Basic("hunter2".into()),
            ClientProof::Certificate("hunter2".into(), "k".into()),
        ]
        .map(|proof| client(proof).digest())
        .into();
        assert_eq!(digests.len(), 4);
        assert!(digests.iter().all(|digest| !digest.contains("hunter")));
    }
}

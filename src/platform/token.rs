//! Access tokens for an admin credential: OAuth client credentials (RFC 6749 §4.4) with a secret or a certificate.
//!
//! One token at a time for each credential, fetched by one caller while the others wait, renewed at half its life. A
//! refused credential is not tried again and again, since platforms lock accounts for that.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::platform::pause::pause;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::budget::{Budget, Outcome, Urgency};
use super::error::{Error, Kind, Result};
use super::http::verdict::judge;
use super::http::{Authorization, Body, Http, Lost, Request, address};

/// Pause before the one second try after the token endpoint refused the credential.
const SECOND_TRY: Duration = Duration::from_secs(2);
/// A failure to get a token is the answer for everybody who waited, and for whoever asks this soon after.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);
/// A right that is missing (403) is asked for again after this long.
const FORBIDDEN_HOLDS: Duration = Duration::from_mins(5);
/// What a token lives if the platform does not say (RFC 6749 §5.1 only recommends `expires_in`).
const DEFAULT_LIFE: u64 = 600;
/// A token this close to its end is not used any more.
const MARGIN: Duration = Duration::from_secs(20);

/// How a client shows at the token endpoint that it is itself.
#[derive(Clone)]
pub enum ClientProof {
    /// `client_secret` in the form. What XSUAA and UAA want, as secrets may contain `+`.
    Body(SecretString),
    /// HTTP Basic. The only way on Neo.
    Basic(SecretString),
    /// The TLS identity of the [`Http`] that asks (RFC 8705).
    Certificate,
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
}

/// A token and its life.
pub struct Token {
    value: SecretString,
    life: Duration,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: Option<u64>,
}

impl Client {
    fn request(&self) -> Request {
        let mut fields = vec![("grant_type", "client_credentials")];
        match &self.proof {
            ClientProof::Body(secret) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", secret.expose_secret())]);
            }
            ClientProof::Certificate => fields.push(("client_id", &self.id)),
            ClientProof::Basic(_) => {}
        }
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Request { method: Method::POST, url: self.token_url.clone(), headers, body: Body::Form(address::form(&fields)) }
    }

    fn authorization(&self) -> Authorization<'_> {
        match &self.proof {
            ClientProof::Basic(secret) => Authorization::Basic(&self.id, secret),
            ClientProof::Body(_) | ClientProof::Certificate => Authorization::None,
        }
    }

    /// Asks for a token, once. A client that the endpoint refuses is [`Kind::CredentialsRefused`].
    pub async fn ask(&self, http: &Http, budget: &Budget, operation: &'static str, deadline: Instant) -> Result<Token> {
        let permit = budget.admit(operation, Urgency::First, deadline).await?;
        let answer = match http.exchange(self.request(), self.authorization()).await {
            Ok(answer) => answer,
            // Asking for a token changes nothing, so it does not matter whether the question arrived.
            Err(Lost::NeverSent(cause) | Lost::Unanswered(cause)) => {
                permit.finish(Outcome::Unavailable(None), "unavailable");
                return Err(Error::new(Kind::Unavailable, operation).caused_by(cause));
            }
        };
        let verdict = judge(&answer, SystemTime::now());
        let refusal = verdict.refusal.map(|kind| match kind {
            // A UAA says 400 for a client that may not use this grant (RFC 6749 §5.2).
            Kind::Invalid => Kind::CredentialsRefused,
            kind => kind,
        });
        permit.finish(verdict.outcome(), refusal.map_or("ok", Kind::word));
        match refusal {
            Some(kind) => Err(verdict.error(kind, operation)),
            None => answer.json::<Issued>(operation).map(Token::from),
        }
    }
}

impl From<Issued> for Token {
    fn from(issued: Issued) -> Self {
        Self { value: issued.access_token.into(), life: Duration::from_secs(issued.expires_in.unwrap_or(DEFAULT_LIFE)) }
    }
}

/// The current token of one admin credential.
pub struct TokenSource {
    client: Client,
    http: Http,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failure: Option<Failure>,
}

struct Held {
    value: Arc<SecretString>,
    renew_at: Instant,
    ends_at: Instant,
}

struct Failure {
    error: Error,
    /// `None`: until the credential changes, that is for ever.
    holds_until: Option<Instant>,
}

impl TokenSource {
    /// The source for a client. `http` presents the certificate where the client proves itself by one.
    pub fn new(client: Client, http: Http) -> Self {
        Self { client, http, state: Mutex::new(State::default()) }
    }

    /// A token that is good for a while. Whoever comes while one is being fetched waits for that one.
    pub async fn get(&self, budget: &Budget, deadline: Instant) -> Result<Arc<SecretString>> {
        // Held across the fetch on purpose: this is the single flight. A cancelled caller lets go, and the next fetches.
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(held) = state.held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(Arc::clone(&held.value));
        }
        if let Some(failure) = state.failure.as_ref().filter(|failure| failure.holds_until.is_none_or(|end| now < end))
        {
            return Err(failure.error.share());
        }
        match self.fetch(budget, deadline).await {
            Ok(token) => Ok(state.hold(token)),
            Err(error) => state.fail(error),
        }
    }

    async fn fetch(&self, budget: &Budget, deadline: Instant) -> Result<Token> {
        let first = self.client.ask(&self.http, budget, "log on", deadline).await;
        match first {
            Err(error) if error.kind() == Kind::CredentialsRefused => {
                pause(SECOND_TRY).await;
                self.client.ask(&self.http, budget, "log on", deadline.max(Instant::now() + SECOND_TRY)).await
            }
            outcome => outcome,
        }
    }

    /// The API refused this token: the next caller gets another. A token that was replaced meanwhile stays.
    pub async fn discard(&self, refused: &Arc<SecretString>) {
        let mut state = self.state.lock().await;
        if state.held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.value, refused)) {
            state.held = None;
        }
    }
}

impl State {
    fn hold(&mut self, token: Token) -> Arc<SecretString> {
        let now = Instant::now();
        let value = Arc::new(token.value);
        self.held = Some(Held { value: Arc::clone(&value), renew_at: now + token.life / 2, ends_at: now + token.life });
        self.failure = None;
        value
    }

    /// Remembers the failure; a token that still has some life left is used meanwhile.
    fn fail(&mut self, error: Error) -> Result<Arc<SecretString>> {
        let now = Instant::now();
        if let Some(held) = self.held.as_mut().filter(|held| now + MARGIN < held.ends_at) {
            held.renew_at = (now + MARGIN).min(held.ends_at);
            return Ok(Arc::clone(&held.value));
        }
        let holds_until = match error.kind() {
            Kind::CredentialsRefused => None,
            Kind::Forbidden => Some(now + FORBIDDEN_HOLDS),
            _ => Some(now + FAILURE_HOLDS),
        };
        self.failure = Some(Failure { error: error.share(), holds_until });
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proof: ClientProof) -> Client {
        Client { token_url: Url::parse("https://uaa.example/oauth/token").unwrap(), id: "sb-1!b2|it!b3".into(), proof }
    }

    fn form(proof: ClientProof) -> String {
        match client(proof).request().body {
            Body::Form(form) => form,
            Body::Empty | Body::Json(_) => panic!("a token request is a form"),
        }
    }

    #[test]
    fn each_variant_sends_what_its_platform_reads() {
        let secret = SecretString::from("a+b$c=&d");
        assert_eq!(
            form(ClientProof::Body(secret.clone())),
            "grant_type=client_credentials&client_id=sb-1%21b2%7Cit%21b3&client_secret=a%2Bb%24c%3D%26d"
        );
        assert_eq!(form(ClientProof::Certificate), "grant_type=client_credentials&client_id=sb-1%21b2%7Cit%21b3");
        assert_eq!(form(ClientProof::Basic(secret)), "grant_type=client_credentials");
    }

    fn token(life: u64) -> Token {
        Token { value: SecretString::from("t"), life: Duration::from_secs(life) }
    }

    #[test]
    fn a_token_is_renewed_at_half_its_life() {
        let mut state = State::default();
        state.hold(token(3600));
        let held = state.held.as_ref().unwrap();
        assert_eq!(held.ends_at - held.renew_at, Duration::from_secs(1800));
    }

    #[test]
    fn a_refused_credential_stays_refused_and_an_outage_passes() {
        let mut state = State::default();
        assert!(state.fail(Error::new(Kind::CredentialsRefused, "log on")).is_err());
        assert!(state.failure.as_ref().unwrap().holds_until.is_none());
        assert!(state.fail(Error::new(Kind::Unavailable, "log on")).is_err());
        assert!(state.failure.as_ref().unwrap().holds_until.is_some());
    }

    #[test]
    fn a_failed_renewal_leaves_the_living_token_in_use() {
        let mut state = State::default();
        state.hold(token(3600));
        assert!(state.fail(Error::new(Kind::Unavailable, "log on")).is_ok());
        state.hold(token(10));
        assert!(state.fail(Error::new(Kind::Unavailable, "log on")).is_err());
    }
}

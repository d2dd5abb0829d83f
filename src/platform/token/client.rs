//! A client of a token service: who it is, how it shows so, on whose behalf it asks. It asks once; when to ask again is
//! somebody else's business.

use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::plan::digest;
use crate::platform::budget::{Budget, Lane, Outcome, Urgency};
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::verdict::judge_log_on;
use crate::platform::http::{Authorization, Body, Http, Lost, Request, address};

/// What a token lives if the platform does not say (RFC 6749 §5.1 only recommends `expires_in`).
const DEFAULT_LIFE: u64 = 600;

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
    /// What a request shows.
    pub(super) value: SecretString,
    /// How long it lives from now on.
    pub(super) life: Duration,
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

impl Token {
    /// What it is good for, one by one.
    pub fn scopes(&self) -> Option<Vec<String>> {
        Some(self.scope.as_ref()?.split_whitespace().map(str::to_owned).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

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

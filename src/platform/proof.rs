//! The proof that an issued credential works: a token request with it, where it is *known* to be asked.
//!
//! A field may name the token endpoint, or the credential may log on where the admin credential does. Anything else would
//! be a guess, and is not tried: a secret is not sent to an address that nobody named for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::budget::{Budget, CallObserver, Limit, Limits, MAX_IN_FLIGHT};
use super::error::{Error, Kind, Result};
use super::http::{Http, address};
use super::pause::pause;
use super::token::{Client, ClientProof, Token};
use super::{Field, Proof};

const OPERATION: &str = "prove credential";
/// How long one request may take, its wait for a turn included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Pauses before the second and the last try. A client that was just made can take seconds to be known everywhere.
const PAUSES: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(7)];

/// Proves credentials, with a budget of its own: token endpoints have limits apart from those of the APIs.
#[derive(Clone)]
pub struct Prover {
    http: Http,
    budget: Budget,
    /// Where the admin credential logs on.
    token_url: Url,
    pauses: [Duration; 2],
}

impl Prover {
    /// A prover beside an admin credential that logs on here. The observer is told of its calls.
    pub fn new(token_url: Url, observer: Arc<dyn CallObserver>) -> Result<Self> {
        let budget = Budget::new("token", &Limits::one(Limit::Unknown), MAX_IN_FLIGHT, observer);
        Ok(Self { http: Http::new()?, budget, token_url, pauses: PAUSES })
    }

    /// Asks for a token with these fields, and a few times again where the client is not known yet.
    pub async fn prove(&self, fields: &BTreeMap<String, Field>) -> Result<Proof> {
        let token = self.token(fields).await?;
        Ok(token.map_or(Proof::NotTestable, |token| Proof::Works(token.scopes())))
    }

    /// What a token for these fields is good for, as the token service says; `None` where nobody says.
    pub async fn scopes(&self, fields: &BTreeMap<String, Field>) -> Result<Option<Vec<String>>> {
        Ok(self.token(fields).await?.and_then(|token| token.scopes()))
    }

    async fn token(&self, fields: &BTreeMap<String, Field>) -> Result<Option<Token>> {
        let Some(client) = self.client(fields)? else { return Ok(None) };
        let http = match &client.proof {
            ClientProof::Certificate(..) => client.http().map_err(|_| not_usable("certificate"))?,
            ClientProof::Body(_) | ClientProof::Basic(_) => self.http.clone(),
        };
        for wait in self.pauses {
            match self.ask(&client, &http).await {
                Err(error) if error.kind() == Kind::ProofRefused => pause(wait).await,
                outcome => return outcome.map(Some),
            }
        }
        self.ask(&client, &http).await.map(Some)
    }

    async fn ask(&self, client: &Client, http: &Http) -> Result<Token> {
        let asked = client.ask(http, &self.budget, OPERATION, Instant::now() + TIMEOUT).await;
        asked.map_err(|unissued| match unissued.error {
            error if matches!(error.kind(), Kind::CredentialsRefused | Kind::Forbidden) => refused(&error),
            error => error,
        })
    }

    /// The client that these fields are, if it is known where it logs on. Some services keep it in an object `uaa` inside,
    /// which is that of its authorization server.
    fn client(&self, fields: &BTreeMap<String, Field>) -> Result<Option<Client>> {
        if fields.contains_key("clientid") {
            let is_known = |url: &Url| without_certificate(url) == without_certificate(&self.token_url);
            return from_fields(&|name| text(fields.get(name)), &is_known);
        }
        let Some(Field::Json(uaa)) = fields.get("uaa") else { return Ok(None) };
        let uaa: Value = serde_json::from_str(uaa.expose_secret()).map_err(|_| not_usable("uaa"))?;
        from_fields(&|name| uaa.get(name).and_then(Value::as_str).map(SecretString::from), &|_| true)
    }
}

fn refused(error: &Error) -> Error {
    Error::new(Kind::ProofRefused, OPERATION).detail(error.detail_text())
}

fn not_usable(field: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, OPERATION).detail(format!("field `{field}` of the credential is not usable"))
}

/// The same server has another name for those who log on with a certificate: `….authentication.cert.…`.
fn without_certificate(url: &Url) -> String {
    url.as_str().replacen(".authentication.cert.", ".authentication.", 1)
}

fn text(field: Option<&Field>) -> Option<SecretString> {
    match field? {
        Field::Text(text) => Some(text.clone()),
        Field::Json(_) => None,
    }
}

/// `tokenurl` is the endpoint itself. Without it, `url` is the authorization server of some services, and the application
/// itself of others; `certurl` is the one that asks for certificates.
fn from_fields(
    field: &dyn Fn(&str) -> Option<SecretString>,
    is_known: &dyn Fn(&Url) -> bool,
) -> Result<Option<Client>> {
    let Some(id) = field("clientid") else { return Ok(None) };
    let (proof, server) = match (field("clientsecret"), field("certificate").zip(field("key"))) {
        (Some(secret), _) => (ClientProof::Body(secret), "url"),
        (None, Some((certificate, key))) => (ClientProof::Certificate(certificate, key), "certurl"),
        (None, None) => return Ok(None),
    };
    let token_url = match (field("tokenurl"), field(server)) {
        (Some(place), _) => Some(endpoint(&place, "tokenurl")?),
        (None, Some(place)) => token_endpoint_below(&place).filter(is_known),
        (None, None) => None,
    };
    let id = id.expose_secret().to_owned();
    Ok(token_url.map(|token_url| Client::new(token_url, id, proof)))
}

fn endpoint(place: &SecretString, field: &'static str) -> Result<Url> {
    address::base(place.expose_secret(), field).map_err(|_| not_usable(field))
}

fn token_endpoint_below(server: &SecretString) -> Option<Url> {
    address::below(&endpoint(server, "url").ok()?, &["oauth", "token"], OPERATION).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::budget::Unobserved;
    use crate::platform::stand_in::{Answering, StandIn};

    const CLIENT: [(&str, &str); 2] = [("clientid", "a"), ("clientsecret", "b")];
    const CERTIFICATE: [(&str, &str); 3] = [("clientid", "a"), ("certificate", "c"), ("key", "k")];

    fn prover() -> Prover {
        let token_url = Url::parse("https://sub.authentication.example/oauth/token").unwrap();
        Prover::new(token_url, Arc::new(Unobserved)).unwrap()
    }

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, Field> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Field::Text((*value).into()))).collect()
    }

    fn tried_at(client: &[(&str, &str)], more: &[(&str, &str)]) -> Option<String> {
        let tried = prover().client(&fields(&[client, more].concat())).unwrap();
        tried.map(|client| client.token_url.to_string())
    }

    #[test]
    fn the_endpoint_that_a_field_names_is_asked() {
        let named = [("tokenurl", "https://t/oauth/token"), ("url", "https://r")];
        assert_eq!(tried_at(&CLIENT, &named).unwrap(), "https://t/oauth/token");
        let uaa = SecretString::from(r#"{"clientid":"a","clientsecret":"b","url":"https://u"}"#);
        let nested = prover().client(&BTreeMap::from([("uaa".to_owned(), Field::Json(uaa))])).unwrap().unwrap();
        assert_eq!(nested.token_url.as_str(), "https://u/oauth/token");
    }

    #[test]
    fn the_endpoint_of_the_admin_credential_is_known_under_both_its_names() {
        let tried = tried_at(&CLIENT, &[("url", "https://sub.authentication.example")]);
        assert_eq!(tried.unwrap(), "https://sub.authentication.example/oauth/token");
        let tried = tried_at(&CERTIFICATE, &[("certurl", "https://sub.authentication.cert.example/")]);
        assert_eq!(tried.unwrap(), "https://sub.authentication.cert.example/oauth/token");
    }

    #[test]
    fn a_guess_is_not_tried() {
        for url in ["https://app.example", "https://sub.authentication.example/app", "https://other.example", "what?"] {
            assert_eq!(tried_at(&CLIENT, &[("url", url)]), None, "{url}");
        }
        assert_eq!(tried_at(&CERTIFICATE, &[("certurl", "https://app.cert.example")]), None);
    }

    #[test]
    fn what_names_no_client_or_no_endpoint_cannot_be_tested() {
        assert_eq!(tried_at(&[("username", "a"), ("password", "b")], &[]), None);
        assert_eq!(tried_at(&CLIENT, &[]), None);
        assert_eq!(tried_at(&CLIENT[..1], &[("tokenurl", "https://t")]), None);
    }

    /// What comes of a proof at a token service that does this, and how often it was asked.
    async fn proven(answering: Answering, known_after: Duration) -> (Result<Proof>, usize) {
        let platform = StandIn::start().await;
        platform.token_service(answering);
        let token_url = platform.url().join("/oauth/token").unwrap();
        let short = Duration::from_millis(100);
        let prover = Prover { pauses: [short, short * 3], ..Prover::new(token_url, Arc::new(Unobserved)).unwrap() };
        let address = platform.url().to_string();
        let credential = fields(&[CLIENT[0], CLIENT[1], ("url", &address)]);
        let (proof, ()) = tokio::join!(prover.prove(&credential), async {
            pause(known_after).await;
            platform.token_service(Answering::Well);
        });
        (proof, platform.log_ons())
    }

    const UNKNOWN: Answering = Answering::With(401, r#"{"error":"invalid_client"}"#);
    const NEVER: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_client_that_takes_a_moment_to_be_known_is_given_it_and_one_that_is_refused_is_asked_thrice() {
        assert!(matches!(proven(Answering::Well, NEVER).await.0.unwrap(), Proof::Works(_)));
        let (proof, asked) = proven(UNKNOWN, Duration::from_millis(200)).await;
        assert!(matches!((proof.unwrap(), asked), (Proof::Works(_), 3)));
        let (proof, asked) = proven(UNKNOWN, NEVER).await;
        assert_eq!((proof.unwrap_err().kind(), asked), (Kind::ProofRefused, 3));
    }

    #[tokio::test]
    async fn an_outage_of_the_token_service_is_no_word_against_the_credential() {
        for answer in [Answering::With(503, ""), Answering::With(401, "<html>"), Answering::With(404, "")] {
            let (proof, asked) = proven(answer, NEVER).await;
            assert_eq!((proof.unwrap_err().kind(), asked), (Kind::Unavailable, 1), "time fixes it");
        }
    }

    #[test]
    fn a_credential_is_not_sent_in_the_clear() {
        let bad = fields(&[CLIENT[0], ("clientsecret", "hunter2"), ("tokenurl", "http://t.example.com")]);
        let error = prover().client(&bad).err().unwrap();
        assert!(error.to_string().contains("`tokenurl`") && !error.to_string().contains("hunter2"));
    }
}

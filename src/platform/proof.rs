//! The proof that an issued credential works: one token request with it, never repeated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::budget::{Budget, CallObserver, MAX_IN_FLIGHT};
use super::error::{Error, Kind, Result};
use super::http::{Http, address};
use super::token::{Client, ClientProof};
use super::{Field, Proof};

const OPERATION: &str = "prove credential";
/// How long a proof may take, its wait for a turn included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Proves credentials, with a budget of its own: token endpoints have limits apart from those of the APIs.
#[derive(Clone)]
pub struct Prover {
    http: Http,
    budget: Budget,
}

/// Where a credential is tried, and whether its fields say so or we guess.
struct Attempt {
    client: Client,
    certificate: Option<(SecretString, SecretString)>,
    guessed: bool,
}

impl Prover {
    /// A prover whose calls this observer is told of.
    pub fn new(observer: Arc<dyn CallObserver>) -> Result<Self> {
        Ok(Self { http: Http::new()?, budget: Budget::new("token", None, MAX_IN_FLIGHT, observer) })
    }

    /// Asks for one token with these fields.
    pub async fn prove(&self, fields: &BTreeMap<String, Field>) -> Result<Proof> {
        let Some(attempt) = attempt(fields)? else { return Ok(Proof::NotTestable) };
        let http = match &attempt.certificate {
            Some((certificate, key)) => {
                Http::with_certificate(certificate, key).map_err(|_| not_usable("certificate"))?
            }
            None => self.http.clone(),
        };
        let asked = attempt.client.ask(&http, &self.budget, OPERATION, Instant::now() + TIMEOUT).await;
        match asked {
            Ok(_) => Ok(Proof::Works),
            // There may be no token endpoint where we only guessed one.
            Err(error) if attempt.guessed && matches!(error.kind(), Kind::NotFound | Kind::UnexpectedAnswer) => {
                Ok(Proof::NotTestable)
            }
            Err(error) if matches!(error.kind(), Kind::CredentialsRefused | Kind::Forbidden) => Err(refused(&error)),
            Err(error) => Err(error),
        }
    }
}

fn refused(error: &Error) -> Error {
    Error::new(Kind::ProofRefused, OPERATION).detail(error.detail_text())
}

fn not_usable(field: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, OPERATION).detail(format!("field `{field}` of the credential is not usable"))
}

/// How these fields can be tried, if they can. Some services keep the client in an object `uaa` inside.
fn attempt(fields: &BTreeMap<String, Field>) -> Result<Option<Attempt>> {
    if fields.contains_key("clientid") {
        return from_fields(&|name| text(fields.get(name)));
    }
    let Some(Field::Json(uaa)) = fields.get("uaa") else { return Ok(None) };
    let uaa: Value = serde_json::from_str(uaa.expose_secret()).map_err(|_| not_usable("uaa"))?;
    from_fields(&|name| uaa.get(name).and_then(Value::as_str).map(SecretString::from))
}

fn text(field: Option<&Field>) -> Option<SecretString> {
    match field? {
        Field::Text(text) => Some(text.clone()),
        Field::Json(_) => None,
    }
}

fn from_fields(field: &dyn Fn(&str) -> Option<SecretString>) -> Result<Option<Attempt>> {
    let Some(id) = field("clientid") else { return Ok(None) };
    let (proof, certificate) = match (field("clientsecret"), field("certificate").zip(field("key"))) {
        (Some(secret), _) => (ClientProof::Body(secret), None),
        (None, Some(pair)) => (ClientProof::Certificate, Some(pair)),
        (None, None) => return Ok(None),
    };
    // `url` is the authorization server where there is no `tokenurl`; `certurl` is the one that asks for certificates.
    let server = if certificate.is_some() { "certurl" } else { "url" };
    let guessed = field("tokenurl").is_none();
    let name = if guessed { server } else { "tokenurl" };
    let Some(place) = field(name) else { return Ok(None) };
    let url = address::base(place.expose_secret(), name).map_err(|_| not_usable(name))?;
    let token_url = if guessed { address::below(&url, &["oauth", "token"], OPERATION)? } else { url };
    let client = Client { token_url, id: id.expose_secret().to_owned(), proof };
    Ok(Some(Attempt { client, certificate, guessed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, Field> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Field::Text((*value).into()))).collect()
    }

    fn tried_at(pairs: &[(&str, &str)]) -> Option<String> {
        attempt(&fields(pairs)).unwrap().map(|attempt| attempt.client.token_url.to_string())
    }

    #[test]
    fn the_endpoint_is_found_in_every_shape() {
        let client = [("clientid", "a"), ("clientsecret", "b")];
        let with = |more: &[(&'static str, &'static str)]| tried_at(&[&client, more].concat());
        assert_eq!(
            with(&[("tokenurl", "https://t/oauth/token"), ("url", "https://r")]).unwrap(),
            "https://t/oauth/token"
        );
        assert_eq!(with(&[("url", "https://u")]).unwrap(), "https://u/oauth/token");
        let certificate = [("clientid", "a"), ("certificate", "c"), ("key", "k"), ("certurl", "https://c")];
        assert_eq!(tried_at(&certificate).unwrap(), "https://c/oauth/token");
        let uaa = SecretString::from(r#"{"clientid":"a","clientsecret":"b","url":"https://u"}"#);
        let nested = attempt(&BTreeMap::from([("uaa".to_owned(), Field::Json(uaa))])).unwrap().unwrap();
        assert_eq!(nested.client.token_url.as_str(), "https://u/oauth/token");
    }

    #[test]
    fn what_names_no_client_or_no_endpoint_cannot_be_tested() {
        assert_eq!(tried_at(&[("username", "a"), ("password", "b")]), None);
        assert_eq!(tried_at(&[("clientid", "a"), ("clientsecret", "b")]), None);
        assert_eq!(tried_at(&[("clientid", "a"), ("url", "https://u")]), None);
    }

    #[test]
    fn a_credential_is_not_sent_in_the_clear() {
        let bad = fields(&[("clientid", "a"), ("clientsecret", "hunter2"), ("tokenurl", "http://t.example.com")]);
        let error = attempt(&bad).err().unwrap();
        assert!(error.to_string().contains("`tokenurl`") && !error.to_string().contains("hunter2"));
    }
}

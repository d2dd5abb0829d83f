//! One exchange with a platform over HTTP. Everything that reqwest must not decide by itself is decided here, once.
//!
//! Redirects are not followed (a token must not travel to another host), bodies are bounded, and neither a URL nor a
//! body ever gets into an error. It makes one attempt: when to try again is the session's business.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use futures::TryStreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, SET_COOKIE};
use reqwest::{Client, ClientBuilder, Identity, Method, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, DeserializeSeed};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::{Error, Kind, Result};

pub mod address;
pub mod dialect;
mod proxies;
pub mod verdict;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one exchange may take in all.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be idle: less than load balancers leave it, so that it is not closed under a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// The largest answer we read. 500 role collections with their users stay well below.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// An answer up to here is small: as many may be in memory as there are calls.
const SMALL_BODY: usize = 128 * 1024;
/// How many larger ones may be, over all calls: they share the memory of one process.
static LARGE_BODIES: Semaphore = Semaphore::const_new(4);

/// A client for one TLS identity. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    client: Client,
}

/// What is sent. It has no `Debug`, since a body may hold a secret.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers beyond those that the body and the authorization bring.
    pub headers: HeaderMap,
    /// What is in the body.
    pub body: Body,
}

/// What is in a request's body.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// A form, already encoded.
    Form(String),
}

impl Body {
    /// What it is, unless the request says it more exactly.
    const fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::Empty => None,
            Self::Json(_) => Some("application/json"),
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
        }
    }
}

/// How a request shows who sends it.
pub enum Authorization<'a> {
    /// Not at all, or by the TLS identity.
    None,
    /// A bearer token (RFC 6750).
    Bearer(&'a SecretString),
    /// User name and password, or client id and secret (RFC 7617).
    Basic(&'a str, &'a SecretString),
}

/// What came back. It has no `Debug`, since a body may hold a secret.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Held as long as a large body is in memory.
    _room: Option<Room>,
}

type Room = SemaphorePermit<'static>;

/// Why nothing came back.
#[derive(Debug)]
pub enum Lost {
    /// The request certainly never arrived.
    NeverSent(Cause),
    /// It may have arrived, and may have had its effect.
    Unanswered(Cause),
}

/// A transport failure without the address that it happened at.
#[derive(Debug)]
pub enum Cause {
    /// The client's own words.
    Transport(reqwest::Error),
    /// The answer is larger than we read.
    TooLarge,
    /// The answer is large, and so many large ones are being read that its turn did not come.
    NoRoom,
}

impl Lost {
    /// Whether it was sent, and no answer came in time.
    pub fn is_late(&self) -> bool {
        matches!(self, Self::Unanswered(Cause::Transport(error)) if error.is_timeout())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(text),
            Self::TooLarge => write!(text, "the answer is larger than {LARGEST_BODY} bytes"),
            Self::NoRoom => text.write_str("too many large answers at once"),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transport(error) => error.source(),
            Self::TooLarge | Self::NoRoom => None,
        }
    }
}

impl From<reqwest::Error> for Cause {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

impl Http {
    /// A client without a TLS identity of its own.
    pub fn new() -> Result<Self> {
        Self::build(None)
    }

    /// A client that shows this certificate chain, leaf first (RFC 8705). Both texts are PEM.
    pub fn with_certificate(chain: &SecretString, key: &SecretString) -> Result<Self> {
        let pem = SecretString::from(format!("{}\n{}\n", chain.expose_secret().trim(), key.expose_secret().trim()));
        let identity = Identity::from_pem(pem.expose_secret().as_bytes());
        // The cause is dropped on purpose: it may quote what it could not parse.
        Self::build(Some(identity.map_err(|_| unusable_certificate())?))
    }

    fn build(identity: Option<Identity>) -> Result<Self> {
        let presents_certificate = identity.is_some();
        let proxies = proxies::named(|name| std::env::var(name).ok())?;
        let builder = proxies.into_iter().fold(settings(), ClientBuilder::proxy);
        let builder = identity.into_iter().fold(builder, ClientBuilder::identity);
        let client = builder.build().map_err(|error| {
            if presents_certificate {
                unusable_certificate()
            } else {
                Error::new(Kind::Unavailable, "set up TLS").caused_by(error)
            }
        })?;
        Ok(Self { client })
    }

    /// Sends a request once.
    pub async fn exchange(&self, request: Request, authorization: Authorization<'_>) -> Result<Answer, Lost> {
        let mut headers = request.headers;
        if let Some(content_type) = request.body.content_type() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        let builder = self.client.request(request.method, request.url).headers(headers);
        let builder = match authorization {
            Authorization::None => builder,
            Authorization::Bearer(token) => builder.header(AUTHORIZATION, bearer(token)),
            Authorization::Basic(user, password) => builder.basic_auth(user, Some(password.expose_secret())),
        };
        let builder = match request.body {
            Body::Empty => builder,
            Body::Json(text) => builder.body(text),
            Body::Form(text) => builder.body(text),
        };
        let response = builder.send().await.map_err(lost)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (body, room) = bounded(response).await.map_err(Lost::Unanswered)?;
        Ok(Answer { status, headers, body, _room: room })
    }
}

/// What every client has in common: all that would be decided behind our back is switched off.
fn settings() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(EXCHANGE_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
}

fn unusable_certificate() -> Error {
    Error::new(Kind::MalformedSecret, "set up TLS").detail("`certificate` and `key` are not a usable pair in PEM")
}

fn bearer(token: &SecretString) -> HeaderValue {
    // A token that no header can carry is sent as none, and refused like any bad token.
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

fn lost(error: reqwest::Error) -> Lost {
    if error.is_connect() || error.is_builder() || was_turned_away(&error) {
        Lost::NeverSent(error.into())
    } else {
        Lost::Unanswered(error.into())
    }
}

/// Whether an HTTP/2 server says that it has not begun with the request: it refused the stream, or ended the connection
/// naming an earlier one as its last (RFC 9113 §8.7, §6.8).
fn was_turned_away(error: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref::<h2::Error>()).is_some_and(|error| {
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (refused || error.is_go_away())
    })
}

async fn bounded(response: reqwest::Response) -> Result<(Vec<u8>, Option<Room>), Cause> {
    let (mut body, mut room) = (Vec::new(), None);
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.try_next().await? {
        let length = body.len() + chunk.len();
        if length > LARGEST_BODY {
            return Err(Cause::TooLarge);
        }
        if length > SMALL_BODY && room.is_none() {
            room = Some(room_for_more().await?);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, room))
}

async fn room_for_more() -> Result<Room, Cause> {
    let room = tokio::time::timeout(EXCHANGE_TIMEOUT, LARGE_BODIES.acquire()).await;
    room.ok().and_then(Result::ok).ok_or(Cause::NoRoom)
}

impl Answer {
    /// The status code.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// A header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The cookies that it sets, as a request shows them (RFC 6265 §5.4). Empty if there are none.
    pub fn cookies(&self) -> String {
        let set = self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = set.filter_map(|cookie| cookie.split(';').next()).map(str::trim);
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The body as it came. It may hold secrets.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body read as JSON, whatever its content type claims: platforms send JSON as `text/plain`, and routers send
    /// HTML as JSON.
    pub fn json<T: DeserializeOwned>(&self, operation: &'static str) -> Result<T> {
        self.read(operation, PhantomData::<T>)
    }

    /// The body read as JSON by something that keeps what it wants of it.
    pub fn read<'a, S: DeserializeSeed<'a>>(&'a self, operation: &'static str, seed: S) -> Result<S::Value> {
        let mut text = serde_json::Deserializer::from_slice(&self.body);
        let read = seed.deserialize(&mut text).and_then(|value| text.end().map(|()| value));
        read.map_err(|error| {
            // The parser's message may quote the body, so only the place is told.
            let place =
                format!("line {} column {} of the answer is not what was expected", error.line(), error.column());
            Error::new(Kind::UnexpectedAnswer, operation).detail(place)
        })
    }

    /// An answer for tests of what judges answers.
    #[cfg(test)]
    pub fn for_test(status: u16, headers: &[(&'static str, &str)], body: &str) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (reqwest::header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect();
        Self { status, headers, body: body.as_bytes().to_vec(), _room: None }
    }
}

#[cfg(test)]
#[path = "http/http_tests.rs"]
mod tests;

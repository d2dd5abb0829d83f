//! What a token request presents: HTTP Basic, the form body, or a client certificate.
//!
//! Parsing only: which of them a platform accepts, and whether they are right, is the platform's business.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::header::AUTHORIZATION;
use axum::http::{Extensions, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// The other end of a connection, as the mTLS listener saw it. Requests carry it as `ConnectInfo<Peer>`.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The certificate it has proved to hold the key of (DER); `None` when it showed none.
    pub(crate) certificate: Option<Arc<Vec<u8>>>,
}

/// The client certificate of the connection a request came over, in DER. None on the plain listener.
pub(crate) fn certificate(extensions: &Extensions) -> Option<&[u8]> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<Peer>>()?;
    peer.certificate.as_ref().map(|der| der.as_slice())
}

/// Where the client's id and secret stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `Authorization: Basic …`.
    Basic,
    /// `client_id` and perhaps `client_secret` in the form body.
    Body,
}

/// A client id with or without its secret. Has no `Debug`: it holds a secret.
pub(crate) struct Presented {
    /// The client that asks.
    pub(crate) client_id: String,
    /// Its secret; absent when a certificate is to prove the client.
    pub(crate) secret: Option<String>,
    /// Where both stood.
    pub(crate) place: Place,
}

/// What the request presents; `None` if no client id can be found. Basic wins over the body.
pub(crate) fn presented(headers: &HeaderMap, form: &HashMap<String, String>) -> Option<Presented> {
    basic(headers).or_else(|| in_body(form))
}

/// Id and secret of an `Authorization: Basic` header. With `X-CF-ENCODED-CREDENTIALS: true` both are URL-encoded
/// inside (UAA API documentation, "Client Credentials Grant"); otherwise they stand as they are.
pub(crate) fn basic(headers: &HeaderMap) -> Option<Presented> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = plain.split_once(':')?;
    let url_encoded = headers.get("x-cf-encoded-credentials").is_some_and(|value| value == "true");
    let decode = |text: &str| if url_encoded { form_decoded(text) } else { text.to_owned() };
    Some(Presented { client_id: decode(client_id), secret: Some(decode(secret)), place: Place::Basic })
}

fn in_body(form: &HashMap<String, String>) -> Option<Presented> {
    let client_id = form.get("client_id")?.clone();
    Some(Presented { client_id, secret: form.get("client_secret").cloned(), place: Place::Body })
}

/// The fields of an `application/x-www-form-urlencoded` body.
pub(crate) fn form(body: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (form_decoded(name), form_decoded(value))).collect()
}

fn form_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic_header(plain: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Basic {}", STANDARD.encode(plain)).parse().unwrap());
        headers
    }

    #[test]
    fn a_plus_in_basic_stays_unless_the_client_says_it_is_encoded() {
        let mut headers = basic_header("sb-a!b1|c:x%2By");
        assert_eq!(basic(&headers).unwrap().secret.unwrap(), "x%2By");
        headers.insert("x-cf-encoded-credentials", "true".parse().unwrap());
        assert_eq!(basic(&headers).unwrap().secret.unwrap(), "x+y");
    }

    #[test]
    fn the_body_is_form_decoded() {
        let form = form(b"client_id=a%7Cb&client_secret=x%2By+z");
        let found = presented(&HeaderMap::new(), &form).unwrap();
        assert_eq!((found.client_id.as_str(), found.place), ("a|b", Place::Body));
        assert_eq!(found.secret.unwrap(), "x+y z");
    }
}

//! Access tokens of every realm: made, remembered, checked. The simulator remembers each token it gave out instead
//! of verifying a signature, so a token it does not know is forged, whatever it claims.
//!
//! Nothing here decides who may have a token or what it opens; that is the platform's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::clock::Clock;
use super::guarded::Guarded;
use super::random;

/// Tokens are forgotten only when this many have piled up: forgetting looks at all of them.
const SWEEP_EVERY: usize = 4096;

/// What one access token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The platform that issued it; a token is valid in its own realm only.
    pub(crate) realm: &'static str,
    /// The client that asked.
    pub(crate) client_id: String,
    /// What it opens.
    pub(crate) scopes: Vec<String>,
    /// How long, from now.
    pub(crate) lifetime: Duration,
    /// Further claims of a JWT; they go in front of the standard ones.
    pub(crate) claims: Value,
}

/// How a token looks to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `header.payload.signature` with readable claims.
    Jwt,
    /// Characters without meaning, as Neo hands out.
    Opaque,
}

/// Why a request's token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    /// No `Authorization: Bearer …`.
    Missing,
    /// Not a token of this realm.
    Unknown,
    /// Issued so short a time ago that the API has not heard of it.
    Fresh,
    /// Its time is over.
    Expired,
}

struct Issued {
    grant: Arc<Grant>,
    since: Duration,
    expires: Duration,
}

/// Makes and remembers access tokens.
#[derive(Default)]
pub(crate) struct Mint {
    issued: Guarded<HashMap<String, Issued>>,
}

impl Mint {
    /// A new token for the grant.
    pub(crate) fn issue(&self, grant: Grant, shape: Shape, clock: &Clock) -> String {
        let now = clock.now();
        let token = match shape {
            Shape::Opaque => random::opaque(),
            Shape::Jwt => jwt(&grant, now),
        };
        let expires = now + grant.lifetime;
        self.issued.write(|issued| {
            if issued.len() % SWEEP_EVERY == SWEEP_EVERY - 1 {
                issued.retain(|_, one| one.expires > now);
            }
            issued.insert(token.clone(), Issued { grant: Arc::new(grant), since: now, expires });
        });
        token
    }

    /// What the request's Bearer token grants in this realm; not before it is as old as `settles`.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        realm: &str,
        now: Duration,
        settles: Duration,
    ) -> Result<Arc<Grant>, TokenRefusal> {
        let token = bearer(headers).ok_or(TokenRefusal::Missing)?;
        self.issued.read(|issued| match issued.get(token) {
            Some(one) if one.grant.realm != realm => Err(TokenRefusal::Unknown),
            Some(one) if one.expires <= now => Err(TokenRefusal::Expired),
            Some(one) if one.since + settles > now => Err(TokenRefusal::Fresh),
            Some(one) => Ok(Arc::clone(&one.grant)),
            None => Err(TokenRefusal::Unknown),
        })
    }

    /// The client a Bearer token was issued to, in whatever realm: for the request log.
    pub(crate) fn client_of(&self, headers: &HeaderMap) -> Option<String> {
        let token = bearer(headers)?;
        self.issued.read(|issued| issued.get(token).map(|one| one.grant.client_id.clone()))
    }

    /// The realm of a Bearer token, whether or not it is still valid.
    pub(crate) fn realm_of(&self, headers: &HeaderMap) -> Option<&'static str> {
        let token = bearer(headers)?;
        self.issued.read(|issued| issued.get(token).map(|one| one.grant.realm))
    }

    /// Forgets every token.
    pub(crate) fn reset(&self) {
        self.issued.write(HashMap::clear);
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn jwt(grant: &Grant, now: Duration) -> String {
    let mut claims = match &grant.claims {
        Value::Object(map) => map.clone(),
        _ => serde_json::Map::new(),
    };
    let standard = json!({
        "jti": random::uuid().replace('-', ""),
        "sub": grant.client_id, "client_id": grant.client_id, "cid": grant.client_id, "azp": grant.client_id,
        "grant_type": "client_credentials",
        "scope": grant.scopes, "authorities": grant.scopes,
        "iat": now.as_secs(), "exp": (now + grant.lifetime).as_secs(),
    });
    for (name, value) in standard.as_object().into_iter().flatten() {
        claims.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": "simulator"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&header), part(&Value::Object(claims)), random::opaque())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(lifetime: u64) -> Grant {
        Grant {
            realm: "a",
            client_id: "c".into(),
            scopes: vec!["s".into()],
            lifetime: Duration::from_secs(lifetime),
            claims: json!({"zid": "z"}),
        }
    }

    fn with_bearer(token: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        headers
    }

    #[test]
    fn a_token_ends_with_its_lifetime_and_opens_only_its_realm() {
        let (mint, clock) = (Mint::default(), Clock::default());
        let headers = with_bearer(&mint.issue(grant(60), Shape::Jwt, &clock));
        let check = |headers: &HeaderMap, realm| mint.check(headers, realm, clock.now(), Duration::ZERO);
        assert_eq!(check(&headers, "a").unwrap().client_id, "c");
        assert_eq!(mint.realm_of(&headers), Some("a"));
        assert_eq!(check(&headers, "b").unwrap_err(), TokenRefusal::Unknown);
        clock.advance(Duration::from_secs(61));
        assert_eq!(check(&headers, "a").unwrap_err(), TokenRefusal::Expired);
        assert_eq!(check(&HeaderMap::new(), "a").unwrap_err(), TokenRefusal::Missing);
    }

    #[test]
    fn a_fresh_token_may_have_to_settle_first() {
        let (mint, clock) = (Mint::default(), Clock::default());
        let headers = with_bearer(&mint.issue(grant(60), Shape::Opaque, &clock));
        let check = || mint.check(&headers, "a", clock.now(), Duration::from_secs(5));
        assert_eq!(check().unwrap_err(), TokenRefusal::Fresh);
        clock.advance(Duration::from_secs(5));
        assert!(check().is_ok());
    }

    #[test]
    fn a_jwt_can_be_read_by_its_client() {
        let (mint, clock) = (Mint::default(), Clock::default());
        let token = mint.issue(grant(60), Shape::Jwt, &clock);
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["scope"], json!(["s"]));
        assert_eq!(claims["zid"], "z");
    }
}

//! Who may administer the directory: a system with the authorisations to manage users and groups, by its secret, its
//! certificate, or a token for either.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::{IdentityService, REALM};
use crate::certificates::{Authority, Issued, KeyKind, inspect_der};
use crate::directory::fault::answered;
use crate::frame::client_credentials::{self, Presented, certificate};
use crate::frame::{Grant, Shape, Support, TokenRefusal, answer, random};

const LIFETIME: Duration = Duration::from_hours(1);
const CERTIFICATE_VALIDITY: Duration = Duration::from_hours(24 * 30);
const LOCK: Duration = Duration::from_hours(1);
const ATTEMPTS: u32 = 5;

/// The administrator. Has no `Debug`: it holds secrets.
pub(super) struct Admin {
    id: String,
    secret: String,
    issued: Option<Issued>,
    failures: u32,
    locked_since: Option<Duration>,
}

impl Admin {
    /// One with a fresh secret and a certificate.
    pub(super) fn fresh(authority: &Authority, now: Duration) -> Self {
        let id = random::uuid();
        let issued = authority.for_client(&id, KeyKind::Quick, now, CERTIFICATE_VALIDITY).ok();
        Self { id, secret: format!("planted-{}", random::opaque()), issued, failures: 0, locked_since: None }
    }

    /// As it is noted from the administration console.
    pub(super) fn credential(&self, url: &str, mtls_url: &str, x509: bool) -> Option<Value> {
        if !x509 {
            return Some(json!({"url": url, "clientid": self.id, "clientsecret": self.secret}));
        }
        let issued = self.issued.as_ref()?;
        Some(json!({"url": mtls_url, "clientid": self.id, "certificate": issued.chain, "key": issued.key}))
    }

    fn knows_secret(&mut self, presented: &Presented, locks: bool, now: Duration) -> bool {
        if presented.client_id != self.id || locks && self.locked_since.is_some_and(|since| now < since + LOCK) {
            return false;
        }
        let right = presented.secret.as_ref() == Some(&self.secret);
        self.failures = if right { 0 } else { self.failures + 1 };
        self.locked_since = (self.failures >= ATTEMPTS).then_some(now);
        right
    }

    fn knows_certificate(&self, extensions: &Extensions, now: Duration) -> bool {
        let shown = certificate(extensions).and_then(inspect_der).filter(|shown| shown.valid_until > now);
        shown.zip(self.issued.as_ref()).is_some_and(|(shown, own)| shown.fingerprint == own.details.fingerprint)
    }
}

/// 401, in the form that the document of the directory has.
pub(super) fn unauthorized() -> Response {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": 401,
        "detail": "Authentication credentials are invalid or not allowed for this endpoint.",
    });
    let response = answered(StatusCode::UNAUTHORIZED, &body);
    answer::with_header(response, header::WWW_AUTHENTICATE, "Basic realm=\"SAP Cloud Identity Services\"")
}

impl IdentityService {
    /// Whether the administrator asks: by token, by Basic, by certificate.
    pub(super) fn is_admin(&self, headers: &HeaderMap, extensions: &Extensions) -> bool {
        match self.frame.grant(headers, REALM) {
            Ok(_) => true,
            Err(TokenRefusal::Missing) => self.proves(client_credentials::basic(headers), extensions),
            Err(_) => false,
        }
    }

    fn proves(&self, presented: Option<Presented>, extensions: &Extensions) -> bool {
        let now = self.frame.clock.now();
        let locks = self.frame.settings.current().identity_client_lock == Support::Supported;
        self.admin.write(|admin| match presented {
            Some(presented) if presented.secret.is_some() => admin.knows_secret(&presented, locks, now),
            Some(presented) if presented.client_id != admin.id => false,
            _ => admin.knows_certificate(extensions, now),
        })
    }
}

/// `POST /oauth2/token`
pub(super) async fn token(
    State(service): State<Arc<IdentityService>>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = client_credentials::form(&body);
    let refused = |status, error: &str| answer::json(status, json!({"error": error}));
    let Some(presented) = client_credentials::presented(&headers, &form) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    if !service.proves(Some(presented), &extensions) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let client_id = service.admin.read(|admin| admin.id.clone());
    let grant = Grant { realm: REALM, client_id, scopes: Vec::new(), lifetime: LIFETIME, claims: json!({}) };
    let token = service.frame.tokens.issue(grant, Shape::Jwt, &service.frame.clock);
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.as_secs()});
    answer::json(StatusCode::OK, body)
}

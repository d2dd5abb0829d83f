//! Who may deploy security content: a user by Basic, a client by token, or either by certificate.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::{CloudIntegration, PREFIX, REALM};
use crate::certificates::{Authority, Issued, KeyKind, inspect_der};
use crate::frame::client_credentials::{self, Presented, certificate};
use crate::frame::{Grant, Shape, TokenRefusal, answer, random};

const LIFETIME: Duration = Duration::from_hours(1);
const CERTIFICATE_VALIDITY: Duration = Duration::from_hours(24 * 30);

/// Name of the one who may.
pub(super) const ADMINISTRATOR: &str = "P0000002";

/// The one who may. Has no `Debug`: it holds secrets.
pub(super) struct Admin {
    secret: String,
    issued: Option<Issued>,
}

/// How somebody has proved to be the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// By a token.
    Bearer,
    /// By what a browser would send by itself.
    Session,
}

impl Admin {
    /// One with a fresh secret and a certificate.
    pub(super) fn fresh(authority: &Authority, now: Duration) -> Self {
        let issued = authority.for_client(ADMINISTRATOR, KeyKind::Quick, now, CERTIFICATE_VALIDITY).ok();
        Self { secret: format!("planted-{}", random::opaque()), issued }
    }

    /// What an administrator would note: a user with password that is also a client with secret.
    pub(super) fn credential(&self, url: &str, mtls_url: &str, x509: bool) -> Option<Value> {
        if !x509 {
            return Some(json!({
                "url": format!("{url}{PREFIX}"), "tokenurl": format!("{url}{PREFIX}/oauth/token"),
                "clientid": ADMINISTRATOR, "clientsecret": self.secret,
            }));
        }
        let issued = self.issued.as_ref()?;
        let url = format!("{mtls_url}{PREFIX}");
        Some(json!({"url": url, "clientid": ADMINISTRATOR, "certificate": issued.chain, "key": issued.key}))
    }

    fn knows(&self, presented: &Presented) -> bool {
        presented.client_id == ADMINISTRATOR && presented.secret.as_ref() == Some(&self.secret)
    }
}

impl CloudIntegration {
    /// How the administrator asks; nothing if it is somebody else.
    pub(super) fn proof(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<Proof> {
        match self.frame.grant(headers, REALM) {
            Ok(_) => return Some(Proof::Bearer),
            Err(TokenRefusal::Missing) => {}
            Err(_) => return None,
        }
        let now = self.frame.clock.now();
        let shown = certificate(extensions).and_then(inspect_der).filter(|shown| shown.valid_until > now);
        let proved = self.admin.read(|admin| match client_credentials::basic(headers) {
            Some(presented) => admin.knows(&presented),
            None => shown.zip(admin.issued.as_ref()).is_some_and(|(shown, own)| shown == own.details),
        });
        proved.then_some(Proof::Session)
    }
}

/// `POST /oauth/token`
///
/// The grant type stands in the query, as Neo's OAuth has it (SAP: "OAuth 2.0 Client Credentials Grant"), or in the form.
pub(super) async fn token(
    State(tenant): State<Arc<CloudIntegration>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut form = client_credentials::form(&body);
    form.extend(client_credentials::form(query.unwrap_or_default().as_bytes()));
    let refused = |status, error: &str| answer::json(status, json!({"error": error}));
    let presented = client_credentials::presented(&headers, &form);
    if !presented.is_some_and(|presented| tenant.admin.read(|admin| admin.knows(&presented))) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let grant = Grant {
        realm: REALM,
        client_id: ADMINISTRATOR.to_owned(),
        scopes: Vec::new(),
        lifetime: LIFETIME,
        claims: json!({}),
    };
    let token = tenant.frame.tokens.issue(grant, Shape::Opaque, &tenant.frame.clock);
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.as_secs()});
    answer::json(StatusCode::OK, body)
}

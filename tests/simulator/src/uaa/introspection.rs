//! What a token says, for resource servers that ask instead of verifying signatures themselves.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Uaa;
use super::refusal::Refusal;
use super::token::form_of;
use crate::frame::{answer, client_credentials};

/// `POST /introspect` (RFC 7662)
pub(super) async fn introspect(
    State(uaa): State<Arc<Uaa>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    uaa.permit_resource_server(&headers)?;
    let (mut answer, active) = match uaa.claims_of(&headers, &body) {
        Ok(claims) => (claims, true),
        Err(_) => (json!({"revocable": false}), false),
    };
    answer["active"] = json!(active);
    Ok(answer::json(StatusCode::OK, answer))
}

/// `POST /check_token`, older than the RFC: a token that is not valid is a bad request.
pub(super) async fn check_token(
    State(uaa): State<Arc<Uaa>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    uaa.permit_resource_server(&headers)?;
    let claims = uaa.claims_of(&headers, &body).map_err(|refusal| match refusal {
        Refusal::InvalidToken(text) => Refusal::Token("invalid_token", text),
        other => other,
    })?;
    Ok(answer::json(StatusCode::OK, claims))
}

impl Uaa {
    fn permit_resource_server(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let presented = client_credentials::basic(headers).ok_or(Refusal::BadCredentials)?;
        let client = self.authenticated(&presented.client_id, &presented.secret.unwrap_or_default())?;
        if client.authorities.contains("uaa.resource") { Ok(()) } else { Err(Refusal::AccessDenied) }
    }

    /// The claims of the token in the form, if it is valid now.
    fn claims_of(&self, headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
        let token = form_of(headers, body).remove("token").unwrap_or_default();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Refusal::Unreadable)?;
        self.valid_grant(&HeaderMap::from_iter([(AUTHORIZATION, bearer)]))?;
        let mut claims = payload(&token).ok_or(Refusal::ServerError)?;
        claims["revocable"] = json!(false);
        Ok(claims)
    }
}

fn payload(token: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

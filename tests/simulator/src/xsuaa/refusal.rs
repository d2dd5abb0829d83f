//! The errors of the XSUAA API: `{"error": "…"}`, and the OAuth form where the token is the trouble.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::frame::answer;
use crate::subaccount::Refusal as TokenTrouble;

use super::Xsuaa;

/// An error answer in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A status with a text.
    Plain(StatusCode, String),
    /// No token, or none that is valid.
    Token(TokenTrouble),
}

impl Refusal {
    /// 400.
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self::Plain(StatusCode::BAD_REQUEST, text.into())
    }

    /// 404 for an origin that is no identity provider of the subaccount.
    pub(crate) fn no_origin() -> Self {
        Self::Plain(StatusCode::NOT_FOUND, "Could not get user names: didn't find idp".to_owned())
    }

    /// 404 for an assignment at an unknown origin.
    pub(crate) fn no_origin_to_assign(origin: &str) -> Self {
        Self::Plain(StatusCode::NOT_FOUND, format!("IDP does not exist with origin_key: {origin}"))
    }

    /// 404 for a user.
    pub(crate) fn no_user(name: &str) -> Self {
        Self::Plain(StatusCode::NOT_FOUND, format!("User {name} does not exist."))
    }
}

impl Xsuaa {
    /// 404 for a role collection.
    pub(crate) fn no_collection(&self, name: &str) -> Refusal {
        let zone = &self.subaccount.place.zone;
        Refusal::Plain(StatusCode::NOT_FOUND, format!("No entity found with values = [[{zone}, {name}, {zone}]]"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Plain(status, text) => answer::json(status, json!({"error": text})),
            Self::Token(TokenTrouble::Missing) => {
                unauthorized("unauthorized", "Full authentication is required to access this resource")
            }
            Self::Token(TokenTrouble::Invalid) => unauthorized("invalid_token", "The token is invalid or has expired"),
            Self::Token(TokenTrouble::Scope(scope)) => answer::json(
                StatusCode::FORBIDDEN,
                json!({"error": "insufficient_scope", "error_description": "Insufficient scope for this resource",
                       "scope": scope}),
            ),
        }
    }
}

fn unauthorized(error: &str, description: &str) -> Response {
    let response = answer::json(StatusCode::UNAUTHORIZED, json!({"error": error, "error_description": description}));
    let challenge = format!("Bearer realm=\"xsuaa\", error=\"{error}\", error_description=\"{description}\"");
    answer::with_header(response, header::WWW_AUTHENTICATE, &challenge)
}

/// The JSON body of a request, strictly: content type, syntax, and no unknown fields.
pub(crate) fn body<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        let text = format!("Content type '{content_type}' not supported");
        return Err(Refusal::Plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    serde_json::from_slice(bytes).map_err(|wrong| Refusal::bad_request(format!("Invalid request body: {wrong}")))
}

//! Every answer that is not a success, in the UAA's words. What leads to which is decided elsewhere.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::frame::answer;

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Client id or secret is wrong; the UAA does not tell which, and does not call it `invalid_client`.
    BadCredentials,
    /// No Bearer token where one is needed.
    NoToken,
    /// A token that is not, or no longer, valid.
    InvalidToken(String),
    /// The token lacks every one of these scopes.
    InsufficientScope(&'static str),
    /// Authenticated, but not allowed to ask this at all.
    AccessDenied,
    /// A client that cannot be stored so, or a secret that cannot be changed so.
    InvalidClient(StatusCode, String),
    /// An OAuth error of the token endpoint (RFC 6749, section 5.2).
    Token(&'static str, String),
    /// A scope the client does not hold; the answer says which it does.
    InvalidScope {
        /// What was asked for.
        asked: String,
        /// What could have been.
        held: String,
    },
    /// An error about users and groups, with further fields.
    Scim(StatusCode, &'static str, String, Value),
    /// The token is not meant for this resource.
    NoResource(&'static str),
    /// No such client: a status without a body.
    NotFound,
    /// Not JSON, or of a wrong type.
    Unreadable,
    /// A body that does not say it is JSON.
    UnsupportedMediaType,
    /// What the UAA does not foresee ends in its database or its code.
    ServerError,
}

/// 400 with the UAA's favourite error.
pub(super) fn invalid_client(text: impl Into<String>) -> Refusal {
    Refusal::InvalidClient(StatusCode::BAD_REQUEST, text.into())
}

fn error(status: StatusCode, error: &str, description: &str) -> Response {
    answer::json(status, json!({"error": error, "error_description": description}))
}

fn challenged(response: Response, challenge: &str) -> Response {
    answer::with_header(response, header::WWW_AUTHENTICATE, challenge)
}

fn insufficient(scopes: &str) -> Response {
    let text = "Insufficient scope for this resource";
    let body = json!({"error": "insufficient_scope", "error_description": text, "scope": scopes});
    let challenge = format!(r#"Bearer error="insufficient_scope", error_description="{text}", scope="{scopes}""#);
    challenged(answer::json(StatusCode::FORBIDDEN, body), &challenge)
}

fn bearer_error(code: &str, text: &str) -> Response {
    let challenge = format!(r#"Bearer realm="UAA/oauth", error="{code}", error_description="{text}""#);
    challenged(error(StatusCode::UNAUTHORIZED, code, text), &challenge)
}

fn invalid_client_answer(status: StatusCode, text: &str) -> Response {
    let response = error(status, "invalid_client", text);
    if status != StatusCode::UNAUTHORIZED {
        return response;
    }
    challenged(response, &format!(r#"Bearer error="invalid_client", error_description="{text}""#))
}

fn bad_credentials() -> Response {
    let text = "Bad credentials";
    let challenge = format!(r#"Basic realm="UAA/client", error="unauthorized", error_description="{text}""#);
    challenged(error(StatusCode::UNAUTHORIZED, "unauthorized", text), &challenge)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::BadCredentials => bad_credentials(),
            Self::NoToken => bearer_error("unauthorized", "Full authentication is required to access this resource"),
            Self::InvalidToken(text) => bearer_error("invalid_token", &text),
            Self::InsufficientScope(scopes) => insufficient(scopes),
            Self::AccessDenied => error(StatusCode::FORBIDDEN, "access_denied", "Access is denied"),
            Self::InvalidClient(status, text) => invalid_client_answer(status, &text),
            Self::Token(code, text) => error(StatusCode::BAD_REQUEST, code, &text),
            Self::InvalidScope { asked, held } => {
                let text = format!("Invalid scope: {asked}");
                let body = json!({"error": "invalid_scope", "error_description": text, "scope": held});
                answer::json(StatusCode::BAD_REQUEST, body)
            }
            Self::Scim(status, code, text, mut body) => {
                body["error"] = json!(code);
                body["error_description"] = json!(text);
                body["message"] = json!(text);
                answer::json(status, body)
            }
            Self::NoResource(resource) => {
                let text = format!("Invalid token does not contain resource id ({resource})");
                challenged(error(StatusCode::FORBIDDEN, "access_denied", &text), r#"Bearer realm="UAA/oauth""#)
            }
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Unreadable => answer::json(StatusCode::BAD_REQUEST, json!({})),
            Self::UnsupportedMediaType => answer::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, json!({})),
            Self::ServerError => answer::json(StatusCode::INTERNAL_SERVER_ERROR, json!({})),
        }
    }
}

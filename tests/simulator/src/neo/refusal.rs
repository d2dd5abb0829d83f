//! Every answer that is not a success. The bodies of the Authorization Management API's errors are not documented,
//! so they are plain text here, which nobody can build on.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::directory::fault::Fault;
use crate::frame::answer;

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The token endpoint refuses (RFC 6749, section 5.2).
    Token(StatusCode, &'static str),
    /// No valid access token.
    Unauthorized,
    /// The token lacks a scope.
    Forbidden,
    /// Too many requests in this minute. Neo does not say when to come back.
    TooMany,
    /// There is no such thing; the text says what.
    NotFound(&'static str),
    /// A request that cannot be understood.
    BadRequest(&'static str),
    /// A body whose content type is not what this API reads.
    UnsupportedMediaType,
    /// An error of the members API in SCIM's form (RFC 7644, section 3.12), with its `scimType`.
    Scim(StatusCode, Option<&'static str>, String),
}

/// 400 of the members API.
pub(super) fn scim_bad_request(kind: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::Scim(StatusCode::BAD_REQUEST, Some(kind), detail.into())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(status, code) => answer::json(status, json!({"error": code})),
            Self::Unauthorized => answer::text(StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Forbidden => answer::text(StatusCode::FORBIDDEN, "The access token lacks a scope"),
            Self::TooMany => answer::throttled_plain(None),
            Self::NotFound(text) => answer::text(StatusCode::NOT_FOUND, text),
            Self::BadRequest(text) => answer::text(StatusCode::BAD_REQUEST, text),
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
            Self::Scim(status, kind, detail) => Fault::new(status, kind, detail).into_response(),
        }
    }
}

//! Answers that several platforms or the frame itself give.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}

/// An answer in plain text.
pub(crate) fn text(status: StatusCode, body: impl Into<String>) -> Response {
    (status, body.into()).into_response()
}

/// Sets a header; a value that cannot stand in a header is left out.
pub(crate) fn with_header(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// 429 with nothing but the status and, if given, `Retry-After`.
pub(crate) fn throttled_plain(retry_after: Option<String>) -> Response {
    with_retry_after(StatusCode::TOO_MANY_REQUESTS.into_response(), retry_after)
}

/// Adds `Retry-After` if there is one to send.
pub(crate) fn with_retry_after(response: Response, retry_after: Option<String>) -> Response {
    match retry_after {
        Some(value) => with_header(response, header::RETRY_AFTER, &value),
        None => response,
    }
}

/// An answer with a content type of its own.
pub(crate) fn typed(status: StatusCode, content_type: &str, body: impl Into<Body>) -> Response {
    let response = (status, body.into()).into_response();
    with_header(response, header::CONTENT_TYPE, content_type)
}

//! OData 2 as far as this API needs it: wrappers, errors, moments, one condition, and the fields that are wanted.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::frame::answer;

/// Why a request is refused.
pub(super) enum Refusal {
    /// Nobody knows who asks.
    Unauthorized,
    /// The token against forged requests is missing or wrong.
    Forged,
    /// Another reason, in a text.
    Error(StatusCode, &'static str, String),
}

/// An error of the API.
pub(super) fn error(status: StatusCode, text: impl Into<String>) -> Refusal {
    Refusal::Error(status, status.canonical_reason().unwrap_or_default(), text.into())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => {
                let response = answer::text(StatusCode::UNAUTHORIZED, "Unauthorized");
                answer::with_header(response, axum::http::header::WWW_AUTHENTICATE, "Basic realm=\"SAP\"")
            }
            Self::Forged => {
                let response = answer::text(StatusCode::FORBIDDEN, "CSRF token validation failed");
                answer::with_header(response, axum::http::HeaderName::from_static("x-csrf-token"), "Required")
            }
            Self::Error(status, code, text) => {
                answer::json(status, json!({"error": {"code": code, "message": {"lang": "en", "value": text}}}))
            }
        }
    }
}

/// `/Date(1614070645021)/`
pub(super) fn moment(moment: Duration) -> String {
    format!("/Date({})/", moment.as_millis())
}

/// The value of `Name eq 'value'`; a quote inside is doubled.
pub(super) fn equals<'a>(filter: &'a str, name: &str) -> Option<String> {
    let mut words = filter.trim().splitn(3, ' ');
    let (attribute, operator, value): (&'a str, _, _) = (words.next()?, words.next()?, words.next()?);
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (attribute == name && operator == "eq").then(|| value.replace("''", "'"))
}

/// The key in `Set('key')`.
pub(super) fn key(entity: &str, set: &str) -> Option<String> {
    let key = entity.strip_prefix(set)?.strip_prefix("('")?.strip_suffix("')")?;
    percent_decode_str(key).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The fields that `$select` wants.
pub(super) fn selected(entity: Value, select: Option<&str>) -> Value {
    let (Some(select), Value::Object(fields)) = (select, &entity) else { return entity };
    let wanted: Vec<&str> = select.split(',').map(str::trim).collect();
    let kept: Map<String, Value> = fields
        .iter()
        .filter(|(name, _)| wanted.contains(&name.as_str()))
        .map(|(name, one)| (name.clone(), one.clone()))
        .collect();
    Value::Object(kept)
}

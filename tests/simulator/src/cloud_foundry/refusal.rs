//! The Cloud Controller's errors, `{"errors": [{"code", "title", "detail"}]}`, and how it reads a body
//! (cloud_controller_ng, `errors/v2.yml`, `errors/v3.yml`, `app/messages`).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::frame::answer;

/// One error in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: u32,
    title: &'static str,
    detail: String,
}

impl Refusal {
    fn new(status: StatusCode, code: u32, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into() }
    }

    /// 401: no token.
    pub(super) fn not_authenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 10002, "CF-NotAuthenticated", "Authentication error")
    }

    /// 401: a token that is not valid, or no longer.
    pub(super) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 1000, "CF-InvalidAuthToken", "Invalid Auth Token")
    }

    /// 403: the caller's roles do not allow it.
    pub(super) fn not_authorized() -> Self {
        let text = "You are not authorized to perform the requested action";
        Self::new(StatusCode::FORBIDDEN, 10003, "CF-NotAuthorized", text)
    }

    /// 403: the token does not allow it, whatever the caller's roles.
    pub(super) fn insufficient_scope() -> Self {
        let text = "Your token lacks the necessary scopes to access this resource.";
        Self::new(StatusCode::FORBIDDEN, 10007, "CF-InsufficientScope", text)
    }

    /// 404: there is none, or the caller may not see it.
    pub(super) fn not_found(what: &str) -> Self {
        Self::gone(format!("{what} not found"))
    }

    /// 404 with a text of its own.
    pub(super) fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, 10010, "CF-ResourceNotFound", detail)
    }

    /// 404: no such route.
    pub(super) fn unknown_request() -> Self {
        Self::new(StatusCode::NOT_FOUND, 10000, "CF-NotFound", "Unknown request")
    }

    /// 422: understood and refused.
    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, 10008, "CF-UnprocessableEntity", detail)
    }

    /// 400: a query that cannot be answered.
    pub(super) fn bad_query(detail: impl Into<String>) -> Self {
        let detail = format!("The query parameter is invalid: {}", detail.into());
        Self::new(StatusCode::BAD_REQUEST, 10005, "CF-BadQueryParameter", detail)
    }

    /// What a job says that has failed.
    pub(super) fn unable(what: &str, why: &str) -> Self {
        let detail = format!("{what} could not be completed: {why}");
        Self::new(StatusCode::BAD_REQUEST, 10009, "CF-UnableToPerform", detail)
    }

    /// 409: an instance changes already.
    pub(super) fn instance_busy(name: &str) -> Self {
        let detail = format!("An operation for service instance {name} is in progress.");
        Self::new(StatusCode::CONFLICT, 60016, "CF-AsyncServiceInstanceOperationInProgress", detail)
    }

    /// 400: an instance stays on its plan.
    pub(super) fn plan_is_fixed() -> Self {
        let detail = "The service does not support changing plans.";
        Self::new(StatusCode::BAD_REQUEST, 110_008, "CF-ServicePlanNotUpdateable", detail)
    }

    /// 400: the broker does not give a binding's parameters back.
    pub(super) fn no_binding_parameters() -> Self {
        let detail = "This service does not support fetching service binding parameters.";
        Self::new(StatusCode::BAD_REQUEST, 90_007, "CF-ServiceFetchBindingParametersNotSupported", detail)
    }

    /// 400: the broker does not give an instance's parameters back.
    pub(super) fn no_instance_parameters() -> Self {
        let detail = "This service does not support fetching service instance parameters.";
        Self::new(StatusCode::BAD_REQUEST, 120_004, "CF-ServiceFetchInstanceParametersNotSupported", detail)
    }

    /// 429: the caller has asked too often, or everybody at this address who has no token.
    pub(super) fn too_many(known: bool) -> Self {
        let (code, title, detail) = if known {
            (10013, "CF-RateLimitExceeded", "Rate Limit Exceeded")
        } else {
            let text = "Rate Limit Exceeded: Unauthenticated requests from this IP address have exceeded the limit. \
                        Please log in.";
            (10014, "CF-IPBasedRateLimitExceeded", text)
        };
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, title, detail)
    }

    /// What it says.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The error as an entry of `errors`.
    pub(super) fn entry(&self) -> Value {
        json!({"code": self.code, "title": self.title, "detail": self.detail})
    }

    /// The answer with a content type of its own: what refuses too many requests calls its JSON text.
    pub(super) fn as_plain_text(&self) -> Response {
        let body = json!({"errors": [self.entry()]}).to_string();
        answer::typed(self.status, "text/plain; charset=utf-8", body)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        answer::json(self.status, json!({"errors": [self.entry()]}))
    }
}

/// The fields of a body. One that does not say that it is JSON is read over and counts as empty, as Rails does it.
pub(super) fn body(headers: &HeaderMap, bytes: &[u8], known: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Ok(Map::new());
    }
    let detail = "Request invalid due to parse error: invalid request body";
    let unreadable = || Refusal::new(StatusCode::BAD_REQUEST, 1001, "CF-MessageParseError", detail);
    let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else { return Err(unreadable()) };
    only_known(&fields, known)?;
    Ok(fields)
}

/// Refuses fields that nobody knows.
pub(super) fn only_known(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    let unknown: Vec<&str> = fields.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Refusal::unprocessable(format!("Unknown field(s): '{}'", unknown.join("', '"))))
}

/// The guid that a relationship to one object names.
pub(super) fn related(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get("relationships")?.get(name)?.pointer("/data/guid")?.as_str().map(str::to_owned)
}

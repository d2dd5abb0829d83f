//! The Service Manager's errors: `{"error": …, "description": …}` and the statuses that go with them.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::frame::{BrokerErrorMember, Settings, UnknownFields, answer};
use crate::subaccount::{Refusal as TokenTrouble, Subaccount};

use super::XSAPPNAME;

/// An error answer in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    broker: Option<Value>,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), broker: None }
    }

    /// 400: the request itself is wrong.
    pub(crate) fn bad_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", description)
    }

    /// 400 with a word of its own.
    pub(crate) fn wrong(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// 404: there is none of this type with this id.
    pub(crate) fn not_found(resource_type: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("could not find such {resource_type}"))
    }

    /// 409: the name is taken.
    pub(crate) fn conflict(resource: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict", format!("found conflicting {resource}"))
    }

    /// 400: an instance that still has bindings is not deleted.
    pub(crate) fn has_bindings(count: usize) -> Self {
        Self::bad_request(format!("could not delete instance due to {count} existing bindings"))
    }

    /// 422: the instance to bind is not made yet, or is going.
    pub(crate) fn not_usable(description: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "OperationInProgress", description)
    }

    /// 404: no plan that the subaccount may order.
    pub(crate) fn no_plan() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "could not find such service plan")
    }

    /// 500: the database does not take it.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Internal server error")
    }

    /// 503: the request has waited too long.
    pub(crate) fn timeout() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Timeout", "operation has timed out")
    }

    /// 422: another operation on the object has not ended.
    pub(crate) fn in_progress() -> Self {
        let text = "Another concurrent operation in progress for this resource";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "ConcurrentOperationInProgress", text)
    }

    /// 502: the service's broker said no, with this status of its own.
    pub(crate) fn broker(settings: &Settings, action: &str, status: u16, text: &str) -> Self {
        let description = format!(
            "Failed {action} request: Status: {status}; ErrorMessage: <nil>; Description: {text}; ResponseError: <nil>"
        );
        let broker = (settings.broker_error_member == BrokerErrorMember::Present)
            .then(|| json!({"StatusCode": status, "ErrorMessage": null, "Description": text, "ResponseError": null}));
        Self { broker, ..Self::new(StatusCode::BAD_GATEWAY, "BrokerError", description) }
    }

    /// The error as an entry of an operation's `errors`.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({"error": self.error, "description": self.description});
        if let Some(broker) = &self.broker {
            body["broker_error"] = broker.clone();
        }
        body
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        answer::json(self.status, self.body())
    }
}

/// Lets a request through that carries a token with this scope of the Service Manager.
pub(crate) fn authorize(subaccount: &Subaccount, headers: &HeaderMap, scope: &str) -> Result<(), Refusal> {
    let scope = format!("{XSAPPNAME}.subaccount.{scope}");
    subaccount.authorize(headers, &scope).map(drop).map_err(|trouble| match trouble {
        TokenTrouble::Missing | TokenTrouble::Invalid => {
            Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", "No authenticated user found")
        }
        TokenTrouble::Scope(scope) => {
            Refusal::new(StatusCode::FORBIDDEN, "Forbidden", format!("missing required scope {scope}"))
        }
    })
}

/// A body whose fields are known.
pub(crate) trait Fields {
    /// Their names.
    const KNOWN: &'static [&'static str];
}

/// The JSON body of a request: content type, syntax, and, unless the settings say otherwise, no unknown fields.
pub(crate) fn body<T: DeserializeOwned + Fields>(
    headers: &HeaderMap,
    bytes: &[u8],
    settings: &Settings,
) -> Result<T, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        let text = "unsupported media type provided";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", text));
    }
    let mut value: Value =
        serde_json::from_slice(bytes).map_err(|_| Refusal::bad_request("request body is not valid JSON"))?;
    if let Some(fields) = value.as_object_mut() {
        let strict = settings.unknown_fields == UnknownFields::Refused;
        // The real service is written in Go, which reads `null` as if the field were not there.
        fields.retain(|name, value| !value.is_null() && (strict || T::KNOWN.contains(&name.as_str())));
    }
    serde_json::from_value(value).map_err(|wrong| Refusal::bad_request(format!("invalid request body: {wrong}")))
}

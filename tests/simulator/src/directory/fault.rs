//! What is wrong with a request to a directory, in the words of RFC 7644, section 3.12. Each directory writes it down in
//! a form of its own.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::frame::answer;

/// Media type of SCIM bodies (RFC 7644, section 8.1).
pub(crate) const SCIM: &str = "application/scim+json";

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Status of the answer.
    pub(crate) status: StatusCode,
    /// `scimType`, where the RFC has one.
    pub(crate) kind: Option<&'static str>,
    /// What a person reads.
    pub(crate) detail: String,
}

impl Fault {
    /// Any of them.
    pub(crate) fn new(status: StatusCode, kind: Option<&'static str>, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into() }
    }

    /// 400 with its `scimType`.
    pub(crate) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some(kind), detail)
    }

    /// 404 for a resource.
    pub(crate) fn missing(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, None, format!("Resource {id} not found"))
    }

    /// 409 for a name that is taken.
    pub(crate) fn taken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, Some("uniqueness"), detail)
    }

    /// The answer as the RFC has it: the status is text.
    fn answer(&self) -> Response {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.as_str(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = json!(kind);
        }
        let response = answered(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            return answer::with_header(response, header::WWW_AUTHENTICATE, "Bearer realm=\"scim\"");
        }
        response
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        self.answer()
    }
}

/// A SCIM answer.
pub(crate) fn answered(status: StatusCode, body: &Value) -> Response {
    answer::typed(status, SCIM, body.to_string())
}

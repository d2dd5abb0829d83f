//! Bodies of the Authorization Management API: JSON objects that wrap one list. Unknown fields are refused.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Neo;
use super::account::RoleKey;
use super::refusal::Refusal;

/// `{"name": …}`, for users, groups and new roles alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) name: String,
}

/// `{"users": […]}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Users {
    pub(super) users: Vec<Named>,
}

/// `{"groups": […]}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Groups {
    pub(super) groups: Vec<Named>,
}

/// `{"roles": [{"name": …}]}`, new roles of one application.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoles {
    pub(super) roles: Vec<Named>,
}

/// A role as a user or a group holds it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HeldRole {
    name: String,
    application_name: String,
    provider_account: Option<String>,
}

/// `{"roles": [{"name", "applicationName", "providerAccount"}]}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldRoles {
    roles: Vec<HeldRole>,
}

impl HeldRoles {
    /// The roles named; one without a provider belongs to an application of the subaccount's own.
    pub(super) fn keys(self, subaccount: &str) -> Vec<RoleKey> {
        let key = |held: HeldRole| RoleKey {
            provider: held.provider_account.unwrap_or_else(|| subaccount.to_owned()),
            application: held.application_name,
            role: held.name,
        };
        self.roles.into_iter().map(key).collect()
    }
}

/// The content type of a request, without its parameters.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// The body of a request, which must say that it is JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Neo>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, neo: &Arc<Neo>) -> Result<Self, Refusal> {
        if content_type(request.headers()) != "application/json" {
            return Err(Refusal::UnsupportedMediaType);
        }
        let unreadable = || Refusal::BadRequest("The request body is not valid");
        let body = Bytes::from_request(request, neo).await.map_err(|_| unreadable())?;
        serde_json::from_slice(&body).map(Self).map_err(|_| unreadable())
    }
}

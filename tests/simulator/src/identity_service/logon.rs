//! Proving a password, and following the link of a mail. Neither says why it refuses.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{IdentityService, access};
use crate::frame::{answer, client_credentials};

/// `GET /logon` with Basic.
pub(super) async fn logon(State(service): State<Arc<IdentityService>>, headers: HeaderMap) -> Response {
    let presented = client_credentials::basic(&headers);
    let person = presented.and_then(|one| service.logon(&one.client_id, one.secret.as_deref()?));
    match person {
        Some(person) => answer::json(
            StatusCode::OK,
            json!({"id": person.id, "userName": person.user_name, "userId": person.user_id, "mail": person.mail}),
        ),
        None => access::unauthorized(),
    }
}

/// `GET /activation?token=…`
pub(super) async fn follow(
    State(service): State<Arc<IdentityService>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let followed = query.get("token").is_some_and(|token| service.store.write(|store| store.follow(token)));
    if followed { StatusCode::OK.into_response() } else { StatusCode::NOT_FOUND.into_response() }
}

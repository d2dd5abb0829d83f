//! A sender endpoint of Cloud Integration, `/runtime/http/<path>`: the place where a credential proves that it works.
//!
//! A call is accepted with a token, with the client certificate of a service key, or as a person: with a password or a
//! mapped certificate. Roles open the path: `ESBMessaging.send`, or those the settings name for it. It does nothing with
//! the message.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::frame::{Mounted, Platform, Routes, TokenRefusal, answer};
use crate::people::People;
use crate::subaccount::Subaccount;

/// The role that opens every path that has no roles of its own.
const SEND: &str = "ESBMessaging.send";

/// Whose clients and people may call.
struct Callers {
    subaccounts: [Arc<Subaccount>; 2],
    people: People,
}

/// Mounts the sender below `/runtime`.
pub(crate) fn mount(subaccount: &Arc<Subaccount>, other: &Arc<Subaccount>, people: People) -> Mounted {
    let callers = Callers { subaccounts: [Arc::clone(subaccount), Arc::clone(other)], people };
    let sender =
        Routes::below("/runtime", "runtime").get("call", "/http/{*path}", call).post("send", "/http/{*path}", call);
    let (router, names) = sender.with_state(Arc::new(callers));
    Mounted { platform: Arc::new(Runtime), other: None, router, names }
}

/// The runtime keeps nothing.
struct Runtime;

impl Platform for Runtime {
    fn name(&self) -> &'static str {
        "runtime"
    }

    fn snapshot(&self, _secrets: bool) -> Value {
        json!({})
    }

    fn reset(&self) {}

    fn admin_credential(&self, _x509: bool) -> Option<Value> {
        None
    }
}

async fn call(
    State(callers): State<Arc<Callers>>,
    Path(path): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let clients = callers.subaccounts.iter();
    let client = clients.into_iter().find_map(|subaccount| caller(subaccount, &extensions, &headers));
    let Some((client_id, roles)) = client.or_else(|| callers.people.caller(&extensions, &headers)) else {
        let response = answer::text(StatusCode::UNAUTHORIZED, "Unauthorized");
        return answer::with_header(response, header::WWW_AUTHENTICATE, "Bearer");
    };
    let settings = callers.subaccounts[0].frame.settings.current();
    let opens = |role: &String| match settings.sender_roles.get(&path) {
        Some(configured) => configured.contains(role),
        None => role == SEND,
    };
    if roles.iter().any(opens) {
        answer::json(StatusCode::OK, json!({"path": path, "client": client_id, "roles": roles}))
    } else {
        answer::text(StatusCode::FORBIDDEN, "Forbidden")
    }
}

/// Who calls, and with which roles. A token that is no good is not made up for by a certificate.
fn caller(subaccount: &Subaccount, extensions: &Extensions, headers: &HeaderMap) -> Option<(String, Vec<String>)> {
    match subaccount.grant(headers) {
        Ok(grant) => Some((grant.client_id.clone(), grant.scopes.clone())),
        Err(TokenRefusal::Missing) if !headers.contains_key(header::AUTHORIZATION) => {
            let client = subaccount.client_by_certificate(extensions)?;
            Some((client.id.clone(), subaccount.rights_of(&client).scopes))
        }
        Err(_) => None,
    }
}

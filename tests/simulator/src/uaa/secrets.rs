//! A client's secrets: one, or two while consumers move from the older to the newer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::Uaa;
use super::access::{Caller, SECRET};
use super::client::{Client, allowed_length};
use super::input::json_body;
use super::refusal::{Refusal, invalid_client};
use crate::frame::answer;

/// How the secrets change.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ChangeMode {
    /// The new secret takes the place of all there are.
    #[default]
    Update,
    /// The new secret stands beside the old one.
    Add,
    /// The older of two goes.
    Delete,
}

/// The body; fields it does not know are ignored, `clientId` among them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretChange {
    secret: Option<String>,
    old_secret: Option<String>,
    #[serde(default)]
    change_mode: ChangeMode,
}

/// `PUT /oauth/clients/{id}/secret`
pub(super) async fn change(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let caller = uaa.permit(&headers, SECRET)?;
    let wanted: SecretChange = json_body(&headers, &body)?;
    let message = uaa.clients.write(|clients| {
        let client = clients.get_mut(&id).ok_or(Refusal::NotFound)?;
        may_change(&caller, client, &wanted)?;
        apply(client, &wanted)
    })?;
    Ok(answer::json(StatusCode::OK, json!({"status": "ok", "message": message})))
}

/// An administrator changes any secret; anyone else only their own, and has to know it.
fn may_change(caller: &Caller, client: &Client, wanted: &SecretChange) -> Result<(), Refusal> {
    if caller.administrator {
        return Ok(());
    }
    if caller.client_id != client.id {
        return Err(invalid_client("Bad request. Not permitted to change another client's secret"));
    }
    let known = wanted.old_secret.as_ref().is_some_and(|old| client.secrets.contains(old));
    if known { Ok(()) } else { Err(invalid_client("Previous secret is required and must be valid")) }
}

fn apply(client: &mut Client, wanted: &SecretChange) -> Result<&'static str, Refusal> {
    match wanted.change_mode {
        ChangeMode::Update => {
            client.secrets = vec![new_secret(wanted)?];
            Ok("secret updated")
        }
        ChangeMode::Add if client.secrets.len() > 1 => {
            Err(invalid_client("client secret is either empty or client already has two secrets."))
        }
        ChangeMode::Add => {
            client.secrets.push(new_secret(wanted)?);
            Ok("Secret is added")
        }
        ChangeMode::Delete if client.secrets.len() < 2 => {
            Err(invalid_client("client secret is either empty or client has only one secret."))
        }
        ChangeMode::Delete => {
            client.secrets.remove(0);
            Ok("Secret is deleted")
        }
    }
}

fn new_secret(wanted: &SecretChange) -> Result<String, Refusal> {
    let secret = wanted.secret.clone().ok_or_else(|| invalid_client("Client Secret cannot be null."))?;
    if secret.is_empty() {
        return Err(invalid_client("Client Secret must be at least 1 characters in length."));
    }
    allowed_length(&secret)?;
    Ok(secret)
}

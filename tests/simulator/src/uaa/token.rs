//! The token endpoint, for the client credentials grant.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::access::revocable_signature;
use super::client::Client;
use super::refusal::Refusal;
use super::{REALM, Uaa};
use crate::frame::client_credentials::{self, Presented};
use crate::frame::{Grant, Shape, answer, random};

/// `POST /oauth/token`: credentials by Basic or in the form, parameters in the form or the query.
pub(super) async fn issue(
    State(uaa): State<Arc<Uaa>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut fields = client_credentials::form(query.unwrap_or_default().as_bytes());
    fields.extend(form_of(&headers, &body));
    let presented = client_credentials::presented(&headers, &fields).ok_or(Refusal::BadCredentials)?;
    let secret = presented.secret.clone().unwrap_or_default();
    let client = uaa.authenticated(&presented.client_id, &secret)?;
    same_client(&presented, &fields)?;
    may_ask(&client, fields.get("grant_type").map(String::as_str))?;
    let scopes = granted(&client, fields.get("scope").map(String::as_str))?;
    Ok(answer::json(StatusCode::OK, uaa.token_for(&client, &secret, scopes)))
}

/// The form of a request; a body that does not say it is one counts as empty.
pub(super) fn form_of(headers: &HeaderMap, body: &Bytes) -> HashMap<String, String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    if is_form { client_credentials::form(body) } else { HashMap::new() }
}

fn same_client(presented: &Presented, fields: &HashMap<String, String>) -> Result<(), Refusal> {
    if fields.get("client_id").is_none_or(|id| *id == presented.client_id) {
        return Ok(());
    }
    let text = "Given client ID does not match authenticated client";
    Err(Refusal::InvalidClient(StatusCode::UNAUTHORIZED, text.to_owned()))
}

fn may_ask(client: &Client, grant_type: Option<&str>) -> Result<(), Refusal> {
    match grant_type {
        None => Err(Refusal::Token("invalid_request", "Missing grant type".to_owned())),
        Some("client_credentials") if client.may("client_credentials") => Ok(()),
        Some("client_credentials") => {
            let text = "Unauthorized grant type: client_credentials";
            Err(Refusal::InvalidClient(StatusCode::UNAUTHORIZED, text.to_owned()))
        }
        Some(other) => Err(Refusal::Token("unsupported_grant_type", format!("Unsupported grant type: {other}"))),
    }
}

/// All authorities, or those that were asked for.
fn granted(client: &Client, asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(client.authorities.iter().cloned().collect());
    };
    if asked.split(' ').all(|scope| client.authorities.contains(scope)) {
        return Ok(asked.split(' ').map(str::to_owned).collect());
    }
    let held = client.authorities.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    Err(Refusal::InvalidScope { asked: asked.to_owned(), held })
}

impl Uaa {
    fn token_for(&self, client: &Client, secret: &str, scopes: Vec<String>) -> Value {
        let scope = scopes.join(" ");
        let id = random::uuid().replace('-', "");
        let claims = json!({
            "jti": id,
            "authorities": client.authorities,
            "aud": audiences(client, &scopes),
            "iss": format!("{}/oauth/token", self.url()),
            "zid": "uaa",
            "rev_sig": revocable_signature(&client.id, secret),
        });
        let lifetime = Duration::from_secs(client.validity());
        let grant = Grant { realm: REALM, client_id: client.id.clone(), scopes, lifetime, claims };
        let token = self.frame.tokens.issue(grant, Shape::Jwt, &self.frame.clock);
        // The real one counts from when it answers, which is always a moment after it issued.
        let left = client.validity().saturating_sub(1);
        json!({"access_token": token, "token_type": "bearer", "expires_in": left, "scope": scope, "jti": id})
    }
}

/// The client itself, and what stands before the last dot of each scope; `uaa.none` stands for nobody.
fn audiences(client: &Client, scopes: &[String]) -> BTreeSet<String> {
    let named = scopes.iter().filter(|scope| *scope != super::client::NONE);
    let mut audiences: BTreeSet<String> =
        named.filter_map(|scope| scope.rsplit_once('.')).map(|(before, _)| before.to_owned()).collect();
    audiences.insert(client.id.clone());
    audiences
}

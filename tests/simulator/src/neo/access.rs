//! Tokens of platform API clients, and what every request to an API has to pass before it is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::account::ApiClient;
use super::body::content_type;
use super::budget::Api;
use super::refusal::Refusal;
use super::{Neo, REALM};
use crate::frame::{Grant, NeoGrantType, Shape, answer, client_credentials};

/// Twenty-five minutes, which no client can change.
const LIFETIME: Duration = Duration::from_mins(25);

/// `POST /oauth2/apitoken/v1?grant_type=client_credentials`: credentials in the `Authorization`
/// header only, the grant type in the query (SAP Help Portal, "Using Platform APIs").
pub(super) async fn token(
    State(neo): State<Arc<Neo>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let client = neo.authenticated(&headers)?;
    let fields = neo.token_fields(query, &headers, &body);
    match fields.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::Token(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
        None => return Err(Refusal::Token(StatusCode::BAD_REQUEST, "invalid_request")),
    }
    let scopes = granted(&client, fields.get("scope").map(String::as_str))?;
    let scope = scopes.iter().map(|scope| format!("hcp.{scope}")).collect::<Vec<_>>().join(" ");
    let grant = Grant { realm: REALM, client_id: client.id, scopes, lifetime: LIFETIME, claims: json!({}) };
    let token = neo.frame.tokens.issue(grant, Shape::Opaque, &neo.frame.clock);
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.as_secs(), "scope": scope});
    Ok(answer::json(StatusCode::OK, body))
}

/// All scopes of the client, or those asked for. A client that lacks them learns it here, with 400.
fn granted(client: &ApiClient, asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let plain = |scope: &str| scope.strip_prefix("hcp.").unwrap_or(scope).to_owned();
    let wanted: Vec<String> =
        asked.map_or_else(|| client.scopes.clone(), |asked| asked.split_whitespace().map(plain).collect());
    let held = wanted.iter().all(|scope| client.scopes.contains(scope));
    if held && !wanted.is_empty() { Ok(wanted) } else { Err(Refusal::Token(StatusCode::BAD_REQUEST, "invalid_scope")) }
}

impl Neo {
    /// The parameters of a token request: those of the query, and of the form where a switch says so.
    fn token_fields(
        &self,
        mut query: HashMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> HashMap<String, String> {
        let form_too = self.frame.settings.current().neo_grant_type == NeoGrantType::QueryOrForm;
        if form_too && content_type(headers) == "application/x-www-form-urlencoded" {
            query.extend(client_credentials::form(body));
        }
        query
    }

    fn authenticated(&self, headers: &HeaderMap) -> Result<ApiClient, Refusal> {
        let wrong = || Refusal::Token(StatusCode::UNAUTHORIZED, "invalid_client");
        let presented = client_credentials::basic(headers).ok_or_else(wrong)?;
        let found = self.read(|account| account.api_client(&presented.client_id).cloned());
        found.filter(|client| Some(&client.secret) == presented.secret.as_ref()).ok_or_else(wrong)
    }

    /// Lets a request in: a valid token, an existing subaccount, room in this minute, and one of the scopes.
    pub(super) async fn enter(
        &self,
        headers: &HeaderMap,
        subaccount: &str,
        api: Api,
        scopes: &[&str],
    ) -> Result<(), Refusal> {
        let grant = self.frame.grant(headers, REALM).map_err(|_| Refusal::Unauthorized)?;
        if self.read(|account| account.name != subaccount) {
            return Err(Refusal::NotFound("There is no such subaccount"));
        }
        let settings = self.frame.settings.current();
        let limit = settings.neo_requests_per_minute.filter(|_| settings.rates_hold());
        let wait = self.budget.admit(api, limit, self.frame.clock.now())?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let holds = |scope: &&str| grant.scopes.iter().any(|held| held == scope);
        if scopes.iter().any(holds) { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}

//! The UAA beside the Cloud Controller: tokens for people and for clients (UAA API, "Password Grant", "Client
//! Credentials Grant", "Refresh Token"). Mounted below `/cf-uaa`, apart from the UAA that one runs oneself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::frame::client_credentials::{self, Presented};
use crate::frame::{Grant, Shape, answer, random};

use super::seed::USUAL_ORIGIN;
use super::store::{Identity, Store, UaaClient};
use super::{CloudFoundry, REALM};

/// How long a token of a person lasts: what the client `cf` usually has.
const PERSONS_TOKEN: Duration = Duration::from_mins(10);
/// How long a token of a client lasts.
const CLIENTS_TOKEN: Duration = Duration::from_hours(12);
/// What tokens of people open.
const PERSONS_SCOPES: [&str; 3] = ["cloud_controller.read", "cloud_controller.write", "openid"];
/// Wrong passwords in a row, after which an account is locked (UAA, `lockoutAfterFailures`).
const ATTEMPTS: u32 = 5;

/// An OAuth error: its status, its word, its text.
type Refused = (StatusCode, &'static str, String);

/// `GET /info` and `GET /login`: what a command line asks before it asks a person.
pub(super) async fn info(State(cloud): State<Arc<CloudFoundry>>) -> Response {
    let url = cloud.uaa_url();
    let prompts = json!({"username": ["text", "E-Mail Address"], "password": ["password", "Password"],
                         "passcode": ["password", format!("Temporary Authentication Code ( Get one at {url}/passcode )")]});
    let body = json!({"app": {"version": "77.20.0"}, "zone_name": "uaa", "entityID": url, "prompts": prompts,
                      "links": {"uaa": url, "login": url, "passwd": "/forgot_password", "register": "/create_account"}});
    answer::json(StatusCode::OK, body)
}

/// `POST /oauth/token`: parameters in the form, and `login_hint` also in the query, where the command line puts it.
pub(super) async fn token(
    State(cloud): State<Arc<CloudFoundry>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut fields = client_credentials::form(query.unwrap_or_default().as_bytes());
    fields.extend(client_credentials::form(&body));
    let granted = cloud.store.write(|store| granted(&cloud, store, &headers, &fields));
    let response = match granted {
        Ok(body) => answer::json(StatusCode::OK, body),
        Err((status, error, description)) => {
            answer::json(status, json!({"error": error, "error_description": description}))
        }
    };
    answer::with_header(response, header::CACHE_CONTROL, "no-store")
}

fn unauthorized(text: &str) -> Refused {
    (StatusCode::UNAUTHORIZED, "unauthorized", text.to_owned())
}

fn granted(
    cloud: &CloudFoundry,
    store: &mut Store,
    headers: &HeaderMap,
    fields: &HashMap<String, String>,
) -> Result<Value, Refused> {
    let presented = client_credentials::presented(headers, fields).ok_or_else(|| unauthorized("Bad credentials"))?;
    let client = authenticated(store, &presented)?;
    match fields.get("grant_type").map(String::as_str) {
        Some("password") if client.authorities.is_empty() => {
            let guid = logged_on(store, fields)?;
            Ok(persons_token(cloud, store, &client, &guid))
        }
        Some("refresh_token") if client.authorities.is_empty() => {
            let given = fields.get("refresh_token").map(String::as_str).unwrap_or_default();
            let guid = store.refresh_tokens.get(given).cloned();
            let text = "The token expired, was revoked, or the token ID is incorrect.";
            let guid = guid.ok_or_else(|| (StatusCode::UNAUTHORIZED, "invalid_token", text.to_owned()))?;
            Ok(persons_token(cloud, store, &client, &guid))
        }
        Some("client_credentials") if !client.authorities.is_empty() => Ok(clients_token(cloud, &client)),
        Some(known @ ("password" | "refresh_token" | "client_credentials")) => {
            Err((StatusCode::UNAUTHORIZED, "invalid_client", format!("Unauthorized grant type: {known}")))
        }
        Some(other) => {
            Err((StatusCode::BAD_REQUEST, "unsupported_grant_type", format!("Unsupported grant type: {other}")))
        }
        None => Err((StatusCode::BAD_REQUEST, "invalid_request", "Missing grant type".to_owned())),
    }
}

fn authenticated(store: &Store, presented: &Presented) -> Result<UaaClient, Refused> {
    let given = presented.secret.clone().unwrap_or_default();
    let found = store.clients.iter().find(|client| client.id == presented.client_id && client.secret == given);
    found.cloned().ok_or_else(|| unauthorized("Bad credentials"))
}

/// The guid of the person whose password this is.
fn logged_on(store: &mut Store, fields: &HashMap<String, String>) -> Result<String, Refused> {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let origin = origin(fields);
    if !store.identities.iter().any(|one| one.origin == origin) {
        let text = "The origin provided in the login_hint does not match an active Identity Provider, that supports \
                    password grant.";
        return Err(unauthorized(text));
    }
    let same = |one: &&mut Identity| one.origin == origin && one.username.eq_ignore_ascii_case(field("username"));
    let Some(found) = store.identities.iter_mut().find(same) else { return Err(unauthorized("Bad credentials")) };
    if found.failures >= ATTEMPTS {
        let text = "Your account has been locked because of too many failed attempts to login.";
        return Err(unauthorized(text));
    }
    if found.password.as_deref().is_none_or(|password| password != field("password")) {
        found.failures += 1;
        return Err(unauthorized("Bad credentials"));
    }
    found.failures = 0;
    Ok(found.guid.clone())
}

/// The identity provider that is meant: `login_hint={"origin": "…"}`, or `origin`.
fn origin(fields: &HashMap<String, String>) -> String {
    let hint = fields.get("login_hint").and_then(|hint| serde_json::from_str::<Value>(hint).ok());
    let hinted = hint.and_then(|hint| hint["origin"].as_str().map(str::to_owned));
    hinted.or_else(|| fields.get("origin").cloned()).unwrap_or_else(|| USUAL_ORIGIN.to_owned())
}

fn persons_token(cloud: &CloudFoundry, store: &mut Store, client: &UaaClient, guid: &str) -> Value {
    let (username, origin) =
        store.identity(guid).map(|one| (one.username.clone(), one.origin.clone())).unwrap_or_default();
    let claims = json!({"sub": guid, "user_id": guid, "user_name": username, "email": username, "origin": origin,
                        "grant_type": "password", "iss": format!("{}/oauth/token", cloud.uaa_url()), "zid": "uaa"});
    let mut body = issued(cloud, client, &PERSONS_SCOPES, PERSONS_TOKEN, claims);
    let refresh = format!("{}-r", random::opaque());
    store.refresh_tokens.insert(refresh.clone(), guid.to_owned());
    body["refresh_token"] = json!(refresh);
    body
}

fn clients_token(cloud: &CloudFoundry, client: &UaaClient) -> Value {
    let claims = json!({"iss": format!("{}/oauth/token", cloud.uaa_url()), "zid": "uaa"});
    issued(cloud, client, client.authorities, CLIENTS_TOKEN, claims)
}

fn issued(cloud: &CloudFoundry, client: &UaaClient, scopes: &[&str], lifetime: Duration, claims: Value) -> Value {
    let frame = cloud.frame();
    let (scope, scopes) = (scopes.join(" "), scopes.iter().copied().map(str::to_owned).collect());
    let grant = Grant { realm: REALM, client_id: client.id.clone(), scopes, lifetime, claims };
    let token = frame.tokens.issue(grant, Shape::Jwt, &frame.clock);
    // The UAA counts from when it answers, which is always a moment after it issued.
    let left = lifetime.as_secs().saturating_sub(1);
    json!({"access_token": token, "token_type": "bearer", "expires_in": left, "scope": scope, "jti": random::uuid()})
}

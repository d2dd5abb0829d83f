//! The UAA's users (`/Users`): with a password of their own where the UAA itself is where they log on.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Uaa;
use super::input::json_body;
use super::people::{CREATE, WRITE, answered, missing, version, wrong};
use super::refusal::Refusal;
use crate::directory::input::Body;
use crate::directory::shelf::{Shelf, Which};
use crate::frame::answer;

const OWN_ORIGIN: &str = "uaa";

/// A user as a request describes it. Other fields than the UAA's own are refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserInput {
    #[serde(default)]
    user_name: String,
    external_id: Option<String>,
    name: Option<Name>,
    #[serde(default)]
    emails: Vec<Email>,
    #[serde(default)]
    password: String,
    origin: Option<String>,
    active: Option<bool>,
    verified: Option<bool>,
    #[serde(rename = "id")]
    _id: Option<Value>,
    #[serde(rename = "meta")]
    _meta: Option<Value>,
    #[serde(rename = "groups")]
    _groups: Option<Value>,
    #[serde(rename = "approvals")]
    _approvals: Option<Value>,
    #[serde(rename = "schemas")]
    _schemas: Option<Value>,
    #[serde(rename = "zoneId")]
    _zone: Option<Value>,
    #[serde(rename = "passwordLastModified")]
    _set: Option<Value>,
    #[serde(rename = "phoneNumbers")]
    _phones: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    given_name: Option<String>,
    family_name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    value: String,
}

fn invalid(text: &str) -> Refusal {
    wrong(StatusCode::BAD_REQUEST, "invalid_scim_resource", text)
}

impl UserInput {
    /// What is kept of it, without the password.
    fn body(&self) -> Result<Body, Refusal> {
        if self.user_name.is_empty() {
            return Err(invalid("A username must be provided."));
        }
        let allowed = |sign: char| sign.is_alphabetic() || sign.is_ascii_digit() || "+-_.@'!".contains(sign);
        if !self.user_name.chars().all(allowed) {
            return Err(invalid(r"Username must match pattern: [\p{L}+0-9+\-_.@'!]+"));
        }
        let [email] = self.emails.as_slice() else { return Err(invalid("Exactly one email must be provided.")) };
        let mut name = json!({});
        for (field, value) in [
            ("familyName", |name: &Name| name.family_name.clone()),
            ("givenName", |name: &Name| name.given_name.clone()),
        ] as [(&str, fn(&Name) -> Option<String>); 2]
        {
            if let Some(value) = self.name.as_ref().and_then(value) {
                name[field] = json!(value);
            }
        }
        let mut body = Body::from_iter([
            ("userName".to_owned(), json!(self.user_name)),
            ("name".to_owned(), name),
            ("emails".to_owned(), json!([{"value": email.value, "primary": false}])),
            ("approvals".to_owned(), json!([])),
            ("active".to_owned(), json!(self.active.unwrap_or(true))),
            ("verified".to_owned(), json!(self.verified.unwrap_or(true))),
            ("origin".to_owned(), json!(self.origin.as_deref().unwrap_or(OWN_ORIGIN))),
            ("zoneId".to_owned(), json!("uaa")),
        ]);
        if let Some(id) = &self.external_id {
            body.insert("externalId".to_owned(), json!(id));
        }
        Ok(body)
    }
}

fn input(headers: &HeaderMap, body: &Bytes) -> Result<UserInput, Refusal> {
    json_body(headers, body).map_err(|refusal| match refusal {
        Refusal::Unreadable => wrong(StatusCode::BAD_REQUEST, "scim", "JSON parse error"),
        other => other,
    })
}

/// 409 with the id of the user that is there: the same name at the same origin, in whatever case.
fn unique(users: &Shelf, body: &Body, except: Option<&str>) -> Result<(), Refusal> {
    let lower = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let same =
        |other: &Body| lower(&other["userName"]) == lower(&body["userName"]) && other["origin"] == body["origin"];
    let taken = users.all.iter().find(|one| Some(one.id.as_str()) != except && same(&one.body));
    taken.map_or(Ok(()), |one| {
        let text = format!("Username already in use: {}", one.text("userName").unwrap_or_default());
        let more = json!({"user_id": one.id, "active": one.body["active"], "verified": one.body["verified"]});
        Err(Refusal::Scim(StatusCode::CONFLICT, "scim_resource_already_exists", text, more))
    })
}

fn invalid_password(status: StatusCode, text: &str) -> Refusal {
    wrong(status, "invalid_password", text)
}

fn long_enough(password: &str) -> Result<(), Refusal> {
    let text = "Password must be at least 1 characters in length.";
    if password.is_empty() { Err(invalid_password(StatusCode::BAD_REQUEST, text)) } else { Ok(()) }
}

/// `POST /Users`
pub(super) async fn create(State(uaa): State<Arc<Uaa>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    uaa.permit(&headers, CREATE)?;
    let user = input(&headers, &body)?;
    let mut body = user.body()?;
    if body["origin"] == OWN_ORIGIN {
        long_enough(&user.password)?;
        body.insert("password".to_owned(), json!(user.password));
    }
    body.insert("passwordLastModified".to_owned(), json!(uaa.frame.clock.stamp()));
    let now = uaa.frame.clock.now();
    uaa.people.write(|all| {
        unique(&all.users, &body, None)?;
        let made = all.users.add(body, now);
        Ok(answered(StatusCode::CREATED, all, Which::Users, &made))
    })
}

/// `PUT /Users/{id}`: the version must be named; the password stays.
pub(super) async fn replace(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    let user = input(&headers, &body)?;
    let (wanted, now) = (version(&headers)?, uaa.frame.clock.now());
    let mut body = user.body()?;
    uaa.people.write(|all| {
        let old = all.users.get(&id).map_err(|_| missing(Which::Users, &id))?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != old.version) {
            let found = old.version;
            let text =
                format!("Attempt to update a user ({id}) with wrong version: expected={found} but found={wanted}");
            return Err(wrong(StatusCode::CONFLICT, "scim_resource_conflict", text));
        }
        for kept in ["password", "passwordLastModified", "origin"] {
            old.body.get(kept).map(|value| body.insert(kept.to_owned(), value.clone()));
        }
        unique(&all.users, &body, Some(&id))?;
        let changed = all.users.get_mut(&id).map_err(|_| missing(Which::Users, &id))?;
        let before = changed.version;
        changed.become_other(body, now);
        if changed.version == before {
            changed.touch(now);
        }
        let changed = changed.clone();
        Ok(answered(StatusCode::OK, all, Which::Users, &changed))
    })
}

#[derive(Deserialize)]
struct NewPassword {
    #[serde(default)]
    password: String,
}

/// `PUT /Users/{id}/password`: `uaa.admin` is not enough, the token must hold a scope of `password`.
pub(super) async fn change_password(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let grant = uaa.valid_grant(&headers)?;
    if !grant.scopes.iter().any(|scope| scope == "password.write") {
        return Err(Refusal::NoResource("password"));
    }
    let new: NewPassword = json_body(&headers, &body)?;
    long_enough(&new.password)?;
    let (now, stamp) = (uaa.frame.clock.now(), uaa.frame.clock.stamp());
    uaa.people.write(|all| {
        let unknown = |_| wrong(StatusCode::UNAUTHORIZED, "bad_credentials", "Invalid password change request");
        let user = all.users.get_mut(&id).map_err(unknown)?;
        if user.text("password") == Some(&new.password) {
            let text = "Your new password cannot be the same as the old password.";
            return Err(invalid_password(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
        user.body.insert("password".to_owned(), json!(new.password));
        user.body.insert("passwordLastModified".to_owned(), json!(stamp));
        user.touch(now);
        Ok(answer::json(StatusCode::OK, json!({"status": "ok", "message": "password updated"})))
    })
}

//! The UAA's groups (`/Groups`) and their members. Names of groups differ by case; users' names do not.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Uaa;
use super::input::json_body;
use super::people::{READ, WRITE, answered, missing, version, wrong};
use super::refusal::Refusal;
use crate::directory::input::Body;
use crate::directory::shelf::{Directory, Which, leave, values};
use crate::frame::answer;

/// A member as a request names it.
#[derive(Deserialize)]
struct Member {
    value: String,
    #[serde(default = "user")]
    r#type: String,
    #[serde(default = "uaa")]
    origin: String,
}

fn user() -> String {
    "USER".to_owned()
}

fn uaa() -> String {
    "uaa".to_owned()
}

impl Member {
    fn shown(&self) -> Value {
        json!({"origin": self.origin, "type": self.r#type, "value": self.value})
    }

    fn exists(&self, all: &Directory) -> Result<(), Refusal> {
        let which = if self.r#type == "GROUP" { Which::Groups } else { Which::Users };
        all.shelf(which).get(&self.value).map(drop).map_err(|_| missing(which, &self.value))
    }
}

/// A group as a request describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupInput {
    display_name: String,
    description: Option<String>,
    #[serde(default)]
    members: Vec<Member>,
}

impl GroupInput {
    fn body(&self, all: &Directory, except: Option<&str>) -> Result<Body, Refusal> {
        self.members.iter().try_for_each(|member| member.exists(all))?;
        let same = |one: &&crate::directory::resource::Resource| {
            Some(one.id.as_str()) != except && one.text("displayName") == Some(&self.display_name)
        };
        if all.groups.all.iter().any(|one| same(&one)) {
            let text = format!("A group with displayName: {} already exists.", self.display_name);
            return Err(wrong(StatusCode::CONFLICT, "scim_resource_already_exists", text));
        }
        let mut body = Body::from_iter([
            ("displayName".to_owned(), json!(self.display_name)),
            ("zoneId".to_owned(), json!("uaa")),
            ("members".to_owned(), self.members.iter().map(Member::shown).collect()),
        ]);
        self.description.as_ref().map(|text| body.insert("description".to_owned(), json!(text)));
        Ok(body)
    }
}

/// `POST /Groups`
pub(super) async fn create(State(uaa): State<Arc<Uaa>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    let group: GroupInput = json_body(&headers, &body)?;
    let now = uaa.frame.clock.now();
    uaa.people.write(|all| {
        let body = group.body(all, None)?;
        let made = all.groups.add(body, now);
        Ok(answered(StatusCode::CREATED, all, Which::Groups, &made))
    })
}

/// `PUT /Groups/{id}`: a stale version is found out by the database, and told in its words.
pub(super) async fn replace(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    let (wanted, now) = (version(&headers)?, uaa.frame.clock.now());
    let group: GroupInput = json_body(&headers, &body)?;
    uaa.people.write(|all| {
        let old = all.groups.get(&id).map_err(|_| missing(Which::Groups, &id))?;
        if wanted.is_some_and(|wanted| wanted != old.version) {
            return Err(wrong(StatusCode::CONFLICT, "scim", "Incorrect result size: expected 1, actual 0"));
        }
        let body = group.body(all, Some(&id))?;
        let changed = all.groups.get_mut(&id).map_err(|_| missing(Which::Groups, &id))?;
        changed.become_other(body, now);
        let changed = changed.clone();
        Ok(answered(StatusCode::OK, all, Which::Groups, &changed))
    })
}

/// `GET /Groups/{id}/members`: a list without a wrapper.
pub(super) async fn members(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, READ)?;
    let found = uaa.people.read(|all| all.groups.get(&id).map(|group| group.body.get("members").cloned()));
    let found = found.map_err(|_| missing(Which::Groups, &id))?;
    Ok(answer::json(StatusCode::OK, found.unwrap_or_else(|| json!([]))))
}

/// `POST /Groups/{id}/members`: one that is there already is an error. The group's version stays.
pub(super) async fn add_member(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    let member: Member = json_body(&headers, &body)?;
    uaa.people.write(|all| {
        all.groups.get(&id).map_err(|_| missing(Which::Groups, &id))?;
        member.exists(all)?;
        let group = all.groups.get_mut(&id).map_err(|_| missing(Which::Groups, &id))?;
        if values(&group.body).any(|value| value == member.value) {
            let text = format!("{} is already part of the group: {id}", member.value);
            return Err(wrong(StatusCode::CONFLICT, "member_already_exists", text));
        }
        let members = group.body.entry("members").or_insert_with(|| json!([]));
        if let Some(members) = members.as_array_mut() {
            members.push(member.shown());
        }
        Ok(answer::json(StatusCode::CREATED, member.shown()))
    })
}

/// `DELETE /Groups/{id}/members/{member}`
pub(super) async fn remove_member(
    State(uaa): State<Arc<Uaa>>,
    Path((id, member)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    uaa.people.write(|all| {
        let group = all.groups.get_mut(&id).map_err(|_| missing(Which::Groups, &id))?;
        let members = group.body.get("members").and_then(Value::as_array).into_iter().flatten();
        let found = members.into_iter().find(|one| one["value"] == member).cloned();
        leave(&mut group.body, &member);
        let text = || format!("Member {member} does not exist in group {id}");
        let gone = found.ok_or_else(|| wrong(StatusCode::NOT_FOUND, "member_not_found", text()))?;
        Ok(answer::json(StatusCode::OK, gone))
    })
}

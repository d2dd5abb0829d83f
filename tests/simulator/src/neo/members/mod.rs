//! Platform Authorization Management API: the members of the subaccount, as a SCIM 2.0 resource.
//!
//! The documentation shows how members are listed; how they are added, changed and removed follows SCIM (RFC 7644)
//! and the transformations that SAP's Identity Provisioning ships for this API.

mod filter;
mod read;
mod scim;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Neo;
use super::account::{Account, Member};
use super::admitted::{Admitted, ManageMembers, ReadMembers};
use super::refusal::{Refusal, scim_bad_request};
use crate::directory::fault::answered;
use crate::directory::page;
use crate::frame::{Routes, answer};
use filter::Filter;
use read::UserInput;
use scim::Shown;

const USERS: &str = "/authorization/v1/platform/accounts/{subaccount}/Users";
const USER: &str = "/authorization/v1/platform/accounts/{subaccount}/Users/{id}";
const CONFIGURATION: &str = "/authorization/v1/platform/ServiceProviderConfig";

/// Adds the routes of this folder.
pub(super) fn routes(routes: Routes<Arc<Neo>>) -> Routes<Arc<Neo>> {
    routes
        .get("members-configuration", CONFIGURATION, configuration)
        .get("list-members", USERS, list)
        .post("add-member", USERS, add)
        .get("get-member", USER, get)
        .put("change-member", USER, change)
        .delete("remove-member", USER, remove)
}

#[derive(Deserialize)]
struct Wanted {
    filter: Option<String>,
}

impl Neo {
    fn shown(&self) -> Shown {
        let older = self.frame.settings.current().neo_older_user_extension;
        let base = self.read(|account| format!("{}{}", self.url(), USERS.replace("{subaccount}", account.name)));
        Shown { base, older }
    }

    /// The member that a request describes.
    fn member(&self, headers: &HeaderMap, body: &Bytes) -> Result<UserInput, Refusal> {
        UserInput::read(headers, body, self.frame.settings.current().neo_member_bodies)
    }
}

/// Refuses a request that does not ask for SCIM; the documentation has clients name it.
fn accepts_scim(headers: &HeaderMap) -> Result<(), Refusal> {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("application/scim+json") {
        return Ok(());
    }
    Err(Refusal::Scim(StatusCode::NOT_ACCEPTABLE, None, "Accept must name application/scim+json".to_owned()))
}

fn no_member(id: &str) -> Refusal {
    Refusal::Scim(StatusCode::NOT_FOUND, None, format!("Resource {id} not found"))
}

/// Where the member with this id stands.
fn position(account: &Account, id: &str) -> Result<usize, Refusal> {
    account.members.iter().position(|member| scim::id(member) == id).ok_or_else(|| no_member(id))
}

async fn configuration() -> Response {
    answered(StatusCode::OK, &scim::configuration())
}

/// All members on one page, for this API knows no others, or those of a filter with one condition.
async fn list(
    neo: Admitted<ReadMembers>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    accepts_scim(&headers)?;
    let filter = wanted.filter.as_deref().map(Filter::parse).transpose()?;
    let shown = neo.shown();
    let found = neo.read(|account| {
        let wanted = account.members.iter().filter(|member| filter.as_ref().is_none_or(|one| one.wants(member)));
        wanted.map(|member| shown.member(member)).collect::<Vec<_>>()
    });
    Ok(answered(StatusCode::OK, &page::list(found.len(), 1, &found)))
}

async fn get(
    neo: Admitted<ReadMembers>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    accepts_scim(&headers)?;
    let shown = neo.shown();
    let found = neo.read(|account| position(account, &id).map(|at| shown.member(&account.members[at])))?;
    Ok(answered(StatusCode::OK, &found))
}

/// Adds a member. Whether such a user exists is checked by nobody.
async fn add(neo: Admitted<ManageMembers>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let input = neo.member(&headers, &body)?;
    let (shown, now) = (neo.shown(), neo.frame.clock.now());
    let added = neo.write(|account| insert(account, &input, now))?;
    let response = answered(StatusCode::CREATED, &shown.member(&added));
    Ok(answer::with_header(response, header::LOCATION, &shown.location(&added)))
}

fn insert(account: &mut Account, input: &UserInput, now: Duration) -> Result<Member, Refusal> {
    let roles = input.known_roles(&account.custom_platform_roles)?;
    if roles.is_empty() {
        return Err(scim_bad_request("invalidValue", "A member has at least one role"));
    }
    let member = Member {
        user_name: input.user_name.clone(),
        userbase: input.userbase().unwrap_or(read::DEFAULT_USERBASE).to_owned(),
        roles,
        created: now,
        last_modified: now,
    };
    if account.members.iter().any(|one| scim::same_user(one, &member)) {
        let detail = format!("User {} already exists", scim::id(&member));
        return Err(Refusal::Scim(StatusCode::CONFLICT, Some("uniqueness"), detail));
    }
    account.members.push(member.clone());
    Ok(member)
}

/// Replaces the roles of a member. Without any it is no longer one.
async fn change(
    neo: Admitted<ManageMembers>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let input = neo.member(&headers, &body)?;
    let (shown, now) = (neo.shown(), neo.frame.clock.now());
    let changed = neo.write(|account| {
        let at = position(account, &id)?;
        input.names(&account.members[at], &shown)?;
        let roles = input.known_roles(&account.custom_platform_roles)?;
        let member = Member { roles, last_modified: now, ..account.members[at].clone() };
        if member.roles.is_empty() {
            account.members.remove(at);
        } else {
            account.members[at] = member.clone();
        }
        Ok::<_, Refusal>(member)
    })?;
    Ok(answered(StatusCode::OK, &shown.member(&changed)))
}

async fn remove(neo: Admitted<ManageMembers>, Path((_, id)): Path<(String, String)>) -> Result<Response, Refusal> {
    neo.write(|account| position(account, &id).map(|at| account.members.remove(at)))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

//! Authorization Management API: groups, their users and their roles. Group names have no case.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Neo;
use super::account::{Group, RoleKey};
use super::admitted::{Admitted, ManageSettings, ReadSettings};
use super::body::{Groups, HeldRoles, Json, Users};
use super::names::{Names, listed};
use super::refusal::Refusal;
use super::users::all_exist;
use crate::frame::{Routes, answer};

const NO_GROUP: Refusal = Refusal::NotFound("There is no such group");

/// Adds the routes of this file. Taking single roles from a group is not among them: no document says how.
pub(super) fn routes(routes: Routes<Arc<Neo>>) -> Routes<Arc<Neo>> {
    let groups = "/authorization/v1/accounts/{subaccount}/groups";
    let users = "/authorization/v1/accounts/{subaccount}/groups/users";
    let roles = "/authorization/v1/accounts/{subaccount}/groups/roles";
    routes
        .get("list-groups", groups, list)
        .post("create-groups", groups, create)
        .delete("delete-groups", groups, delete)
        .get("list-group-users", users, list_users)
        .put("add-group-users", users, add_users)
        .delete("remove-group-users", users, remove_users)
        .get("list-group-roles", roles, list_roles)
        .put("add-group-roles", roles, add_roles)
}

/// Which group, and the list of a delete.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    group_name: Option<String>,
    groups: Option<String>,
    users: Option<String>,
}

impl Wanted {
    fn group(&self) -> Result<&str, Refusal> {
        self.group_name.as_deref().ok_or(Refusal::BadRequest("groupName is missing"))
    }
}

async fn list(neo: Admitted<ReadSettings>) -> Result<Response, Refusal> {
    let groups: Vec<Value> =
        neo.read(|account| account.groups.iter().map(|group| json!({"name": group.name})).collect());
    Ok(answer::json(StatusCode::OK, json!({"groups": groups})))
}

async fn create(neo: Admitted<ManageSettings>, Json(new): Json<Groups>) -> Result<Response, Refusal> {
    neo.write(|account| {
        for named in new.groups {
            if account.group(&named.name).is_none() {
                account.groups.push(Group { name: named.name, users: Names::default(), roles: Vec::new() });
            }
        }
    });
    Ok(StatusCode::CREATED.into_response())
}

async fn delete(neo: Admitted<ManageSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let names = wanted.groups.as_deref().ok_or(Refusal::BadRequest("groups is missing"))?;
    neo.write(|account| {
        account.groups.retain(|group| !listed(names).any(|name| name.eq_ignore_ascii_case(&group.name)));
    });
    Ok(StatusCode::OK.into_response())
}

async fn list_users(neo: Admitted<ReadSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let name = wanted.group()?;
    let lower_case = neo.frame.settings.current().neo_lower_case_users;
    let users = neo.read(|account| account.group(name).map(|group| group.users.to_json(lower_case)));
    Ok(answer::json(StatusCode::OK, json!({"users": users.ok_or(NO_GROUP)?})))
}

async fn add_users(
    neo: Admitted<ManageSettings>,
    Query(wanted): Query<Wanted>,
    Json(new): Json<Users>,
) -> Result<Response, Refusal> {
    let name = wanted.group()?;
    neo.write(|account| {
        let group = account.group_mut(name).ok_or(NO_GROUP)?;
        new.users.iter().for_each(|user| group.users.add(&user.name));
        Ok(StatusCode::CREATED.into_response())
    })
}

async fn remove_users(neo: Admitted<ManageSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let users = wanted.users.as_deref().ok_or(Refusal::BadRequest("users is missing"))?;
    let name = wanted.group()?;
    neo.write(|account| {
        if let Some(group) = account.group_mut(name) {
            listed(users).for_each(|user| group.users.remove(user));
        }
    });
    Ok(StatusCode::OK.into_response())
}

async fn list_roles(neo: Admitted<ReadSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let name = wanted.group()?;
    let shown = |group: &Group| group.roles.iter().map(RoleKey::to_json).collect::<Vec<_>>();
    let roles = neo.read(|account| account.group(name).map(shown));
    Ok(answer::json(StatusCode::OK, json!({"roles": roles.ok_or(NO_GROUP)?})))
}

async fn add_roles(
    neo: Admitted<ManageSettings>,
    Query(wanted): Query<Wanted>,
    Json(new): Json<HeldRoles>,
) -> Result<Response, Refusal> {
    let keys = new.keys(neo.read(|account| account.name));
    let name = wanted.group()?;
    neo.write(|account| {
        all_exist(account, &keys)?;
        let group = account.group_mut(name).ok_or(NO_GROUP)?;
        let new: Vec<RoleKey> = keys.into_iter().filter(|key| !group.roles.contains(key)).collect();
        group.roles.extend(new);
        Ok(StatusCode::CREATED.into_response())
    })
}

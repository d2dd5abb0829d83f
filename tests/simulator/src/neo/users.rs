//! Authorization Management API, from the user's side: the application roles and groups one user has.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Neo;
use super::account::{Account, RoleKey};
use super::admitted::{Admitted, ManageSettings, ReadSettings};
use super::body::{Groups, HeldRoles, Json};
use super::names::listed;
use super::refusal::Refusal;
use crate::frame::{Routes, answer};

/// Adds the routes of this file.
pub(super) fn routes(routes: Routes<Arc<Neo>>) -> Routes<Arc<Neo>> {
    let roles = "/authorization/v1/accounts/{subaccount}/users/roles";
    let groups = "/authorization/v1/accounts/{subaccount}/users/groups";
    routes
        .get("list-user-roles", roles, list_roles)
        .put("add-user-roles", roles, add_roles)
        .delete("remove-user-roles", roles, remove_roles)
        .get("list-user-groups", groups, list_groups)
        .put("add-user-groups", groups, add_groups)
        .delete("remove-user-groups", groups, remove_groups)
}

/// Which user, and the list of a delete.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    user_id: Option<String>,
    roles: Option<String>,
    groups: Option<String>,
}

impl Wanted {
    fn user(&self) -> Result<&str, Refusal> {
        self.user_id.as_deref().filter(|user| !user.is_empty()).ok_or(Refusal::BadRequest("userId is missing"))
    }
}

async fn list_roles(neo: Admitted<ReadSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let user = wanted.user()?;
    let held: Vec<Value> = neo.read(|account| held_by(account, user).iter().map(RoleKey::to_json).collect());
    Ok(answer::json(StatusCode::OK, json!({"roles": held})))
}

fn held_by(account: &Account, user: &str) -> Vec<RoleKey> {
    let mut held = Vec::new();
    for application in &account.applications {
        for role in application.roles.iter().filter(|role| role.users.contains(user)) {
            held.push(RoleKey {
                provider: application.provider.clone(),
                application: application.name.clone(),
                role: role.name.clone(),
            });
        }
    }
    held
}

/// Adds to the user's roles. One that does not exist refuses them all.
async fn add_roles(
    neo: Admitted<ManageSettings>,
    Query(wanted): Query<Wanted>,
    Json(new): Json<HeldRoles>,
) -> Result<Response, Refusal> {
    let keys = new.keys(neo.read(|account| account.name));
    let user = wanted.user()?;
    neo.write(|account| {
        all_exist(account, &keys)?;
        for key in &keys {
            let application = account.application_mut(&key.application, Some(&key.provider));
            if let Some(role) = application.and_then(|application| application.role_mut(&key.role)) {
                role.users.add(user);
            }
        }
        Ok(StatusCode::CREATED.into_response())
    })
}

/// Refuses roles of which one does not exist.
pub(super) fn all_exist(account: &Account, keys: &[RoleKey]) -> Result<(), Refusal> {
    let exists = |key: &RoleKey| {
        account.application(&key.application, Some(&key.provider)).is_some_and(|one| one.role(&key.role).is_some())
    };
    if keys.iter().all(exists) { Ok(()) } else { Err(Refusal::NotFound("There is no such role")) }
}

/// `roles=*` takes every role away. How a single role is to be written here is not documented, so that is refused.
async fn remove_roles(neo: Admitted<ManageSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let user = wanted.user()?;
    if wanted.roles.as_deref() != Some("*") {
        return Err(Refusal::BadRequest("roles must be *"));
    }
    neo.write(|account| {
        let roles = account.applications.iter_mut().flat_map(|application| &mut application.roles);
        roles.for_each(|role| role.users.remove(user));
    });
    Ok(StatusCode::OK.into_response())
}

async fn list_groups(neo: Admitted<ReadSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let user = wanted.user()?;
    let groups: Vec<Value> = neo.read(|account| {
        let joined = account.groups.iter().filter(|group| group.users.contains(user));
        joined.map(|group| json!({"name": group.name})).collect()
    });
    Ok(answer::json(StatusCode::OK, json!({"groups": groups})))
}

async fn add_groups(
    neo: Admitted<ManageSettings>,
    Query(wanted): Query<Wanted>,
    Json(new): Json<Groups>,
) -> Result<Response, Refusal> {
    let user = wanted.user()?;
    neo.write(|account| {
        if new.groups.iter().any(|named| account.group(&named.name).is_none()) {
            return Err(Refusal::NotFound("There is no such group"));
        }
        for named in &new.groups {
            if let Some(group) = account.group_mut(&named.name) {
                group.users.add(user);
            }
        }
        Ok(StatusCode::CREATED.into_response())
    })
}

async fn remove_groups(neo: Admitted<ManageSettings>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let user = wanted.user()?;
    let names = wanted.groups.as_deref().ok_or(Refusal::BadRequest("groups is missing"))?;
    neo.write(|account| {
        for name in listed(names) {
            if let Some(group) = account.group_mut(name) {
                group.users.remove(user);
            }
        }
    });
    Ok(StatusCode::OK.into_response())
}

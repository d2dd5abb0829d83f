//! Authorization Management API: the roles of an application and who holds one of them.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Neo;
use super::account::{Application, ApplicationRole};
use super::admitted::{Admitted, ManageRoles, ManageSettings, ReadRoles, ReadSettings};
use super::body::{Json, NewRoles, Users};
use super::names::{Names, listed};
use super::refusal::Refusal;
use crate::frame::{Routes, answer};

const NO_APPLICATION: Refusal = Refusal::NotFound("There is no such application");
const NO_ROLE: Refusal = Refusal::NotFound("There is no such role");

/// Adds the routes of this file.
pub(super) fn routes(routes: Routes<Arc<Neo>>) -> Routes<Arc<Neo>> {
    let roles = "/authorization/v1/accounts/{subaccount}/apps/{app}/roles";
    let users = "/authorization/v1/accounts/{subaccount}/apps/{app}/roles/users";
    routes
        .get("list-application-roles", roles, list_roles)
        .post("create-application-roles", roles, create_roles)
        .delete("delete-application-roles", roles, delete_roles)
        .get("list-role-users", users, list_users)
        .put("add-role-users", users, add_users)
        .delete("remove-role-users", users, remove_users)
}

/// Which application, which role, and the list of a delete.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    provider_account: Option<String>,
    role_name: Option<String>,
    roles: Option<String>,
    users: Option<String>,
}

impl Wanted {
    fn role(&self) -> Result<&str, Refusal> {
        self.role_name.as_deref().ok_or(Refusal::BadRequest("roleName is missing"))
    }
}

/// Subaccount and application of the path.
type Target = Path<(String, String)>;

async fn list_roles(
    neo: Admitted<ReadRoles>,
    Path((_, app)): Target,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let shown = |application: &Application| application.roles.iter().map(role_json).collect::<Vec<_>>();
    let roles = neo.read(|account| account.application(&app, wanted.provider_account.as_deref()).map(shown));
    Ok(answer::json(StatusCode::OK, json!({"roles": roles.ok_or(NO_APPLICATION)?})))
}

fn role_json(role: &ApplicationRole) -> Value {
    let kind = if role.custom { "CUSTOM" } else { "PREDEFINED" };
    json!({"name": role.name, "type": kind, "applicationRole": !role.custom, "shared": !role.custom})
}

async fn create_roles(
    neo: Admitted<ManageRoles>,
    Path((_, app)): Target,
    Query(wanted): Query<Wanted>,
    Json(new): Json<NewRoles>,
) -> Result<Response, Refusal> {
    neo.write(|account| {
        let application = account.application_mut(&app, wanted.provider_account.as_deref()).ok_or(NO_APPLICATION)?;
        for role in new.roles {
            if application.role(&role.name).is_none() {
                application.roles.push(ApplicationRole { name: role.name, custom: true, users: Names::default() });
            }
        }
        Ok(StatusCode::CREATED.into_response())
    })
}

/// Succeeds for roles that do not exist; predefined ones stay, for the application brings them along.
async fn delete_roles(
    neo: Admitted<ManageRoles>,
    Path((_, app)): Target,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let names = wanted.roles.as_deref().ok_or(Refusal::BadRequest("roles is missing"))?;
    neo.write(|account| {
        let application = account.application_mut(&app, wanted.provider_account.as_deref()).ok_or(NO_APPLICATION)?;
        application.roles.retain(|role| !role.custom || !listed(names).any(|name| name == role.name));
        Ok(StatusCode::OK.into_response())
    })
}

async fn list_users(
    neo: Admitted<ReadSettings>,
    Path((_, app)): Target,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let role = wanted.role()?;
    let lower_case = neo.frame.settings.current().neo_lower_case_users;
    let users = neo.read(|account| {
        let application = account.application(&app, wanted.provider_account.as_deref()).ok_or(NO_APPLICATION)?;
        Ok(application.role(role).ok_or(NO_ROLE)?.users.to_json(lower_case))
    })?;
    Ok(answer::json(StatusCode::OK, json!({"users": users})))
}

/// Adds to those who hold the role; takes nobody away. Nobody checks whether the users exist.
async fn add_users(
    neo: Admitted<ManageSettings>,
    Path((_, app)): Target,
    Query(wanted): Query<Wanted>,
    Json(new): Json<Users>,
) -> Result<Response, Refusal> {
    let role = wanted.role()?;
    neo.write(|account| {
        let application = account.application_mut(&app, wanted.provider_account.as_deref()).ok_or(NO_APPLICATION)?;
        let role = application.role_mut(role).ok_or(NO_ROLE)?;
        new.users.iter().for_each(|user| role.users.add(&user.name));
        Ok(StatusCode::CREATED.into_response())
    })
}

/// Succeeds also for users who do not hold the role, and for a role that does not exist.
async fn remove_users(
    neo: Admitted<ManageSettings>,
    Path((_, app)): Target,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let names = wanted.users.as_deref().ok_or(Refusal::BadRequest("users is missing"))?;
    let role = wanted.role()?;
    neo.write(|account| {
        let application = account.application_mut(&app, wanted.provider_account.as_deref()).ok_or(NO_APPLICATION)?;
        if let Some(role) = application.role_mut(role) {
            listed(names).for_each(|name| role.users.remove(name));
        }
        Ok(StatusCode::OK.into_response())
    })
}

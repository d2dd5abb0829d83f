//! `/v3/roles`: give, look up, take away (cloud_controller_ng, `app/controllers/v3/roles_controller.rb`,
//! `app/actions/role_create.rb`).

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::frame::{UnknownUsers, answer, random};

use super::CloudFoundry;
use super::access::Caller;
use super::jobs::{Course, Effect, Job};
use super::permitted::{Reader, Writer};
use super::places::{ordered, shown_organization, shown_space};
use super::query::ListQuery;
use super::refusal::Refusal;
use super::role_order::{RoleOrder, Wanted};
use super::role_type::{OF_ORGANIZATIONS, RoleType};
use super::store::{Base, Role, Store};
use super::users;

/// Of whoever has no role in the organization, also of whoever does not exist.
const NOT_IN_ORGANIZATION: &str =
    "Users cannot be assigned roles in a space if they do not have a role in that space's organization.";

/// A role as answers show it.
pub(super) fn shown(cloud: &CloudFoundry, role: &Role) -> Value {
    let here = json!({"data": {"guid": role.place}});
    let nowhere = json!({"data": null});
    let mut links = json!({"self": cloud.link(&format!("/v3/roles/{}", role.base.guid)),
                           "user": cloud.link(&users::path(&role.user))});
    let (organization, space) = if role.kind.is_of_space() {
        links["space"] = cloud.link(&format!("/v3/spaces/{}", role.place));
        (nowhere, here)
    } else {
        links["organization"] = cloud.link(&format!("/v3/organizations/{}", role.place));
        (here, nowhere)
    };
    json!({
        "guid": role.base.guid, "created_at": role.base.created_at, "updated_at": role.base.updated_at,
        "type": role.kind.name(), "links": links,
        "relationships": {"user": {"data": {"guid": role.user}}, "organization": organization, "space": space},
    })
}

/// `GET /v3/roles`
pub(super) async fn list(Reader { cloud, caller }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let known = ["types", "organization_guids", "space_guids", "user_guids", "include"];
    let query = cloud.strict_query(raw.as_deref(), &known)?;
    cloud.with(|store| {
        let store = &*store;
        let meant = |role: &&Role| {
            let (organization, space) =
                if role.kind.is_of_space() { ("", role.place.as_str()) } else { (role.place.as_str(), "") };
            query.allows("guids", &role.base.guid)
                && query.allows("types", role.kind.name())
                && query.allows("user_guids", &role.user)
                && query.allows("organization_guids", organization)
                && query.allows("space_guids", space)
        };
        let mut found: Vec<&Role> =
            store.roles.iter().filter(meant).filter(|role| sees(&caller, store, role)).collect();
        query.sort(&mut found, |role| ordered(&role.base, ""));
        let page = query.slice(&found);
        let list = format!("{}/v3/roles", cloud.url());
        let mut body = query.envelope(&list, found.len(), page.iter().map(|role| shown(&cloud, role)).collect());
        include(&cloud, store, &query, page, &mut body);
        Ok(answer::json(StatusCode::OK, body))
    })
}

/// Adds what `include` names.
fn include(cloud: &CloudFoundry, store: &Store, query: &ListQuery, page: &[&Role], body: &mut Value) {
    let at = |guid: &str| page.iter().any(|role| role.place == guid);
    if query.includes("user") {
        let held = store.users.iter().filter(|user| page.iter().any(|role| role.user == user.base.guid));
        body["included"]["users"] = held.map(|user| users::shown(cloud, store, user)).collect();
    }
    if query.includes("organization") {
        let around = store.organizations.iter().filter(|one| at(&one.base.guid));
        body["included"]["organizations"] = around.map(|one| shown_organization(cloud, one)).collect();
    }
    if query.includes("space") {
        let around = store.spaces.iter().filter(|one| at(&one.base.guid));
        body["included"]["spaces"] = around.map(|one| shown_space(cloud, one)).collect();
    }
}

fn sees(caller: &Caller, store: &Store, role: &Role) -> bool {
    if role.kind.is_of_space() {
        caller.sees_space(store, &role.place)
    } else {
        caller.sees_organization(store, &role.place)
    }
}

/// The role, if the caller may see it.
fn found<'a>(caller: &Caller, store: &'a Store, guid: &str) -> Result<&'a Role, Refusal> {
    let role = store.roles.iter().find(|role| role.base.guid == guid);
    role.filter(|role| sees(caller, store, role)).ok_or_else(|| Refusal::not_found("Role"))
}

/// `GET /v3/roles/{guid}`
pub(super) async fn get(
    Reader { cloud, caller }: Reader,
    Path(guid): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refusal> {
    let query = cloud.strict_query(raw.as_deref(), &["include"])?;
    cloud.with(|store| {
        let role = found(&caller, store, &guid)?;
        let mut body = shown(&cloud, role);
        include(&cloud, store, &query, &[role], &mut body);
        Ok(answer::json(StatusCode::OK, body))
    })
}

/// `POST /v3/roles`
pub(super) async fn create(
    Writer { cloud, caller }: Writer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let order = RoleOrder::read(&headers, &body)?;
    let creates_users = cloud.settings().cloud_foundry_unknown_users == UnknownUsers::Created;
    cloud.with(|store| {
        let (user, place) = if order.kind.is_of_space() {
            for_space(&caller, store, &order)?
        } else {
            for_organization(&caller, store, &order, creates_users)?
        };
        if store.holds(&user, &order.place, &[order.kind]) {
            let (name, kind) = (store.presentation_name(&user), order.kind.name());
            return Err(Refusal::unprocessable(format!("User '{name}' already has '{kind}' role in {place}.")));
        }
        let now = cloud.stamp();
        store.hear_of(&user, &now);
        let role = Role { base: Base::new(random::uuid(), now), kind: order.kind, user, place: order.place };
        let answer = answer::json(StatusCode::CREATED, shown(&cloud, &role));
        store.roles.push(role);
        Ok(answer)
    })
}

/// The user of a role in a space, and how an error names the space.
fn for_space(caller: &Caller, store: &Store, order: &RoleOrder) -> Result<(String, String), Refusal> {
    let text = "Invalid space. Ensure that the space exists and you have access to it.";
    let space = store.space(&order.place).ok_or_else(|| Refusal::unprocessable(text))?;
    if !caller.manages_space(store, &order.place) {
        return Err(Refusal::not_authorized());
    }
    let stranger = || Refusal::unprocessable(NOT_IN_ORGANIZATION);
    let user = match &order.user {
        Wanted::Guid(guid) => guid.clone(),
        Wanted::Name(username, origin) => unambiguous(store, username, origin.as_deref())?.ok_or_else(stranger)?,
    };
    let known = store.user(&user).is_some() && caller.sees_user(store, &user);
    if !known || !store.holds(&user, &space.organization, OF_ORGANIZATIONS) {
        return Err(stranger());
    }
    Ok((user, format!("space '{}'", space.name)))
}

/// The user of a role in an organization, and how an error names the organization. A guid is taken as it is, whether or
/// not the UAA knows it; a name must be known there, or be made there where the landscape does that.
fn for_organization(
    caller: &Caller,
    store: &mut Store,
    order: &RoleOrder,
    creates_users: bool,
) -> Result<(String, String), Refusal> {
    let text = "Invalid organization. Ensure that the organization exists and you have access to it.";
    let found = store.organization(&order.place).ok_or_else(|| Refusal::unprocessable(text))?;
    let place = format!("organization '{}'", found.name);
    if !caller.manages_organization(store, &order.place) {
        return Err(Refusal::not_authorized());
    }
    let user = match &order.user {
        Wanted::Guid(guid) => guid.clone(),
        Wanted::Name(username, Some(origin)) if creates_users && origin != "uaa" => store.shadow(username, origin),
        Wanted::Name(username, origin) => {
            let of_origin = origin.as_ref().map(|origin| format!(" and origin '{origin}'")).unwrap_or_default();
            let text = format!("No user exists with the username '{username}'{of_origin}.");
            unambiguous(store, username, origin.as_deref())?.ok_or_else(|| Refusal::unprocessable(text))?
        }
    };
    Ok((user, place))
}

/// The guid of the person with this name; refused where the name alone does not say who.
fn unambiguous(store: &Store, username: &str, origin: Option<&str>) -> Result<Option<String>, Refusal> {
    let found: Vec<_> = store.named(username, origin).collect();
    if found.len() < 2 {
        return Ok(found.first().map(|one| one.guid.clone()));
    }
    let mut origins: Vec<&str> = found.iter().map(|one| one.origin.as_str()).collect();
    origins.sort_unstable();
    Err(Refusal::unprocessable(format!(
        "Ambiguous user. User with username '{username}' exists in the following origins: {}. Specify an origin to \
         disambiguate.",
        origins.join(", ")
    )))
}

/// `DELETE /v3/roles/{guid}`
pub(super) async fn delete(Writer { cloud, caller }: Writer, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let role = found(&caller, store, &guid)?;
        let allowed = if role.kind.is_of_space() {
            caller.manages_space(store, &role.place)
        } else {
            caller.manages_organization(store, &role.place)
        };
        if !allowed {
            return Err(Refusal::not_authorized());
        }
        if role.kind == RoleType::OrganizationUser && has_space_roles(store, role) {
            let text = "Cannot delete organization_user role while user has roles in spaces in that organization.";
            return Err(Refusal::unprocessable(text));
        }
        let job = Job::new("role.delete", "role", &guid, &cloud.stamp());
        let course = Course::own(&cloud.settings(), cloud.frame().clock.now(), Effect::DropRole);
        Ok(cloud.accepted(&store.begin(job, course)))
    })
}

fn has_space_roles(store: &Store, role: &Role) -> bool {
    let in_spaces = store.roles.iter().filter(|one| one.user == role.user && one.kind.is_of_space());
    in_spaces.into_iter().any(|one| store.organization_of(&one.place) == role.place)
}

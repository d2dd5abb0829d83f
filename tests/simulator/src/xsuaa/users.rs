//! `/sap/rest/user`: shadow users, and the role collections assigned to them.

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::frame::answer;

use super::Xsuaa;
use super::permitted::{May, ReadUsers, WriteAuthorizations, WriteUsers};
use super::refusal::{self, Refusal};
use super::store::{Store, User, identity_provider};

/// The fields of a user that a client may send; those it cannot set are read over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SentUser {
    id: Option<String>,
    username: Option<String>,
    email: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    origin: Option<String>,
    role_collections: Option<Vec<String>>,
    #[serde(rename = "password")]
    _password: Option<Value>,
    #[serde(rename = "externalId")]
    _external_id: Option<Value>,
    #[serde(rename = "zoneId")]
    _zone_id: Option<Value>,
    #[serde(rename = "active")]
    _active: Option<bool>,
    #[serde(rename = "verified")]
    _verified: Option<bool>,
    #[serde(rename = "version")]
    _version: Option<u32>,
    #[serde(rename = "created")]
    _created: Option<Value>,
    #[serde(rename = "modified")]
    _modified: Option<Value>,
}

/// Query of a user update.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UpdateQuery {
    only_role_collections: bool,
}

/// Query of the list of names.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NamesQuery {
    filter: Option<String>,
    details: bool,
}

/// Query of an assignment.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AssignQuery {
    create_user_if_missing: bool,
}

fn shown(user: &User) -> Response {
    answer::json(StatusCode::OK, user.shown())
}

/// `GET /sap/rest/user/origin`: the origins that have users.
pub(crate) async fn origins(May { xsuaa, .. }: May<ReadUsers>) -> Result<Response, Refusal> {
    let origins = xsuaa.store.read(|store| store.users().map(|user| user.origin).collect::<BTreeSet<_>>());
    Ok(answer::json(StatusCode::OK, json!(origins)))
}

/// `GET /sap/rest/user/origin/{origin}/name`
pub(crate) async fn names(
    May { xsuaa, .. }: May<ReadUsers>,
    Path(origin): Path<String>,
    Query(query): Query<NamesQuery>,
) -> Result<Response, Refusal> {
    let origin = identity_provider(&origin).ok_or_else(Refusal::no_origin)?.origin;
    let filter = query.filter.unwrap_or_default().to_lowercase();
    let listed = xsuaa.store.read(|store| {
        let users = store.users_of(origin).filter(|user| user.username.to_lowercase().contains(&filter));
        users.map(|user| if query.details { user.shown() } else { json!(user.username) }).collect::<Vec<_>>()
    });
    Ok(answer::json(StatusCode::OK, json!(listed)))
}

/// `GET /sap/rest/user/origin/{origin}/name/{name}`
pub(crate) async fn get(
    May { xsuaa, .. }: May<ReadUsers>,
    Path((origin, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let origin = identity_provider(&origin).ok_or_else(Refusal::no_origin)?.origin;
    xsuaa.store.read(|store| store.user(origin, &name).map(shown).ok_or_else(|| Refusal::no_user(&name)))
}

/// `GET /sap/rest/user/id/{id}`
pub(crate) async fn get_by_id(May { xsuaa, .. }: May<ReadUsers>, Path(id): Path<String>) -> Result<Response, Refusal> {
    xsuaa.store.read(|store| store.user_by_id(&id).map(shown).ok_or_else(|| Refusal::no_user(&id)))
}

/// `POST /sap/rest/user`: 200, not 201.
pub(crate) async fn create(
    May { xsuaa, .. }: May<WriteUsers>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: SentUser = refusal::body(&headers, &body)?;
    let created = xsuaa.store.write(|store| xsuaa.create_user(store, sent))?;
    Ok(answer::json(StatusCode::OK, created))
}

/// `POST /sap/rest/user/bulk`
pub(crate) async fn create_many(
    May { xsuaa, .. }: May<WriteUsers>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: Vec<SentUser> = refusal::body(&headers, &body)?;
    let created = xsuaa
        .store
        .write(|store| sent.into_iter().map(|user| xsuaa.create_user(store, user)).collect::<Result<Vec<_>, _>>())?;
    Ok(answer::json(StatusCode::OK, json!(created)))
}

impl Xsuaa {
    /// Makes the user with its role collections. A legacy origin is stored as the real one.
    fn create_user(&self, store: &mut Store, sent: SentUser) -> Result<Value, Refusal> {
        let name = sent.username.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Refusal::bad_request("A username must be provided."))?;
        let origin = sent.origin.as_deref().unwrap_or("sap.default");
        let origin = identity_provider(origin).ok_or_else(|| Refusal::no_origin_to_assign(origin))?.origin;
        if store.user(origin, &name).is_some() {
            return Err(Refusal::bad_request(format!("Username already in use: {name}")));
        }
        let now = self.now();
        let id = store.add_user(origin, &name, sent.email, now);
        for collection in sent.role_collections.unwrap_or_default() {
            store.assign(&id, &collection, now).ok_or_else(|| self.no_collection(&collection))?;
        }
        let user = store.touch(&id, now, |user| {
            user.given_name = sent.given_name;
            user.family_name = sent.family_name;
        });
        Ok(user.map(User::shown).unwrap_or_default())
    }
}

/// `PUT /sap/rest/user`: the whole list of role collections is replaced, and the names unless only that is wanted.
pub(crate) async fn update(
    May { xsuaa, .. }: May<WriteUsers>,
    Query(query): Query<UpdateQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: SentUser = refusal::body(&headers, &body)?;
    let now = xsuaa.now();
    xsuaa.store.write(|store| {
        let id = identified(store, &sent)?;
        let wanted = sent.role_collections.unwrap_or_default();
        if let Some(missing) = wanted.iter().find(|name| !store.collections.contains_key(*name)) {
            return Err(xsuaa.no_collection(missing));
        }
        let held = store.user_by_id(&id).map(|user| user.collections.clone()).unwrap_or_default();
        for name in held.iter().filter(|name| !wanted.contains(name)) {
            store.unassign(&id, name, now);
        }
        for name in &wanted {
            store.assign(&id, name, now);
        }
        let user = store.touch(&id, now, |user| {
            if !query.only_role_collections {
                user.email = sent.email.unwrap_or_else(|| user.email.clone());
                user.given_name = sent.given_name;
                user.family_name = sent.family_name;
            }
        });
        user.map(shown).ok_or_else(|| Refusal::no_user(&id))
    })
}

/// The user a body means: by id, else by origin and name.
fn identified(store: &Store, sent: &SentUser) -> Result<String, Refusal> {
    if let Some(id) = &sent.id {
        return store.user_by_id(id).map(|user| user.id.clone()).ok_or_else(|| Refusal::no_user(id));
    }
    let (Some(origin), Some(name)) = (&sent.origin, &sent.username) else {
        return Err(Refusal::bad_request("An id, or origin and username, must be provided."));
    };
    let origin = identity_provider(origin).ok_or_else(Refusal::no_origin)?.origin;
    store.user(origin, name).map(|user| user.id.clone()).ok_or_else(|| Refusal::no_user(name))
}

/// `DELETE /sap/rest/user/origin/{origin}/name/{name}`
pub(crate) async fn delete(
    May { xsuaa, .. }: May<WriteUsers>,
    Path((origin, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let origin = identity_provider(&origin).ok_or_else(Refusal::no_origin)?.origin;
    xsuaa.store.write(|store| {
        let id = store.user(origin, &name).map(|user| user.id.clone());
        let removed = id.and_then(|id| store.remove_user(&id));
        removed.as_ref().map(shown).ok_or_else(|| Refusal::no_user(&name))
    })
}

/// `DELETE /sap/rest/user/id/{id}`
pub(crate) async fn delete_by_id(
    May { xsuaa, .. }: May<WriteUsers>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let removed = xsuaa.store.write(|store| store.remove_user(&id));
    removed.as_ref().map(shown).ok_or_else(|| Refusal::no_user(&id))
}

/// `PUT …/name/{name}/rolecollections/{collection}`: 200 with the whole user, also when it was assigned before.
pub(crate) async fn assign(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path((origin, name, collection)): Path<(String, String, String)>,
    Query(query): Query<AssignQuery>,
) -> Result<Response, Refusal> {
    let origin = identity_provider(&origin).ok_or_else(|| Refusal::no_origin_to_assign(&origin))?.origin;
    let now = xsuaa.now();
    xsuaa.store.write(|store| {
        if !store.collections.contains_key(&collection) {
            return Err(xsuaa.no_collection(&collection));
        }
        let id = match store.user(origin, &name).map(|user| user.id.clone()) {
            Some(id) => id,
            None if query.create_user_if_missing => store.add_user(origin, &name, None, now),
            None => return Err(Refusal::no_user(&name)),
        };
        store.assign(&id, &collection, now).map(shown).ok_or_else(|| Refusal::no_user(&name))
    })
}

/// `DELETE …/name/{name}/rolecollections/{collection}`: 200 with the whole user.
pub(crate) async fn unassign(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path((origin, name, collection)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let origin = identity_provider(&origin).ok_or_else(|| Refusal::no_origin_to_assign(&origin))?.origin;
    let now = xsuaa.now();
    xsuaa.store.write(|store| {
        if !store.collections.contains_key(&collection) {
            return Err(xsuaa.no_collection(&collection));
        }
        let id = store.user(origin, &name).map(|user| user.id.clone()).ok_or_else(|| Refusal::no_user(&name))?;
        store.unassign(&id, &collection, now).map(shown).ok_or_else(|| Refusal::no_user(&name))
    })
}

/// `GET /sap/rest/authorization/v2/users/{userId}/rolecollections`: direct ones, and those through groups apart.
pub(crate) async fn collections_of(
    May { xsuaa, .. }: May<ReadUsers>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let held = xsuaa.store.read(|store| store.user_by_id(&id).map(|user| user.collections.clone()));
    let held = held.ok_or_else(|| Refusal::no_user(&id))?;
    Ok(answer::json(StatusCode::OK, json!({"roleCollections": held, "roleCollectionsBySamlAssignment": []})))
}

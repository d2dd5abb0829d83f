//! `/sap/rest/authorization/v2/rolecollections`: role collections and the roles inside.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::answer;

use super::Xsuaa;
use super::permitted::{May, ReadAuthorizations, WriteAuthorizations};
use super::refusal::{self, Refusal};
use super::store::{RoleCollection, RoleReference, Store};

/// Most role collections that administrators can make (SAP Help Portal, "Limits for Technical Artifacts").
const MOST_COLLECTIONS: usize = 5000;

/// Query of a list.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListQuery {
    show_roles: bool,
    show_users: bool,
    show_groups: bool,
    skip: usize,
    top: Option<usize>,
    name: Option<String>,
    read_only: Option<bool>,
}

/// Query of a single one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GetQuery {
    with_roles: bool,
    with_users: bool,
    with_groups: bool,
    /// Assignments younger than this are not shown: those of a list.
    #[serde(skip)]
    unseen: Duration,
}

impl Default for GetQuery {
    fn default() -> Self {
        Self { with_roles: true, with_users: false, with_groups: false, unseen: Duration::ZERO }
    }
}

/// `RoleCollection` as a client sends it. Users and groups in it are read over: they have routes of their own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SentCollection {
    name: String,
    description: Option<String>,
    #[serde(default)]
    role_references: Vec<RoleReference>,
    #[serde(default, rename = "userReferences")]
    _user_references: Vec<Value>,
    #[serde(default, rename = "groupReferences")]
    _group_references: Vec<Value>,
    #[serde(default, rename = "samlAttributeAssignment")]
    _saml_attribute_assignment: Vec<Value>,
    #[serde(default, rename = "isReadOnly")]
    _is_read_only: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentDescription {
    description: Option<String>,
}

impl Xsuaa {
    /// A role collection with the parts that were asked for.
    fn shown(&self, store: &Store, name: &str, parts: &GetQuery) -> Option<Value> {
        let collection = store.collections.get(name)?;
        let mut shown = json!({"name": name, "description": collection.description.as_deref().unwrap_or_default(),
                               "isReadOnly": collection.read_only});
        if parts.with_roles {
            shown["roleReferences"] = collection.roles.iter().map(RoleReference::shown).collect();
        }
        if parts.with_users {
            let now = self.now();
            let seen = collection.members.iter().filter(|(_, since)| **since + parts.unseen <= now);
            let users = seen.filter_map(|(id, _)| store.user_by_id(id));
            shown["userReferences"] = users.map(super::store::User::reference).collect();
        }
        if parts.with_groups {
            let mappings = collection.mappings.iter();
            shown["samlAttributeAssignment"] = mappings.map(|mapping| self.mapping_shown(name, mapping)).collect();
        }
        Some(shown)
    }

    fn listed(&self, query: &ListQuery) -> Vec<Value> {
        let settings = self.subaccount.frame.settings.current();
        let parts = GetQuery {
            with_roles: query.show_roles,
            with_users: query.show_users,
            with_groups: query.show_groups,
            unseen: Duration::from_millis(settings.list_delay_millis),
        };
        let largest = settings.xsuaa_page;
        self.store.read(|store| {
            let wanted = |name: &str, collection: &RoleCollection| {
                query.name.as_deref().is_none_or(|part| name.contains(part))
                    && query.read_only.is_none_or(|read_only| read_only == collection.read_only)
            };
            let matching = store.collections.iter().filter(|(name, collection)| wanted(name, collection));
            let page = matching.skip(query.skip).take(query.top.map_or(usize::MAX, |top| top.min(largest)));
            page.filter_map(|(name, _)| self.shown(store, name, &parts)).collect()
        })
    }
}

/// `GET …/rolecollections`: all, or from `skip` on at most `top`, by name.
pub(crate) async fn list(
    May { xsuaa, .. }: May<ReadAuthorizations>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    Ok(answer::json(StatusCode::OK, json!(xsuaa.listed(&query))))
}

/// `GET …/rolecollections/pages/{page}`, counted from one.
pub(crate) async fn page(
    May { xsuaa, .. }: May<ReadAuthorizations>,
    Path(page): Path<usize>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    let largest = xsuaa.subaccount.frame.settings.current().xsuaa_page;
    let skip = page.checked_sub(1).ok_or_else(|| Refusal::bad_request("Invalid page"))? * largest;
    Ok(answer::json(StatusCode::OK, json!(xsuaa.listed(&ListQuery { skip, top: Some(largest), ..query }))))
}

/// `GET …/rolecollections/pages`: the first page.
pub(crate) async fn first_page(xsuaa: May<ReadAuthorizations>, query: Query<ListQuery>) -> Result<Response, Refusal> {
    page(xsuaa, Path(1), query).await
}

/// `GET …/rolecollections/{name}`
pub(crate) async fn get(
    May { xsuaa, .. }: May<ReadAuthorizations>,
    Path(name): Path<String>,
    Query(query): Query<GetQuery>,
) -> Result<Response, Refusal> {
    let shown = xsuaa.store.read(|store| xsuaa.shown(store, &name, &query));
    shown.map(|shown| answer::json(StatusCode::OK, shown)).ok_or_else(|| xsuaa.no_collection(&name))
}

/// `POST …/rolecollections`
pub(crate) async fn create(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: SentCollection = refusal::body(&headers, &body)?;
    if sent.name.trim().is_empty() {
        return Err(Refusal::bad_request("The name of the role collection must not be empty."));
    }
    let shown = xsuaa.store.write(|store| {
        if store.collections.contains_key(&sent.name) {
            return Err(Refusal::bad_request(format!("Role collection {} already exists.", sent.name)));
        }
        if store.collections.len() >= MOST_COLLECTIONS {
            let text = "The maximum number of role collections is reached.";
            return Err(Refusal::Plain(StatusCode::UNPROCESSABLE_ENTITY, text.to_owned()));
        }
        let collection =
            RoleCollection { description: sent.description, roles: sent.role_references, ..RoleCollection::default() };
        store.collections.insert(sent.name.clone(), collection);
        Ok(xsuaa.shown(store, &sent.name, &GetQuery::default()))
    })?;
    Ok(answer::json(StatusCode::CREATED, json!(shown)))
}

/// `PUT …/rolecollections/{name}`: nothing but the description.
pub(crate) async fn describe(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: SentDescription = refusal::body(&headers, &body)?;
    xsuaa.changed(&name, |collection| collection.description = sent.description)
}

/// `DELETE …/rolecollections/{name}`
pub(crate) async fn delete(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let now = xsuaa.now();
    xsuaa.store.write(|store| match store.collections.get(&name).map(|collection| collection.read_only) {
        None => Err(xsuaa.no_collection(&name)),
        Some(true) => Err(read_only(&name)),
        Some(false) => {
            store.remove_collection(&name, now);
            Ok(answer::json(StatusCode::OK, json!({"name": name})))
        }
    })
}

/// `PUT …/rolecollections/{name}/roles`
pub(crate) async fn add_roles(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: Vec<RoleReference> = refusal::body(&headers, &body)?;
    xsuaa.changed(&name, |collection| {
        let new: Vec<_> = sent.into_iter().filter(|role| !collection.roles.contains(role)).collect();
        collection.roles.extend(new);
    })
}

/// `DELETE …/rolecollections/{name}/roles`
pub(crate) async fn remove_roles(
    May { xsuaa, .. }: May<WriteAuthorizations>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: Vec<RoleReference> = refusal::body(&headers, &body)?;
    xsuaa.changed(&name, |collection| collection.roles.retain(|role| !sent.contains(role)))
}

impl Xsuaa {
    /// Changes a role collection that may be changed, and shows it.
    fn changed(&self, name: &str, change: impl FnOnce(&mut RoleCollection)) -> Result<Response, Refusal> {
        let shown = self.store.write(|store| {
            let collection = store.collections.get_mut(name).ok_or_else(|| self.no_collection(name))?;
            if collection.read_only {
                return Err(read_only(name));
            }
            change(collection);
            Ok(self.shown(store, name, &GetQuery::default()))
        })?;
        Ok(answer::json(StatusCode::OK, json!(shown)))
    }
}

fn read_only(name: &str) -> Refusal {
    Refusal::Plain(StatusCode::FORBIDDEN, format!("Role collection {name} is read-only."))
}

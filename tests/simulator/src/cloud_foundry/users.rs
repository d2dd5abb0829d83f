//! `/v3/users`: those the Cloud Controller has heard of. Names and origins are the UAA's; whom only the UAA knows is in
//! no list (cloud_controller_ng, `app/controllers/v3/users_controller.rb`).

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::frame::{UnknownUsers, answer, random};

use super::CloudFoundry;
use super::permitted::{Reader, Writer};
use super::places::ordered;
use super::query::ListQuery;
use super::refusal::{self, Refusal};
use super::store::{Identity, Store, User};

/// The origin of the UAA's own users, who are never made on the way.
const OWN_ORIGIN: &str = "uaa";

/// Path of a user: guids of clients are names that somebody chose.
pub(super) fn path(guid: &str) -> String {
    format!("/v3/users/{}", utf8_percent_encode(guid, NON_ALPHANUMERIC).to_string().replace("%2D", "-"))
}

/// A user as answers show it.
pub(super) fn shown(cloud: &CloudFoundry, store: &Store, user: &User) -> Value {
    let guid = &user.base.guid;
    let identity = store.identity(guid);
    user.base.shown(json!({
        "username": identity.map(|one| &one.username), "origin": identity.map(|one| &one.origin),
        "presentation_name": store.presentation_name(guid), "links": {"self": cloud.link(&path(guid))},
    }))
}

/// `GET /v3/users`
pub(super) async fn list(Reader { cloud, caller }: Reader, RawQuery(raw): RawQuery) -> Result<Response, Refusal> {
    let known = ["usernames", "partial_usernames", "origins", "label_selector"];
    let query = cloud.strict_query(raw.as_deref(), &known)?;
    let (whole, part) = (query.text("usernames").is_some(), query.text("partial_usernames").is_some());
    if query.text("origins").is_some() && !whole && !part {
        let text = "Origins filter cannot be provided without usernames or partial_usernames filter.";
        return Err(Refusal::unprocessable(text));
    }
    cloud.with(|store| {
        let store = &*store;
        let mut found: Vec<&User> = store
            .users
            .iter()
            .filter(|one| caller.sees_user(store, &one.base.guid) && query.allows("guids", &one.base.guid))
            .filter(|one| (!whole && !part) || store.identity(&one.base.guid).is_some_and(|one| named(&query, one)))
            .filter(|one| query.labels().meets(&one.base.metadata))
            .collect();
        query.sort(&mut found, |one| ordered(&one.base, ""));
        let page = query.slice(&found).iter().map(|one| shown(&cloud, store, one)).collect();
        let list = format!("{}/v3/users", cloud.url());
        Ok(answer::json(StatusCode::OK, query.envelope(&list, found.len(), page)))
    })
}

/// Whether the query means this name and this origin.
fn named(query: &ListQuery, identity: &Identity) -> bool {
    let name = identity.username.to_lowercase();
    let whole = query.text("usernames").is_none_or(|list| list.split(',').any(|one| one.to_lowercase() == name));
    let mut parts = query.text("partial_usernames").map(|list| list.split(',').map(str::to_lowercase));
    let part = parts.as_mut().is_none_or(|parts| parts.any(|part| name.contains(&part)));
    whole && part && query.allows("origins", &identity.origin)
}

/// `GET /v3/users/{guid}`
pub(super) async fn get(Reader { cloud, caller }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let found = store.user(&guid).filter(|_| caller.sees_user(store, &guid));
        let found = found.ok_or_else(|| Refusal::not_found("User"))?;
        Ok(answer::json(StatusCode::OK, shown(&cloud, store, found)))
    })
}

/// `POST /v3/users`: by guid for administrators only; by name and origin for managers of organizations too, where the
/// landscape lets them.
pub(super) async fn create(
    Writer { cloud, caller }: Writer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = refusal::body(&headers, &body, &["guid", "username", "origin", "metadata"])?;
    let field = |name: &str| fields.get(name).and_then(Value::as_str);
    let (guid, username, origin) = (field("guid"), field("username"), field("origin"));
    let by_managers = cloud.settings().cloud_foundry_unknown_users == UnknownUsers::Created;
    cloud.with(|store| {
        let manager = by_managers && guid.is_none() && caller.manages_any_organization(store);
        if !caller.is_admin() && !manager {
            return Err(Refusal::not_authorized());
        }
        let now = cloud.stamp();
        let (guid, taken) = match (guid, username, origin) {
            (Some(guid), None, None) => (guid.to_owned(), format!("User with guid '{guid}' already exists.")),
            (None, Some(username), Some(OWN_ORIGIN)) => {
                let text = format!("Origin cannot be 'uaa' when creating a user by username: {username}");
                return Err(Refusal::unprocessable(text));
            }
            (None, Some(username), Some(origin)) => {
                let taken = format!("User with username '{username}' and origin '{origin}' already exists.");
                (store.shadow(username, origin), taken)
            }
            _ => return Err(Refusal::unprocessable("Either guid, or username and origin, must be provided")),
        };
        if store.user(&guid).is_some() {
            return Err(Refusal::unprocessable(taken));
        }
        store.hear_of(&guid, &now);
        let user = store.users.iter_mut().find(|one| one.base.guid == guid);
        if let Some(user) = user {
            user.base.metadata.change(fields.get("metadata"))?;
        }
        let made = store.user(&guid).ok_or_else(|| Refusal::not_found("User"))?;
        Ok(answer::json(StatusCode::CREATED, shown(&cloud, store, made)))
    })
}

impl Store {
    /// The guid of the person in the UAA, who is made there on the way if there is none.
    pub(super) fn shadow(&mut self, username: &str, origin: &str) -> String {
        if let Some(found) = self.named(username, Some(origin)).next() {
            return found.guid.clone();
        }
        let guid = random::uuid();
        let (username, origin) = (username.to_owned(), origin.to_owned());
        self.identities.push(Identity { guid: guid.clone(), username, origin, password: None, failures: 0 });
        guid
    }
}

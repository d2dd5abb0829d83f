//! Users and groups: made, read, replaced, changed, deleted (RFC 7644, section 3).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use super::Scim;
use crate::directory::collection::Collection;
use crate::directory::fault::{Fault, SCIM, answered};
use crate::directory::filter::{Filter, Scope};
use crate::directory::input::{self, Body};
use crate::directory::page::{self, Page};
use crate::directory::patch;
use crate::directory::projection::Projection;
use crate::directory::resource::Resource;
use crate::directory::schema::Kind;
use crate::directory::shelf::{Directory, Which};
use crate::frame::{ScimFilter, Support, answer};

/// What may stand in a query.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl Wanted {
    fn projection(&self, kind: &Kind) -> Result<Projection, Fault> {
        Projection::read(kind, self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }
}

/// `GET /Users`
pub(super) async fn list<C: Collection>(
    State(scim): State<Arc<Scim>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    let settings = scim.frame.settings.current();
    let page = Page::read(wanted.start_index.as_deref(), wanted.count.as_deref(), settings.scim_page)?;
    scim.directory.read(|all| {
        let shelf = all.shelf(C::WHICH);
        let projection = wanted.projection(shelf.kind)?;
        let filter = scim.filter(shelf.kind, wanted.filter.as_deref())?;
        let found: Vec<&Resource> = shelf.wanted(filter.as_ref()).collect();
        let on_page = page.of(&found).map(|one| Value::Object(projection.of(scim.shown(all, C::WHICH, one))));
        let body = page::list(found.len(), page.start, &on_page.collect::<Vec<_>>());
        Ok(answered(StatusCode::OK, &body))
    })
}

/// `POST /Users`
pub(super) async fn create<C: Collection>(
    State(scim): State<Arc<Scim>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    let request = read(&headers, &body)?;
    let now = scim.frame.clock.now();
    scim.directory.write(|all| {
        let body = input::resource(all.shelf(C::WHICH).kind, request)?;
        fits(all, C::WHICH, &body, None)?;
        let made = all.shelf_mut(C::WHICH).add(body, now);
        let response = scim.answer(StatusCode::CREATED, all, C::WHICH, &made, &Projection::All);
        let place = made.location(all.shelf(C::WHICH).kind, &scim.url());
        Ok(answer::with_header(response, header::LOCATION, &place))
    })
}

/// `GET /Users/{id}`
pub(super) async fn get<C: Collection>(
    State(scim): State<Arc<Scim>>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    scim.directory.read(|all| {
        let shelf = all.shelf(C::WHICH);
        let (found, projection) = (shelf.get(&id)?, wanted.projection(shelf.kind)?);
        if scim.has_tags() && tag_in(&headers, &header::IF_NONE_MATCH, found) == Some(true) {
            return Ok(StatusCode::NOT_MODIFIED.into_response());
        }
        Ok(scim.answer(StatusCode::OK, all, C::WHICH, found, &projection))
    })
}

/// `PUT /Users/{id}`: what is left out is gone, except a password, which nobody could send back.
pub(super) async fn replace<C: Collection>(
    State(scim): State<Arc<Scim>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    let request = read(&headers, &body)?;
    scim.update(C::WHICH, &id, &headers, |kind, old| {
        let mut new = input::resource(kind, request)?;
        if let Some(password) = old.get("password") {
            new.entry("password").or_insert_with(|| password.clone());
        }
        Ok(new)
    })
}

/// `PATCH /Users/{id}`
pub(super) async fn change<C: Collection>(
    State(scim): State<Arc<Scim>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    if scim.frame.settings.current().scim_patch == Support::Unsupported {
        return Err(Fault::new(StatusCode::NOT_IMPLEMENTED, None, "PATCH is not supported"));
    }
    let request = read(&headers, &body)?;
    scim.update(C::WHICH, &id, &headers, |kind, old| patch::patched(kind, old, &request))
}

/// `DELETE /Users/{id}`
pub(super) async fn delete<C: Collection>(
    State(scim): State<Arc<Scim>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    let now = scim.frame.clock.now();
    scim.directory.write(|all| {
        scim.unchanged(&headers, all.shelf(C::WHICH).get(&id)?)?;
        all.remove(C::WHICH, &id, now)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

impl Scim {
    pub(super) fn filter(&self, kind: &'static Kind, text: Option<&str>) -> Result<Option<Filter>, Fault> {
        let parsed = |text| Filter::parse(text, Scope::Resource(kind));
        match self.frame.settings.current().scim_filter {
            ScimFilter::Supported => text.map(parsed).transpose(),
            ScimFilter::Refused if text.is_some() => Err(Fault::bad("invalidFilter", "Filters are not supported")),
            ScimFilter::Refused | ScimFilter::Ignored => Ok(None),
        }
    }

    fn has_tags(&self) -> bool {
        self.frame.settings.current().scim_etag == Support::Supported
    }

    /// Refuses a change of what is no longer as the client knows it.
    fn unchanged(&self, headers: &HeaderMap, resource: &Resource) -> Result<(), Fault> {
        if self.has_tags() && tag_in(headers, &header::IF_MATCH, resource) == Some(false) {
            return Err(Fault::new(StatusCode::PRECONDITION_FAILED, None, "The resource has changed"));
        }
        Ok(())
    }

    fn update(
        &self,
        which: Which,
        id: &str,
        headers: &HeaderMap,
        change: impl FnOnce(&'static Kind, &Body) -> Result<Body, Fault>,
    ) -> Result<Response, Fault> {
        let now = self.frame.clock.now();
        self.directory.write(|all| {
            let shelf = all.shelf(which);
            let old = shelf.get(id)?;
            self.unchanged(headers, old)?;
            let new = change(shelf.kind, &old.body)?;
            fits(all, which, &new, Some(id))?;
            let changed = all.shelf_mut(which).get_mut(id)?;
            changed.become_other(new, now);
            let changed = changed.clone();
            Ok(self.answer(StatusCode::OK, all, which, &changed, &Projection::All))
        })
    }

    pub(super) fn shown(&self, all: &Directory, which: Which, resource: &Resource) -> Body {
        let mut shown = all.shown(which, resource, &self.url());
        if !self.has_tags()
            && let Some(meta) = shown.get_mut("meta").and_then(Value::as_object_mut)
        {
            meta.remove("version");
        }
        shown
    }

    fn answer(
        &self,
        status: StatusCode,
        all: &Directory,
        which: Which,
        resource: &Resource,
        projection: &Projection,
    ) -> Response {
        let shown = projection.of(self.shown(all, which, resource));
        let response = answered(status, &Value::Object(shown));
        if self.has_tags() { answer::with_header(response, header::ETAG, &resource.tag()) } else { response }
    }
}

/// Names are unique, and members exist.
fn fits(all: &Directory, which: Which, body: &Body, id: Option<&str>) -> Result<(), Fault> {
    if which == Which::Groups {
        return all.check_members(body);
    }
    match all.users.same("userName", body, id) {
        Some(_) => Err(Fault::taken("The userName is already in use")),
        None => Ok(()),
    }
}

/// Whether a header names the resource's tag; nothing if there is no such header.
fn tag_in(headers: &HeaderMap, name: &header::HeaderName, resource: &Resource) -> Option<bool> {
    let tags = headers.get(name)?.to_str().ok()?;
    Some(tags.split(',').map(str::trim).any(|tag| tag == "*" || tag == resource.tag()))
}

/// The body of a request, which must say what it is (RFC 7644, section 3.1).
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, Fault> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if ![SCIM, "application/json"].contains(&said.split(';').next().unwrap_or_default().trim()) {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, format!("{said} is not read here")));
    }
    serde_json::from_slice(body).map_err(|_| Fault::bad("invalidSyntax", "The request body is not JSON"))
}

//! Users and groups of the Identity Directory: made, read, replaced, changed, deleted. A change of parts is answered
//! without a body, and a user that is deleted may only be blocked.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use super::store::Store;
use super::{IdentityService, access};
use crate::directory::collection::Collection;
use crate::directory::fault::{Fault, SCIM, answered};
use crate::directory::input::{self, Body};
use crate::directory::patch;
use crate::directory::projection::Projection;
use crate::directory::schema::Kind;
use crate::directory::shelf::Which;
use crate::frame::{IdentityDelete, answer};

/// A request that is not answered as it hopes for.
pub(super) enum Refusal {
    /// Not by an administrator.
    Unauthorized,
    /// For another reason.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl IntoResponse for Refusal {
    /// The status is a number, and there is no `scimType`.
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => access::unauthorized(),
            Self::Fault(Fault { status, detail, .. }) => answered(
                status,
                &serde_json::json!({"status": status.as_u16(), "detail": detail,
                                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"]}),
            ),
        }
    }
}

/// What may stand in the query of a request about one resource.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    attributes: Option<String>,
    excluded_attributes: Option<String>,
    #[serde(default)]
    blocked: bool,
}

impl IdentityService {
    /// Lets the administrator in.
    pub(super) fn enter(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<(), Refusal> {
        if self.is_admin(headers, extensions) { Ok(()) } else { Err(Refusal::Unauthorized) }
    }

    /// A change of one resource, and what it is then.
    fn update(
        &self,
        which: Which,
        id: &str,
        change: impl FnOnce(&'static Kind, &Body) -> Result<Body, Fault>,
        whole: bool,
    ) -> Result<Value, Fault> {
        let (now, settings) = (self.frame.clock.now(), self.frame.settings.current());
        self.store.write(|store| {
            let shelf = store.directory.shelf(which);
            let old = shelf.get(id).map_err(|_| missing(which, id))?.body.clone();
            let new = change(shelf.kind, &old)?;
            match which {
                Which::Users => store.change_user(id, &old, new, whole, settings.identity_password_policy, now)?,
                Which::Groups => store.change_group(id, new, now)?,
            }
            Ok(Value::Object(store.shown(which, id, &self.scim_url(), settings.identity_password_policy)?))
        })
    }
}

/// 404 in the words of the document.
pub(super) fn missing(which: Which, id: &str) -> Fault {
    let what = if which == Which::Users { "User" } else { "Group" };
    Fault::new(StatusCode::NOT_FOUND, None, format!("{what} {id} not found!"))
}

fn identifier(id: &str) -> Result<(), Fault> {
    let shape: String = id.chars().map(|sign| if sign.is_ascii_hexdigit() { 'x' } else { sign }).collect();
    let is_uuid = shape == "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if is_uuid { Ok(()) } else { Err(Fault::bad("invalidValue", format!("{id} is not a valid identifier!"))) }
}

/// The body of a request, which must say that it is SCIM.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, Fault> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if said.split(';').next().unwrap_or_default().trim() != SCIM {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, format!("{said} is not supported")));
    }
    serde_json::from_slice(body).map_err(|_| Fault::bad("invalidSyntax", "The request body cannot be parsed."))
}

/// `POST /Users`: one with the `userUuid` of a blocked user brings that one back.
pub(super) async fn create<C: Collection>(
    State(service): State<Arc<IdentityService>>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    service.enter(&headers, &extensions)?;
    let request = read(&headers, &body)?;
    let (now, settings, url) = (service.frame.clock.now(), service.frame.settings.current(), service.scim_url());
    let policy = settings.identity_password_policy;
    let (id, shown) = service.store.write(|store| {
        let body = input::resource(store.directory.shelf(C::WHICH).kind, request)?;
        let id = match C::WHICH {
            Which::Users => store.add_user(body, policy, now)?,
            Which::Groups => store.add_group(body, now)?,
        };
        let shown = store.shown(C::WHICH, &id, &url, policy)?;
        Ok::<_, Fault>((id, shown))
    })?;
    let response = answered(StatusCode::CREATED, &Value::Object(shown));
    let endpoint = if C::WHICH == Which::Users { "Users" } else { "Groups" };
    Ok(answer::with_header(response, header::LOCATION, &format!("{url}/{endpoint}/{id}")))
}

/// `GET /Users/{id}`
pub(super) async fn get<C: Collection>(
    State(service): State<Arc<IdentityService>>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    service.enter(&headers, &extensions)?;
    identifier(&id)?;
    let policy = service.frame.settings.current().identity_password_policy;
    let shown = service.store.read(|store: &Store| {
        let kind = store.directory.shelf(C::WHICH).kind;
        let projection = Projection::read(kind, wanted.attributes.as_deref(), wanted.excluded_attributes.as_deref())?;
        let shown = if wanted.blocked && C::WHICH == Which::Users {
            store.blocked(&id, &service.scim_url())?
        } else {
            store.shown(C::WHICH, &id, &service.scim_url(), policy)?
        };
        Ok::<_, Fault>(projection.of(shown))
    })?;
    Ok(answered(StatusCode::OK, &Value::Object(shown)))
}

/// `PUT /Users/{id}`: what is left out is erased, and a user that is not said to be active is not.
pub(super) async fn replace<C: Collection>(
    State(service): State<Arc<IdentityService>>,
    Path(id): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    service.enter(&headers, &extensions)?;
    identifier(&id)?;
    let request = read(&headers, &body)?;
    let shown = service.update(C::WHICH, &id, |kind, _| input::resource(kind, request), true)?;
    Ok(answered(StatusCode::OK, &shown))
}

/// `PATCH /Users/{id}`: 204.
pub(super) async fn change<C: Collection>(
    State(service): State<Arc<IdentityService>>,
    Path(id): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    service.enter(&headers, &extensions)?;
    identifier(&id)?;
    let request = read(&headers, &body)?;
    service.update(C::WHICH, &id, |kind, old| patch::patched(kind, old, &request), false)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /Users/{id}`: final, or a block that `?blocked=true` makes final.
pub(super) async fn delete<C: Collection>(
    State(service): State<Arc<IdentityService>>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    service.enter(&headers, &extensions)?;
    identifier(&id)?;
    let now = service.frame.clock.now();
    let blocks = service.frame.settings.current().identity_delete == IdentityDelete::Blocks;
    service.store.write(|store| match C::WHICH {
        Which::Users if wanted.blocked => store.purge(&id),
        which => store.remove(which, &id, blocks, now),
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

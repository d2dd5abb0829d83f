//! What the directory says about itself (RFC 7644, section 4), and what it does not do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::Scim;
use super::kinds::{GROUP, USER};
use crate::directory::discovery;
use crate::directory::fault::{Fault, answered};
use crate::directory::page;
use crate::frame::{ScimCredential, ScimFilter, Support};

/// `GET /ServiceProviderConfig`, readable without a credential.
pub(super) async fn configuration(State(scim): State<Arc<Scim>>) -> Response {
    let settings = scim.frame.settings.current();
    let supported = |yes: bool| json!({"supported": yes});
    let (kind, name) = match settings.scim_credential {
        ScimCredential::Bearer | ScimCredential::ClientCredentials => ("oauthbearertoken", "OAuth Bearer Token"),
        ScimCredential::Basic => ("httpbasic", "HTTP Basic"),
    };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": supported(settings.scim_patch == Support::Supported),
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": settings.scim_filter == ScimFilter::Supported, "maxResults": settings.scim_page},
        "changePassword": supported(true),
        "sort": supported(false),
        "etag": supported(settings.scim_etag == Support::Supported),
        "authenticationSchemes": [{"type": kind, "name": name, "description": name, "primary": true}],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{}/ServiceProviderConfig", scim.url())},
    });
    answered(StatusCode::OK, &body)
}

fn all(resources: Vec<Value>) -> Response {
    answered(StatusCode::OK, &page::list(resources.len(), 1, &resources))
}

fn one(resources: Vec<Value>, id: &str) -> Result<Response, Fault> {
    let found = resources.into_iter().find(|one| one["id"] == id);
    found.map(|one| answered(StatusCode::OK, &one)).ok_or_else(|| Fault::missing(id))
}

/// `GET /ResourceTypes`
pub(super) async fn resource_types(State(scim): State<Arc<Scim>>, headers: HeaderMap) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    Ok(all(discovery::resource_types(&[&USER, &GROUP], &scim.url())))
}

/// `GET /ResourceTypes/{id}`
pub(super) async fn resource_type(
    State(scim): State<Arc<Scim>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    one(discovery::resource_types(&[&USER, &GROUP], &scim.url()), &id)
}

/// `GET /Schemas`
pub(super) async fn schemas(State(scim): State<Arc<Scim>>, headers: HeaderMap) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    Ok(all(discovery::schemas(&[&USER, &GROUP], &scim.url())))
}

/// `GET /Schemas/{id}`
pub(super) async fn schema(
    State(scim): State<Arc<Scim>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    one(discovery::schemas(&[&USER, &GROUP], &scim.url()), &id)
}

/// Bulk and `/Me`, which few directories have.
pub(super) async fn not_implemented(State(scim): State<Arc<Scim>>, headers: HeaderMap) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    Err(Fault::new(StatusCode::NOT_IMPLEMENTED, None, "The directory does not do this"))
}

/// Whatever else is asked for.
pub(super) async fn nothing(
    State(scim): State<Arc<Scim>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    Err(Fault::missing(&path))
}

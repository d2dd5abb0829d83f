//! Lists of the Identity Directory: by the id of the next entry, which is the way it recommends, or by index.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::IdentityService;
use super::kinds::searchable;
use super::resources::Refusal;
use super::store::Store;
use crate::directory::collection::Collection;
use crate::directory::fault::{Fault, answered};
use crate::directory::filter::{Filter, Operator, Scope};
use crate::directory::page::Page;
use crate::directory::projection::Projection;
use crate::directory::resource::Resource;
use crate::directory::schema::Kind;

/// Most resources of a page, whatever is asked for.
const PAGE: usize = 100;
/// Most comparisons of a filter.
const OPERANDS: usize = 90;
/// What `nextId` is after the last page.
const END: &str = "<end>";
const UNKNOWN: [Operator; 4] = [Operator::Contains, Operator::EndsWith, Operator::AtLeast, Operator::AtMost];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    filter: Option<String>,
    start_id: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

/// `GET /Users`
pub(super) async fn list<C: Collection>(
    State(service): State<Arc<IdentityService>>,
    Query(wanted): Query<Wanted>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    service.enter(&headers, &extensions)?;
    let body = service.store.read(|store| page::<C>(&service, store, &wanted))?;
    Ok(answered(StatusCode::OK, &body))
}

fn page<C: Collection>(service: &IdentityService, store: &Store, wanted: &Wanted) -> Result<Value, Fault> {
    let shelf = store.directory.shelf(C::WHICH);
    let projection = Projection::read(shelf.kind, wanted.attributes.as_deref(), wanted.excluded_attributes.as_deref())?;
    let filter = wanted.filter.as_deref().map(|text| filter(text, shelf.kind)).transpose()?;
    let found: Vec<&Resource> = shelf.wanted(filter.as_ref()).collect();
    let Page { start, count } = Page::read(wanted.start_index.as_deref(), wanted.count.as_deref(), PAGE)?;
    let start = match wanted.start_id.as_deref() {
        Some("initial") => 1,
        Some(id) => 1 + found.iter().position(|one| one.id == id).ok_or_else(|| unknown(id))?,
        None => start,
    };
    let (url, policy) = (service.scim_url(), service.frame.settings.current().identity_password_policy);
    let shown = |one: &&Resource| Ok(Value::Object(projection.of(store.shown(C::WHICH, &one.id, &url, policy)?)));
    let resources: Vec<Value> = Page { start, count }.of(&found).map(shown).collect::<Result<_, Fault>>()?;
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": found.len(), "itemsPerPage": resources.len(), "Resources": resources,
    });
    if let Some(id) = &wanted.start_id {
        body["startId"] = json!(id);
        body["nextId"] = json!(found.get(start - 1 + count).map_or(END, |next| &next.id));
    } else {
        body["startIndex"] = json!(start);
    }
    Ok(body)
}

fn unknown(id: &str) -> Fault {
    Fault::bad("invalidValue", format!("{id} is not a valid identifier!"))
}

fn filter(text: &str, kind: &'static Kind) -> Result<Filter, Fault> {
    let filter = Filter::parse(text, Scope::Resource(kind))?;
    if filter.operands() > OPERANDS || filter.uses(&UNKNOWN) || !filter.is_about(searchable(kind)) {
        return Err(Fault::bad("invalidFilter", "The filter is not supported."));
    }
    Ok(filter)
}

//! Searches by `POST` (RFC 7644, section 3.4.3) over users and groups together.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::Scim;
use super::resources::read;
use crate::directory::fault::{Fault, answered};
use crate::directory::page::{self, Page};
use crate::directory::projection::Projection;
use crate::directory::resource::Resource;
use crate::directory::shelf::{Directory, Which};

const BOTH: [Which; 2] = [Which::Users, Which::Groups];

/// A search; `schemas` and the order of its results are read over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    attributes: Option<Vec<String>>,
    excluded_attributes: Option<Vec<String>>,
}

/// `POST /.search`
pub(super) async fn search(State(scim): State<Arc<Scim>>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    scim.enter(&headers)?;
    let wanted: Wanted = serde_json::from_value(read(&headers, &body)?)
        .map_err(|_| Fault::bad("invalidSyntax", "The request body is not a search"))?;
    let text = |number: Option<i64>| number.map(|number| number.to_string());
    let (start, count) = (text(wanted.start_index), text(wanted.count));
    let page = Page::read(start.as_deref(), count.as_deref(), scim.frame.settings.current().scim_page)?;
    scim.directory.read(|all| {
        let found = scim.found(all, wanted.filter.as_deref())?;
        let shown = |(which, one): &(Which, &Resource)| {
            let join =
                |list: &Option<Vec<String>>| list.as_ref().filter(|list| !list.is_empty()).map(|list| list.join(","));
            let (only, without) = (join(&wanted.attributes), join(&wanted.excluded_attributes));
            let projection = Projection::read(all.shelf(*which).kind, only.as_deref(), without.as_deref())?;
            Ok::<_, Fault>(Value::Object(projection.of(scim.shown(all, *which, one))))
        };
        let resources = page.of(&found).map(shown).collect::<Result<Vec<_>, _>>()?;
        Ok(answered(StatusCode::OK, &page::list(found.len(), page.start, &resources)))
    })
}

impl Scim {
    /// All that a filter wants; it may be about what only one of the two kinds has.
    fn found<'a>(&self, all: &'a Directory, filter: Option<&str>) -> Result<Vec<(Which, &'a Resource)>, Fault> {
        let filters = BOTH.map(|which| (which, self.filter(all.shelf(which).kind, filter)));
        if let [(_, Err(fault)), (_, Err(_))] = &filters {
            return Err(fault.clone());
        }
        let mut found = Vec::new();
        for (which, filter) in filters {
            if let Ok(filter) = filter {
                let shelf = all.shelf(which).all.iter();
                let wanted = shelf.filter(|one| filter.as_ref().is_none_or(|filter| filter.holds(&one.body)));
                found.extend(wanted.map(|one| (which, one)));
            }
        }
        Ok(found)
    }
}

//! The list of clients, page by page: 100 to a page unless asked otherwise, never more than the
//! settings say.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::READ;
use super::client::Client;
use super::filter::Filter;
use super::refusal::Refusal;
use super::{Clients, Uaa};
use crate::frame::answer;

const PAGE: i64 = 100;

/// The query; parameters it does not know are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    start_index: Option<i64>,
    count: Option<i64>,
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

/// `GET /oauth/clients`
pub(super) async fn list(
    State(uaa): State<Arc<Uaa>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, READ)?;
    let Query(wanted) = wanted.map_err(|_| Refusal::Unreadable)?;
    let largest = i64::try_from(uaa.frame.settings.current().uaa_page).unwrap_or(i64::MAX);
    let body = uaa.clients.read(|clients| page(clients, &wanted, largest))?;
    Ok(answer::json(StatusCode::OK, body))
}

fn page(clients: &Clients, wanted: &Wanted, largest: i64) -> Result<Value, Refusal> {
    let start = wanted.start_index.unwrap_or(1);
    let skipped = usize::try_from(start - 1).map_err(|_| Refusal::ServerError)?;
    let count = wanted.count.unwrap_or(PAGE).min(largest);
    let all = selected(clients, wanted)?;
    let on_page = all.iter().skip(skipped).take(usize::try_from(count).unwrap_or(0));
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    Ok(json!({
        "resources": on_page.map(|client| client.to_json()).collect::<Vec<_>>(),
        "startIndex": start,
        "itemsPerPage": count.min(total),
        "totalResults": total,
        "schemas": ["http://cloudfoundry.org/schema/scim/oauth-clients-1.0"],
    }))
}

fn selected<'a>(clients: &'a Clients, wanted: &Wanted) -> Result<Vec<&'a Client>, Refusal> {
    let filter = match wanted.filter.as_deref() {
        Some(text) => Some(Filter::parse(text).ok_or(Refusal::ServerError)?),
        None => None,
    };
    let is_wanted = |client: &&Client| filter.as_ref().is_none_or(|filter| filter.wants(&client.id));
    let mut all: Vec<&Client> = clients.values().filter(is_wanted).collect();
    if wanted.sort_by.as_deref().is_some_and(|by| by.eq_ignore_ascii_case("lastmodified")) {
        all.sort_by_key(|client| client.last_modified());
    }
    if wanted.sort_order.as_deref() == Some("descending") {
        all.reverse();
    }
    Ok(all)
}

//! What the UAA does with users and groups alike: lists them, shows one, deletes one.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::Uaa;
use super::people::{READ, WRITE, Wanted, answered, missing};
use super::refusal::Refusal;
use crate::directory::collection::Collection;

/// `GET /Users`, `GET /Groups`
pub(super) async fn list<C: Collection>(
    State(uaa): State<Arc<Uaa>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, READ)?;
    uaa.people(C::WHICH, &wanted)
}

/// `GET /Users/{id}`, `GET /Groups/{id}`
pub(super) async fn get<C: Collection>(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, READ)?;
    uaa.people.read(|all| {
        let found = all.shelf(C::WHICH).get(&id).map_err(|_| missing(C::WHICH, &id))?;
        Ok(answered(StatusCode::OK, all, C::WHICH, found))
    })
}

/// `DELETE /Users/{id}`, `DELETE /Groups/{id}`: answers with it as it was.
pub(super) async fn delete<C: Collection>(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    let now = uaa.frame.clock.now();
    uaa.people.write(|all| {
        let found = all.shelf(C::WHICH).get(&id).map_err(|_| missing(C::WHICH, &id))?.clone();
        let response = answered(StatusCode::OK, all, C::WHICH, &found);
        all.remove(C::WHICH, &id, now).map_err(|_| missing(C::WHICH, &id))?;
        Ok(response)
    })
}

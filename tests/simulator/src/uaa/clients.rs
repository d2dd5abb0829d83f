//! One client at a time: create, read, update, delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::access::{READ, WRITE, already_exists};
use super::client::Client;
use super::input::{ClientInput, json_body};
use super::refusal::Refusal;
use super::{Clients, Uaa};
use crate::frame::answer;

fn shown(status: StatusCode, client: &Client) -> Response {
    answer::json(status, client.to_json_with_groups())
}

/// `POST /oauth/clients`
pub(super) async fn create(State(uaa): State<Arc<Uaa>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let caller = uaa.permit(&headers, WRITE)?;
    let input: ClientInput = json_body(&headers, &body)?;
    let client = Client::created(&input, uaa.millis())?;
    caller.may_give(&client)?;
    uaa.clients.write(|clients| insert(clients, client.clone()))?;
    Ok(shown(StatusCode::CREATED, &client))
}

/// Adds a client whose id is free.
pub(super) fn insert(clients: &mut Clients, client: Client) -> Result<(), Refusal> {
    if clients.contains_key(&client.id) {
        return Err(already_exists(&client.id));
    }
    clients.insert(client.id.clone(), client);
    Ok(())
}

/// `GET /oauth/clients/{id}`
pub(super) async fn get(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, READ)?;
    let found = uaa.clients.read(|clients| clients.get(&id).cloned());
    Ok(shown(StatusCode::OK, &found.ok_or(Refusal::NotFound)?))
}

/// `PUT /oauth/clients/{id}`: the id must be in the body too, or the UAA breaks.
pub(super) async fn update(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let caller = uaa.permit(&headers, WRITE)?;
    let input: ClientInput = json_body(&headers, &body)?;
    if input.client_id.as_deref() != Some(&id) {
        return Err(Refusal::ServerError);
    }
    let now = uaa.millis();
    let changed = uaa.clients.write(|clients| {
        let client = clients.get_mut(&id).ok_or(Refusal::NotFound)?;
        let changed = client.updated(&input, now)?;
        caller.may_give(&changed)?;
        client.clone_from(&changed);
        Ok::<_, Refusal>(changed)
    })?;
    Ok(shown(StatusCode::OK, &changed))
}

/// `DELETE /oauth/clients/{id}`: answers with the client as it was.
pub(super) async fn delete(
    State(uaa): State<Arc<Uaa>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    uaa.permit(&headers, WRITE)?;
    let gone = uaa.clients.write(|clients| clients.remove(&id)).ok_or(Refusal::NotFound)?;
    Ok(shown(StatusCode::OK, &gone))
}

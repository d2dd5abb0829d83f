//! Many clients in one call (`/oauth/clients/tx`): all of them, or none. An empty list is an error of
//! its own on each route, except where nothing is to be deleted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::BATCH;
use super::client::Client;
use super::clients::insert;
use super::input::{ClientInput, json_body};
use super::refusal::{Refusal, invalid_client};
use super::{Clients, Uaa};
use crate::frame::answer;

/// Tries the changes on a copy, so that a failure in the middle leaves nothing behind.
fn all_or_none<T>(uaa: &Uaa, changes: impl FnOnce(&mut Clients) -> Result<T, Refusal>) -> Result<T, Refusal> {
    uaa.clients.write(|clients| {
        let mut copy = clients.clone();
        let done = changes(&mut copy)?;
        *clients = copy;
        Ok(done)
    })
}

fn shown(status: StatusCode, clients: &[Client]) -> Response {
    let shown: Vec<Value> = clients.iter().map(Client::to_json_with_groups).collect();
    answer::json(status, json!(shown))
}

/// `POST /oauth/clients/tx`
pub(super) async fn create(State(uaa): State<Arc<Uaa>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    uaa.permit(&headers, BATCH)?;
    let inputs: Vec<ClientInput> = json_body(&headers, &body)?;
    if inputs.is_empty() {
        return Err(Refusal::NotFound);
    }
    let now = uaa.millis();
    let made: Vec<Client> = inputs.iter().map(|input| Client::created(input, now)).collect::<Result<_, _>>()?;
    all_or_none(&uaa, |clients| made.iter().try_for_each(|client| insert(clients, client.clone())))?;
    Ok(shown(StatusCode::CREATED, &made))
}

/// `PUT /oauth/clients/tx`
pub(super) async fn update(State(uaa): State<Arc<Uaa>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    uaa.permit(&headers, BATCH)?;
    let inputs: Vec<ClientInput> = json_body(&headers, &body)?;
    if inputs.is_empty() {
        return Err(invalid_client("No clients specified for update."));
    }
    let now = uaa.millis();
    let changed: Vec<Client> =
        all_or_none(&uaa, |clients| inputs.iter().map(|input| change(clients, input, now)).collect())?;
    Ok(shown(StatusCode::OK, &changed))
}

fn change(clients: &mut Clients, input: &ClientInput, now: u128) -> Result<Client, Refusal> {
    let id = input.client_id.as_deref().ok_or(Refusal::NotFound)?;
    let client = clients.get_mut(id).ok_or(Refusal::NotFound)?;
    *client = client.updated(input, now)?;
    Ok(client.clone())
}

#[derive(Deserialize)]
struct Named {
    client_id: String,
}

/// `POST /oauth/clients/tx/delete`
pub(super) async fn delete(State(uaa): State<Arc<Uaa>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    uaa.permit(&headers, BATCH)?;
    let named: Vec<Named> = json_body(&headers, &body)?;
    let gone: Vec<Value> = all_or_none(&uaa, |clients| {
        let remove = |one: &Named| clients.remove(&one.client_id).ok_or(Refusal::NotFound);
        named.iter().map(remove).map(|gone| gone.map(|client| without_approvals(&client))).collect()
    })?;
    Ok(answer::json(StatusCode::OK, json!(gone)))
}

fn without_approvals(client: &Client) -> Value {
    let mut shown = client.to_json_with_groups();
    shown["approvals_deleted"] = json!(true);
    shown
}

//! How changes are answered: at once with the object, or 202 with where to ask for the operation.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::answer;

use super::objects::{Binding, Instance, Operation, Progress};
use super::refusal::Refusal;
use super::store::{Effect, Store};

/// Whether the client asks for an asynchronous operation.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct AsyncQuery {
    /// Absent: synchronous if the broker is.
    #[serde(default, rename = "async")]
    pub(crate) wanted: Option<bool>,
}

/// How an operation runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Answered before it ends.
    pub(crate) asynchronous: bool,
    /// When it ends.
    pub(crate) ends: Duration,
}

/// An instance with its last operation.
pub(crate) fn instance(store: &Store, instance: &Instance) -> Value {
    instance.shown(store.last_operation(&instance.base).map(Operation::shown))
}

/// A binding with its last operation.
pub(crate) fn binding(store: &Store, binding: &Binding) -> Value {
    binding.shown(store.last_operation(&binding.base).map(Operation::shown))
}

/// The answer to a create: 201 with the object, its failure, or 202. A failed one leaves the object behind.
pub(crate) fn created(store: &Store, begun: &Operation, run: Run, shown: Option<Value>) -> Result<Response, Refusal> {
    ended(store, begun, run, StatusCode::CREATED, shown.unwrap_or(Value::Null))
}

/// The answer to an update: 200 with the object, its failure, or 202.
pub(crate) fn changed(store: &Store, begun: &Operation, run: Run, shown: Option<Value>) -> Result<Response, Refusal> {
    ended(store, begun, run, StatusCode::OK, shown.unwrap_or(Value::Null))
}

/// The answer to a delete: 200 `{}`, its failure, or 202.
pub(crate) fn deleted(store: &Store, begun: &Operation, run: Run) -> Result<Response, Refusal> {
    ended(store, begun, run, StatusCode::OK, json!({}))
}

/// The answer to a create whose name is taken: refused at once, or 202 with an operation that has failed. No object
/// comes of it either way.
pub(crate) fn taken(store: &mut Store, operation: Operation, run: Run, conflict: Refusal) -> Result<Response, Refusal> {
    if !run.asynchronous {
        return Err(conflict);
    }
    let answer = accepted(&operation);
    store.begin(operation, run.ends, Effect::Refuse(conflict));
    Ok(answer)
}

fn ended(store: &Store, begun: &Operation, run: Run, status: StatusCode, body: Value) -> Result<Response, Refusal> {
    if run.asynchronous {
        return Ok(accepted(begun));
    }
    match store.operation(&begun.resource_id, &begun.id).map(|operation| &operation.progress) {
        Some(Progress::Failed(refusal)) => Err(refusal.clone()),
        _ => Ok(answer::json(status, body)),
    }
}

fn accepted(operation: &Operation) -> Response {
    answer::with_header(answer::json(StatusCode::ACCEPTED, json!({})), LOCATION, &operation.location())
}

//! How changes are answered: with the object when the broker is done, or 202 with where to ask for the operation.
//!
//! As the open core does it (`operations/scheduler.go`): with `async=false` the request waits until the broker has
//! ended, with any other value it is answered at once, and without one the broker decides.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::frame::{Settings, answer};

use super::ServiceManager;
use super::objects::{Operation, Progress};
use super::refusal::Refusal;
use super::store::Store;

/// How often a waiting request looks whether its operation has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The parameter `async` of a change.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AsyncQuery {
    #[serde(default, rename = "async")]
    said: Option<String>,
}

/// What the client says about waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing: it waits for a synchronous broker only.
    Unsaid,
    /// `async=false`: it waits until the broker has ended.
    Wait,
    /// Anything else: it does not wait at all.
    Hurry,
}

impl AsyncQuery {
    /// What it means; only `false` is looked for.
    pub(crate) fn wish(&self) -> Wish {
        match self.said.as_deref() {
            None | Some("") => Wish::Unsaid,
            Some("false") => Wish::Wait,
            Some(_) => Wish::Hurry,
        }
    }
}

/// 202: the operation goes on without the client.
pub(crate) fn accepted(operation: &Operation) -> Response {
    answer::with_header(answer::json(StatusCode::ACCEPTED, json!({})), LOCATION, &operation.location())
}

/// The answer to a change whose name is taken: refused at once, or 202 with an operation that has failed.
pub(crate) fn refused(
    store: &mut Store,
    operation: Operation,
    wish: Wish,
    refusal: Refusal,
) -> Result<Response, Refusal> {
    if wish != Wish::Hurry {
        return Err(refusal);
    }
    let answer = accepted(&operation);
    store.refuse(operation, refusal);
    Ok(answer)
}

/// The answer to a change that has been ordered: `done` shows what came of it, if the client waits for that.
pub(crate) async fn ordered(
    manager: &Arc<ServiceManager>,
    operation: &Operation,
    wish: Wish,
    done: impl FnOnce(&Store, &Settings) -> Response,
) -> Result<Response, Refusal> {
    if wish == Wish::Hurry || awaited(manager, &operation.id, wish).await? == Standing::Accepted {
        return Ok(accepted(operation));
    }
    let settings = manager.settings();
    Ok(manager.with(|store| done(store, &settings)))
}

/// How an operation stands when its request need not wait any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The broker has taken it up and is not done.
    Accepted,
    /// It has ended well.
    Ended,
}

/// Waits for the broker, as long as the Service Manager lets a request wait.
async fn awaited(manager: &Arc<ServiceManager>, id: &str, wish: Wish) -> Result<Standing, Refusal> {
    let frame = &manager.subaccount.frame;
    let limit = frame.clock.now() + Duration::from_millis(manager.settings().timeout_millis);
    let mut waiting = Waiting { manager, operation: Some(id) };
    loop {
        if let Some(standing) = manager.with(|store| standing(store, id, wish)) {
            waiting.operation = None;
            return standing;
        }
        if frame.clock.now() >= limit {
            waiting.operation = None;
            manager.with(|store| store.cut_off(&manager.subaccount, id));
            return Err(Refusal::timeout());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn standing(store: &Store, id: &str, wish: Wish) -> Option<Result<Standing, Refusal>> {
    let operation = store.any_operation(id)?;
    if operation.accepted && wish == Wish::Unsaid {
        return Some(Ok(Standing::Accepted));
    }
    match &operation.progress {
        Progress::Succeeded => Some(Ok(Standing::Ended)),
        Progress::Failed(refusal) => Some(Err(refusal.clone())),
        Progress::Running => None,
    }
}

/// A request that waits. Dropped before its operation has ended, its client has hung up, and nobody polls the broker
/// any more.
struct Waiting<'a> {
    manager: &'a ServiceManager,
    operation: Option<&'a str>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.operation {
            self.manager.with(|store| store.hung_up(&self.manager.subaccount, id));
        }
    }
}

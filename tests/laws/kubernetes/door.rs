//! The way in for a `kube::Client`: a request is an address and a verb, an answer the object or a `Status`.
//!
//! Every request passes the leash of the operator that sends it.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use kube::Client;
use serde_json::{Value, json};

use super::address::{Address, Kind};
use super::store::{Refusal, Store};
use crate::leash::Leash;
use crate::outside::{Outside, Shared};

/// One operator's way in.
#[derive(Clone)]
struct Door {
    outside: Shared,
    leash: Arc<Leash>,
}

/// A client whose calls pass this leash.
pub fn client(outside: &Shared, leash: &Arc<Leash>) -> Client {
    let door = Door { outside: Arc::clone(outside), leash: Arc::clone(leash) };
    Client::new(Router::new().fallback(answer).with_state(door), "default")
}

async fn answer(State(door): State<Door>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_merge = request.headers().get("content-type").is_some_and(|kind| kind == "application/merge-patch+json");
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some((address, is_status)) = Address::parse(&path) else {
        panic!("the fake Kubernetes does not know {path}");
    };
    door.leash.step().await;
    if method == Method::GET {
        let outside = door.outside.lock().unwrap();
        return said(read(&outside.kubernetes, &address));
    }
    assert!(method != Method::PATCH || is_merge, "the fake Kubernetes knows merge patches only");
    let result = door.outside.lock().unwrap().write(&method, &address, is_status, body);
    door.leash.step().await;
    said(result)
}

/// One object. Nothing here lists but pods: what there is the watches tell, and a list for each object would cost its square.
fn read(store: &Store, address: &Address) -> Result<Value, Refusal> {
    if address.kind == Kind::Pod && address.name.is_empty() {
        let items: Vec<&Value> = store.list(address).map(|(_, pod)| pod.as_ref()).collect();
        return Ok(json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": items}));
    }
    assert!(!address.name.is_empty(), "law 8: an operator lists {address:?}");
    store.get(address).cloned().ok_or(Refusal::NOT_FOUND)
}

impl Outside {
    /// One write of an operator, counted.
    fn write(
        &mut self,
        method: &Method,
        address: &Address,
        is_status: bool,
        mut body: Value,
    ) -> Result<Value, Refusal> {
        let store = &mut self.kubernetes;
        if address.kind == Kind::Secret && *method != Method::DELETE {
            let entry = json!({"manager": "technical-user-operator/credential", "time": (store.now)().to_string()});
            body["metadata"]["managedFields"] = json!([entry]);
        }
        let created = |body: &Value| {
            let name = body["metadata"]["name"].as_str().unwrap_or_default();
            Address { name: name.to_owned(), ..address.clone() }
        };
        self.writes += 1;
        match (method.as_str(), is_status) {
            ("POST", false) => store.create(&created(&body), body),
            ("PUT", false) => store.replace(address, body),
            ("PUT", true) => store.replace_status(address, &body),
            ("PATCH", _) => store.merge(address, &body, is_status),
            ("DELETE", false) => store.delete(address, &body),
            _ => Err(Refusal::UNSUPPORTED),
        }
    }
}

fn said(result: Result<Value, Refusal>) -> Response {
    let (code, body) = match result {
        Ok(object) => (200, object),
        Err(Refusal { code, reason }) => {
            let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code,
                "reason": reason, "message": reason});
            (code, status)
        }
    };
    (StatusCode::from_u16(code).unwrap(), axum::Json(body)).into_response()
}

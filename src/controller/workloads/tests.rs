//! What is asked of the API server, how often, and what becomes of its answers.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::*;
use crate::plan::rollout::{Workload, WorkloadKind};

/// What the API server answers: a status and a body, for each call that begins so.
type Answers = Vec<(&'static str, u16, Value)>;

#[derive(Clone, Default)]
pub(super) struct Server {
    answers: Arc<Mutex<Answers>>,
    calls: Arc<Mutex<Vec<String>>>,
    /// What was written.
    pub(super) written: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    /// Says this to calls that begin so, the last said first.
    pub(super) fn says(&self, path: &'static str, status: u16, body: Value) {
        self.answers.lock().unwrap().insert(0, (path, status, body));
    }

    pub(super) fn client(&self) -> Client {
        Client::new(Router::new().fallback(answer).with_state(self.clone()), "default")
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        self.calls.lock().unwrap().drain(..).collect()
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let call = request.uri().to_string();
    let accepted =
        request.headers().get("accept").is_some_and(|kind| kind.to_str().unwrap().contains("PartialObjectMetadata"));
    server.calls.lock().unwrap().push(format!("{call}{}", if accepted { " metadata" } else { "" }));
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    server.written.lock().unwrap().extend(serde_json::from_slice::<Value>(&body));
    let answers = server.answers.lock().unwrap();
    let (_, status, body) = answers.iter().find(|(path, ..)| call.starts_with(path)).unwrap();
    (StatusCode::from_u16(*status).unwrap(), body.to_string()).into_response()
}

/// When what is asked about was published.
const LONG_AGO: Duration = Duration::from_mins(10);

const PODS: &str = "/api/v1/namespaces/orders/pods?&limit=250";
const MORE: &str = "/api/v1/namespaces/orders/pods?&limit=250&continue=more";
const REPLICA_SET: &str = "/apis/apps/v1/namespaces/orders/replicasets/orders-5d";

pub(super) fn status(code: u16) -> Value {
    let reason = if code == 404 { "NotFound" } else { "Other" };
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": "m" })
}

fn owner(kind: &str, name: &str, uid: &str) -> Value {
    json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true }])
}

fn pods(continued: &str, names: &[&str]) -> Value {
    let pod = |name: &&str| {
        json!({ "metadata": { "name": name, "ownerReferences": owner("ReplicaSet", "orders-5d", "u") },
            "spec": { "containers": [{ "name": "main", "envFrom": [{ "secretRef": { "name": "s" } }] }] } })
    };
    let items: Vec<Value> = names.iter().map(pod).collect();
    json!({ "kind": "PodList", "apiVersion": "v1", "metadata": { "continue": continued }, "items": items })
}

/// A Deployment with two pods, on a page each.
fn server() -> Server {
    let server = Server::default();
    server.says(PODS, 200, pods("more", &["a"]));
    server.says(MORE, 200, pods("", &["b"]));
    let metadata = json!({ "name": "orders-5d", "uid": "u", "ownerReferences": owner("Deployment", "orders", "d") });
    let answer = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata });
    server.says(REPLICA_SET, 200, answer);
    server
}

fn named(pods: &[PodFact]) -> Vec<(&str, Workload)> {
    pods.iter().map(|pod| (pod.name.as_str(), pod.workload.clone().unwrap())).collect()
}

fn deployment() -> Workload {
    Workload { kind: WorkloadKind::Deployment, name: "orders".into() }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_read_by_page_and_an_owner_once_in_its_life() {
    let (server, workloads) = (server(), Workloads::default());
    let client = server.client();
    let ask = async || workloads.pods_using(&client, "orders", "s", LONG_AGO).await.unwrap().unwrap();

    assert_eq!(named(&ask().await), [("a", deployment()), ("b", deployment())]);
    assert_eq!(server.asked(), [PODS.to_owned(), MORE.to_owned(), format!("{REPLICA_SET} metadata")]);

    ask().await;
    assert_eq!(server.asked(), [""; 0], "within the time that a read serves others");
    assert_eq!(workloads.pods_using(&client, "orders", "other", LONG_AGO).await.unwrap(), Some(vec![]));
    assert_eq!(server.asked(), [""; 0]);

    tokio::time::advance(FRESH).await;
    assert_eq!(ask().await.len(), 2);
    assert_eq!(server.asked(), [PODS, MORE]);
}

#[tokio::test(start_paused = true)]
async fn all_that_ask_at_once_share_one_read() {
    let (server, workloads) = (server(), Workloads::default());
    let client = server.client();
    let asked = (0..20).map(|_| workloads.pods_using(&client, "orders", "s", LONG_AGO));
    let answers = futures::future::join_all(asked).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().unwrap().len() == 2));
    assert_eq!(server.asked().iter().filter(|call| call.starts_with(PODS)).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_from_before_a_publication_does_not_serve_who_asks_about_that() {
    let (server, workloads) = (server(), Workloads::default());
    let client = server.client();
    workloads.pods_using(&client, "orders", "s", LONG_AGO).await.unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    server.asked();
    workloads.pods_using(&client, "orders", "s", Duration::from_secs(3)).await.unwrap();
    assert_eq!(server.asked(), [""; 0], "the read came later");
    workloads.pods_using(&client, "orders", "s", Duration::from_secs(1)).await.unwrap();
    assert_eq!(server.asked(), [PODS, MORE]);
}

#[tokio::test(start_paused = true)]
async fn what_has_had_its_time_is_given_up() {
    let (server, workloads) = (server(), Workloads::default());
    server.says("/api/v1/namespaces/billing/pods", 200, pods("", &[]));
    let client = server.client();
    workloads.pods_using(&client, "orders", "s", LONG_AGO).await.unwrap();
    tokio::time::advance(FRESH).await;
    workloads.pods_using(&client, "billing", "s", LONG_AGO).await.unwrap();
    let kept: Vec<String> = workloads.namespaces.lock().unwrap().keys().cloned().collect();
    assert_eq!(kept, ["billing"]);
}

#[tokio::test]
async fn pods_that_we_may_not_see_are_no_failure() {
    let (server, workloads) = (server(), Workloads::default());
    server.says(PODS, 403, status(403));
    assert_eq!(workloads.pods_using(&server.client(), "orders", "s", LONG_AGO).await.unwrap(), None);
    server.says(PODS, 500, status(500));
    assert!(workloads.pods_using(&server.client(), "orders", "s", LONG_AGO).await.is_err(), "and what fails is");
}

#[tokio::test]
async fn a_list_that_is_forgotten_half_way_is_begun_again_and_not_for_ever() {
    let (server, workloads) = (server(), Workloads::default());
    server.says(MORE, 410, status(410));
    assert!(workloads.pods_using(&server.client(), "orders", "s", LONG_AGO).await.is_err());
    assert_eq!(server.asked(), [PODS, MORE, PODS, MORE, PODS, MORE]);
}

#[tokio::test]
async fn an_owner_that_is_gone_or_another_or_unseen_is_named_itself() {
    let replica_set = Workload { kind: WorkloadKind::Other("ReplicaSet".into()), name: "orders-5d".into() };
    let another = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": { "name": "orders-5d", "uid": "another", "ownerReferences": owner("Deployment", "orders", "d") } });
    for (code, body) in [(404, status(404)), (403, status(403)), (200, another)] {
        let (server, workloads) = (server(), Workloads::default());
        server.says(REPLICA_SET, code, body);
        let found = workloads.pods_using(&server.client(), "orders", "s", LONG_AGO).await.unwrap().unwrap();
        assert_eq!(found[0].workload.as_ref(), Some(&replica_set), "{code}");
    }
}

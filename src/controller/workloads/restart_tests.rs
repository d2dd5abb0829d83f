//! What a restart reads and writes.

use serde_json::{Value, json};

use super::super::tests::{Server, status};
use super::*;
use crate::controller::error::Error;
use crate::plan::restart::Hold;
use crate::plan::rollout::{User, Why};

const BUDGETS: &str = "/apis/policy/v1/namespaces/orders/poddisruptionbudgets";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/orders/deployments/orders";
const WRITTEN: &str = "/apis/apps/v1/namespaces/orders/deployments/orders?&fieldManager";

/// A Deployment that has rolled out and reads the Secret when it starts.
fn server() -> Server {
    let server = Server::default();
    server.says(BUDGETS, 200, json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": [] }));
    let template =
        json!({ "spec": { "containers": [{ "name": "main", "envFrom": [{ "secretRef": { "name": "s" } }] }] } });
    let metadata = json!({ "name": "orders", "generation": 1, "resourceVersion": "41",
        "annotations": { RESTARTED_FOR: "other/2/uid" } });
    let counts = json!({ "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 });
    let answer = json!({ "metadata": metadata, "spec": { "selector": {}, "template": template }, "status": counts });
    server.says(DEPLOYMENT, 200, answer);
    server
}

fn orders() -> Workload {
    Workload { kind: WorkloadKind::Deployment, name: "orders".into() }
}

/// One pod of the Deployment waits, for this reason.
async fn look(server: &Server, why: Why) -> Result<Option<Judgement>> {
    let (name, workload) = ("orders-1".to_owned(), Some(orders()));
    let pods = [PodFact { name, workload, ready: true, ended: false, containers: vec![] }];
    let waiting = [Waiting { user: User::Workload(orders()), pods: 1, why }];
    let occasion = Occasion {
        namespace: "orders",
        publication: Publication { secret: "s", owner: "uid", sequence: 7 },
        pods: &pods,
        waiting: &waiting,
        since_published: Duration::from_secs(10_000),
        margins: &Margins::default(),
        now: Timestamp::from_millisecond(1_500).unwrap(),
    };
    restart(&server.client(), &occasion).await
}

#[tokio::test]
async fn the_record_and_the_restart_are_one_write_on_what_was_read() {
    let server = server();
    let judgement = look(&server, Why::NotRestarted).await.unwrap().unwrap();
    assert_eq!(judgement, Judgement { restart: Some(orders()), held: vec![] });
    let template = json!({ "metadata": { "annotations": { RESTARTED_AT: "1970-01-01T00:00:01.5Z" } } });
    let metadata = json!({ "resourceVersion": "41", "annotations": { RESTARTED_FOR: "other/2/uid,s/7/uid" } });
    let expected = json!({ "metadata": metadata, "spec": { "template": template } });
    assert_eq!(*server.written.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn whoever_wrote_it_meanwhile_was_first() {
    let server = server();
    server.says(WRITTEN, 409, status(409));
    assert!(matches!(look(&server, Why::NotRestarted).await, Err(Error::LostRace)));
}

#[tokio::test]
async fn without_the_right_it_says_so_and_without_a_need_it_does_not_ask() {
    let server = server();
    for call in [BUDGETS, DEPLOYMENT, WRITTEN] {
        server.says(call, 403, status(403));
        assert_eq!(look(&server, Why::NotRestarted).await.unwrap(), None, "{call}");
    }
    server.asked();
    assert_eq!(look(&server, Why::NotReady).await.unwrap(), Some(Judgement::default()));
    assert_eq!(server.asked(), [""; 0]);
    assert_eq!(*server.written.lock().unwrap(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_workload_that_is_gone_is_named() {
    let server = server();
    server.says(DEPLOYMENT, 404, status(404));
    let judgement = look(&server, Why::NotRestarted).await.unwrap().unwrap();
    assert_eq!(judgement.held, [(User::Workload(orders()), Hold::NotInTemplate)]);
}

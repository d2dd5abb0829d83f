//! A Node whose kubelet is kwok (`tests/kwok`): workloads roll for real, with pods that become Ready, end and crash as a
//! story says, and run nothing.
//!
//! ```ignore
//! let kubelet = stage.kubelet();                                  // starts it, once for each stage
//! let container = kubelet::container(json!({ "envFrom": [{ "secretRef": { "name": "orders" } }] }));
//! let orders = kubelet::deployment("team", "orders", 2, &kubelet::pod(&[container]));
//! kubelet.applied(&orders);                                       // and rolled out
//! kubelet.plays("team", "pods/orders-5d-x", "crashing");           // see tests/kwok/README.md
//! ```
//!
//! There is no scheduler: [`pod`] puts its pods on the Node.

use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Api, path};
use super::{ControlPlane, Process, eventually};

/// The folder of what it plays.
const KWOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kwok");

/// The Node.
const NODE: &str = "node";

/// Says what a pod plays other than the good case.
pub(crate) const PLAYS: &str = "kubelet.test/plays";

/// Keeps a pod that is deleted until somebody takes it off.
pub(crate) const IN_USE: &str = "kubelet.test/in-use";

/// Generous: the machine may be busy with other stories.
const PATIENCE: Duration = Duration::from_mins(1);

/// The kubelet of a stage.
pub(crate) struct Kubelet {
    api: Api,
    // Plays as long as it lives.
    _process: Process,
}

impl Kubelet {
    /// Starts it, building it first where this machine has never built it.
    pub(crate) fn start(plane: &ControlPlane, api: &Api) -> Self {
        let mut command = Command::new(&*BUILT);
        command.arg("--kubeconfig").arg(plane.kubeconfig()).args(["--config", &format!("{KWOK}/stages.yaml")]);
        command.args(["--manage-all-nodes", "--server-address", "127.0.0.1:0"]);
        let kubelet = Self { api: api.clone(), _process: Process::start("kwok", command) };
        kubelet
            .api
            .apply(&json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": NODE } }))
            .expect("a Node");
        eventually("the Node is Ready", PATIENCE, || {
            let node = kubelet.api.get(&path("nodes", "", NODE))?;
            is_true(&node, "Ready").then_some(())
        });
        kubelet
    }

    /// Applies a workload and waits until it has rolled out.
    pub(crate) fn applied(&self, workload: &Value) {
        self.api.apply(workload).unwrap_or_else(|refusal| panic!("{workload:#}: {refusal}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let resource = format!("{}s", text(&workload["kind"]).to_lowercase());
        self.rolled_out(
            &text(&workload["metadata"]["namespace"]),
            &format!("{resource}/{}", text(&workload["metadata"]["name"])),
        );
    }

    /// Waits until a workload, such as `deployments/orders`, has rolled out.
    pub(crate) fn rolled_out(&self, namespace: &str, what: &str) {
        eventually(&format!("{what} of {namespace} has rolled out"), PATIENCE, || {
            let (resource, name) = what.split_once('/').expect("a resource and a name");
            has_rolled_out(&self.api.get(&path(resource, namespace, name))?).then_some(())
        });
    }

    /// The pods of a workload of [`deployment`] and the like, which are not on their way out.
    pub(crate) fn pods(&self, namespace: &str, name: &str) -> Vec<Value> {
        let list = format!("{}?labelSelector=app%3D{name}", path("pods", namespace, ""));
        let mut pods = self.api.list(&list);
        pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        pods
    }

    /// Has a pod play something from now on; the empty word is the good case.
    pub(crate) fn plays(&self, namespace: &str, pod: &str, what: &str) {
        let value = if what.is_empty() { Value::Null } else { json!(what) };
        let part = json!({ "metadata": { "annotations": { PLAYS: value } } });
        self.api.patch(&path("pods", namespace, pod), &part).expect("the pod");
    }
}

static BUILT: LazyLock<String> = LazyLock::new(|| {
    let build = format!("{KWOK}/build.sh");
    let output = Command::new(&build).stderr(std::process::Stdio::inherit()).output().expect("run build.sh");
    assert!(output.status.success(), "{build} failed: {}", output.status);
    String::from_utf8(output.stdout).expect("a path in UTF-8").trim().to_owned()
});

fn is_true(object: &Value, kind: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Whether all that a workload wants runs, and is of its latest template.
pub(crate) fn has_rolled_out(workload: &Value) -> bool {
    let (status, number) = (&workload["status"], |value: &Value| value.as_i64().unwrap_or_default());
    let wanted = if workload["kind"] == "DaemonSet" { 1 } else { number(&workload["spec"]["replicas"]) };
    let [all, updated, ready] = match workload["kind"].as_str() {
        Some("DaemonSet") => ["currentNumberScheduled", "updatedNumberScheduled", "numberReady"],
        _ => ["replicas", "updatedReplicas", "readyReplicas"],
    }
    .map(|key| number(&status[key]));
    status["observedGeneration"] == workload["metadata"]["generation"] && [all, updated, ready] == [wanted; 3]
}

/// A container, with what a story wants in it.
pub(crate) fn container(mut part: Value) -> Value {
    part["image"] = json!("image");
    if part["name"].is_null() {
        part["name"] = json!("main");
    }
    part
}

/// The spec of a pod on the Node.
pub(crate) fn pod(containers: &[Value]) -> Value {
    json!({ "nodeName": NODE, "containers": containers })
}

/// A Deployment.
pub(crate) fn deployment(namespace: &str, name: &str, replicas: u8, pod: &Value) -> Value {
    workload("Deployment", namespace, name, pod, &json!({ "replicas": replicas }))
}

/// A StatefulSet.
pub(crate) fn stateful_set(namespace: &str, name: &str, replicas: u8, pod: &Value) -> Value {
    workload("StatefulSet", namespace, name, pod, &json!({ "replicas": replicas, "serviceName": name }))
}

/// A DaemonSet: one pod, on the one Node.
pub(crate) fn daemon_set(namespace: &str, name: &str, pod: &Value) -> Value {
    workload("DaemonSet", namespace, name, pod, &json!({}))
}

fn workload(kind: &str, namespace: &str, name: &str, pod: &Value, part: &Value) -> Value {
    let labels = json!({ "app": name });
    let mut spec = part.clone();
    spec["selector"] = json!({ "matchLabels": labels });
    spec["template"] = json!({ "metadata": { "labels": labels }, "spec": pod });
    let metadata = json!({ "name": name, "namespace": namespace });
    json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec })
}

/// A CronJob that never begins by itself.
pub(crate) fn cron_job(namespace: &str, name: &str, pod: &Value) -> Value {
    let mut pod = pod.clone();
    pod["restartPolicy"] = json!("Never");
    let labels = json!({ "app": name });
    let template = json!({ "metadata": { "labels": labels, "annotations": { PLAYS: "working" } }, "spec": pod });
    let spec = json!({ "schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": { "spec": { "template": template } } });
    let metadata = json!({ "name": name, "namespace": namespace });
    json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec })
}

/// A pod that nobody looks after.
pub(crate) fn bare(namespace: &str, name: &str, pod: &Value) -> Value {
    let metadata = json!({ "name": name, "namespace": namespace, "labels": { "app": name } });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod })
}

//! Workloads that use the credential without pause, one for each way in which a Secret gets into a container. What each of
//! their pods came to is in a file that outlives the pod.

use std::fs;

use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::{PATIENCE, Team, eventually};
use crate::operator::AUTHORITIES;

/// The Secret that they use.
pub(crate) const SECRET: &str = "orders-credentials";

const SHAPES: [&str; 3] = ["env", "sub-path", "volume"];

/// Where their pods write.
const TALLY: &str = "/run/tally";

/// So many further calls of each shape say that it goes on.
const SOME: usize = 100;

/// One Deployment for each shape.
pub(crate) struct Consumers<'a> {
    team: &'a Team<'a>,
}

impl<'a> Consumers<'a> {
    /// Starts them and waits until all of them call.
    pub(crate) fn start(team: &'a Team<'a>) -> Self {
        for shape in SHAPES {
            team.apply(&deployment(&team.name, shape));
        }
        let consumers = Self { team };
        consumers.go_on();
        consumers
    }

    /// Waits until each of them has called some more, and none in vain.
    pub(crate) fn go_on(&self) {
        for shape in SHAPES {
            let before = calls(shape).len();
            eventually(&format!("{shape} goes on calling"), PATIENCE, || {
                self.have_not_failed();
                (calls(shape).len() >= before + SOME).then_some(())
            });
        }
    }

    /// Fails the test with the first calls that failed.
    #[expect(clippy::unused_self, reason = "there are none before they are started")]
    pub(crate) fn have_not_failed(&self) {
        let calls = SHAPES.map(calls).concat();
        let failed: Vec<&String> = calls.iter().filter(|call| *call != "ok").take(5).collect();
        assert!(failed.is_empty(), "of {} calls failed: {failed:#?}", calls.len());
    }

    /// The shapes that the operator has restarted.
    pub(crate) fn restarted(&self) -> Vec<&'static str> {
        let restarted = |shape: &&str| {
            let deployment = self.team.get(&format!("deployments/{shape}")).expect("the Deployment");
            deployment["metadata"]["annotations"]["technicaluser.dev/restarted-for"].is_string()
        };
        SHAPES.into_iter().filter(restarted).collect()
    }

    /// Ends them, and tells how many calls each of them made; not one of them failed.
    pub(crate) fn stop(self) -> String {
        for shape in SHAPES {
            self.team.delete(&format!("deployments/{shape}"));
        }
        eventually("the consumers are gone", PATIENCE, || {
            self.team.stage.api().list(&path("pods", &self.team.name, "")).is_empty().then_some(())
        });
        self.have_not_failed();
        SHAPES.map(|shape| format!("{} by {shape}", calls(shape).len())).join(", ")
    }
}

/// What each call of a shape came to, over all of its pods.
fn calls(shape: &str) -> Vec<String> {
    let pods = fs::read_dir(TALLY).expect("the tally").filter_map(Result::ok);
    let pods = pods.filter(|pod| pod.file_name().to_string_lossy().starts_with(&format!("{shape}-")));
    let lines = pods.map(|pod| fs::read_to_string(pod.path()).expect("a pod's tally"));
    lines.flat_map(|lines| lines.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn deployment(namespace: &str, shape: &str) -> Value {
    let mut container = json!({
        "name": "consumer", "image": "docker.io/library/consumer:node", "imagePullPolicy": "Never",
        "env": [
            { "name": "TALLY", "value": "/tally" },
            { "name": "SSL_CERT_FILE", "value": "/authorities/ca.crt" },
        ],
        "readinessProbe": { "httpGet": { "path": "/", "port": 8080 }, "periodSeconds": 1 },
        "volumeMounts": [
            { "name": "tally", "mountPath": "/tally" },
            { "name": "authorities", "mountPath": "/authorities" },
        ],
    });
    let mut volumes = json!([
        { "name": "tally", "hostPath": { "path": TALLY } },
        { "name": "authorities", "configMap": { "name": AUTHORITIES } },
    ]);
    if shape == "env" {
        container["envFrom"] = json!([{ "secretRef": { "name": SECRET } }]);
    } else {
        push(&mut container["env"], json!({ "name": "CREDENTIAL", "value": "/credential" }));
        push(&mut volumes, json!({ "name": "credential", "secret": { "secretName": SECRET } }));
        for mount in mounts(shape) {
            push(&mut container["volumeMounts"], mount);
        }
    }
    let labels = json!({ "app": shape });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": shape, "namespace": namespace },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container], "volumes": volumes } },
        },
    })
}

/// The whole folder, or each of its files by itself.
fn mounts(shape: &str) -> Vec<Value> {
    let folder = json!({ "name": "credential", "mountPath": "/credential", "readOnly": true });
    if shape == "volume" {
        return vec![folder];
    }
    let file = |key: &str| {
        let mut file = folder.clone();
        (file["mountPath"], file["subPath"]) = (json!(format!("/credential/{key}")), json!(key));
        file
    };
    ["clientid", "clientsecret", "tokenurl", "url"].map(file).into()
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

//! What is read from pods as the API server shows them.

use serde_json::{Value, json};

use super::*;

fn pod(spec: Value, status: Value) -> Pod {
    let metadata = json!({ "name": "orders-1" });
    serde_json::from_value(json!({ "metadata": metadata, "spec": spec, "status": status })).unwrap()
}

fn mounting(mount: Value, volume: Value) -> Pod {
    let mut mount = mount;
    mount["name"] = json!("v");
    mount["mountPath"] = json!("/v");
    let mut volume = volume;
    volume["name"] = json!("v");
    pod(json!({ "containers": [{ "name": "main", "volumeMounts": [mount] }], "volumes": [volume] }), json!({}))
}

/// The ways in which the one container that reads the Secret `s` does so.
fn reads(pod: &Pod) -> Vec<Reads> {
    let uses = uses(pod);
    uses.get("s").map(|one| one.pod.containers[0].reads.iter().copied().collect()).unwrap_or_default()
}

#[test]
fn every_way_into_a_container_is_seen_and_no_other() {
    let env = json!([{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k", "optional": true } } }]);
    let with = |part: Value| pod(json!({ "containers": [part] }), json!({}));
    assert_eq!(reads(&with(json!({ "name": "main", "env": env }))), [Reads::Environment]);
    assert_eq!(
        reads(&with(json!({ "name": "main", "envFrom": [{ "secretRef": { "name": "s" } }] }))),
        [Reads::Environment]
    );
    let secret = json!({ "secret": { "secretName": "s" } });
    let projected = json!({ "projected": { "sources": [{ "secret": { "name": "s" } }] } });
    assert_eq!(reads(&mounting(json!({}), secret.clone())), [Reads::Volume]);
    assert_eq!(reads(&mounting(json!({}), projected.clone())), [Reads::Volume]);
    assert_eq!(reads(&mounting(json!({ "subPath": "k" }), secret.clone())), [Reads::SubPath]);
    assert_eq!(reads(&mounting(json!({ "subPathExpr": "$(A)" }), projected)), [Reads::SubPath]);
    assert_eq!(reads(&mounting(json!({ "subPath": "" }), secret)), [Reads::Volume]);
    let pulled = json!({ "containers": [{ "name": "main" }], "imagePullSecrets": [{ "name": "s" }] });
    assert_eq!(uses(&pod(pulled, json!({}))), BTreeMap::new());
    let unmounted =
        json!({ "containers": [{ "name": "main" }], "volumes": [{ "name": "v", "secret": { "secretName": "s" } }] });
    assert_eq!(uses(&pod(unmounted, json!({}))), BTreeMap::new());
    let other = json!({ "configMap": { "name": "s" } });
    assert_eq!(reads(&mounting(json!({}), other)), []);
}

#[test]
fn a_container_that_reads_in_several_ways_says_all_of_them() {
    let container = json!({ "name": "main", "envFrom": [{ "secretRef": { "name": "s" } }], "volumeMounts": [
        { "name": "v", "mountPath": "/a" }, { "name": "v", "mountPath": "/b", "subPath": "k" }] });
    let spec = json!({ "containers": [container], "volumes": [{ "name": "v", "secret": { "secretName": "s" } }] });
    assert_eq!(reads(&pod(spec.clone(), json!({}))), [Reads::Environment, Reads::SubPath, Reads::Volume]);
    let spec: PodSpec = serde_json::from_value(spec).unwrap();
    assert_eq!(ways(&spec)["s"].len(), 3);
}

fn states(restart_policy: Value, status: Value) -> Vec<(String, State)> {
    let uses_it = |name: &str| json!({ "name": name, "envFrom": [{ "secretRef": { "name": "s" } }] });
    let mut init = uses_it("init");
    init["restartPolicy"] = restart_policy;
    let spec = json!({ "initContainers": [init], "containers": [uses_it("main"), { "name": "other" }],
        "ephemeralContainers": [uses_it("look")] });
    let uses = uses(&pod(spec, status));
    uses["s"].pod.containers.iter().map(|container| (container.name.clone(), container.state)).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn containers_of_every_place_are_listed_with_what_they_do() {
    let running = |name, second| {
        json!({ "name": name, "state": { "running": { "startedAt": at(second) } },
        "ready": true, "restartCount": 0, "image": "i", "imageID": "i" })
    };
    let ended = |name, code| {
        json!({ "name": name, "state": { "terminated": { "exitCode": code, "startedAt": at(7) } },
        "ready": false, "restartCount": 0, "image": "i", "imageID": "i" })
    };
    let status = json!({ "initContainerStatuses": [ended("init", 0)], "containerStatuses": [running("main", 8)],
        "ephemeralContainerStatuses": [running("look", 9)] });
    let named =
        |one: State, two, three| [("init", one), ("main", two), ("look", three)].map(|(n, s)| (n.to_owned(), s));
    let (done, run) = (State::Done(at(7)), State::Running);
    assert_eq!(states(Value::Null, status.clone()), named(done, run(at(8)), run(at(9))));
    assert_eq!(states(json!("Always"), status)[0].1, State::Idle, "a sidecar that ended starts again");
    let failed = json!({ "initContainerStatuses": [ended("init", 1)], "containerStatuses": [ended("main", 0)] });
    assert_eq!(states(Value::Null, failed), named(State::Idle, State::Idle, State::Idle));
    assert_eq!(states(Value::Null, json!({}))[1].1, State::Idle, "nothing is told yet");
}

#[test]
fn a_pod_says_whether_it_is_ready_ended_and_whose_it_is() {
    let mut shown = pod(
        json!({ "containers": [{ "name": "main", "envFrom": [{ "secretRef": { "name": "s" } }] }] }),
        json!({ "phase": "Failed", "conditions": [{ "type": "Ready", "status": "True" }, { "type": "Other", "status": "False" }] }),
    );
    let owner = |kind: &str, controller| {
        let part = json!({ "apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "u", "controller": controller });
        serde_json::from_value::<OwnerReference>(part).unwrap()
    };
    shown.metadata.owner_references = Some(vec![owner("Application", false), owner("ReplicaSet", true)]);
    let used = uses(&shown).remove("s").unwrap();
    assert_eq!((used.pod.name.as_str(), used.pod.ready, used.pod.ended), ("orders-1", true, true));
    assert_eq!(used.owner, Some(owner("ReplicaSet", true)));
    shown.metadata.owner_references = Some(vec![owner("Node", true)]);
    assert_eq!(uses(&shown)["s"].owner, None);
}

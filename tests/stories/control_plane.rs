//! What the stories take for granted of the ground they stand on.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::harness::{ControlPlane, Kubeconfig, eventually};

const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn a_namespace_comes_with_its_service_account_and_goes_with_what_is_in_it() {
    let kubectl = ControlPlane::shared().kubectl();
    kubectl.ok(&["create", "namespace", "short-lived"]);
    eventually("its service account", PATIENCE, || kubectl.get("short-lived", "serviceaccount/default"));
    kubectl.ok(&["create", "configmap", "kept", "--namespace", "short-lived"]);

    kubectl.ok(&["delete", "namespace", "short-lived", "--wait=false"]);

    kubectl.wait("", "namespace/short-lived", "delete", 60).expect("it vanishes");
    assert_eq!(kubectl.get("short-lived", "configmap/kept"), None);
}

#[test]
fn an_object_goes_with_its_owner() {
    let kubectl = ControlPlane::shared().kubectl();
    kubectl.ok(&["create", "namespace", "owners"]);
    kubectl.ok(&["create", "configmap", "owner", "--namespace", "owners"]);
    let owner = kubectl.get("owners", "configmap/owner").expect("the owner");
    let reference =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"].clone() });
    let dependent = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "owned", "namespace": "owners", "ownerReferences": [reference] } });
    kubectl.apply(&dependent.to_string()).expect("the owned object");

    kubectl.ok(&["delete", "configmap", "owner", "--namespace", "owners"]);

    kubectl.wait("owners", "configmap/owned", "delete", 60).expect("it goes with its owner");
}

#[test]
fn a_service_account_may_do_what_its_role_allows_and_no_more() {
    let plane = ControlPlane::shared();
    let admin = plane.kubectl();
    admin.ok(&["create", "namespace", "limited"]);
    admin.ok(&["create", "serviceaccount", "reader", "--namespace", "limited"]);
    admin.ok(&["create", "role", "reads", "--verb=list", "--resource=configmaps", "--namespace", "limited"]);
    let account = ["--serviceaccount=limited:reader", "--namespace", "limited"];
    admin.ok(&[&["create", "rolebinding", "reads", "--role=reads"], &account[..]].concat());

    let token = admin.token("limited", "reader");
    let kubeconfig = Kubeconfig::new(plane.server(), Some(plane.ca_file()), &token);
    let reader = admin.with_kubeconfig(kubeconfig.path());

    assert!(!reader.list("limited", "configmaps").is_empty());
    let refusal = reader.run(&["get", "secrets", "--namespace", "limited"]).expect_err("RBAC is on");
    assert!(refusal.contains("Forbidden"), "{refusal}");
}

#[test]
fn a_secret_is_stored_where_secrets_are_and_nowhere_else() {
    let plane = ControlPlane::shared();
    let mark = "a-value-that-is-planted";
    let literal = format!("--from-literal=value={mark}");
    plane.kubectl().ok(&["create", "secret", "generic", "planted", "--namespace", "default", &literal]);

    let holds_it = plane.stored().into_iter().filter(|entry| entry.contains(mark));

    assert_eq!(holds_it.map(|entry| entry.key).collect::<Vec<_>>(), ["/registry/secrets/default/planted"]);
}

#[test]
fn helm_reaches_it() {
    let answer = ControlPlane::shared().kubectl().helm(&["list", "--all-namespaces"]).expect("helm list");
    assert!(answer.starts_with("NAME"), "{answer}");
}

#[test]
fn a_killed_launcher_leaves_no_server_behind() {
    let plane = ControlPlane::start();
    let dir = plane.dir().to_owned();
    assert_eq!(servers_of(&dir).len(), 3, "{:?}", servers_of(&dir));

    plane.launcher().kill();

    eventually("all servers gone", PATIENCE, || servers_of(&dir).is_empty().then_some(()));
    // Killed, it could not remove its folder.
    fs::remove_dir_all(dir).expect("remove the folder");
}

#[test]
fn a_launcher_whose_input_closes_takes_everything_with_it() {
    let mut plane = ControlPlane::start();
    let dir = plane.dir().to_owned();

    plane.launcher_mut().close_input();

    assert!(plane.launcher().wait(PATIENCE).success());
    assert_eq!(servers_of(&dir), Vec::<String>::new());
    assert!(!dir.exists());
}

/// The command lines of the servers that keep their files in this folder.
fn servers_of(dir: &Path) -> Vec<String> {
    let dir = dir.to_str().expect("a path in UTF-8");
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(dir)).collect()
}

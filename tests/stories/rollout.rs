//! Who still uses an old credential, and who is restarted for a new one: the operator's own code beside the real
//! controllers, with the operator's rights, while workloads roll, stick, crash and go.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};
use technical_user_operator::controller::workloads::Workloads;
use technical_user_operator::controller::workloads::restart::{Occasion, RESTARTED_FOR, restart};
use technical_user_operator::plan::restart::{Hold, Judgement, Publication};
use technical_user_operator::plan::rollout::{Margins, PodFact, Waiting, still_using};

use crate::harness::api::path;
use crate::harness::kubelet::{self, PLAYS, container};
use crate::harness::stage::{OPERATOR_NAMESPACE, RELEASE};
use crate::harness::{PATIENCE, Proxy, Stage, eventually, never, runtime};
use crate::rights::{self, Right};

/// Times of pods are told in whole seconds, so a second is the least.
const MARGINS: Margins =
    Margins { clocks: Duration::from_secs(1), sync: Duration::from_secs(1), settling: Duration::from_secs(3) };

/// The Secret that all of it is about.
const SECRET: &str = "orders-credentials";
/// The uid of the TechnicalUser that publishes there.
const OWNER: &str = "0f1e2d3c";

/// A namespace in which a credential is published.
struct Place<'a> {
    stage: &'a Stage,
    namespace: &'a str,
    client: Client,
    /// When the last one was.
    published: (Timestamp, Instant),
}

impl<'a> Place<'a> {
    fn new(stage: &'a Stage, namespace: &'a str, client: Client) -> Self {
        let manifest = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        stage.api().apply(&manifest).expect("a namespace");
        Self { stage, namespace, client, published: now() }
    }

    fn publish(&mut self) {
        self.published = now();
    }

    fn since(&self) -> Duration {
        self.published.1.elapsed()
    }

    /// Who uses the Secret, as it is at this moment.
    fn pods(&self) -> Vec<PodFact> {
        let workloads = Workloads::default();
        let answer = runtime().block_on(workloads.pods_using(&self.client, self.namespace, SECRET, self.since()));
        answer.expect("an answer").expect("the right to see pods")
    }

    fn waiting(&self) -> Vec<Waiting> {
        still_using(&self.pods(), self.published.0, self.since(), &MARGINS)
    }

    /// The names of those that still use the old one.
    fn named(&self) -> Vec<String> {
        self.waiting().iter().map(ToString::to_string).collect()
    }

    fn comes_to(&self, names: &[&str]) {
        let mut last = vec![];
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("only these are named", PATIENCE, || {
                last = self.named();
                (last == names).then_some(())
            });
        }));
        assert!(found.is_ok(), "named are {last:?} and not {names:?}");
    }

    fn stays_at(&self, names: &[&str]) {
        never("somebody else is named", Duration::from_secs(3), || Some(self.named()).filter(|named| named != names));
    }

    fn apply(&self, manifest: &Value) {
        self.stage.api().apply(manifest).unwrap_or_else(|refusal| panic!("{manifest:#}: {refusal}"));
    }

    fn patch(&self, what: &str, part: &Value) {
        let (resource, name) = what.split_once('/').expect("a resource and a name");
        self.stage.api().patch(&path(resource, self.namespace, name), part).expect("a patch");
    }

    fn get(&self, what: &str) -> Value {
        let (resource, name) = what.split_once('/').expect("a resource and a name");
        self.stage.api().get(&path(resource, self.namespace, name)).unwrap_or_else(|| panic!("no {what}"))
    }

    fn kubectl(&self, arguments: &[&str]) {
        self.stage.kubectl().ok(&[arguments, &["--namespace", self.namespace]].concat());
    }

    /// The only pod of a workload.
    fn pod_of(&self, name: &str) -> String {
        let pods = self.stage.kubelet().pods(self.namespace, name);
        assert_eq!(pods.len(), 1, "{pods:#?}");
        pods[0]["metadata"]["name"].as_str().expect("a name").to_owned()
    }

    /// Waits until the first container of a pod is `running` or `waiting`.
    fn pod_is(&self, pod: &str, state: &str) {
        let told = || self.get(&format!("pods/{pod}"))["status"]["containerStatuses"][0]["state"][state].clone();
        eventually(&format!("{pod} is {state}"), PATIENCE, || (!told().is_null()).then_some(()));
    }

    /// One look of the operator's at who must be restarted.
    fn restart(&self, sequence: i64) -> Option<Judgement> {
        let pods = self.pods();
        let waiting = still_using(&pods, self.published.0, self.since(), &MARGINS);
        let occasion = Occasion {
            namespace: self.namespace,
            publication: Publication { secret: SECRET, owner: OWNER, sequence },
            pods: &pods,
            waiting: &waiting,
            since_published: self.since(),
            margins: &MARGINS,
            now: now().0,
        };
        runtime().block_on(restart(&self.client, &occasion)).expect("an answer")
    }
}

/// What the clock says, and a moment to measure from.
fn now() -> (Timestamp, Instant) {
    (Timestamp::try_from(SystemTime::now()).expect("a time of day"), Instant::now())
}

fn env() -> Value {
    kubelet::pod(&[container(json!({ "envFrom": [{ "secretRef": { "name": SECRET } }] }))])
}

fn mounted(part: &Value) -> Value {
    let mut mount = part.clone();
    mount["name"] = json!("credentials");
    mount["mountPath"] = json!("/credentials");
    let mut pod = kubelet::pod(&[container(json!({ "volumeMounts": [mount] }))]);
    pod["volumes"] = json!([{ "name": "credentials", "projected": { "sources": [{ "secret": { "name": SECRET } }] } }]);
    pod
}

fn volume() -> Value {
    mounted(&json!({}))
}

/// Only what comes before the pod's work reads the Secret.
fn prepared() -> Value {
    let mut pod = kubelet::pod(&[container(json!({}))]);
    pod["initContainers"] =
        json!([container(json!({ "name": "prepare", "envFrom": [{ "secretRef": { "name": SECRET } }] }))]);
    pod
}

fn playing(mut workload: Value, what: &str) -> Value {
    workload["spec"]["template"]["metadata"]["annotations"] = json!({ PLAYS: what });
    workload
}

fn everybody_comes(place: &Place<'_>) {
    let (kubelet, namespace) = (place.stage.kubelet(), place.namespace);
    let pull = json!([{ "name": SECRET }]);
    let mut pulls = kubelet::pod(&[container(json!({}))]);
    pulls["imagePullSecrets"] = pull;
    for workload in [
        kubelet::deployment(namespace, "env", 2, &env()),
        kubelet::deployment(namespace, "follows", 2, &volume()),
        kubelet::deployment(namespace, "part", 1, &mounted(&json!({ "subPath": "clientid" }))),
        kubelet::deployment(namespace, "prepared", 1, &prepared()),
        kubelet::deployment(namespace, "pulls", 1, &pulls),
        kubelet::stateful_set(namespace, "queue", 1, &env()),
        kubelet::daemon_set(namespace, "agent", &env()),
    ] {
        kubelet.applied(&workload);
    }
    place.apply(&playing(kubelet::deployment(namespace, "unready", 1, &volume()), "unready"));
    place.apply(&kubelet::bare(namespace, "migrate", &env()));
    place.apply(&kubelet::cron_job(namespace, "nightly", &env()));
    place.kubectl(&["create", "job", "nightly-1", "--from=cronjob/nightly"]);
    eventually("the Job has its pod", PATIENCE, || (!kubelet.pods(namespace, "nightly").is_empty()).then_some(()));
    for pod in [place.pod_of("unready"), "migrate".to_owned(), place.pod_of("nightly")] {
        place.pod_is(&pod, "running");
    }
}

#[test]
fn whoever_has_not_moved_is_named_through_every_kind_of_rollout() {
    let stage = Stage::shared();
    let mut place = Place::new(stage, "rollout", stage.client(None));
    everybody_comes(&place);

    place.publish();
    let [env, part, prepared] =
        ["2 pods of Deployment env", "1 pod of Deployment part", "1 pod of Deployment prepared"];
    let [queue, agent, nightly] =
        ["1 pod of StatefulSet queue", "1 pod of DaemonSet agent", "1 pod of CronJob nightly"];
    let (follows, unready, migrate) = ("2 pods of Deployment follows", "1 pod of Deployment unready", "pod migrate");
    assert_eq!(place.named(), [env, follows, part, prepared, unready, queue, agent, nightly, migrate]);

    // Time alone moves who follows and is Ready.
    place.comes_to(&[env, part, prepared, unready, queue, agent, nightly, migrate]);

    place.kubectl(&["rollout", "restart", "deployment/env", "deployment/prepared"]);
    place.comes_to(&[part, unready, queue, agent, nightly, migrate]);

    place.patch("deployments/part", &json!({ "spec": { "replicas": 0 } }));
    place.kubectl(&["delete", "pod", "queue-0", "--wait=false"]);
    place.comes_to(&[unready, agent, nightly, migrate]);

    // The controller takes the old pod away before the new one, which never starts.
    let stuck = json!({ "spec": { "template": { "metadata": { "annotations": { PLAYS: "stuck" } } } } });
    place.patch("daemonsets/agent", &stuck);
    place.comes_to(&[unready, nightly, migrate]);

    stage.kubelet().plays(place.namespace, &place.pod_of("nightly"), "");
    place.comes_to(&[unready, migrate]);

    // A container that starts again in an old pod reads its environment anew.
    stage.kubelet().plays(place.namespace, "migrate", "crashing");
    place.comes_to(&[unready]);
    stage.kubelet().plays(place.namespace, "migrate", "");
    place.pod_is("migrate", "running");
    place.stays_at(&[unready]);
}

#[test]
fn a_rollout_that_sticks_and_a_pod_that_lingers_are_waited_for() {
    let stage = Stage::shared();
    let (kubelet, namespace) = (stage.kubelet(), "rollout-stuck");
    let mut place = Place::new(stage, namespace, stage.client(None));
    kubelet.applied(&kubelet::deployment(namespace, "orders", 2, &env()));
    kubelet.applied(&kubelet::stateful_set(namespace, "queue", 1, &env()));
    place.publish();
    let (orders, queue) = ("2 pods of Deployment orders", "1 pod of StatefulSet queue");

    let plays = |what: Value| json!({ "spec": { "template": { "metadata": { "annotations": { PLAYS: what } } } } });
    place.patch("deployments/orders", &plays(json!("stuck")));
    eventually("the new pod is there", PATIENCE, || (kubelet.pods(namespace, "orders").len() == 3).then_some(()));
    kubelet.plays(namespace, "queue-0", "lingering");
    place.kubectl(&["delete", "pod", "queue-0", "--wait=false"]);
    // What has not started is named for a moment, until it is sure what it will get.
    place.comes_to(&[orders, queue]);
    // Longer than all margins: who reads only at its start is not moved by time.
    place.stays_at(&[orders, queue]);
    place.stays_at(&[orders, queue]);

    // Taken back: the old pods are the right ones again, and as old as before.
    place.patch("deployments/orders", &plays(Value::Null));
    kubelet.rolled_out(namespace, "deployments/orders");
    place.stays_at(&[orders, queue]);

    place.patch("deployments/orders", &plays(json!("")));
    place.comes_to(&[queue]);
    kubelet.plays(namespace, "queue-0", "");
    place.comes_to(&[]);
}

#[test]
fn without_the_right_nobody_is_restarted() {
    let stage = Stage::shared();
    let mut place = Place::new(stage, "rollout-never", stage.client(None));
    stage.kubelet().applied(&kubelet::deployment(place.namespace, "env", 1, &env()));
    place.publish();
    assert_eq!(place.named(), ["1 pod of Deployment env"]);
    assert_eq!(place.restart(1), None);
}

fn those_who_may_and_may_not_be_restarted(place: &Place<'_>) {
    let (kubelet, namespace) = (place.stage.kubelet(), place.namespace);
    let mut on_delete = kubelet::stateful_set(namespace, "by-hand", 1, &env());
    on_delete["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
    for workload in [
        kubelet::deployment(namespace, "a", 2, &env()),
        kubelet::deployment(namespace, "b", 1, &mounted(&json!({ "subPath": "clientid" }))),
        kubelet::deployment(namespace, "follows", 1, &volume()),
        kubelet::deployment(namespace, "guarded", 1, &env()),
        kubelet::deployment(namespace, "paused", 1, &env()),
        on_delete,
        kubelet::stateful_set(namespace, "queue", 2, &env()),
        kubelet::daemon_set(namespace, "agent", &env()),
    ] {
        kubelet.applied(&workload);
    }
    place.patch("deployments/paused", &json!({ "spec": { "paused": true } }));
    place.apply(&kubelet::bare(namespace, "migrate", &env()));
    place.pod_is("migrate", "running");
    let selector = json!({ "matchLabels": { "app": "guarded" } });
    place.apply(&json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "all-of-it", "namespace": namespace },
        "spec": { "minAvailable": 1, "selector": selector } }));
}

/// Looks again and again, until nothing is restarted and nobody waits for a turn: who was restarted, in order, and what
/// keeps the others.
fn looks(place: &Place<'_>, sequence: i64) -> (Vec<String>, Vec<(String, Hold)>) {
    let mut restarted = vec![];
    let held = eventually("all that may be are restarted", PATIENCE * 2, || {
        let judgement = place.restart(sequence).expect("the right to restart");
        let done = judgement.restart.is_none();
        if let Some(workload) = judgement.restart {
            // Which may be over already.
            let others: Vec<String> = rolling(place).into_iter().filter(|name| *name != workload.name).collect();
            assert_eq!(others, Vec::<String>::new(), "one at a time, and {} rolls", workload.name);
            restarted.push(workload.name);
        }
        let passing = |hold: &Hold| matches!(hold, Hold::Turn | Hold::Rolling | Hold::TooEarly);
        let rests = done && !judgement.held.iter().any(|(_, hold)| passing(hold));
        rests.then_some(judgement.held)
    });
    (restarted, held.into_iter().map(|(user, hold)| (format!("{user:?}"), hold)).collect())
}

/// The workloads whose controller has work to do.
fn rolling(place: &Place<'_>) -> Vec<String> {
    let list = |resource| place.stage.api().list(&path(resource, place.namespace, ""));
    let all = ["deployments", "statefulsets", "daemonsets"].into_iter().flat_map(list);
    let at_work = all.filter(|one| {
        let (status, number) = (&one["status"], |value: &Value| value.as_i64().unwrap_or_default());
        let wanted = one["spec"]["replicas"].as_i64().unwrap_or(1);
        let [updated, ready] = if one["spec"]["replicas"].is_null() {
            [&status["updatedNumberScheduled"], &status["numberReady"]].map(number)
        } else {
            [&status["updatedReplicas"], &status["readyReplicas"]].map(number)
        };
        status["observedGeneration"] != one["metadata"]["generation"] || updated != wanted || ready != wanted
    });
    at_work.map(|one| one["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn exactly_those_who_need_it_are_restarted_one_at_a_time_and_once() {
    let stage = Stage::that_may_restart();
    let proxy = Proxy::before_api_server(stage.plane());
    let mut place = Place::new(&stage, "restarts", stage.client(Some(&proxy.url())));
    those_who_may_and_may_not_be_restarted(&place);
    let generation = |what| place.get(what)["metadata"]["generation"].clone();
    let untouched = ["deployments/follows", "deployments/guarded", "deployments/paused", "statefulsets/by-hand"];
    let before = untouched.map(generation);
    place.publish();

    let (restarted, held) = looks(&place, 7);

    assert_eq!(restarted, ["a", "b", "queue", "agent"]);
    let holds: Vec<Hold> = held.iter().map(|(_, hold)| hold.clone()).collect();
    assert_eq!(holds, [Hold::Budget("all-of-it".into()), Hold::Paused, Hold::OnDelete, Hold::NoWorkload], "{held:?}");
    let generation = |what| place.get(what)["metadata"]["generation"].clone();
    assert_eq!(untouched.map(generation), before);
    assert_eq!(place.get("deployments/a")["metadata"]["annotations"][RESTARTED_FOR], format!("{SECRET}/7/{OWNER}"));

    // What kept them is gone: they follow. The others are not restarted again, by whoever looks.
    place.stage.api().delete(&path("poddisruptionbudgets", place.namespace, "all-of-it"));
    place.patch("deployments/paused", &json!({ "spec": { "paused": false } }));
    assert_eq!(looks(&place, 7).0, ["guarded", "paused"]);
    assert_eq!(place.named(), ["1 pod of StatefulSet by-hand", "pod migrate"]);

    place.publish();
    assert_eq!(looks(&place, 8).0, ["a", "b", "guarded", "paused", "queue", "agent"]);
    the_rights_of_a_restart_are_used(&stage, &proxy);
}

fn the_rights_of_a_restart_are_used(stage: &Stage, proxy: &Proxy) {
    let role = format!("clusterrole/{RELEASE}-restart");
    let used: BTreeSet<Right> = proxy.answers().iter().filter_map(|(call, _)| Right::of(call)).collect();
    let granted = rights::granted(stage, &[&role]);
    assert!(granted.is_subset(&used), "granted and never used: {:#?}", granted.difference(&used));
    let refused: Vec<_> = proxy.answers().into_iter().filter(|(_, status)| status.as_u16() == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    // Another chart that says no takes it away again.
    stage.install(RELEASE, &["--set", "replicas=0"]);
    assert_eq!(stage.kubectl().get(OPERATOR_NAMESPACE, &role), None);
}

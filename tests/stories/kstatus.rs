//! What tools that know nothing of our kinds make of their status: Argo CD, Flux and `kpt` go by the rules of kstatus.
//! They are applied here to every version of an object that the API server ever showed.

use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::conditions::condition;
use crate::harness::{Stage, Team};

use Status::{Current, Failed, InProgress, Terminating};

/// The statuses of kstatus that a custom resource can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    InProgress,
    Failed,
    Current,
    Terminating,
}

/// The rules for kinds that kstatus does not know (cli-utils, pkg/kstatus, "Conditions" and "Status rules"), in its order.
fn kstatus(object: &Value) -> Status {
    let is_true = |kind| condition(object, kind).is_some_and(|found| found.status == "True");
    let observed = &object["status"]["observedGeneration"];
    if !object["metadata"]["deletionTimestamp"].is_null() {
        Terminating
    } else if !observed.is_null() && *observed != object["metadata"]["generation"] || is_true("Reconciling") {
        InProgress
    } else if is_true("Stalled") {
        Failed
    } else if condition(object, "Ready").is_none_or(|ready| ready.status == "True") {
        // Also what has no condition at all: kstatus takes it for a kind that has none.
        Current
    } else {
        InProgress
    }
}

/// Where the history of a team's objects of one kind begins.
struct History<'a> {
    team: &'a Team<'a>,
    path: String,
    since: String,
}

impl<'a> History<'a> {
    /// From now on.
    fn of(team: &'a Team<'a>, plural: &str) -> Self {
        let namespace = if plural == "platforms" { "" } else { &team.name };
        let path = path(plural, namespace, "");
        // By kubectl, which asks again while the API server sets up the store of a kind it has just learnt.
        let list: Value = serde_json::from_str(&team.stage.kubectl().ok(&["get", "--raw", &path])).expect("a list");
        let since = list["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        Self { team, path, since }
    }

    /// Every version of an object since then, oldest first: a watch from back there shows them all.
    fn versions(&self, name: &str) -> Vec<Value> {
        let watch = format!("{}?watch=true&resourceVersion={}&timeoutSeconds=1", self.path, self.since);
        let lines = self.team.stage.kubectl().ok(&["get", "--raw", &watch]);
        let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event of a watch"));
        let mut objects = events.map(|mut event| event["object"].take());
        objects.by_ref().filter(|object| object["metadata"]["name"] == name).collect()
    }

    /// What kstatus makes of an object, change by change.
    fn statuses(&self, name: &str) -> Vec<Status> {
        let mut statuses: Vec<_> = self.versions(name).iter().map(kstatus).collect();
        statuses.dedup();
        statuses
    }
}

#[test]
fn nothing_is_current_before_its_work_is_done() {
    let team = Team::new(Stage::shared(), "kstatus");
    let [platforms, users, bindings] =
        ["platforms", "technicalusers", "rolebindings"].map(|plural| History::of(&team, plural));
    team.apply(&team.btp());
    team.not_ready("platforms/kstatus", "AdminSecretMissing", "");
    for api in ["xsuaa", "service-manager"] {
        team.admin_secret(api, &team.simulator.credential(api, "secret"));
    }
    team.apply(&team.service_key("orders"));
    team.not_ready("technicalusers/orders", "NoRoles", "");
    team.apply(&team.may_send());
    team.ready(&["platforms/kstatus", "technicalusers/orders", "rolebindings/orders-may-send"]);
    team.patch("technicalusers/orders", &json!({ "spec": { "description": "changed" } }));
    team.ready(&["technicalusers/orders"]);

    assert_eq!(users.statuses("orders"), [InProgress, Current, InProgress, Current]);
    assert_eq!(bindings.statuses("orders-may-send"), [InProgress, Current]);
    assert_eq!(platforms.statuses("kstatus").last(), Some(&Current));
    current_means_done(&users.versions("orders"), |user| {
        user["status"]["binding"]["name"] == "orders-credentials"
            && !user["status"]["credential"]["verifiedAt"].is_null()
    });
    current_means_done(&bindings.versions("orders-may-send"), |binding| binding["status"]["granted"] == "1/1");
    current_means_done(&platforms.versions("kstatus"), |platform| {
        condition(platform, "Ready").is_some_and(|ready| ready.status == "True")
    });

    team.delete_everything();
    assert_eq!(users.statuses("orders").last(), Some(&Terminating));
}

fn current_means_done(versions: &[Value], is_done: impl Fn(&Value) -> bool) {
    for version in versions.iter().filter(|version| kstatus(version) == Current) {
        assert!(is_done(version), "{version:#}");
    }
}

#[test]
fn what_waits_for_a_person_has_failed_until_that_person_acts() {
    let team = Team::on_btp(Stage::shared(), "kstatus-failed");
    let (users, bindings) = (History::of(&team, "technicalusers"), History::of(&team, "rolebindings"));
    let mut nobody = team.btp();
    nobody["spec"]["access"] = json!([]);
    team.apply(&nobody);
    team.apply(&team.service_key("orders"));
    team.apply(&team.may_send());
    team.not_ready("technicalusers/orders", "AccessDenied", "");
    team.not_ready("rolebindings/orders-may-send", "AccessDenied", "");

    team.apply(&team.btp());

    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);
    for statuses in [users.statuses("orders"), bindings.statuses("orders-may-send")] {
        assert_eq!(statuses[..2], [InProgress, Failed]);
        assert_eq!(statuses.last(), Some(&Current));
        assert_eq!(statuses.iter().filter(|status| **status == Current).count(), 1, "{statuses:?}");
    }
    team.delete_everything();
}

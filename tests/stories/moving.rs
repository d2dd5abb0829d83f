//! A credential is replaced while its Deployment is busy with something else: it rolls, is stuck, has no pods, or crashes. The
//! old one ends when the last that holds it is gone or has moved, not before, and nobody's call fails meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::consumers::{Consumers, in_use};
use crate::harness::kubelet::{self, PLAYS, container};
use crate::harness::{PATIENCE, Stage, Team, credential, eventually, never};

const SECRET: &str = "orders-credentials";

/// Longer than all margins, and than the operator waits between two looks.
const LONG: Duration = Duration::from_secs(7);

/// Between two calls of a pod.
const PAUSE: Duration = Duration::from_millis(400);

/// A team with a credential, and with software that uses it.
struct Place<'a> {
    team: Team<'a>,
    consumers: Consumers,
    first: BTreeMap<String, String>,
}

fn name(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().expect("a name")
}

impl Place<'_> {
    /// With a Deployment `orders` of so many pods, which read the Secret when they start.
    fn new(name: &str, pods: u8) -> Self {
        let stage = Stage::shared();
        let team = Team::on_btp(stage, name);
        let mut user = team.service_key("orders");
        user["spec"]["credential"]["rotation"] = json!({ "minOverlap": "0s", "settling": "1s" });
        team.apply(&user);
        team.apply(&team.may_send());
        team.ready(&["technicalusers/orders"]);
        let pod = kubelet::pod(&[container(json!({ "envFrom": [{ "secretRef": { "name": SECRET } }] }))]);
        stage.kubelet().applied(&in_use(kubelet::deployment(name, "orders", pods, &pod)));
        let consumers = Consumers::begin(&stage.administrator(), name, PAUSE);
        let first = team.secret(SECRET).expect("the Secret");
        Self { team, consumers, first }
    }

    /// Asks for another credential and waits until it stands in the Secret.
    fn rotate(&self) {
        let annotations = json!({ "technicaluser.dev/rotate": "now" });
        self.team.patch("technicalusers/orders", &json!({ "metadata": { "annotations": annotations } }));
        eventually("another credential stands in the Secret", PATIENCE, || {
            self.team.secret(SECRET).filter(|now| *now != self.first)
        });
    }

    /// What new pods play from now on.
    fn plays(&self, what: Value) {
        let template = json!({ "metadata": { "annotations": { PLAYS: what } } });
        self.team.patch("deployments/orders", &json!({ "spec": { "template": template } }));
    }

    /// Every new pod becomes Ready in the end, until only one of these is left.
    fn goes_on(&self, before: &[String]) {
        let kubelet = self.team.stage.kubelet();
        eventually("the Deployment has rolled out", PATIENCE, || {
            let pods = kubelet.pods(&self.team.name, "orders");
            let unready = pods.iter().filter(|pod| pod["metadata"]["annotations"][PLAYS] == "unready");
            unready.for_each(|pod| kubelet.plays(&self.team.name, name(pod), ""));
            let is_before = |pod: &&Value| before.iter().any(|one| one == name(pod));
            (pods.len() == 3 && pods.iter().filter(is_before).count() == 1).then_some(())
        });
        kubelet.rolled_out(&self.team.name, "deployments/orders");
    }

    fn scale(&self, replicas: u8) {
        self.team.patch("deployments/orders", &json!({ "spec": { "replicas": replicas } }));
    }

    /// Pods that are not on their way out, by name.
    fn pods(&self) -> Vec<String> {
        let pods = self.team.stage.kubelet().pods(&self.team.name, "orders");
        pods.iter().map(|pod| name(pod).to_owned()).collect()
    }

    fn come_to(&self, count: usize) -> Vec<String> {
        eventually(&format!("there are {count} pods"), PATIENCE, || Some(self.pods()).filter(|all| all.len() == count))
    }

    fn works(&self) -> bool {
        credential::token(&self.first).is_ok()
    }

    /// The old credential waits for so many pods, and for nobody else, and works on.
    fn waits_for(&self, what: &str) {
        eventually(&format!("the old credential waits for {what}"), PATIENCE, || {
            let user = self.team.get("technicalusers/orders")?;
            (user["status"]["superseded"][0]["waitsFor"] == json!([what])).then_some(())
        });
        never("the old credential ends", LONG, || (!self.works()).then_some(()));
    }

    /// The old credential ends, and no call has failed.
    fn ends(&self) {
        eventually("the old credential has ended", PATIENCE, || (!self.works()).then_some(()));
        eventually("that is on record", PATIENCE, || {
            let user = self.team.get("technicalusers/orders")?;
            user["status"]["superseded"].is_null().then_some(())
        });
        assert_eq!(self.team.instances_and_keys(), (1, 1));
        assert_eq!(self.consumers.calls().failed, Vec::<String>::new());
    }

    /// Somebody calls with the new credential, and nobody in vain.
    fn is_used(&self) {
        let second = self.team.secret(SECRET).expect("the Secret")["clientid"].clone();
        eventually("the new one is used", PATIENCE, || self.consumers.calls().credentials.get(&second).map(drop));
        assert_eq!(self.consumers.calls().failed, Vec::<String>::new());
    }
}

#[test]
fn while_a_deployment_rolls_every_pod_from_before_is_waited_for_the_new_ones_too() {
    let place = Place::new("moving-rolls", 3);
    // The first of the new pods takes its time, so that the rollout stands in its middle.
    place.plays(json!("unready"));
    let before = place.come_to(4);
    place.rotate();
    place.waits_for("4 pods of Deployment orders");

    // It goes on. What started before the publication has the old one, also if it is of the new template.
    place.goes_on(&before);
    place.waits_for("1 pod of Deployment orders");
    place.is_used();

    place.plays(json!(""));
    place.ends();
}

#[test]
fn while_a_deployment_is_stuck_its_old_pods_are_waited_for() {
    let place = Place::new("moving-stuck", 2);
    place.plays(json!("stuck"));
    place.come_to(3);
    place.rotate();
    place.waits_for("2 pods of Deployment orders");

    // Taken back, which starts nothing anew.
    place.plays(Value::Null);
    place.team.stage.kubelet().rolled_out(&place.team.name, "deployments/orders");
    place.waits_for("2 pods of Deployment orders");

    place.plays(json!(""));
    place.ends();
    place.is_used();
}

#[test]
fn without_pods_nobody_is_waited_for_and_with_the_last_pod_its_credential_goes() {
    let place = Place::new("moving-zero", 0);
    place.rotate();
    place.ends();
    place.scale(1);
    place.come_to(1);
    place.is_used();

    let again = Place::new("moving-to-zero", 1);
    again.rotate();
    again.waits_for("1 pod of Deployment orders");
    // It is asked to go, and takes its time.
    let [pod] = again.pods().try_into().expect("one pod");
    again.team.stage.kubelet().plays(&again.team.name, &pod, "lingering");
    again.scale(0);
    again.come_to(0);
    again.waits_for("1 pod of Deployment orders");
    again.team.stage.kubelet().plays(&again.team.name, &pod, "");
    again.ends();
}

#[test]
fn a_pod_that_crashes_holds_nothing_and_has_the_new_one_when_it_comes_back() {
    let place = Place::new("moving-crashes", 2);
    let pods = place.pods();
    let kubelet = place.team.stage.kubelet();
    let crashed = |pod: &str| {
        eventually(&format!("{pod} has crashed"), PATIENCE, || {
            let pod = place.team.get(&format!("pods/{pod}"))?;
            pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str().map(drop)
        });
    };
    kubelet.plays(&place.team.name, &pods[0], "crashing");
    crashed(&pods[0]);
    place.rotate();
    // One does not run and reads anew when it does, never Ready or not. The other runs.
    place.waits_for("1 pod of Deployment orders");

    kubelet.plays(&place.team.name, &pods[1], "crashing");
    place.ends();
    pods.iter().for_each(|pod| kubelet.plays(&place.team.name, pod, ""));
    kubelet.rolled_out(&place.team.name, "deployments/orders");
    place.is_used();
}

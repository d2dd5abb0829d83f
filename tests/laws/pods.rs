//! Pods that use the Secret: what each has read of it, when, and whether that still works. The truth; the operator sees only
//! what the API server tells of them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::clock;
use crate::judge::value_of;
use crate::kubernetes::{Address, Kind};
use crate::landscape::Landscape;
use crate::manifests::{SECRET, TEAM, secret};

/// Within so long kubelets bring a volume up to date.
const SYNC: Duration = Duration::from_mins(2);

/// A pod and what it has read.
struct Pod {
    number: usize,
    value: Option<String>,
    /// When it could have read something newer for the first time.
    since: Instant,
}

/// All of them. Those of even number read the Secret when they start, the others from a volume.
#[derive(Default)]
pub struct Pods {
    all: Vec<Pod>,
    pub broken: Vec<String>,
}

fn address(number: usize) -> Address {
    Address::new(Kind::Pod, TEAM, &format!("pod-{number}"))
}

fn reads_at_start(number: usize) -> bool {
    number.is_multiple_of(2)
}

fn manifest(number: usize) -> Value {
    let now = clock::true_now().to_string();
    let container = if reads_at_start(number) {
        json!({"name": "main", "envFrom": [{"secretRef": {"name": SECRET}}]})
    } else {
        json!({"name": "main", "volumeMounts": [{"name": "credentials", "mountPath": "/credentials"}]})
    };
    json!({
        "metadata": {},
        "spec": {"containers": [container], "volumes": [{"name": "credentials", "secret": {"secretName": SECRET}}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "image": "", "imageID": "",
                "state": {"running": {"startedAt": now}}}],
        },
    })
}

fn published(landscape: &Landscape) -> Option<String> {
    landscape.outside().kubernetes.get(&secret()).and_then(value_of)
}

impl Pods {
    pub fn start(&mut self, landscape: &Landscape, number: usize) {
        self.stop(landscape, number);
        // Without the Secret it does not start.
        let Some(value) = published(landscape) else { return };
        drop(landscape.outside().kubernetes.create(&address(number), manifest(number)));
        self.all.push(Pod { number, value: Some(value), since: Instant::now() });
    }

    pub fn stop(&mut self, landscape: &Landscape, number: usize) {
        self.all.retain(|pod| pod.number != number);
        drop(landscape.outside().kubernetes.delete(&address(number), &Value::Null));
    }

    pub fn restart_all(&mut self, landscape: &Landscape) {
        let numbers: Vec<usize> = self.all.iter().map(|pod| pod.number).collect();
        numbers.into_iter().for_each(|number| self.start(landscape, number));
    }

    /// Whoever reads a volume reads it again, if what is there has been there long enough.
    pub fn follow(&mut self, landscape: &Landscape) {
        let Some(value) = published(landscape) else { return };
        for pod in self.all.iter_mut().filter(|pod| !reads_at_start(pod.number)) {
            if pod.value.as_ref() == Some(&value) {
                pod.since = Instant::now();
            } else if pod.since.elapsed() >= SYNC {
                (pod.value, pod.since) = (Some(value.clone()), Instant::now());
            }
        }
    }

    /// From now on nobody looks after kubelets, which go on all the same: what is read from volumes counts no more.
    pub fn rest(&self, landscape: &Landscape) {
        let fixed = self.all.iter().filter(|pod| reads_at_start(pod.number));
        landscape.outside().used = fixed.filter_map(|pod| pod.value.clone()).collect();
    }

    /// Nobody uses what was once good and has been revoked by us: that is judged where it is revoked.
    pub fn must_hold(&mut self, landscape: &Landscape) {
        let mut outside = landscape.outside();
        outside.used = self.all.iter().filter_map(|pod| pod.value.clone()).collect();
        let broken = outside.broken.iter().filter(|one| one.contains("a pod still uses")).cloned();
        self.broken = broken.collect();
    }
}

//! How long a Secret that somebody deleted or altered stays wrong: from the moment before the call that harms it until a
//! watch shows it whole again.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use crate::objects::secret_name;
use crate::watch::{self, Told};

/// What is done to a Secret.
#[derive(Clone, Copy)]
pub(crate) enum Harm {
    Deleted,
    Altered,
}

/// The Secrets of a namespace, and a watch of them.
pub(crate) struct Patient {
    api: Api<Secret>,
    changes: BoxStream<'static, Told<Secret>>,
    limit: Duration,
}

/// What a Secret must be again.
struct Whole {
    resource_version: Option<String>,
    content: Option<BTreeMap<String, ByteString>>,
}

/// Secrets that are harmed, and since when.
type Hurt = HashMap<String, (Whole, Instant)>;

impl Patient {
    /// One that gives up on a Secret after `limit`.
    pub(crate) async fn new(client: &Client, namespace: &str, limit: Duration) -> Self {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        Self { changes: watch::begin(api.clone()).await, api, limit }
    }

    /// Harms the Secrets of the first `count` TechnicalUsers, `at_once` at a time. How long each one took, ascending.
    pub(crate) async fn heal_times(&mut self, harm: Harm, count: usize, at_once: usize) -> Vec<Duration> {
        let mut times = vec![];
        for first in (0..count).step_by(at_once) {
            times.extend(self.heal(harm, first..count.min(first + at_once)).await);
        }
        times.sort();
        times
    }

    /// Harms the Secrets of these TechnicalUsers at once. One that is not healed in time counts as the limit.
    pub(crate) async fn heal(&mut self, harm: Harm, numbers: Range<usize>) -> Vec<Duration> {
        let names: Vec<String> = numbers.map(secret_name).collect();
        let before = join_all(names.iter().map(|name| self.api.get(name))).await;
        let mut hurt = Hurt::new();
        for secret in before {
            let secret = secret.expect("a Secret that is there");
            let whole = Whole { resource_version: secret.resource_version(), content: secret.data.clone() };
            hurt.insert(secret.name_any(), (whole, Instant::now()));
        }
        let harmed = join_all(names.iter().map(|name| inflict(&self.api, harm, name)));
        let mut times = vec![];
        let healed = tokio::time::timeout(self.limit, until_whole(&mut self.changes, hurt, &mut times));
        // Out of time is an answer too.
        let _ = tokio::join!(harmed, healed);
        times.resize(names.len(), self.limit);
        times
    }
}

async fn inflict(api: &Api<Secret>, harm: Harm, name: &str) {
    match harm {
        Harm::Deleted => drop(api.delete(name, &DeleteParams::default()).await.expect("delete a Secret")),
        Harm::Altered => {
            let patch = Patch::Merge(json!({ "stringData": { "clientid": "mallory" } }));
            drop(api.patch(name, &PatchParams::default(), &patch).await.expect("alter a Secret"));
        }
    }
}

async fn until_whole(changes: &mut BoxStream<'static, Told<Secret>>, mut hurt: Hurt, times: &mut Vec<Duration>) {
    while !hurt.is_empty() {
        let Told::There(secret) = changes.next().await.expect("a watch without end") else { continue };
        // What is whole and older than the harm may still be told of.
        let is_whole = hurt.get(&secret.name_any()).is_some_and(|(whole, _)| {
            secret.resource_version() != whole.resource_version && secret.data == whole.content
        });
        if let Some((_, since)) = is_whole.then(|| hurt.remove(&secret.name_any())).flatten() {
            times.push(since.elapsed());
        }
    }
}

/// The time within which this share (in percent) of them was healed, in milliseconds. They must be ascending.
pub(crate) fn percentile(times: &[Duration], share: usize) -> f64 {
    times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3
}

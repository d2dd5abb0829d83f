//! How long a Secret that somebody deleted or altered stays wrong: from the moment before the call that harms it until a
//! watch shows it whole again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use crate::objects::secret_name;

/// Long enough to see a heal that is far too slow.
const LIMIT: Duration = Duration::from_secs(60);

/// What is done to a Secret.
#[derive(Clone, Copy)]
pub(crate) enum Harm {
    Deleted,
    Altered,
}

/// The Secrets of a namespace, and a watch of them.
pub(crate) struct Patient {
    api: Api<Secret>,
    changes: BoxStream<'static, Secret>,
}

/// What a Secret must be again.
struct Whole {
    resource_version: Option<String>,
    content: Option<std::collections::BTreeMap<String, k8s_openapi::ByteString>>,
}

impl Patient {
    pub(crate) fn new(client: &Client, namespace: &str) -> Self {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let changes = watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects();
        Self { api, changes: changes.filter_map(|change| async { change.ok() }).boxed() }
    }

    /// Harms the Secrets of the first `count` TechnicalUsers, `at_once` at a time. How long each one took, ascending.
    pub(crate) async fn heal_times(&mut self, harm: Harm, count: usize, at_once: usize) -> Vec<Duration> {
        let names: Vec<String> = (0..count).map(secret_name).collect();
        let mut times = vec![];
        for names in names.chunks(at_once) {
            times.extend(self.heal(harm, names).await);
        }
        times.sort();
        times
    }

    async fn heal(&mut self, harm: Harm, names: &[String]) -> Vec<Duration> {
        let before = join_all(names.iter().map(|name| self.api.get(name))).await;
        let mut hurt: HashMap<String, (Whole, Instant)> = HashMap::new();
        for secret in before {
            let secret = secret.expect("a Secret that is there");
            let whole = Whole { resource_version: secret.resource_version(), content: secret.data.clone() };
            hurt.insert(secret.name_any(), (whole, Instant::now()));
        }
        let harmed = join_all(names.iter().map(|name| inflict(&self.api, harm, name)));
        let healed = until_whole(&mut self.changes, hurt);
        tokio::join!(harmed, tokio::time::timeout(LIMIT, healed)).1.expect("healed in time")
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

async fn until_whole(
    changes: &mut BoxStream<'static, Secret>,
    mut hurt: HashMap<String, (Whole, Instant)>,
) -> Vec<Duration> {
    let mut times = vec![];
    let mut changes = stream::poll_fn(|context| changes.poll_next_unpin(context));
    while !hurt.is_empty() {
        let secret = changes.next().await.expect("a watch without end");
        // The watch first tells of the Secret as it was before it was harmed.
        let is_whole = hurt.get(&secret.name_any()).is_some_and(|(whole, _)| {
            secret.resource_version() != whole.resource_version && secret.data == whole.content
        });
        if let Some((_, since)) = is_whole.then(|| hurt.remove(&secret.name_any())).flatten() {
            times.push(since.elapsed());
        }
    }
    times
}

//! The objects: TechnicalUsers with one RoleBinding each. Written all at once, and watched until every one is Ready.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use technical_user_operator::api::{RoleBinding, TechnicalUser};

use crate::stage::PLATFORM;

/// How many are written at a time.
pub(crate) const WRITERS: usize = 32;

/// Longer than anything that is worth waiting for.
const LIMIT: Duration = Duration::from_mins(10);

/// The TechnicalUser of this number.
pub(crate) fn technical_user(number: usize) -> TechnicalUser {
    let manifest = json!({
        "metadata": { "name": name(number) },
        "spec": {
            "platformRef": { "name": PLATFORM },
            "identity": { "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } },
            "credential": { "secretName": secret_name(number) },
        },
    });
    of_kind("TechnicalUser", manifest)
}

/// The RoleBinding that gives it its role.
pub(crate) fn role_binding(number: usize) -> RoleBinding {
    let manifest = json!({
        "metadata": { "name": name(number) },
        "spec": {
            "platformRef": { "name": PLATFORM },
            "subjects": [{ "technicalUser": { "name": name(number) } }],
            "roles": [{ "instanceRole": { "name": "ESBMessaging.send" } }],
        },
    });
    of_kind("RoleBinding", manifest)
}

/// The Secret of the TechnicalUser of this number.
pub(crate) fn secret_name(number: usize) -> String {
    format!("{}-credentials", name(number))
}

fn name(number: usize) -> String {
    format!("orders-{number:04}")
}

fn of_kind<K: DeserializeOwned>(kind: &str, mut manifest: serde_json::Value) -> K {
    manifest["apiVersion"] = json!("technicaluser.dev/v1alpha1");
    manifest["kind"] = json!(kind);
    serde_json::from_value(manifest).expect("a manifest")
}

/// Writes `count` of each kind, and waits until all of them are Ready. For every TechnicalUser and RoleBinding, the time
/// from the first write until it was seen Ready, ascending.
pub(crate) async fn apply_all(client: &Client, namespace: &str, count: usize) -> Vec<Duration> {
    let began = Instant::now();
    let ready = tokio::time::timeout(LIMIT, ready(client, namespace, count, began));
    let (times, ()) = tokio::join!(ready, write_all(client, namespace, count));
    times.expect("all Ready in time")
}

async fn write_all(client: &Client, namespace: &str, count: usize) {
    let users: Api<TechnicalUser> = Api::namespaced(client.clone(), namespace);
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    let (users, bindings, parameters) = (&users, &bindings, &PostParams::default());
    let writes = (0..count).map(|number| async move {
        users.create(parameters, &technical_user(number)).await?;
        bindings.create(parameters, &role_binding(number)).await.map(drop)
    });
    stream::iter(writes).buffer_unordered(WRITERS).try_collect::<()>().await.expect("write the objects");
}

/// Watches both kinds until `count` objects of each are Ready at the same time.
async fn ready(client: &Client, namespace: &str, count: usize, began: Instant) -> Vec<Duration> {
    let users = changes::<TechnicalUser>(client, namespace, |user| {
        user.status.as_ref().map(|status| (status.conditions.as_slice(), status.observed_generation))
    });
    let bindings = changes::<RoleBinding>(client, namespace, |binding| {
        binding.status.as_ref().map(|status| (status.conditions.as_slice(), status.observed_generation))
    });
    let mut changes = stream::select(users.boxed(), bindings.boxed());
    let (mut now_ready, mut times) = (HashSet::new(), Vec::new());
    while now_ready.len() < 2 * count {
        let (object, is_ready) = changes.next().await.expect("a watch without end");
        if !is_ready {
            now_ready.remove(&object);
        } else if now_ready.insert(object) {
            times.push(began.elapsed());
        }
    }
    times
}

/// Kind and name of an object that changed, and whether it is Ready as it stands.
type Change = ((String, String), bool);

/// The conditions of an object, and the generation they speak of.
type Observed<'a> = (&'a [Condition], Option<i64>);

/// Every change of a kind in a namespace.
fn changes<K>(
    client: &Client,
    namespace: &str,
    status: fn(&K) -> Option<Observed<'_>>,
) -> impl Stream<Item = Change> + Send
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    watcher(api, watcher::Config::default()).default_backoff().applied_objects().filter_map(move |object| async move {
        let object = object.ok()?;
        let is_ready = status(&object).is_some_and(|(conditions, observed)| {
            observed == object.meta().generation
                && conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True")
        });
        Some(((K::kind(&()).into_owned(), object.name_any()), is_ready))
    })
}

//! The objects: TechnicalUsers with one RoleBinding each. Written all at once, and watched until every one is Ready.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::PostParams;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use technical_user_operator::api::{RoleBinding, TechnicalUser};

use crate::watch::{self, Told};

/// How many are written at a time.
pub(crate) const WRITERS: usize = 32;

/// Longer than anything that is worth waiting for.
const LIMIT: Duration = Duration::from_mins(10);

/// Objects of one namespace on one Platform: a TechnicalUser and its RoleBinding for each number below `count`.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) platform: &'a str,
    pub(crate) count: usize,
    /// The type of their credentials.
    kind: &'static str,
}

impl<'a> Pairs<'a> {
    /// Those with client secrets.
    pub(crate) const fn new(namespace: &'a str, platform: &'a str, count: usize) -> Self {
        Self { namespace, platform, count, kind: "ClientSecret" }
    }

    /// The same with client certificates, which the platform makes.
    pub(crate) const fn with_certificates(self) -> Self {
        Self { kind: "ClientCertificate", ..self }
    }

    /// The TechnicalUser of this number.
    pub(crate) fn technical_user(&self, number: usize) -> TechnicalUser {
        let manifest = json!({
            "metadata": { "name": name(number) },
            "spec": {
                "platformRef": { "name": self.platform },
                "identity": { "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } },
                "credential": { "secretName": secret_name(number), "type": self.kind },
            },
        });
        of_kind("TechnicalUser", manifest)
    }

    /// The RoleBinding that gives it its role.
    pub(crate) fn role_binding(&self, number: usize) -> RoleBinding {
        let manifest = json!({
            "metadata": { "name": name(number) },
            "spec": {
                "platformRef": { "name": self.platform },
                "subjects": [{ "technicalUser": { "name": name(number) } }],
                "roles": [{ "instanceRole": { "name": "ESBMessaging.send" } }],
            },
        });
        of_kind("RoleBinding", manifest)
    }

    /// Writes all of them.
    pub(crate) async fn write(&self, client: &Client) {
        let users: Api<TechnicalUser> = Api::namespaced(client.clone(), self.namespace);
        let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), self.namespace);
        let (users, bindings, parameters) = (&users, &bindings, &PostParams::default());
        let writes = (0..self.count).map(|number| async move {
            users.create(parameters, &self.technical_user(number)).await?;
            bindings.create(parameters, &self.role_binding(number)).await.map(drop)
        });
        stream::iter(writes).buffer_unordered(WRITERS).try_collect::<()>().await.expect("write the objects");
    }

    /// Writes all of them and waits until they are Ready.
    pub(crate) async fn apply(&self, client: &Client) -> Vec<Duration> {
        self.apply_watched(client, watched(client, self.namespace).await).await
    }

    /// The same with a watch that has begun already. For every TechnicalUser and RoleBinding, the time from the first
    /// write until it was seen Ready, ascending.
    pub(crate) async fn apply_watched(&self, client: &Client, changes: Changes) -> Vec<Duration> {
        let ready = tokio::time::timeout(LIMIT, ready(changes, 2 * self.count, Instant::now()));
        let (times, ()) = tokio::join!(ready, self.write(client));
        times.expect("all Ready in time")
    }
}

/// The Secret of the TechnicalUser of this number.
pub(crate) fn secret_name(number: usize) -> String {
    format!("{}-credentials", name(number))
}

fn name(number: usize) -> String {
    format!("orders-{number:04}")
}

/// An object of ours from its manifest.
pub(crate) fn of_kind<K: DeserializeOwned>(kind: &str, mut manifest: serde_json::Value) -> K {
    manifest["apiVersion"] = json!("technicaluser.dev/v1alpha1");
    manifest["kind"] = json!(kind);
    serde_json::from_value(manifest).expect("a manifest")
}

/// Kind and name of objects that change, and whether each is Ready as it stands.
pub(crate) type Changes = BoxStream<'static, ((String, String), bool)>;

/// The conditions of an object, and the generation they speak of.
type Observed<'a> = (&'a [Condition], Option<i64>);

/// A watch of both kinds in a namespace.
pub(crate) async fn watched(client: &Client, namespace: &str) -> Changes {
    let users = changes::<TechnicalUser>(Api::namespaced(client.clone(), namespace), |user| {
        user.status.as_ref().map(|status| (status.conditions.as_slice(), status.observed_generation))
    });
    let bindings = changes::<RoleBinding>(Api::namespaced(client.clone(), namespace), |binding| {
        binding.status.as_ref().map(|status| (status.conditions.as_slice(), status.observed_generation))
    });
    let (users, bindings) = tokio::join!(users, bindings);
    stream::select(users, bindings).boxed()
}

/// Follows changes until so many objects are Ready at the same time.
pub(crate) async fn ready(mut changes: Changes, count: usize, began: Instant) -> Vec<Duration> {
    let (mut now_ready, mut times) = (HashSet::new(), Vec::new());
    while now_ready.len() < count {
        let (object, is_ready) = changes.next().await.expect("a watch without end");
        if !is_ready {
            now_ready.remove(&object);
        } else if now_ready.insert(object) {
            times.push(began.elapsed());
        }
    }
    times
}

/// Every change of a kind.
async fn changes<K>(api: Api<K>, status: fn(&K) -> Option<Observed<'_>>) -> Changes
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let told = watch::begin(api).await;
    let judged = told.map(move |told| {
        let (Told::There(object) | Told::Gone(object)) = &told;
        let is_ready = status(object).is_some_and(|(conditions, observed)| {
            observed == object.meta().generation
                && conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True")
        });
        let is_there = matches!(told, Told::There(_));
        ((K::kind(&()).into_owned(), object.name_any()), is_there && is_ready)
    });
    judged.boxed()
}

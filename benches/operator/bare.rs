//! The bare rate: how fast this machine's API server takes these objects from a client that does nothing else.
//!
//! Two rates are taken. `manifests`: a TechnicalUser and a RoleBinding created, nothing more. `writes`: those, and every
//! further write that no operator could spare and still keep its promises: the finalizer, the Secret, the status of both
//! objects, and one event. The writes for one object follow each other, as they must; different objects do not wait. Who
//! writes what is as in life, since the chart's admission policy asks: manifests a person, everything else the operator.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use technical_user_operator::api::{RoleBinding, TechnicalUser};

use crate::objects::{Pairs, WRITERS, secret_name};
use crate::stage::{PLATFORM, Stage};

/// TechnicalUsers with their RoleBinding, a second.
pub(crate) struct Bare {
    pub(crate) manifests: f64,
    pub(crate) writes: f64,
}

/// Who writes, and where.
struct Writer<'a> {
    pairs: Pairs<'a>,
    person: Client,
    operator: Client,
}

/// Takes both rates, in two namespaces that nobody watches yet.
pub(crate) async fn measure(stage: &Stage, namespaces: [&str; 2], count: usize) -> Bare {
    let [first, second] = namespaces.map(|namespace| Writer::new(stage, namespace, count));
    // The API server begins to serve a kind some seconds after it has learned of it.
    second.everything(count).await.expect("write one object of each kind");
    let manifests = rate(count, async |number| first.manifests(number).await.map(drop)).await;
    let writes = rate(count, async |number| second.everything(number).await).await;
    Bare { manifests, writes }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand objects")]
async fn rate(count: usize, write: impl AsyncFn(usize) -> kube::Result<()>) -> f64 {
    let (began, write) = (Instant::now(), &write);
    let all = stream::iter((0..count).map(|number| async move { write(number).await }));
    all.buffer_unordered(2 * WRITERS).try_collect::<()>().await.expect("write the objects");
    count as f64 / began.elapsed().as_secs_f64()
}

impl<'a> Writer<'a> {
    fn new(stage: &Stage, namespace: &'a str, count: usize) -> Self {
        let pairs = Pairs::new(namespace, PLATFORM, count);
        Self { pairs, person: stage.client.clone(), operator: stage.operators_client.clone() }
    }

    fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(client.clone(), self.pairs.namespace)
    }

    async fn manifests(&self, number: usize) -> kube::Result<(TechnicalUser, RoleBinding)> {
        let parameters = PostParams::default();
        let user = self.api(&self.person).create(&parameters, &self.pairs.technical_user(number)).await?;
        Ok((user, self.api(&self.person).create(&parameters, &self.pairs.role_binding(number)).await?))
    }

    async fn everything(&self, number: usize) -> kube::Result<()> {
        let (user, mut binding) = self.manifests(number).await?;
        let (users, parameters) = (self.api::<TechnicalUser>(&self.operator), &PostParams::default());
        // An annotation weighs what a finalizer weighs, and lets the object go.
        let patch = Patch::Merge(json!({ "metadata": { "annotations": { "bench": "finalizer" } } }));
        let mut user = users.patch(&user.name_any(), &PatchParams::default(), &patch).await?;
        self.api(&self.operator).create(parameters, &secret(number, &user)).await?;
        user.status = Some(serde_json::from_value(json!({ "conditions": [ready()] })).expect("a status"));
        let user = users.replace_status(&user.name_any(), parameters, &user).await?;
        binding.status = Some(serde_json::from_value(json!({ "conditions": [ready()] })).expect("a status"));
        self.api(&self.operator).replace_status(&binding.name_any(), parameters, &binding).await?;
        self.api(&self.operator).create(parameters, &event(&user)).await.map(drop)
    }
}

/// A Secret of the size that a service key has.
fn secret(number: usize, owner: &TechnicalUser) -> Secret {
    let keys = (0..14).map(|key| (format!("key-{key}"), "x".repeat(100)));
    Secret {
        metadata: kube::core::ObjectMeta {
            name: Some(secret_name(number)),
            owner_references: owner.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..kube::core::ObjectMeta::default()
        },
        string_data: Some(keys.collect()),
        ..Secret::default()
    }
}

fn ready() -> serde_json::Value {
    json!({
        "type": "Ready", "status": "True", "reason": "Ready", "message": "the credential is in its Secret",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    })
}

fn event(about: &TechnicalUser) -> Event {
    let event = json!({
        "metadata": { "name": format!("{}.1", about.name_any()) },
        "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "reason": "Issued", "action": "Reconcile",
        "reportingController": "bench", "reportingInstance": "bench",
        "regarding": about.object_ref(&()), "note": "issued a credential and wrote it into the Secret",
    });
    serde_json::from_value(event).expect("an event")
}

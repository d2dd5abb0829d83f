//! The bare rate: how fast this machine's API server takes these objects from a client that does nothing else.
//!
//! Two rates are taken. `manifests`: a TechnicalUser and a RoleBinding created, nothing more. `writes`: those, and every
//! further write that no operator could spare and still keep its promises: the finalizer, the Secret, the status of both
//! objects, and one event. The writes for one object follow each other, as they must; different objects do not wait.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use technical_user_operator::api::{RoleBinding, TechnicalUser};

use crate::objects::{WRITERS, role_binding, secret_name, technical_user};

/// TechnicalUsers with their RoleBinding, a second.
pub(crate) struct Bare {
    pub(crate) manifests: f64,
    pub(crate) writes: f64,
}

/// Who writes, and where.
struct Writer {
    users: Api<TechnicalUser>,
    bindings: Api<RoleBinding>,
    secrets: Api<Secret>,
    recorder: Recorder,
}

/// Takes both rates, in two namespaces that nobody watches yet.
pub(crate) async fn measure(client: &Client, namespaces: [&str; 2], count: usize) -> Bare {
    let [first, second] = namespaces.map(|namespace| Writer::new(client, namespace));
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

impl Writer {
    fn new(client: &Client, namespace: &str) -> Self {
        let reporter = Reporter { controller: "bench".into(), instance: None };
        Self {
            users: Api::namespaced(client.clone(), namespace),
            bindings: Api::namespaced(client.clone(), namespace),
            secrets: Api::namespaced(client.clone(), namespace),
            recorder: Recorder::new(client.clone(), reporter),
        }
    }

    async fn manifests(&self, number: usize) -> kube::Result<(TechnicalUser, RoleBinding)> {
        let parameters = PostParams::default();
        let user = self.users.create(&parameters, &technical_user(number)).await?;
        Ok((user, self.bindings.create(&parameters, &role_binding(number)).await?))
    }

    async fn everything(&self, number: usize) -> kube::Result<()> {
        let (user, binding) = self.manifests(number).await?;
        // An annotation weighs what a finalizer weighs, and lets the object go.
        let patch = Patch::Merge(json!({ "metadata": { "annotations": { "bench": "finalizer" } } }));
        let mut user = self.users.patch(&user.name_any(), &PatchParams::default(), &patch).await?;
        self.secrets.create(&PostParams::default(), &secret(number, &user)).await?;
        user.status = Some(serde_json::from_value(json!({ "conditions": [ready()] })).expect("a status"));
        let user = self.users.replace_status(&user.name_any(), &PostParams::default(), &user).await?;
        let mut binding = binding;
        binding.status = Some(serde_json::from_value(json!({ "conditions": [ready()] })).expect("a status"));
        self.bindings.replace_status(&binding.name_any(), &PostParams::default(), &binding).await?;
        self.recorder.publish(&event(), &user.object_ref(&())).await
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

fn event() -> Event {
    Event {
        type_: EventType::Normal,
        reason: "Issued".into(),
        note: Some("issued a credential and wrote it into the Secret".into()),
        action: "Reconcile".into(),
        secondary: None,
    }
}

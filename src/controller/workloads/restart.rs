//! Restarts a workload as kubectl does, by an annotation of its pod template. Whom, `plan::restart` says.
//!
//! The record that makes it happen once stands in the same write, and the write carries the version of what was read: what
//! was restarted by somebody else meanwhile, or by a second operator, is looked at again first.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::facts;
use super::rolls::{Rolls, budget_that_forbids};
use crate::api::OPERATOR;
use crate::controller::error::Result;
use crate::plan::restart::{Candidate, Judgement, Publication, is_needed, is_restartable, judge, record};
use crate::plan::rollout::{Margins, PodFact, Waiting, Workload, WorkloadKind};

/// By which `kubectl rollout restart` makes a template a new one.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// What a workload was restarted for.
pub const RESTARTED_FOR: &str = "technicaluser.dev/restarted-for";

/// One look at who must be restarted.
pub struct Occasion<'a> {
    /// The namespace of the Secret.
    pub namespace: &'a str,
    /// What was published.
    pub publication: Publication<'a>,
    /// Who uses the Secret.
    pub pods: &'a [PodFact],
    /// Who of them has not moved.
    pub waiting: &'a [Waiting],
    /// How long ago the publication was, by a clock that does not jump.
    pub since_published: Duration,
    /// How far away from it is far enough.
    pub margins: &'a Margins,
    /// The time of day, for the annotation.
    pub now: Timestamp,
}

/// A workload as it was read.
struct Found {
    candidate: Candidate,
    version: Option<String>,
}

/// Restarts the one workload whose turn it is, if there is one. `None` where we may not: the chart gives this right only
/// when it is told to.
pub async fn restart(client: &Client, occasion: &Occasion<'_>) -> Result<Option<Judgement>> {
    if !is_needed(occasion.waiting) {
        return Ok(Some(Judgement::default()));
    }
    match carried_out(client, occasion).await {
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

async fn carried_out(client: &Client, occasion: &Occasion<'_>) -> Result<Judgement, kube::Error> {
    let budgets = budgets(client, occasion.namespace).await?;
    let mut found: Vec<Found> = vec![];
    for workload in workloads(occasion.pods) {
        found.extend(look(client, occasion, workload, &budgets).await?);
    }
    let candidates: Vec<Candidate> = found.iter().map(|one| one.candidate.clone()).collect();
    let Occasion { publication, waiting, since_published, margins, .. } = occasion;
    let judgement = judge(*publication, waiting, &candidates, *since_published, margins);
    if let Some(one) = found.iter().find(|one| Some(&one.candidate.workload) == judgement.restart.as_ref()) {
        write(client, occasion, one).await?;
    }
    Ok(judgement)
}

/// The workloads of these pods that could be restarted.
fn workloads(pods: &[PodFact]) -> BTreeSet<&Workload> {
    pods.iter().filter_map(|pod| pod.workload.as_ref()).filter(|workload| is_restartable(&workload.kind)).collect()
}

async fn budgets(client: &Client, namespace: &str) -> Result<Vec<PodDisruptionBudget>, kube::Error> {
    let api: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), namespace);
    Ok(api.list(&ListParams::default()).await?.items)
}

async fn look(
    client: &Client,
    occasion: &Occasion<'_>,
    workload: &Workload,
    budgets: &[PodDisruptionBudget],
) -> Result<Option<Found>, kube::Error> {
    match workload.kind {
        WorkloadKind::Deployment => read::<Deployment>(client, occasion, workload, budgets).await,
        WorkloadKind::StatefulSet => read::<StatefulSet>(client, occasion, workload, budgets).await,
        WorkloadKind::DaemonSet => read::<DaemonSet>(client, occasion, workload, budgets).await,
        _ => Ok(None),
    }
}

async fn read<K>(
    client: &Client,
    occasion: &Occasion<'_>,
    workload: &Workload,
    budgets: &[PodDisruptionBudget],
) -> Result<Option<Found>, kube::Error>
where
    K: Rolls + Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), occasion.namespace);
    let object = api.get_opt(&workload.name).await?.filter(|object| object.meta().deletion_timestamp.is_none());
    Ok(object.map(|object| {
        let candidate = candidate(&object, workload, occasion.publication.secret, budgets);
        Found { candidate, version: object.resource_version() }
    }))
}

fn candidate<K>(object: &K, workload: &Workload, secret: &str, budgets: &[PodDisruptionBudget]) -> Candidate
where
    K: Rolls + Resource,
{
    let template = object.template();
    let spec = template.and_then(|template| template.spec.as_ref());
    Candidate {
        workload: workload.clone(),
        uses_the_secret: spec.is_some_and(|spec| facts::ways(spec).contains_key(secret)),
        rollout: object.rollout(),
        restarted_for: object.annotations().get(RESTARTED_FOR).cloned().unwrap_or_default(),
        budget: template.and_then(|template| budget_that_forbids(budgets, template)),
    }
}

async fn write(client: &Client, occasion: &Occasion<'_>, found: &Found) -> Result<(), kube::Error> {
    let (client, namespace) = (client.clone(), occasion.namespace);
    match found.candidate.workload.kind {
        WorkloadKind::Deployment => patch::<Deployment>(client, namespace, occasion, found).await,
        WorkloadKind::StatefulSet => patch::<StatefulSet>(client, namespace, occasion, found).await,
        WorkloadKind::DaemonSet => patch::<DaemonSet>(client, namespace, occasion, found).await,
        _ => Ok(()),
    }
}

async fn patch<K>(client: Client, namespace: &str, occasion: &Occasion<'_>, found: &Found) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let record = record(&found.candidate.restarted_for, occasion.publication);
    let part = json!({
        "metadata": { "resourceVersion": found.version, "annotations": { RESTARTED_FOR: record } },
        // Finer than kubectl's seconds: two restarts within one would be one.
        "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: occasion.now.to_string() } } } },
    });
    let params = PatchParams { field_manager: Some(OPERATOR.to_owned()), ..PatchParams::default() };
    let api: Api<K> = Api::namespaced(client, namespace);
    // Only that it was taken matters; metadata is the shortest answer.
    api.patch_metadata(&found.candidate.workload.name, &params, &Patch::Merge(part)).await.map(|_| ())
}

#[cfg(test)]
#[path = "restart_tests.rs"]
mod tests;

//! What keeps a pod running, as a person knows it: the Deployment behind a ReplicaSet, the CronJob behind a Job.
//!
//! Asked for by metadata only, once for each owner in its life: who owns whom never changes.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::controller::error::Result;
use crate::plan::rollout::{Workload, WorkloadKind};

/// How many owners are remembered. Where more are met, all are forgotten and asked for again.
const LIMIT: usize = 4096;

/// The owners that were met, by uid.
#[derive(Default)]
pub struct Owners(Mutex<HashMap<String, Workload>>);

impl Owners {
    /// The workload behind the controller of a pod.
    pub async fn workload(&self, client: &Client, namespace: &str, owner: &OwnerReference) -> Result<Workload> {
        let Some(link) = Link::of(owner) else { return Ok(workload(owner)) };
        if let Some(known) = self.known(&owner.uid) {
            return Ok(known);
        }
        let Some(owners) = link.owners(client.clone(), namespace, owner).await? else { return Ok(workload(owner)) };
        let above = owners.iter().find(|owner| owner.controller == Some(true));
        let found = workload(above.unwrap_or(owner));
        self.remember(&owner.uid, &found);
        Ok(found)
    }

    fn known(&self, uid: &str) -> Option<Workload> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    fn remember(&self, uid: &str, workload: &Workload) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= LIMIT {
            known.clear();
        }
        known.insert(uid.to_owned(), workload.clone());
    }
}

/// The owners that are themselves made by somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    ReplicaSet,
    Job,
}

impl Link {
    fn of(owner: &OwnerReference) -> Option<Self> {
        match (group(owner), owner.kind.as_str()) {
            ("apps", "ReplicaSet") => Some(Self::ReplicaSet),
            ("batch", "Job") => Some(Self::Job),
            _ => None,
        }
    }

    async fn owners(
        self,
        client: Client,
        namespace: &str,
        owner: &OwnerReference,
    ) -> Result<Option<Vec<OwnerReference>>> {
        match self {
            Self::ReplicaSet => owners::<ReplicaSet>(client, namespace, owner).await,
            Self::Job => owners::<Job>(client, namespace, owner).await,
        }
    }
}

/// The owners of an owner; `None` where it is gone, somebody else has its name, or we may not ask.
async fn owners<K>(client: Client, namespace: &str, owner: &OwnerReference) -> Result<Option<Vec<OwnerReference>>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client, namespace);
    let found = match api.get_metadata_opt(&owner.name).await {
        Err(kube::Error::Api(status)) if status.code == 403 => None,
        answer => answer?,
    };
    let metadata = found.map(|found| found.metadata).filter(|metadata| metadata.uid.as_ref() == Some(&owner.uid));
    Ok(metadata.map(|metadata| metadata.owner_references.unwrap_or_default()))
}

fn group(owner: &OwnerReference) -> &str {
    owner.api_version.split_once('/').map_or("", |(group, _)| group)
}

fn workload(owner: &OwnerReference) -> Workload {
    let kind = match (group(owner), owner.kind.as_str()) {
        ("apps", "Deployment") => WorkloadKind::Deployment,
        ("apps", "StatefulSet") => WorkloadKind::StatefulSet,
        ("apps", "DaemonSet") => WorkloadKind::DaemonSet,
        ("batch", "CronJob") => WorkloadKind::CronJob,
        ("batch", "Job") => WorkloadKind::Job,
        (_, kind) => WorkloadKind::Other(kind.to_owned()),
    };
    Workload { kind, name: owner.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(api_version: &str, kind: &str) -> OwnerReference {
        let (name, uid) = ("orders".to_owned(), "u".to_owned());
        OwnerReference { api_version: api_version.into(), kind: kind.into(), name, uid, ..OwnerReference::default() }
    }

    #[test]
    fn kinds_of_the_same_name_in_other_groups_are_others() {
        let kind = |api_version, kind| workload(&owner(api_version, kind)).kind;
        assert_eq!(kind("apps/v1", "StatefulSet"), WorkloadKind::StatefulSet);
        assert_eq!(kind("apps.kruise.io/v1beta1", "StatefulSet"), WorkloadKind::Other("StatefulSet".into()));
        assert_eq!(kind("v1", "ReplicationController"), WorkloadKind::Other("ReplicationController".into()));
    }

    #[test]
    fn only_replica_sets_and_jobs_have_somebody_above_them() {
        assert_eq!(Link::of(&owner("apps/v1", "ReplicaSet")), Some(Link::ReplicaSet));
        assert_eq!(Link::of(&owner("batch/v1", "Job")), Some(Link::Job));
        assert_eq!(Link::of(&owner("apps/v1", "DaemonSet")), None);
        assert_eq!(Link::of(&owner("example.com/v1", "Job")), None);
    }
}

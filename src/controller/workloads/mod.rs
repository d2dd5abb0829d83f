//! Which pods use a Secret, read from the API server when it is asked for and never watched: the question arises only
//! while an old credential waits to be revoked.
//!
//! Pods are read page by page, and only what [`facts`] takes from them is kept, for a few seconds: long enough for all
//! that ask about one namespace at the same time. [`owners`] names what keeps a pod running, [`restart`] restarts it, and
//! [`rolls`] tells how far it is. Nothing is decided here: `plan::rollout` says who still uses what, and `plan::restart`
//! who is restarted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio::time::Instant;

use self::facts::Use;
use self::owners::Owners;
use super::error::Result;
use crate::plan::rollout::{PodFact, Workload};

pub mod facts;
pub mod owners;
pub mod restart;
pub mod rolls;

/// How many pods are in memory at a time.
const PAGE: u32 = 250;

/// How long a read serves others.
pub const FRESH: Duration = Duration::from_secs(3);

/// How often a list that the API server has forgotten half way is begun again.
const ATTEMPTS: usize = 3;

/// How many owners are asked for at a time.
const OWNERS_AT_A_TIME: usize = 8;

/// The pods of namespaces.
#[derive(Default)]
pub struct Workloads {
    namespaces: Mutex<HashMap<String, Arc<Namespace>>>,
    owners: Owners,
}

/// One namespace, read by one asker at a time while the others wait for what it finds.
#[derive(Default)]
struct Namespace(tokio::sync::Mutex<Option<Read>>);

/// What was read, when the reading began.
#[derive(Clone)]
struct Read {
    began: Instant,
    uses: Arc<BTreeMap<String, Vec<Use>>>,
}

impl Read {
    fn is_fresh(&self) -> bool {
        self.began.elapsed() < FRESH
    }
}

impl Workloads {
    /// All pods of a namespace that use a Secret, as they were no longer than [`FRESH`] ago, and after its content was
    /// published, so long ago: who is not among them came later and reads the newer. `None` where we may not see pods.
    pub async fn pods_using(
        &self,
        client: &Client,
        namespace: &str,
        secret: &str,
        since_published: Duration,
    ) -> Result<Option<Vec<PodFact>>> {
        let read = match self.read(client, namespace, since_published).await {
            Err(kube::Error::Api(status)) if status.code == 403 => return Ok(None),
            answer => answer?,
        };
        let uses = read.uses.get(secret).map(Vec::as_slice).unwrap_or_default();
        let workloads = self.workloads(client, namespace, uses).await?;
        let workload = |one: &Use| one.owner.as_ref().and_then(|owner| workloads.get(&owner.uid).cloned());
        Ok(Some(uses.iter().map(|one| PodFact { workload: workload(one), ..one.pod.clone() }).collect()))
    }

    /// The workloads behind the controllers of these pods, by the uids of the controllers.
    async fn workloads(&self, client: &Client, namespace: &str, uses: &[Use]) -> Result<HashMap<String, Workload>> {
        let owners: BTreeMap<String, OwnerReference> =
            uses.iter().filter_map(|one| one.owner.clone()).map(|owner| (owner.uid.clone(), owner)).collect();
        let asked = stream::iter(owners).map(|(uid, owner)| async move {
            let workload = self.owners.workload(client, namespace, &owner).await?;
            Ok((uid, workload))
        });
        asked.buffer_unordered(OWNERS_AT_A_TIME).try_collect().await
    }

    async fn read(&self, client: &Client, name: &str, since_published: Duration) -> Result<Read, kube::Error> {
        let published = Instant::now().checked_sub(since_published);
        let namespace = self.namespace(name);
        let mut last = namespace.0.lock().await;
        let is_later = |read: &Read| published.is_none_or(|published| read.began > published);
        if let Some(read) = last.as_ref().filter(|read| read.is_fresh() && is_later(read)) {
            return Ok(read.clone());
        }
        let read = read(client, name).await?;
        *last = Some(read.clone());
        Ok(read)
    }

    /// The place of a namespace. Those that nobody uses and whose time has passed are given up.
    fn namespace(&self, name: &str) -> Arc<Namespace> {
        let mut all = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, namespace| Arc::strong_count(namespace) > 1 || namespace.is_fresh());
        Arc::clone(all.entry(name.to_owned()).or_default())
    }
}

impl Namespace {
    fn is_fresh(&self) -> bool {
        // Whoever holds the lock is reading.
        self.0.try_lock().map_or(true, |last| last.as_ref().is_some_and(Read::is_fresh))
    }
}

/// Reads a namespace, as it was at one moment.
async fn read(client: &Client, namespace: &str) -> Result<Read, kube::Error> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let mut attempt = 1;
    loop {
        let began = Instant::now();
        match pages(&api).await {
            Err(kube::Error::Api(status)) if status.code == 410 && attempt < ATTEMPTS => attempt += 1,
            uses => return Ok(Read { began, uses: Arc::new(uses?) }),
        }
    }
}

async fn pages(api: &Api<Pod>) -> Result<BTreeMap<String, Vec<Use>>, kube::Error> {
    let mut found: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = api.list(&page).await?;
        for (secret, one) in list.items.iter().flat_map(facts::uses) {
            found.entry(secret).or_default().push(one);
        }
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests;

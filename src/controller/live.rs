//! The object under reconcile: its finalizer, and its status as a compare-and-swap record.
//!
//! It is read from the cache, or live where the cache is behind our own writes. Every write carries the resource version
//! of what was read, so a second replica or a stale view loses before it has an effect; an effect that no write comes
//! before is confirmed by one live read. A status that would not change is not written.

use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::{ClusterResourceScope, ObjectMeta};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Context;
use super::error::{Error, Result};
use super::versions::Versions;
use crate::api::{FINALIZER, Identity, OPERATOR, Platform, PlatformStatus, RoleBinding, RoleBindingStatus};
use crate::api::{TechnicalUser, TechnicalUserStatus};

/// A kind of ours, with what the runner must reach in it.
pub trait Kind:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The type of its status.
    type Status: Clone + Default + PartialEq + Send + Sync;
    /// The API in which this object lives.
    fn api(client: Client, namespace: Option<&str>) -> Api<Self>;
    /// Its status.
    fn status_mut(&mut self) -> &mut Option<Self::Status>;
    /// The conditions of a status, and the generation it speaks of.
    fn conditions(status: &mut Self::Status) -> (&mut Vec<Condition>, &mut Option<i64>);
    /// Whether its status records something on a platform, so that it must not vanish before that is cleaned up.
    fn holds_something(&self) -> bool;

    /// Whether it must have our finalizer and has not: somebody took it off.
    fn was_dropped(&self) -> bool {
        let held = self.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
        !held && self.meta().deletion_timestamp.is_none() && self.holds_something()
    }
}

/// An object, and the status it shall have.
pub struct Live<K: Kind> {
    api: Api<K>,
    versions: Arc<Versions>,
    object: K,
    /// Whether the API server has confirmed that the object is as we have it.
    confirmed: bool,
    /// The status as it shall be written next.
    pub status: K::Status,
}

impl<K: Kind> Live<K> {
    /// The object as the cache has it, or read from the API server if the cache is behind our own writes; `None` if it
    /// is gone.
    pub async fn of(cached: &K, context: &Context) -> Result<Option<Self>> {
        let (client, versions) = (context.client.clone(), Arc::clone(&context.versions));
        let api = K::api(client, cached.namespace().as_deref());
        let confirmed = versions.is_behind(cached.meta());
        let object = if confirmed { read(&api, cached, &versions).await? } else { Some(cached.clone()) };
        let found = object.filter(|object| object.meta().uid == cached.meta().uid);
        Ok(found.map(|mut object| {
            let status = object.status_mut().clone().unwrap_or_default();
            Self { api, versions, object, confirmed, status }
        }))
    }

    /// Makes sure that the object still is as we have it: owed before an effect that no write of ours comes before.
    pub async fn confirm(&mut self) -> Result<()> {
        if self.confirmed {
            return Ok(());
        }
        let found = read(&self.api, &self.object, &self.versions).await?;
        let known = |meta: &ObjectMeta| (meta.uid.clone(), meta.resource_version.clone());
        if found.is_none_or(|found| known(found.meta()) != known(self.object.meta())) {
            return Err(Error::LostRace);
        }
        self.confirmed = true;
        Ok(())
    }

    /// The object as it was last read or written.
    pub const fn object(&self) -> &K {
        &self.object
    }

    /// Whether the object holds our finalizer: only then may something of it exist on a platform.
    pub fn is_held(&self) -> bool {
        self.object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
    }

    /// Holds the object, so that it cannot vanish before what follows is cleaned up. Owed before the first effect.
    pub async fn hold(&mut self) -> Result<()> {
        if self.is_held() {
            return Ok(());
        }
        let finalizers = self.object.finalizers().iter().cloned().chain([FINALIZER.to_owned()]).collect();
        self.set_finalizers(finalizers).await
    }

    /// Lets the object go.
    pub async fn release(&mut self) -> Result<()> {
        let finalizers = self.object.finalizers().iter().filter(|one| *one != FINALIZER).cloned().collect();
        self.set_finalizers(finalizers).await
    }

    async fn set_finalizers(&mut self, finalizers: Vec<String>) -> Result<()> {
        let ObjectMeta { uid, resource_version, .. } = self.object.meta();
        let patch = json!({"metadata": {"uid": uid, "resourceVersion": resource_version, "finalizers": finalizers}});
        let parameters = PatchParams { field_manager: Some(format!("{OPERATOR}/finalizer")), ..PatchParams::default() };
        let written = self.api.patch(&self.object.name_any(), &parameters, &Patch::Merge(patch)).await;
        self.wrote(written)
    }

    /// Writes the status if it differs from what was read or last written. Fails with [`Error::LostRace`] if
    /// somebody else wrote the object meanwhile.
    pub async fn record(&mut self) -> Result<()> {
        if self.object.status_mut().as_ref() == Some(&self.status) {
            return Ok(());
        }
        let mut next = self.object.clone();
        *next.status_mut() = Some(self.status.clone());
        let parameters = PostParams { field_manager: Some(format!("{OPERATOR}/status")), ..PostParams::default() };
        let written = self.api.replace_status(&self.object.name_any(), &parameters, &next).await;
        self.wrote(written)
    }

    /// What was written is the newest; where another writer was first, only a live read tells what is.
    fn wrote(&mut self, written: kube::Result<K>) -> Result<()> {
        match written.map_err(Error::from) {
            Ok(written) => {
                self.versions.wrote(written.meta());
                self.object = written;
                self.confirmed = true;
                Ok(())
            }
            Err(error) => {
                self.versions.lost(self.object.meta());
                Err(error)
            }
        }
    }
}

/// One live read.
async fn read<K: Kind>(api: &Api<K>, object: &K, versions: &Versions) -> Result<Option<K>> {
    let found = api.get_opt(&object.name_any()).await.map_err(Error::Kubernetes)?;
    if let Some(found) = &found {
        versions.wrote(found.meta());
    }
    Ok(found)
}

/// The namespaced API of a kind.
fn namespaced<K>(client: Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    }
}

fn cluster_wide<K: Resource<DynamicType = (), Scope = ClusterResourceScope>>(client: Client) -> Api<K> {
    Api::all(client)
}

impl Kind for Platform {
    type Status = PlatformStatus;

    fn api(client: Client, _: Option<&str>) -> Api<Self> {
        cluster_wide(client)
    }

    fn status_mut(&mut self) -> &mut Option<PlatformStatus> {
        &mut self.status
    }

    fn conditions(status: &mut PlatformStatus) -> (&mut Vec<Condition>, &mut Option<i64>) {
        (&mut status.conditions, &mut status.observed_generation)
    }

    fn holds_something(&self) -> bool {
        // Its finalizer is put on at every reconcile.
        false
    }
}

impl Kind for TechnicalUser {
    type Status = TechnicalUserStatus;

    fn api(client: Client, namespace: Option<&str>) -> Api<Self> {
        namespaced(client, namespace)
    }

    fn status_mut(&mut self) -> &mut Option<TechnicalUserStatus> {
        &mut self.status
    }

    fn conditions(status: &mut TechnicalUserStatus) -> (&mut Vec<Condition>, &mut Option<i64>) {
        (&mut status.conditions, &mut status.observed_generation)
    }

    fn holds_something(&self) -> bool {
        let made = !matches!(self.spec.identity, Identity::Existing(_));
        let recorded = |status: &TechnicalUserStatus| {
            status.identity.is_some()
                || status.credential.is_some()
                || status.intent.is_some()
                || status.operation.is_some()
                || !status.ledger.is_empty()
        };
        made && self.status.as_ref().is_some_and(recorded)
    }
}

impl Kind for RoleBinding {
    type Status = RoleBindingStatus;

    fn api(client: Client, namespace: Option<&str>) -> Api<Self> {
        namespaced(client, namespace)
    }

    fn status_mut(&mut self) -> &mut Option<RoleBindingStatus> {
        &mut self.status
    }

    fn conditions(status: &mut RoleBindingStatus) -> (&mut Vec<Condition>, &mut Option<i64>) {
        (&mut status.conditions, &mut status.observed_generation)
    }

    fn holds_something(&self) -> bool {
        self.status.iter().flat_map(|status| &status.ledger).any(|entry| entry.owned)
    }
}

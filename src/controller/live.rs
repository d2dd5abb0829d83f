//! The object under reconcile as one live read found it: its finalizer, and its status as a compare-and-swap record.
//!
//! Every write carries the resource version of what was read, so a second replica or a stale view loses before it has
//! an effect. A status that would not change is not written.

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::{ClusterResourceScope, ObjectMeta};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::error::{Error, Result};
use crate::api::{FINALIZER, OPERATOR, Platform, PlatformStatus, RoleBinding, RoleBindingStatus};
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
}

/// An object, and the status it shall have.
pub struct Live<K: Kind> {
    api: Api<K>,
    object: K,
    /// The status as it shall be written next.
    pub status: K::Status,
}

impl<K: Kind> Live<K> {
    /// Reads the object from the API server; `None` if it is gone.
    pub async fn get(client: Client, namespace: Option<&str>, name: &str) -> Result<Option<Self>> {
        let api = K::api(client, namespace);
        let found = api.get_opt(name).await.map_err(Error::Kubernetes)?;
        Ok(found.map(|mut object| Self { api, status: object.status_mut().clone().unwrap_or_default(), object }))
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
        self.object = self.api.patch(&self.object.name_any(), &parameters, &Patch::Merge(patch)).await?;
        Ok(())
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
        self.object = self.api.replace_status(&self.object.name_any(), &parameters, &next).await?;
        Ok(())
    }
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
}

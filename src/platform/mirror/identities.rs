//! Identities and their credentials, from one picture, and the effects on them.
//!
//! Decides nothing: what an effect did is shown, and what it may have done makes the next look read again.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::part::{Part, Picture};
use super::{Mirror, leaves_doubt, unsupported};
use crate::plan::owner::Owner;
use crate::platform::{
    Credentials, Driver, Identities, Issued, Kind, NewIdentity, ObservedCredential, ObservedIdentity, Proof, Result,
};

/// Every identity of ours, and every credential.
#[derive(Default)]
pub(super) struct Known {
    by_name: BTreeMap<String, ObservedIdentity>,
    /// By the id of their identity, then by their own.
    credentials: BTreeMap<String, BTreeMap<String, ObservedCredential>>,
}

/// What we did to one of them.
pub(super) enum Write {
    Identity(ObservedIdentity),
    IdentityGone(ObservedIdentity),
    Credential(ObservedCredential),
    CredentialGone(ObservedCredential),
}

impl Known {
    fn new(identities: Vec<ObservedIdentity>, credentials: Vec<ObservedCredential>) -> Self {
        let mut known = Self::default();
        identities.into_iter().map(Write::Identity).for_each(|write| known.fold(&write));
        credentials.into_iter().map(Write::Credential).for_each(|write| known.fold(&write));
        known
    }

    fn credentials_of(&self, identity_id: &str) -> Vec<ObservedCredential> {
        self.credentials.get(identity_id).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// All that can be told of an identity, to be compared.
    fn all_of(&self, name: &str) -> Option<(&ObservedIdentity, Option<&BTreeMap<String, ObservedCredential>>)> {
        let identity = self.by_name.get(name)?;
        let credentials = self.credentials.get(&identity.id).filter(|credentials| !credentials.is_empty());
        Some((identity, credentials))
    }

    fn is_touched(&self, name: &str, touched: &BTreeSet<String>) -> bool {
        self.by_name.get(name).is_some_and(|identity| touched.contains(&identity.id))
    }
}

impl Picture for Known {
    /// Names of identities; in `touched` also their ids, since a credential knows no other.
    type Key = String;
    type Write = Write;

    fn fold(&mut self, write: &Write) {
        match write {
            Write::Identity(identity) => {
                self.by_name.insert(identity.name.clone(), identity.clone());
            }
            Write::IdentityGone(identity) => {
                self.by_name.remove(&identity.name);
                self.credentials.remove(&identity.id);
            }
            Write::Credential(credential) => {
                let of_identity = self.credentials.entry(credential.identity.clone()).or_default();
                of_identity.insert(credential.id.clone(), credential.clone());
            }
            Write::CredentialGone(credential) => {
                if let Some(of_identity) = self.credentials.get_mut(&credential.identity) {
                    of_identity.remove(&credential.id);
                }
            }
        }
    }

    fn differences(&self, newer: &Self, touched: &BTreeSet<String>) -> BTreeSet<String> {
        let names: BTreeSet<&String> = self.by_name.keys().chain(newer.by_name.keys()).collect();
        let changed = names.into_iter().filter(|name| {
            let ours = touched.contains(*name) || self.is_touched(name, touched) || newer.is_touched(name, touched);
            !ours && self.all_of(name) != newer.all_of(name)
        });
        changed.cloned().collect()
    }
}

/// The part of the mirror that shows identities and credentials, where the driver has any.
pub(super) fn part(driver: &Driver, cluster: &str) -> Option<Arc<Part<Known>>> {
    let identities = Arc::clone(driver.identities.as_ref()?);
    let credentials = driver.credentials.clone();
    let cluster: Arc<str> = cluster.into();
    Some(Part::new(Box::new(move || {
        let (identities, credentials, cluster) = (Arc::clone(&identities), credentials.clone(), Arc::clone(&cluster));
        async move {
            let list_credentials = async {
                match &credentials {
                    Some(credentials) => credentials.list(&cluster).await,
                    None => Ok(Vec::new()),
                }
            };
            let (identities, credentials) = tokio::try_join!(identities.list(&cluster), list_credentials)?;
            Ok(Known::new(identities, credentials))
        }
        .boxed()
    })))
}

impl Mirror {
    /// The identity of this name, as it was seen at most `max_age` ago.
    pub async fn identity(&self, name: &str, max_age: Duration) -> Result<Option<ObservedIdentity>> {
        self.known("look up an identity")?.look(max_age, |known| known.by_name.get(name).cloned()).await
    }

    /// The credentials of an identity, as they were seen at most `max_age` ago.
    pub async fn credentials_of(&self, identity_id: &str, max_age: Duration) -> Result<Vec<ObservedCredential>> {
        self.known("look up credentials")?.look(max_age, |known| known.credentials_of(identity_id)).await
    }

    /// [`Identities::create`], shown at once.
    pub async fn create(&self, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let call = self.identities("create an identity")?.create(wanted);
        self.effect(vec![wanted.owner.identity_name()], call, |made| Some(Write::Identity(made.clone()))).await
    }

    /// [`Identities::set_roles`], shown at once.
    pub async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let call = self.identities("set the roles of an identity")?.set_roles(identity, wanted);
        self.effect(keys_of(identity), call, |changed| Some(Write::Identity(changed.clone()))).await
    }

    /// [`Identities::delete`], shown at once.
    pub async fn delete_identity(&self, identity: &ObservedIdentity) -> Result<()> {
        let call = self.identities("delete an identity")?.delete(identity);
        self.effect(keys_of(identity), call, |()| Some(Write::IdentityGone(identity.clone()))).await
    }

    /// [`Credentials::issue`], shown at once.
    pub async fn issue(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Issued> {
        let credentials = self.credentials("issue a credential")?;
        // What the platform does not list must not be in the picture, or the next list would seem to change it.
        let made = |issued: &Issued| credentials.keeps().then(|| Write::Credential(issued.credential.clone()));
        self.effect(keys_of(identity), credentials.issue(identity, owner, name), made).await
    }

    /// [`Credentials::keeps`].
    pub fn keeps_credentials(&self) -> bool {
        self.driver.credentials.as_ref().is_some_and(|credentials| credentials.keeps())
    }

    /// [`Credentials::reveal`].
    pub async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let call = self.credentials("reveal a credential")?.reveal(credential);
        self.effect(vec![credential.identity.clone()], call, |_| None).await
    }

    /// [`Credentials::revoke`], shown at once.
    pub async fn revoke_credential(&self, credential: &ObservedCredential) -> Result<()> {
        let call = self.credentials("revoke a credential")?.revoke(credential);
        let gone = |(): &()| Some(Write::CredentialGone(credential.clone()));
        self.effect(vec![credential.identity.clone()], call, gone).await
    }

    /// [`Credentials::prove`]. Changes nothing, so there is nothing to show.
    pub async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.credentials("prove a credential")?.prove(issued).await
    }

    /// Runs a call that changes something under `keys`, and shows what it did. Whoever drops this in mid-call leaves
    /// the picture in doubt, as a lost answer does.
    async fn effect<T>(
        &self,
        keys: Vec<String>,
        call: impl Future<Output = Result<T>>,
        write: impl FnOnce(&T) -> Option<Write>,
    ) -> Result<T> {
        let effect = self.known("change an identity")?.begin(keys);
        let outcome = call.await;
        match &outcome {
            Ok(done) => {
                if let Some(write) = write(done) {
                    effect.fold(write);
                }
                effect.settle();
            }
            // What the picture shows may be gone already.
            Err(error) if leaves_doubt(error) || error.kind() == Kind::NotFound => drop(effect),
            Err(_) => effect.settle(),
        }
        outcome
    }

    fn known(&self, operation: &'static str) -> Result<&Arc<Part<Known>>> {
        self.known.as_ref().ok_or_else(|| unsupported(operation, "identities"))
    }

    fn identities(&self, operation: &'static str) -> Result<&Arc<dyn Identities>> {
        self.driver.identities.as_ref().ok_or_else(|| unsupported(operation, "identities"))
    }

    fn credentials(&self, operation: &'static str) -> Result<&Arc<dyn Credentials>> {
        self.driver.credentials.as_ref().ok_or_else(|| unsupported(operation, "credentials"))
    }
}

fn keys_of(identity: &ObservedIdentity) -> Vec<String> {
    vec![identity.name.clone(), identity.id.clone()]
}

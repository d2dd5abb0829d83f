//! Identities and their credentials, from one picture, and the effects on them.
//!
//! Decides nothing: what an effect did is shown, and what it may have done is asked of the platform at the next look.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::known::{Known, Write};
use super::part::Part;
use super::{Mirror, leaves_doubt, unsupported};
use crate::plan::owner::Owner;
use crate::platform::{
    Credentials, Driver, Health, Identities, Issued, NewIdentity, ObservedCredential, ObservedIdentity, Operation,
    Ordered, Progress, Proof, Result,
};

const LOOK: &str = "look up an identity";
const LOOK_FOR_CREDENTIALS: &str = "look up credentials";

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
            Ok(Known::new(cluster, identities, credentials))
        }
        .boxed()
    })))
}

/// What an effect that succeeded leaves in the picture.
enum Shown {
    As(Write),
    Unchanged,
    Open,
}

impl Mirror {
    /// The identities of an owner, as they were seen at most `max_age` ago: proves presence only. What a write of ours
    /// left open, and what the platform is at work on, is asked for now.
    pub async fn identities(&self, owner: &Owner, max_age: Duration) -> Result<Vec<ObservedIdentity>> {
        let (known, name) = (self.known(LOOK)?, owner.identity_name());
        if !known.is_doubted(&name) {
            let shown = known.look(max_age, &[], |known| known.identities(&name)).await?;
            if shown.iter().all(|identity| identity.health != Health::InProgress) {
                return Ok(shown);
            }
        }
        self.find_identities(owner).await
    }

    /// The credentials of an identity, as they were seen at most `max_age` ago: proves presence only. What a write of
    /// ours left open, and what the platform is at work on, is asked for now.
    pub async fn credentials_of(
        &self,
        identity: &ObservedIdentity,
        max_age: Duration,
    ) -> Result<Vec<ObservedCredential>> {
        let known = self.known(LOOK_FOR_CREDENTIALS)?;
        if !known.is_doubted(&identity.id) {
            let shown = known.look(max_age, &[], |known| known.credentials_of(&identity.id)).await?;
            if shown.iter().all(|credential| credential.health != Health::InProgress) {
                return Ok(shown);
            }
        }
        self.find_credentials(identity).await
    }

    /// Every identity of this cluster, as they were seen at most `max_age` ago; none where the platform has none to make.
    pub async fn everything(&self, max_age: Duration) -> Result<Vec<ObservedIdentity>> {
        match &self.known {
            Some(known) => known.look(max_age, &[], Known::everything).await,
            None => Ok(Vec::new()),
        }
    }

    /// [`Identities::find`], shown at once. An empty answer proves that there is nothing.
    pub async fn find_identities(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let (known, name) = (self.known(LOOK)?, owner.identity_name());
        let sight = known.sight(vec![name.clone()]);
        let found = self.identities_driver(LOOK)?.find(owner).await?;
        sight.fold(Write::Identities(name.clone(), found.clone()), &name);
        Ok(found)
    }

    /// [`Credentials::find`], shown at once. An empty answer proves that there is none.
    pub async fn find_credentials(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        let known = self.known(LOOK_FOR_CREDENTIALS)?;
        let sight = known.sight(vec![identity.id.clone()]);
        let found = self.credentials_driver(LOOK_FOR_CREDENTIALS)?.find(identity).await?;
        let owner_name = known.peek(|known| known.name_of(identity)).unwrap_or_else(|| identity.name.clone());
        sight.fold(Write::Credentials(identity.id.clone(), found.clone()), &owner_name);
        Ok(found)
    }

    /// [`Identities::create`], shown at once.
    pub async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let call = self.identities_driver("create an identity")?.create(wanted);
        let made = |made: &Ordered<ObservedIdentity>| shown(made, |made| Shown::As(Write::Identity(made.clone())));
        self.effect(vec![wanted.owner.identity_name()], call, made).await
    }

    /// [`Identities::set_roles`], shown at once.
    pub async fn set_roles(
        &self,
        identity: &ObservedIdentity,
        wanted: &NewIdentity,
    ) -> Result<Ordered<ObservedIdentity>> {
        let call = self.identities_driver("set the roles of an identity")?.set_roles(identity, wanted);
        let changed =
            |changed: &Ordered<_>| shown(changed, |one: &ObservedIdentity| Shown::As(Write::Identity(one.clone())));
        self.effect(vec![wanted.owner.identity_name(), identity.id.clone()], call, changed).await
    }

    /// [`Identities::delete`], shown at once.
    pub async fn delete_identity(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let call = self.identities_driver("delete an identity")?.delete(identity);
        let gone = |gone: &Ordered<()>| shown(gone, |()| Shown::As(Write::IdentityGone(identity.clone())));
        self.effect(self.keys_of(identity), call, gone).await
    }

    /// [`Credentials::issue`], shown at once.
    pub async fn issue(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Ordered<Issued>> {
        let credentials = self.credentials_driver("issue a credential")?;
        let show = |issued: &Issued| {
            // What the platform does not list must not be in the picture, or the next list would seem to change it.
            Shown::As(if credentials.keeps() {
                Write::Credential(issued.credential.clone())
            } else {
                Write::Identity(ObservedIdentity { credential: Some(name.to_owned()), ..identity.clone() })
            })
        };
        let call = credentials.issue(identity, owner, name);
        self.effect(vec![owner.identity_name(), identity.id.clone()], call, |issued| shown(issued, show)).await
    }

    /// [`Identities::guards_names`].
    pub fn guards_names(&self) -> bool {
        self.driver.identities.as_ref().is_some_and(|identities| identities.guards_names())
    }

    /// [`Credentials::keeps`].
    pub fn keeps_credentials(&self) -> bool {
        self.driver.credentials.as_ref().is_some_and(|credentials| credentials.keeps())
    }

    /// [`Credentials::reveal`].
    pub async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let call = self.credentials_driver("reveal a credential")?.reveal(credential);
        self.effect(vec![credential.identity.clone()], call, |_| Shown::Unchanged).await
    }

    /// [`Credentials::revoke`], shown at once.
    pub async fn revoke_credential(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let credentials = self.credentials_driver("revoke a credential")?;
        let show = |()| {
            if credentials.keeps() {
                Shown::As(Write::CredentialGone(credential.clone()))
            } else {
                // Whose the secret is now stands with the identity.
                Shown::Open
            }
        };
        let call = credentials.revoke(credential);
        self.effect(vec![credential.identity.clone()], call, |gone| shown(gone, |&gone| show(gone))).await
    }

    /// [`Identities::follow`]. What was followed is asked for anew at the next look, since it was left open when it began.
    pub async fn follow(&self, operation: &Operation) -> Result<Progress> {
        self.identities_driver("follow a change")?.follow(operation).await
    }

    /// [`Credentials::prove`]. Changes nothing, so there is nothing to show.
    pub async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.credentials_driver("prove a credential")?.prove(issued).await
    }

    /// Runs a call that changes something under `keys`, and shows what it did. Whoever drops this in mid-call leaves
    /// the picture in doubt, as a lost answer does.
    async fn effect<T>(
        &self,
        keys: Vec<String>,
        call: impl Future<Output = Result<T>>,
        show: impl FnOnce(&T) -> Shown,
    ) -> Result<T> {
        let effect = self.known("change an identity")?.begin(keys);
        let outcome = call.await;
        match outcome.as_ref().map(show) {
            Ok(Shown::As(write)) => {
                effect.fold(write);
                effect.settle();
            }
            Ok(Shown::Open) => drop(effect),
            Err(error) if leaves_doubt(error) => drop(effect),
            Ok(Shown::Unchanged) | Err(_) => effect.settle(),
        }
        outcome
    }

    /// The name under which an identity is in the picture, and its id, which is all that its credentials know.
    fn keys_of(&self, identity: &ObservedIdentity) -> Vec<String> {
        let name = self.known.as_ref().and_then(|known| known.peek(|known| known.name_of(identity)));
        vec![name.unwrap_or_else(|| identity.name.clone()), identity.id.clone()]
    }

    fn known(&self, operation: &'static str) -> Result<&Arc<Part<Known>>> {
        self.known.as_ref().ok_or_else(|| unsupported(operation, "identities"))
    }

    fn identities_driver(&self, operation: &'static str) -> Result<&Arc<dyn Identities>> {
        self.driver.identities.as_ref().ok_or_else(|| unsupported(operation, "identities"))
    }

    fn credentials_driver(&self, operation: &'static str) -> Result<&Arc<dyn Credentials>> {
        self.driver.credentials.as_ref().ok_or_else(|| unsupported(operation, "credentials"))
    }
}

/// What was found or has only begun is not known yet.
fn shown<T>(ordered: &Ordered<T>, done: impl FnOnce(&T) -> Shown) -> Shown {
    match ordered {
        Ordered::Done(what) => done(what),
        Ordered::Found | Ordered::Begun(_) => Shown::Open,
    }
}

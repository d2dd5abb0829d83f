//! Identities and their credentials, from one picture, and the effects on them.
//!
//! Decides nothing: what an effect did is shown, and what it may have done is asked of the platform at the next look.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::known::{Known, Write};
use super::leaves_doubt;
use super::part::Part;
use crate::plan::capability::Recall;
use crate::plan::owner::Owner;
use crate::platform::{
    Certificate, Error, Health, Identities, Issued, Kind, Maker, NewCredential, NewIdentity, ObservedCredential,
    ObservedIdentity, Operation, Ordered, Progress, Proof, Result,
};

/// The identities of one kind, and their credentials, as the mirror shows them.
pub struct Mirrored {
    maker: Maker,
    known: Arc<Part<Known>>,
}

/// What an effect that succeeded leaves in the picture.
enum Shown {
    As(Box<Write>),
    Unchanged,
    Open,
}

impl Shown {
    fn by(write: Write) -> Self {
        Self::As(Box::new(write))
    }
}

impl Mirrored {
    pub(super) fn new(maker: Maker, cluster: &str) -> Self {
        let cluster: Arc<str> = cluster.into();
        let Maker { identities, credentials, .. } = maker.clone();
        let known = Part::new(Box::new(move || {
            let (identities, credentials) = (identities.clone(), Arc::clone(&credentials));
            let cluster = Arc::clone(&cluster);
            async move {
                let listed = async {
                    match &identities {
                        Some(identities) => identities.list(&cluster).await,
                        None => Ok(vec![]),
                    }
                };
                let (identities, credentials) = tokio::try_join!(listed, credentials.list(&cluster))?;
                Ok(Known::new(cluster, identities, credentials))
            }
            .boxed()
        }));
        Self { maker, known }
    }

    /// Reads again, unless nobody has looked yet.
    pub(super) async fn refresh(&self) -> Result<()> {
        self.known.refresh().await
    }

    /// Names of those that others changed, since this was last asked.
    pub(super) fn take_changes(&self) -> BTreeSet<String> {
        self.known.take_changes()
    }

    /// The identities of an owner, as they were seen at most `max_age` ago: proves presence only. What a write of ours
    /// left open, and what the platform is at work on, is asked for now.
    pub async fn identities(&self, owner: &Owner, max_age: Duration) -> Result<Vec<ObservedIdentity>> {
        let (known, name) = (&self.known, owner.identity_name());
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
        let known = &self.known;
        if !known.is_doubted(&identity.id) {
            let shown = known.look(max_age, &[], |known| known.credentials_of(&identity.id)).await?;
            if shown.iter().all(|credential| credential.health != Health::InProgress) {
                return Ok(shown);
            }
        }
        self.find_credentials(identity).await
    }

    /// Every identity of this cluster, as they were seen at most `max_age` ago.
    pub async fn everything(&self, max_age: Duration) -> Result<Vec<ObservedIdentity>> {
        self.known.look(max_age, &[], Known::everything).await
    }

    /// [`crate::platform::Identities::find`], shown at once. An empty answer proves that there is nothing.
    pub async fn find_identities(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let (known, name) = (&self.known, owner.identity_name());
        let sight = known.sight(vec![name.clone()]);
        let found = self.makes()?.find(owner).await?;
        sight.fold(Write::Identities(name.clone(), found.clone()), &name);
        Ok(found)
    }

    /// [`crate::platform::Credentials::find`], shown at once. An empty answer proves that there is none.
    pub async fn find_credentials(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        let known = &self.known;
        let sight = known.sight(vec![identity.id.clone()]);
        let found = self.maker.credentials.find(identity).await?;
        let owner_name = known.peek(|known| known.name_of(identity)).unwrap_or_else(|| identity.name.clone());
        sight.fold(Write::Credentials(identity.id.clone(), found.clone()), &owner_name);
        Ok(found)
    }

    /// [`crate::platform::Identities::create`], shown at once.
    pub async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let call = self.makes()?.create(wanted);
        let made = |made: &Ordered<ObservedIdentity>| shown(made, |made| Shown::by(Write::Identity(made.clone())));
        self.effect(vec![wanted.owner.identity_name()], call, made).await
    }

    /// [`crate::platform::Identities::set_roles`], shown at once.
    pub async fn set_roles(
        &self,
        identity: &ObservedIdentity,
        wanted: &NewIdentity,
    ) -> Result<Ordered<ObservedIdentity>> {
        let call = self.makes()?.set_roles(identity, wanted);
        let changed =
            |changed: &Ordered<_>| shown(changed, |one: &ObservedIdentity| Shown::by(Write::Identity(one.clone())));
        self.effect(vec![wanted.owner.identity_name(), identity.id.clone()], call, changed).await
    }

    /// [`crate::platform::Identities::delete`], shown at once.
    pub async fn delete_identity(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let call = self.makes()?.delete(identity);
        let gone = |gone: &Ordered<()>| shown(gone, |()| Shown::by(Write::IdentityGone(identity.clone())));
        self.effect(self.keys_of(identity), call, gone).await
    }

    /// [`crate::platform::Credentials::issue`], shown at once.
    pub async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let show = |issued: &Issued| {
            // What the platform does not list must not be in the picture, or the next list would seem to change it.
            Shown::by(if self.maker.recall.is_listed() {
                Write::Credential(issued.credential.clone())
            } else {
                Write::Identity(ObservedIdentity { credential: Some(wanted.name.clone()), ..identity.clone() })
            })
        };
        let call = self.maker.credentials.issue(identity, wanted);
        self.effect(vec![wanted.owner.identity_name(), identity.id.clone()], call, |issued| shown(issued, show)).await
    }

    /// [`crate::platform::Identities::guards_names`].
    pub fn guards_names(&self) -> bool {
        self.maker.identities.as_ref().is_some_and(|identities| identities.guards_names())
    }

    /// [`crate::platform::Credentials::id_of`].
    pub fn id_of(&self, certificate: &Certificate) -> Result<String> {
        self.maker.credentials.id_of(certificate)
    }

    /// [`crate::platform::Credentials::look_up`]. Changes nothing, and is in no picture.
    pub async fn look_up(&self, id: &str) -> Result<Option<ObservedCredential>> {
        self.maker.credentials.look_up(id).await
    }

    fn makes(&self) -> Result<&dyn Identities> {
        let nothing = || Error::new(Kind::Invalid, "look up an identity").detail("nothing is made for a name");
        self.maker.identities.as_deref().ok_or_else(nothing)
    }

    /// How a credential can be had again.
    pub const fn recall(&self) -> Recall {
        self.maker.recall
    }

    /// Whether an identity is but a name, which is there without being made.
    pub const fn takes_names(&self) -> bool {
        self.maker.identities.is_none()
    }

    /// [`crate::platform::Credentials::reveal`].
    pub async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let call = self.maker.credentials.reveal(credential);
        self.effect(vec![credential.identity.clone()], call, |_| Shown::Unchanged).await
    }

    /// [`crate::platform::Credentials::revoke`], shown at once.
    pub async fn revoke_credential(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let show = |()| {
            if self.maker.recall.is_listed() {
                Shown::by(Write::CredentialGone(credential.clone()))
            } else {
                // Whose the secret is now stands with the identity.
                Shown::Open
            }
        };
        let call = self.maker.credentials.revoke(credential);
        self.effect(vec![credential.identity.clone()], call, |gone| shown(gone, |&gone| show(gone))).await
    }

    /// [`crate::platform::Identities::follow`]. What was followed is asked for anew at the next look, since it was left open when it began.
    pub async fn follow(&self, operation: &Operation) -> Result<Progress> {
        self.makes()?.follow(operation).await
    }

    /// [`crate::platform::Credentials::prove`]. Changes nothing, so there is nothing to show.
    pub async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.maker.credentials.prove(issued).await
    }

    /// Runs a call that changes something under `keys`, and shows what it did. Whoever drops this in mid-call leaves
    /// the picture in doubt, as a lost answer does.
    async fn effect<T>(
        &self,
        keys: Vec<String>,
        call: impl Future<Output = Result<T>>,
        show: impl FnOnce(&T) -> Shown,
    ) -> Result<T> {
        let effect = self.known.begin(keys);
        let outcome = call.await;
        match outcome.as_ref().map(show) {
            Ok(Shown::As(write)) => {
                effect.fold(*write);
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
        let name = self.known.peek(|known| known.name_of(identity));
        vec![name.unwrap_or_else(|| identity.name.clone()), identity.id.clone()]
    }
}

/// What was found or has only begun is not known yet.
fn shown<T>(ordered: &Ordered<T>, done: impl FnOnce(&T) -> Shown) -> Shown {
    match ordered {
        Ordered::Done(what) => done(what),
        Ordered::Found | Ordered::Begun(_) => Shown::Open,
    }
}

//! Carries out the steps of a TechnicalUser's plan. It decides nothing: each step is one effect, in the plan's order.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::observe::Seen;
use crate::api::{CredentialStatus, IdentityStatus, TechnicalUser};
use crate::controller::Context;
use crate::controller::connections::Connection;
use crate::controller::error::{Error, Result};
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::controller::secret::{Label, content};
use crate::plan::capability::{self, OwnRoles};
use crate::plan::technical_user::{SecretFact, Step, Want};
use crate::platform::{self, Health, Issued, Kind, NewIdentity, ObservedCredential, ObservedIdentity, Ordered, Proof};

/// One plan being carried out.
pub struct Execution<'a> {
    pub live: &'a mut Live<TechnicalUser>,
    pub journal: &'a mut Journal,
    pub context: &'a Context,
    pub connection: &'a Connection,
    pub want: &'a Want,
    pub seen: &'a mut Seen,
}

impl Execution<'_> {
    /// Carries out the steps in order and stops at the first that fails. Nothing is begun before the object is held.
    pub async fn carry_out(&mut self, steps: &[Step]) -> Result<()> {
        self.live.hold().await?;
        for step in steps {
            self.carry_out_one(step).await?;
        }
        Ok(())
    }

    async fn carry_out_one(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::DeleteIdentity => self.delete_identity().await,
            Step::Intend(sequence) => self.intend(*sequence).await,
            Step::ForgetRoles => self.forget_roles().await,
            Step::CreateIdentity(roles) => self.create_identity(roles).await,
            Step::SetRoles(roles) => self.set_roles(roles).await,
            Step::Issue(sequence) => self.issue(*sequence).await,
            Step::Publish(sequence) => self.restore(*sequence).await,
            Step::Dress => self.dress().await,
            Step::Revoke(name) => self.revoke(name).await,
            Step::RemoveSecret => self.remove_secret().await,
        }
    }

    async fn delete_identity(&mut self) -> Result<()> {
        if let Some(identity) = self.seen.identity.take() {
            done(self.connection.mirror.delete_identity(&identity).await?, "delete identity")?;
            self.seen.credentials.clear();
            self.journal.note("Deprovisioned", format!("removed {} and its credentials", identity.name));
        }
        Ok(())
    }

    async fn intend(&mut self, sequence: i64) -> Result<()> {
        self.live.status.intent = Some(sequence);
        self.live.record().await
    }

    async fn forget_roles(&mut self) -> Result<()> {
        if let Some(identity) = &mut self.live.status.identity {
            identity.roles = None;
        }
        self.live.record().await
    }

    async fn create_identity(&mut self, roles: &BTreeSet<String>) -> Result<()> {
        let identity = done(self.connection.mirror.create(&self.wanted(roles)).await?, "create identity")?;
        self.journal.note("Provisioned", format!("created {} with {}", identity.name, listed(roles)));
        let usable = identity.health == Health::Usable;
        self.live.status.identity = Some(status_of(&identity, Some(roles)));
        self.seen.identity = Some(identity);
        if usable { Ok(()) } else { Err(in_progress("create identity")) }
    }

    async fn set_roles(&mut self, roles: &BTreeSet<String>) -> Result<()> {
        let identity = self.identity()?;
        let changed =
            done(self.connection.mirror.set_roles(identity, &self.wanted(roles)).await?, "set roles of identity")?;
        self.journal.note("RolesChanged", format!("{} now carries {}", changed.name, listed(roles)));
        self.live.status.identity = Some(status_of(&changed, Some(roles)));
        self.seen.identity = Some(changed);
        Ok(())
    }

    async fn issue(&mut self, sequence: i64) -> Result<()> {
        let name = self.want.owner.credential_name(sequence);
        let ordered = self.connection.mirror.issue(self.identity()?, &self.want.owner, &name).await?;
        let issued = done(ordered, "issue credential")?;
        if issued.credential.health == Health::InProgress {
            return Err(in_progress("issue credential"));
        }
        self.context.metrics.issued();
        self.publish(&issued, sequence).await?;
        self.journal.note("Issued", format!("issued credential {name} and wrote it into the Secret"));
        Ok(())
    }

    /// The Secret from the platform's own copy: it was lost, or altered, or never written.
    async fn restore(&mut self, sequence: i64) -> Result<()> {
        let credential = self.credential(&self.want.owner.credential_name(sequence))?;
        let issued = self.connection.mirror.reveal(credential).await?.ok_or_else(|| in_progress("read credential"))?;
        let change = self.change();
        self.publish(&issued, sequence).await?;
        self.context.metrics.healed();
        self.journal.note("SecretRestored", format!("wrote the Secret again from the platform's copy: {change}"));
        Ok(())
    }

    /// What happened to the Secret, and who did it, as far as the API server tells.
    fn change(&self) -> String {
        let meddler = self.seen.secret.as_ref().and_then(super::super::secret::Found::meddler);
        match (&self.seen.have.secret, meddler) {
            (SecretFact::Ours { .. }, Some(manager)) => format!("it was altered by {manager}"),
            (SecretFact::Ours { .. }, None) => "it was altered".to_owned(),
            _ => "it was not there".to_owned(),
        }
    }

    /// Proves the credential once, then writes the Secret, then notes it for the status.
    async fn publish(&mut self, issued: &Issued, sequence: i64) -> Result<()> {
        let known = self.live.status.credential.clone().filter(|known| known.sequence == sequence);
        let proven = match known.as_ref().and_then(|known| known.verified_at.clone()) {
            Some(proven) => Some(proven),
            None => self.prove(issued).await?,
        };
        let label = Label { sequence, credential: &issued.credential.name };
        let secret = self.seen.secret.as_mut().ok_or(Error::LostRace)?;
        let fingerprint = secret.publish(content::content(issued), &label, &self.context.written).await?;
        let issued_at = known.map_or_else(|| Time((self.context.now)()), |known| known.issued_at);
        self.live.status.credential = Some(CredentialStatus {
            name: issued.credential.name.clone(),
            sequence,
            issued_at,
            verified_at: proven,
            fingerprint,
        });
        self.live.status.intent = None;
        Ok(())
    }

    async fn prove(&self, issued: &Issued) -> Result<Option<Time>> {
        let proof = self.connection.mirror.prove(issued).await?;
        Ok((proof == Proof::Works).then(|| Time((self.context.now)())))
    }

    async fn dress(&mut self) -> Result<()> {
        let SecretFact::Ours { fingerprint, .. } = &self.seen.have.secret else {
            return Ok(());
        };
        if let Some(secret) = &mut self.seen.secret {
            secret.dress(fingerprint, &self.context.written).await?;
            self.journal.note("SecretRestored", "put the Secret's labels and annotations right");
        }
        Ok(())
    }

    async fn revoke(&mut self, name: &str) -> Result<()> {
        let credential = self.credential(name)?;
        done(self.connection.mirror.revoke_credential(credential).await?, "revoke credential")?;
        self.journal.note("Revoked", format!("revoked credential {name}, which the Secret does not hold"));
        Ok(())
    }

    async fn remove_secret(&mut self) -> Result<()> {
        match &mut self.seen.secret {
            Some(secret) => secret.remove().await,
            None => Ok(()),
        }
    }

    fn identity(&self) -> Result<&ObservedIdentity> {
        self.seen.identity.as_ref().ok_or(Error::LostRace)
    }

    fn credential(&self, name: &str) -> Result<&ObservedCredential> {
        self.seen.credentials.iter().find(|credential| credential.name == name).ok_or(Error::LostRace)
    }

    fn wanted(&self, roles: &BTreeSet<String>) -> NewIdentity {
        let identity = self.live.object().spec.identity.clone();
        let roles_parameter = match capability::own_roles(&identity) {
            OwnRoles::Parameter(name) => Some(name),
            OwnRoles::Authorities | OwnRoles::None => None,
        };
        NewIdentity { owner: self.want.owner.clone(), identity, roles: roles.clone(), roles_parameter }
    }
}

/// Records the identity, the credential that the Secret holds, and the Secret to mount.
pub fn record(live: &mut Live<TechnicalUser>, want: &Want, seen: &Seen, now: Timestamp) {
    live.status.identity = seen.identity.as_ref().map(|identity| status_of(identity, want.roles.as_ref()));
    if live.status.credential.is_none() {
        live.status.credential = published(want, &seen.have.secret, now);
    }
    if live.status.credential.is_some() {
        live.status.binding = Some(LocalObjectReference { name: super::secret_name(live.object()).to_owned() });
    }
}

/// The credential of a Secret that was written just before we crashed: the plan found it right, the status has yet to say so.
fn published(want: &Want, secret: &SecretFact, now: Timestamp) -> Option<CredentialStatus> {
    let SecretFact::Ours { sequence: Some(sequence), fingerprint, .. } = secret else {
        return None;
    };
    Some(CredentialStatus {
        name: want.owner.credential_name(*sequence),
        sequence: *sequence,
        issued_at: Time(now),
        verified_at: None,
        fingerprint: fingerprint.clone(),
    })
}

fn status_of(identity: &ObservedIdentity, roles: Option<&BTreeSet<String>>) -> IdentityStatus {
    let id = Some(identity.id.clone()).filter(|id| *id != identity.name);
    IdentityStatus { name: identity.name.clone(), id, roles: roles.map(|roles| roles.iter().cloned().collect()) }
}

fn listed(roles: &BTreeSet<String>) -> String {
    match roles.iter().map(String::as_str).collect::<Vec<_>>().join(", ") {
        roles if roles.is_empty() => "no roles".to_owned(),
        roles => format!("roles {roles}"),
    }
}

/// What was found, or has only begun, is looked at in the next round.
fn done<T>(ordered: Ordered<T>, operation: &'static str) -> Result<T> {
    match ordered {
        Ordered::Done(what) => Ok(what),
        Ordered::Found | Ordered::Begun(_) => Err(in_progress(operation)),
    }
}

fn in_progress(operation: &'static str) -> Error {
    platform::Error::new(Kind::InProgress, operation).into()
}

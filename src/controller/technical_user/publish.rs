//! Proves a credential, writes it into the Secret, and notes it for the status: the one way from the platform to the
//! Secret.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::execute::{Execution, in_progress};
use crate::api::{CredentialStatus, MadeOf};
use crate::controller::error::{Error, Result};
use crate::controller::secret::form::Shape;
use crate::controller::secret::{Content, Found, Label, content};
use crate::plan::technical_user::{SecretFact, rotation};
use crate::platform::{Health, Issued, Proof, certificate};

impl Execution<'_> {
    /// Proves the credential once, then writes the Secret, then notes it for the status. Where the platform shows a value
    /// only once, what is about to be written is recorded first: after a crash nobody else could vouch for it.
    pub(super) async fn publish(&mut self, issued: &Issued, sequence: i64) -> Result<()> {
        if issued.credential.health == Health::InProgress {
            return Err(in_progress("issue credential"));
        }
        let made_of = made_of(issued)?;
        // What cannot be written is not proven again and again.
        let shape = Shape::of(self.live.object());
        let content = shape.content(issued)?;
        let known = self.live.status.credential.clone().filter(|known| known.sequence == sequence);
        let proven = match known.as_ref().and_then(|known| known.verified_at.clone()) {
            Some(proven) => Some(proven),
            None => self.prove(issued, sequence).await?,
        };
        self.announce(sequence, &content, &made_of).await?;
        let label = Label { sequence, credential: &issued.credential.name };
        let secret = self.seen.secret.as_mut().ok_or(Error::LostRace)?;
        let fingerprint = secret.publish(content, &label, &self.context.written).await?;
        let uid = secret.uid();
        let issued_at = known.as_ref().map_or_else(|| Time((self.context.now)()), |known| known.issued_at.clone());
        let first = self.published_first();
        let id = Some(issued.credential.id.clone()).filter(|_| self.seen.have.recall.is_listed());
        let name = issued.credential.name.clone();
        let source = self.want.brought.as_ref().map(|brought| brought.source.clone());
        self.note_published(CredentialStatus {
            name,
            id,
            sequence,
            issued_at,
            made_of,
            published_at: known.as_ref().map_or(Some(first), |known| known.published_at.clone()),
            rotate_at: known.as_ref().and_then(|known| known.rotate_at.clone()),
            rotate_every: known.as_ref().and_then(|known| known.rotate_every.clone()),
            demand: known.map_or_else(|| self.want.rotation.demand.clone(), |known| known.demand),
            verified_at: proven,
            fingerprint,
            layout: shape.layout(),
            source,
            secret: uid,
        });
        Ok(())
    }

    /// Records what is about to be written, where nobody else could vouch for it after a crash: a value that is shown only
    /// once, and one that takes another's place. That one is on record before anybody can have the new one.
    async fn announce(&mut self, sequence: i64, content: &Content, made_of: &MadeOf) -> Result<()> {
        let before = self.live.status.credential.as_ref().map(|before| before.sequence);
        let replaces = before.is_some_and(|before| before != sequence);
        let fingerprint = content::fingerprint(&content.0);
        let is_announced = self
            .live
            .status
            .intent
            .as_ref()
            .is_some_and(|intent| intent.sequence == sequence && intent.fingerprint.as_ref() == Some(&fingerprint));
        // What we wrote before we crashed is no reason to believe that nothing is new.
        if replaces && !is_announced && self.holds_already(content) {
            return Err(Error::Ineffective);
        }
        if replaces && self.seen.have.recall.is_listed() {
            super::record::superseded(&mut self.live.status, sequence);
        }
        if replaces || self.seen.have.recall.is_shown_once() {
            self.intend(sequence, Some(fingerprint), made_of.clone()).await?;
        }
        Ok(())
    }

    fn holds_already(&self, content: &Content) -> bool {
        self.seen.secret.as_ref().is_some_and(|secret| secret.holds(content))
    }

    /// The Secret holds what the intent named: we crashed before the status said so. Or it holds what it held before, of
    /// which all is on record, and only the intent is left over.
    pub(super) fn acknowledge(&mut self, sequence: i64) -> Result<()> {
        let SecretFact::Ours { fingerprint, .. } = &self.seen.have.secret else { return Err(Error::LostRace) };
        let known = self.live.status.credential.clone().filter(|known| known.sequence == sequence);
        let intent = self.live.status.intent.as_ref();
        let layout = match &known {
            Some(known) if known.fingerprint == *fingerprint => known.layout.clone(),
            _ => intent.and_then(|intent| intent.layout.clone()),
        };
        let now = Time((self.context.now)());
        let first = self.published_first();
        let known = known.unwrap_or_else(|| CredentialStatus {
            name: self.want.owner.credential_name(sequence),
            id: None,
            sequence,
            issued_at: now.clone(),
            published_at: Some(first),
            rotate_at: None,
            rotate_every: None,
            demand: self.want.rotation.demand.clone(),
            verified_at: None,
            made_of: intent.map(|intent| intent.made_of.clone()).unwrap_or_default(),
            source: None,
            layout: None,
            fingerprint: String::new(),
            secret: None,
        });
        let (fingerprint, secret) = (fingerprint.clone(), self.seen.secret.as_ref().and_then(Found::uid));
        self.note_published(CredentialStatus { fingerprint, layout, secret, ..known });
        Ok(())
    }

    /// When what stands in the Secret stood there first, by the API server's clock: ours may have been set, and starts of
    /// pods are compared with this.
    fn published_first(&self) -> Time {
        let written = self.seen.secret.as_ref().and_then(Found::written_at);
        Time(written.unwrap_or_else(|| (self.context.now)()))
    }

    fn note_published(&mut self, credential: CredentialStatus) {
        let name = super::secret_name(self.live.object()).to_owned();
        self.live.status.credential = Some(credential);
        self.live.status.binding = Some(LocalObjectReference { name });
        self.live.status.intent = None;
    }

    async fn prove(&self, issued: &Issued, sequence: i64) -> Result<Option<Time>> {
        let Proof::Works(scopes) = self.mirrored.prove(issued).await? else { return Ok(None) };
        if let (Some(scopes), Some(roles)) = (scopes, &self.want.roles) {
            let before = self.scopes_before(sequence).await?;
            let missing = rotation::not_yet_effective(roles, &before, &scopes);
            if !missing.is_empty() {
                return Err(Error::waiting("RolesNotYetEffective", not_yet(&missing)));
            }
        }
        Ok(Some(Time((self.context.now)())))
    }

    /// What the credential on record is good for that this one is to replace, where the platform lets us try.
    async fn scopes_before(&self, sequence: i64) -> Result<Vec<String>> {
        let before = self.live.status.credential.as_ref().filter(|before| before.sequence != sequence);
        let id = before.and_then(|before| before.id.as_ref());
        let Some(seen) = self.seen.credentials.iter().find(|one| Some(&one.id) == id) else { return Ok(vec![]) };
        let Some(before) = self.mirrored.reveal(seen).await? else { return Ok(vec![]) };
        // One that does not work any more is no reason to stay with it.
        match self.mirrored.prove(&before).await {
            Ok(Proof::Works(scopes)) => Ok(scopes.unwrap_or_default()),
            Ok(Proof::NotTestable) | Err(_) => Ok(vec![]),
        }
    }
}

fn made_of(issued: &Issued) -> Result<MadeOf> {
    let life = certificate::life(issued)?;
    Ok(MadeOf {
        material: issued.credential.material.clone(),
        valid_from: life.map(|life| Time(life.from)),
        expires_at: life.map(|life| Time(life.until)),
    })
}

fn not_yet(roles: &[String]) -> String {
    format!(
        "the new credential does not carry {} yet, which the one before has; it takes its place as soon as it does, and that is looked at again every few minutes",
        roles.join(", ")
    )
}

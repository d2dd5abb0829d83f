//! Proves a credential, writes it into the Secret, and notes it for the status: the one way from the platform to the
//! Secret.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::execute::{Execution, in_progress};
use crate::api::CredentialStatus;
use crate::controller::error::{Error, Result};
use crate::controller::secret::{Label, content};
use crate::plan::technical_user::SecretFact;
use crate::platform::{Health, Issued, Proof};

impl Execution<'_> {
    /// Proves the credential once, then writes the Secret, then notes it for the status. Where the platform shows a value
    /// only once, what is about to be written is recorded first: after a crash nobody else could vouch for it.
    pub(super) async fn publish(&mut self, issued: &Issued, sequence: i64) -> Result<()> {
        if issued.credential.health == Health::InProgress {
            return Err(in_progress("issue credential"));
        }
        let known = self.live.status.credential.clone().filter(|known| known.sequence == sequence);
        let proven = match known.as_ref().and_then(|known| known.verified_at.clone()) {
            Some(proven) => Some(proven),
            None => self.prove(issued).await?,
        };
        let content = content::content(issued);
        if self.seen.have.recall.is_shown_once() {
            self.intend(sequence, Some(content::fingerprint(&content.0))).await?;
        }
        let label = Label { sequence, credential: &issued.credential.name };
        let secret = self.seen.secret.as_mut().ok_or(Error::LostRace)?;
        let fingerprint = secret.publish(content, &label, &self.context.written).await?;
        let uid = secret.uid();
        let issued_at = known.map_or_else(|| Time((self.context.now)()), |known| known.issued_at);
        let id = Some(issued.credential.id.clone()).filter(|_| self.seen.have.recall.is_listed());
        let name = issued.credential.name.clone();
        let source = self.want.brought.as_ref().map(|brought| brought.source.clone());
        let published =
            CredentialStatus { name, id, sequence, issued_at, verified_at: proven, fingerprint, source, secret: uid };
        self.note_published(published);
        Ok(())
    }

    /// The Secret holds what the intent named: we crashed before the status said so.
    pub(super) fn acknowledge(&mut self, sequence: i64) -> Result<()> {
        let SecretFact::Ours { fingerprint, .. } = &self.seen.have.secret else { return Err(Error::LostRace) };
        self.note_published(CredentialStatus {
            name: self.want.owner.credential_name(sequence),
            id: None,
            sequence,
            issued_at: Time((self.context.now)()),
            verified_at: None,
            source: None,
            fingerprint: fingerprint.clone(),
            secret: self.seen.secret.as_ref().and_then(super::super::secret::Found::uid),
        });
        Ok(())
    }

    fn note_published(&mut self, credential: CredentialStatus) {
        let name = super::secret_name(self.live.object()).to_owned();
        self.live.status.credential = Some(credential);
        self.live.status.binding = Some(LocalObjectReference { name });
        self.live.status.intent = None;
    }

    async fn prove(&self, issued: &Issued) -> Result<Option<Time>> {
        let proof = self.mirrored.prove(issued).await?;
        Ok((proof == Proof::Works).then(|| Time((self.context.now)())))
    }
}

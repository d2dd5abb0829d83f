//! The one Secret of a TechnicalUser: read live, written whole, never touched when it is somebody else's.
//!
//! This is the only file that writes Secrets. Each write carries what was read: a creation fails if a Secret has
//! appeared, a replacement if it has changed.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};

use self::written::Written;
use super::error::{Error, Result};
use crate::api::{
    CREDENTIAL_ANNOTATION, FINGERPRINT_ANNOTATION, OPERATOR, SEQUENCE_ANNOTATION, SecretTemplate, TechnicalUser,
};
use crate::plan::technical_user::SecretFact;

pub mod content;
mod dress;
pub mod form;
pub mod recover;
mod template;
pub mod written;

/// The content of a Secret: values in clear. No `Debug`, so that it cannot be printed.
pub struct Content(pub BTreeMap<String, ByteString>);

/// The Secret that a TechnicalUser names, as one live read found it.
pub struct Found {
    api: Api<Secret>,
    owner: OwnerReference,
    name: String,
    template: SecretTemplate,
    /// The uid of the Secret that was written last, as the status records it.
    recorded: Option<String>,
    current: Option<Secret>,
}

/// The number and name of a credential that is to be published.
pub struct Label<'a> {
    /// The number of the issue.
    pub sequence: i64,
    /// The platform's name of the credential.
    pub credential: &'a str,
}

impl Found {
    /// Reads the Secret.
    pub async fn read(client: Client, user: &TechnicalUser, name: &str, template: SecretTemplate) -> Result<Self> {
        let api = Api::namespaced(client, &user.namespace().unwrap_or_default());
        let current = api.get_opt(name).await.map_err(Error::Kubernetes)?;
        let owner = user.controller_owner_ref(&()).ok_or(Error::LostRace)?;
        let credential = user.status.as_ref().and_then(|status| status.credential.as_ref());
        let recorded = credential.and_then(|credential| credential.secret.clone());
        Ok(Self { api, owner, name: name.to_owned(), template, recorded, current })
    }

    /// What the plan must know of it.
    pub fn fact(&self) -> SecretFact {
        let Some(secret) = &self.current else {
            return SecretFact::Absent;
        };
        // One that was stripped of its owner is known by its uid; one that was made anew is somebody else's.
        if !self.is_owned(secret) && (self.recorded.is_none() || secret.uid() != self.recorded) {
            return SecretFact::Foreign;
        }
        let annotation = |name| secret.annotations().get(name);
        SecretFact::Ours {
            sequence: annotation(SEQUENCE_ANNOTATION).and_then(|text| text.parse().ok()),
            fingerprint: secret.data.as_ref().map(content::fingerprint).unwrap_or_default(),
            claimed: annotation(FINGERPRINT_ANNOTATION).cloned(),
            dressed: self.is_owned(secret) && dress::is_right(secret, &self.template),
        }
    }

    /// What stands in it.
    pub fn content(&self) -> Option<&BTreeMap<String, ByteString>> {
        self.current.as_ref()?.data.as_ref()
    }

    /// The uid of the Secret, if there is one.
    pub fn uid(&self) -> Option<String> {
        self.current.as_ref()?.uid()
    }

    /// When it was written last, by the API server's clock.
    pub fn written_at(&self) -> Option<Timestamp> {
        let entries = self.current.as_ref()?.metadata.managed_fields.iter().flatten();
        entries.filter(|entry| dress::is_ours(entry)).filter_map(|entry| Some(entry.time.as_ref()?.0)).max()
    }

    /// Whether it holds all of this, however it is described.
    pub fn holds(&self, content: &Content) -> bool {
        let Some(data) = self.current.as_ref().and_then(|secret| secret.data.as_ref()) else { return false };
        content.0.iter().all(|(key, value)| data.get(key) == Some(value))
    }

    fn is_owned(&self, secret: &Secret) -> bool {
        secret.owner_references().iter().any(|owner| owner.uid == self.owner.uid)
    }

    /// Who else wrote the Secret last, by the field manager they gave.
    pub fn meddler(&self) -> Option<String> {
        let entries = self.current.as_ref()?.metadata.managed_fields.as_ref()?;
        let others = entries.iter().filter(|entry| !dress::is_ours(entry));
        others.max_by_key(|entry| entry.time.as_ref().map(|time| time.0))?.manager.clone()
    }

    /// Writes credential and labels in one write. Returns the fingerprint of what was written.
    pub async fn publish(&mut self, content: Content, label: &Label<'_>, written: &Written) -> Result<String> {
        let fingerprint = content::fingerprint(&content.0);
        let mut next = self.base();
        next.data = Some(content.0);
        let annotations = next.annotations_mut();
        annotations.insert(CREDENTIAL_ANNOTATION.to_owned(), label.credential.to_owned());
        annotations.insert(SEQUENCE_ANNOTATION.to_owned(), label.sequence.to_string());
        annotations.insert(FINGERPRINT_ANNOTATION.to_owned(), fingerprint.clone());
        self.write(next, written).await?;
        Ok(fingerprint)
    }

    /// Puts owner, labels and annotations right, keeping the content, which has this fingerprint.
    pub async fn dress(&mut self, fingerprint: &str, written: &Written) -> Result<()> {
        let mut next = self.base();
        next.annotations_mut().insert(FINGERPRINT_ANNOTATION.to_owned(), fingerprint.to_owned());
        self.write(next, written).await
    }

    /// Removes it, if it is still the one that was read.
    pub async fn remove(&mut self) -> Result<()> {
        let Some(secret) = self.current.take() else {
            return Ok(());
        };
        let preconditions = Preconditions { uid: secret.uid(), resource_version: secret.resource_version() };
        let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        self.api.delete(&self.name, &parameters).await?;
        Ok(())
    }

    /// The Secret to build on: what is there, with ours on it and nothing that left the template.
    fn base(&self) -> Secret {
        let mut secret = self.current.clone().unwrap_or_default();
        secret.metadata.name = Some(self.name.clone());
        secret.metadata.owner_references = Some(vec![self.owner.clone()]);
        secret.type_ = Some(self.template.kind().to_owned());
        dress::put_right(&mut secret, &self.template);
        secret.metadata.managed_fields = None;
        secret
    }

    async fn write(&mut self, mut next: Secret, written: &Written) -> Result<()> {
        self.make_room(&mut next).await?;
        let parameters = PostParams { field_manager: Some(format!("{OPERATOR}/credential")), ..PostParams::default() };
        let secret = match &self.current {
            None => self.api.create(&parameters, &next).await?,
            Some(_) => self.api.replace(&self.name, &parameters, &next).await?,
        };
        written.remember(secret.meta());
        self.current = Some(secret);
        Ok(())
    }
    /// The type of a Secret cannot be changed: one of another type, which somebody made in its place, is made anew.
    async fn make_room(&mut self, next: &mut Secret) -> Result<()> {
        if self.current.as_ref().is_some_and(|current| !dress::is_of_type(current, &self.template)) {
            self.remove().await?;
            (next.metadata.uid, next.metadata.resource_version) = (None, None);
        }
        Ok(())
    }
}

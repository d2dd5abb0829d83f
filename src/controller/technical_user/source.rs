//! The certificate that a TechnicalUser brings along: read live from the Secret that somebody else keeps, and judged before
//! anything is done with it. That Secret is never written.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use crate::api::{CredentialType, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Error, Result};
use crate::plan::technical_user::Brought;
use crate::platform::mirror::Mirrored;
use crate::platform::{Asked, KeyPair, Making};

/// The type of Secrets with a certificate: others are not watched.
pub const TYPE: &str = "kubernetes.io/tls";

/// A certificate with its key, and what the plan must know of it.
pub struct Source {
    /// For the Secret; of it the platform gets the certificate alone.
    pub pair: KeyPair,
    /// For the plan.
    pub brought: Brought,
}

/// Reads it; `None` where the identity takes none.
pub async fn read(user: &TechnicalUser, mirrored: &Mirrored, context: &Context) -> Result<Option<Source>> {
    let Some(name) = name(user) else { return Ok(None) };
    let api = Api::<Secret>::namespaced(context.client.clone(), &user.namespace().unwrap_or_default());
    let found = api.get_opt(name).await.map_err(Error::Kubernetes)?;
    let missing = || Error::waiting("SourceSecretMissing", format!("there is no Secret {name} in this namespace"));
    let pair = pair(&found.ok_or_else(missing)?, name)?;
    pair.certificate().check((context.now)()).map_err(|why| unusable(name, why))?;
    let certificate = pair.certificate();
    let id = if mirrored.recall().is_brought() { mirrored.id_of(certificate)? } else { certificate.digest() };
    let brought = Brought { id, source: pair.digest() };
    Ok(Some(Source { pair, brought }))
}

/// The Secret that a TechnicalUser takes its certificate from.
pub fn name(user: &TechnicalUser) -> Option<&str> {
    let certificate = user.spec.credential.as_ref()?.certificate.as_ref()?;
    certificate.source_secret_ref.as_ref().map(|source| source.name.as_str())
}

/// What the credential of a TechnicalUser is made of.
pub fn making(user: &TechnicalUser, pair: Option<&KeyPair>) -> Making {
    if let Some(pair) = pair {
        return Making::Brought(pair.certificate().clone());
    }
    let Some(credential) = &user.spec.credential else { return Making::Usual };
    if credential.kind != Some(CredentialType::ClientCertificate) {
        return Making::Usual;
    }
    let wanted = credential.certificate.clone().unwrap_or_default();
    let days = wanted.validity.and_then(|validity| validity.days());
    Making::Generated(Asked { days, key_length: wanted.key_length.and_then(|bits| u32::try_from(bits).ok()) })
}

impl Source {
    /// How long its certificate is still good.
    pub fn remaining(&self, context: &Context) -> Option<Duration> {
        let until = self.pair.certificate().valid_until();
        Duration::try_from(until.duration_since((context.now)())).ok()
    }
}

fn pair(secret: &Secret, name: &str) -> Result<KeyPair> {
    let kind = secret.type_.as_deref().unwrap_or("Opaque");
    if kind != TYPE {
        return Err(unusable(name, format!("it is of type {kind}, and must be of type {TYPE}")));
    }
    let entry = |key: &str| secret.data.as_ref().and_then(|data| data.get(key)).map(|bytes| bytes.0.as_slice());
    let required = |key| entry(key).unwrap_or_default();
    let read = KeyPair::read(required("tls.crt"), required("tls.key"), entry("ca.crt"));
    read.map_err(|why| unusable(name, why))
}

fn unusable(name: &str, why: impl std::fmt::Display) -> Error {
    Error::CertificateUnusable(format!("Secret {name} cannot be used: {why}"))
}

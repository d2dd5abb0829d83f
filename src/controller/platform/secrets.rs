//! The admin Secrets of a Platform: read live, at every look. Nothing of them is kept but what is in use.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use crate::api::{EXPIRES_AT_ANNOTATION, Platform};
use crate::controller::Context;
use crate::controller::error::{Error, Result};
use crate::plan::admin_credential::expiry::{End, Ends, SaidBy};
use crate::plan::digest;
use crate::platform::admin_secret::AdminSecret;

/// What the admin Secrets hold now.
pub struct Held {
    /// By name of the Secret.
    pub secrets: BTreeMap<String, AdminSecret>,
    /// By which a change of any of them is seen.
    pub fingerprint: String,
    /// When they end, as far as anybody knows.
    pub ends: Ends,
}

/// Reads them.
pub async fn held(platform: &Platform, context: &Context) -> Result<Held> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &context.namespace);
    let (mut secrets, mut ends, mut parts) = (BTreeMap::new(), Ends::default(), Vec::<Vec<u8>>::new());
    for reference in platform.spec.environment.secrets() {
        let name = &reference.name;
        let missing =
            || Error::AdminSecretMissing(format!("there is no Secret {name} in namespace {}", context.namespace));
        let secret = api.get_opt(name).await.map_err(Error::Kubernetes)?.ok_or_else(missing)?;
        let recorded = secret.annotations().get(EXPIRES_AT_ANNOTATION).cloned();
        let data: BTreeMap<String, Vec<u8>> =
            secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        parts.extend(data.iter().flat_map(|(key, value)| [key.clone().into_bytes(), value.clone()]));
        let secret = AdminSecret::parse(&data).map_err(|error| error.about(format!("Secret {name}")))?;
        note_ends(&mut ends, name, &secret, recorded.as_deref());
        secrets.insert(name.clone(), secret);
    }
    Ok(Held { secrets, fingerprint: digest::of(parts.iter().map(Vec::as_slice), 32), ends })
}

fn note_ends(ends: &mut Ends, name: &str, secret: &AdminSecret, recorded: Option<&str>) {
    if let Some((since, at)) = secret.life() {
        ends.known.insert(End { at, secret: name.to_owned(), said_by: SaidBy::Certificate(since) });
    }
    match recorded.map(|text| End::recorded(name, text)) {
        Some(Some(end)) => {
            ends.known.insert(end);
        }
        Some(None) => {
            ends.unreadable.insert(name.to_owned());
        }
        None => {}
    }
}

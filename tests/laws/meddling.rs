//! What people of the namespace do to the Secret: all that `edit` on Secrets allows them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use technical_user_operator::api::{FINGERPRINT_ANNOTATION, MANAGED_BY_LABEL, SEQUENCE_ANNOTATION};
use technical_user_operator::controller::secret::content::fingerprint;

use crate::landscape::Landscape;
use crate::manifests::{secret, technical_user};
use crate::subaccount::credentials::VALUE;

/// A deed.
#[derive(Clone, Debug)]
pub enum Meddling {
    /// The Secret is deleted.
    Delete,
    /// Its content is altered.
    Alter,
    /// Its content is altered, and its annotations describe the alteration; the sequence grows by so much.
    Forge(i64),
    /// Labels are taken off.
    Undress,
    /// Owners and labels are taken off a Secret that the record knows.
    Strip,
    /// The fingerprint is altered.
    AlterClaim,
    /// The sequence is taken off.
    DropSequence,
}

impl Meddling {
    pub fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            Just(Self::Delete),
            Just(Self::Alter),
            prop_oneof![Just(0), Just(1), Just(100), Just(i64::MAX)].prop_map(Self::Forge),
            Just(Self::Undress),
            Just(Self::Strip),
            Just(Self::AlterClaim),
            Just(Self::DropSequence),
        ]
    }

    pub fn strike(&self, landscape: &Landscape) {
        if let Self::Delete = self {
            return landscape.delete(&secret());
        }
        let store = &mut landscape.outside().kubernetes;
        let Some(old) = store.get(&secret()).cloned() else { return };
        let user = store.get(&technical_user()).cloned().unwrap_or_default();
        let patch = match self {
            Self::Delete => return,
            Self::Alter => json!({"data": {VALUE: encoded("bogus")}}),
            // Of a value that is shown once, nothing but the claim vouches until the status does.
            Self::Forge(_) if user["status"]["intent"].is_i64() => json!({"data": {VALUE: encoded("bogus")}}),
            Self::Forge(ahead) => forged(&old, *ahead),
            Self::Undress => json!({"metadata": {"labels": {MANAGED_BY_LABEL: null}}}),
            // One that nobody has on record yet is anybody's.
            Self::Strip if user["status"]["credential"]["secret"] != old["metadata"]["uid"] => return,
            Self::Strip => json!({"metadata": {"ownerReferences": null, "labels": null}}),
            Self::AlterClaim => json!({"metadata": {"annotations": {FINGERPRINT_ANNOTATION: "altered"}}}),
            Self::DropSequence => json!({"metadata": {"annotations": {SEQUENCE_ANNOTATION: null}}}),
        };
        store.merge(&secret(), &patch, false).unwrap();
    }
}

fn forged(old: &Value, ahead: i64) -> Value {
    let mut next = old.clone();
    next["data"][VALUE] = json!(encoded("bogus"));
    let typed: k8s_openapi::api::core::v1::Secret = serde_json::from_value(next.clone()).unwrap();
    let sequence =
        old["metadata"]["annotations"][SEQUENCE_ANNOTATION].as_str().and_then(|text| text.parse::<i64>().ok());
    let annotations = json!({
        FINGERPRINT_ANNOTATION: fingerprint(&typed.data.unwrap_or_default()),
        SEQUENCE_ANNOTATION: sequence.map(|sequence| sequence.saturating_add(ahead).to_string()),
    });
    json!({"metadata": {"annotations": annotations}, "data": {VALUE: encoded("bogus")}})
}

fn encoded(value: &str) -> String {
    BASE64_STANDARD.encode(value)
}

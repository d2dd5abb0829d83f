//! The certificate of a credential: where it comes from, or what is asked for.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LocalSecretRef, Span};

/// The certificate of a credential. Without `sourceSecretRef` the platform makes it, and its key.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.sourceSecretRef) || (!has(self.validity) && !has(self.keyLength))").message("a certificate with a source has the validity and the key of its source; remove validity and keyLength")
)]
pub struct CertificateSpec {
    /// A Secret of type `kubernetes.io/tls`, in this namespace, that somebody else keeps, such as cert-manager: `tls.crt`,
    /// `tls.key`, and `ca.crt` if there is one. The platform gets the certificate alone. When it is renewed, the new
    /// certificate takes the old one's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_secret_ref: Option<LocalSecretRef>,
    /// For how long a certificate is asked for that the platform makes. What it is really good for stands in
    /// `status.credential.expiresAt`. The platform has a usual time, and a longest: 30 days for most services, 365 for `it-rt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// The length of the key that the platform makes, in bits. The platform has a usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self in [2048, 4096]").message("keyLength is 2048 or 4096"))]
    pub key_length: Option<i32>,
}

/// A whole number of days, such as `30d`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
pub struct Validity(#[schemars(regex(pattern = r"^[1-9][0-9]{0,2}d$"))] String);

impl Validity {
    /// How many days; `None` for what does not follow the pattern.
    pub fn days(&self) -> Option<u64> {
        const DAY: u64 = Duration::from_hours(24).as_secs();
        let length = Span::new(self.0.as_str()).duration()?.as_secs();
        (length >= DAY && length.is_multiple_of(DAY)).then_some(length / DAY)
    }
}

/// What a credential is made of, and from when to when that is good.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MadeOf {
    /// `generated` for a certificate of the platform's making, the digest of one that was brought along. Absent where the
    /// platform keeps certificates under ids of their own, and where it is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    /// When it begins to be good, as its certificate says. Absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Time>,
    /// When it ends by itself, as its certificate says. Absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validity_is_a_number_of_days() {
        assert_eq!(Validity("30d".into()).days(), Some(30));
        assert_eq!(Validity("30h".into()).days(), None);
        assert_eq!(Validity("0d".into()).days(), None);
    }
}

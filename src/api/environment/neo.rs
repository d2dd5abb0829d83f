//! A subaccount of the Neo environment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Connection, IdentityService};
use crate::api::SecretRef;

/// A subaccount of the Neo environment.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Neo {
    /// The region's host, for example `hana.ondemand.com` or `eu2.hana.ondemand.com`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub host: String,
    /// The subaccount's technical name, not its display name.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-zA-Z0-9_-]+$"))]
    pub subaccount: String,
    /// The Secret with the platform API client of the cockpit (Security › OAuth › Platform API): `clientid` and
    /// `clientsecret`. `url` (default `https://api.<host>`) and `tokenurl` may be given too.
    pub credentials_secret_ref: SecretRef,
    /// A tenant of Cloud Identity Services that the subaccount trusts: technical users with passwords (`directoryUser`),
    /// and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_service: Option<IdentityService>,
    /// The tenant of Cloud Integration: certificates that are mapped to users (`certificateUser`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_integration: Option<CloudIntegration>,
}

/// A tenant of Cloud Integration.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CloudIntegration {
    /// The tenant management node's address, for example `https://e123456-tmn.hci.eu1.hana.ondemand.com`.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: String,
    /// The runtime node's address, which senders call. It goes into the Secrets as `url`; left out, they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub runtime_url: Option<String>,
    /// The Secret of whoever may map certificates: an OAuth client (`clientid`, `clientsecret` and `tokenurl`), a user
    /// (`username` and `password`), or a certificate (`certificate` and `key`).
    pub credentials_secret_ref: SecretRef,
}

impl Connection for Neo {
    fn name(&self) -> &'static str {
        "neo"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        let directory = self.identity_service.iter().map(|tenant| &tenant.credentials_secret_ref);
        let tenant = self.cloud_integration.iter().map(|tenant| &tenant.credentials_secret_ref).chain(directory);
        [&self.credentials_secret_ref].into_iter().chain(tenant).collect()
    }

    fn has(&self, api: &str) -> bool {
        match api {
            "cloudIntegration" => self.cloud_integration.is_some(),
            "identityService" => self.identity_service.is_some(),
            _ => false,
        }
    }
}

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
}

impl Connection for Neo {
    fn name(&self) -> &'static str {
        "neo"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        let tenant = self.identity_service.iter().map(|tenant| &tenant.credentials_secret_ref);
        [&self.credentials_secret_ref].into_iter().chain(tenant).collect()
    }

    fn has(&self, api: &str) -> bool {
        match api {
            "identityService" => self.identity_service.is_some(),
            _ => false,
        }
    }
}

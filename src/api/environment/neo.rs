//! A subaccount of the Neo environment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Connection;
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
}

impl Connection for Neo {
    fn name(&self) -> &'static str {
        "neo"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.credentials_secret_ref]
    }

    fn has(&self, _: &str) -> bool {
        false
    }
}

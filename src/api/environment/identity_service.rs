//! A tenant of Cloud Identity Services, as part of an environment whose other APIs know its users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::SecretRef;

/// A tenant of Cloud Identity Services.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IdentityService {
    /// The tenant's address, for example `https://acme.accounts.ondemand.com`.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: String,
    /// How the subaccount calls the tenant. On `btp` the origin key of its trust configuration, for example `sap.custom`;
    /// it must be given. On `neo` the user base, which is the tenant's host: it follows from `url` where left out, and is
    /// given only where `url` has a host of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub origin: Option<String>,
    /// The Secret of a system that may manage users and groups: `clientid` and `clientsecret`, or `certificate` and `key`.
    pub credentials_secret_ref: SecretRef,
}

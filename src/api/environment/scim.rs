//! A directory that speaks SCIM 2.0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Connection;
use crate::api::SecretRef;

/// A directory that speaks SCIM 2.0 (RFC 7643, RFC 7644).
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Scim {
    /// The address above `/Users` and `/Groups`, for example `https://directory.example.com/scim/v2`. Plain `http` is
    /// refused unless the host is this machine.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: String,
    /// The Secret of an administrator of users and groups: `token`; or `clientid` and `clientsecret`, with `tokenurl`
    /// where tokens are fetched with them; or `username` and `password`; or `certificate` and `key`.
    pub credentials_secret_ref: SecretRef,
}

impl Connection for Scim {
    fn name(&self) -> &'static str {
        "scim"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.credentials_secret_ref]
    }

    fn has(&self, _: &str) -> bool {
        false
    }
}

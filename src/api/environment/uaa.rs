//! A UAA that one runs oneself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Connection;
use crate::api::SecretRef;

/// A UAA that one runs oneself.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Uaa {
    /// The UAA's base URL. Plain `http` is refused unless the host is this machine.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: String,
    /// The Secret with a client that may administer clients (authorities `clients.admin` or `uaa.admin`), and for users and
    /// groups `scim.read`, `scim.write` and `password.write` too: `clientid` and `clientsecret`.
    pub credentials_secret_ref: SecretRef,
}

impl Connection for Uaa {
    fn name(&self) -> &'static str {
        "uaa"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.credentials_secret_ref]
    }

    fn has(&self, _: &str) -> bool {
        false
    }
}

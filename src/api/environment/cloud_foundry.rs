//! The Cloud Foundry environment of a subaccount, or any other Cloud Foundry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Connection;
use crate::api::SecretRef;

/// A Cloud Foundry: roles in organizations and spaces, and service keys.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CloudFoundry {
    /// The API's address, for example `https://api.cf.eu10.hana.ondemand.com`; the cockpit shows it as the API endpoint.
    /// Plain `http` is refused unless the host is this machine.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub api_url: String,
    /// The Secret with a technical user (`username`, `password` and its `origin`) or with a client of the UAA
    /// (`clientid` and `clientsecret`). `uaaurl` must be there too where the API's host does not begin with `api.`.
    pub credentials_secret_ref: SecretRef,
}

impl Connection for CloudFoundry {
    fn name(&self) -> &'static str {
        "cloudFoundry"
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        vec![&self.credentials_secret_ref]
    }

    fn has(&self, _: &str) -> bool {
        false
    }
}

//! Where a platform is and how the operator logs on to it: the environments, each in a file of its own.
//!
//! Another environment is another file and a line in each list here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

mod btp;
mod cloud_foundry;
mod identity_service;
mod neo;
mod scim;
mod uaa;

pub use btp::{ApiAccess, Btp};
pub use cloud_foundry::CloudFoundry;
pub use identity_service::IdentityService;
pub use neo::{CloudIntegration, Neo};
pub use scim::Scim;
pub use uaa::Uaa;

/// Names exactly one of these.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    /// A subaccount of the multi-environment: what belongs to the subaccount itself, wherever applications run.
    Btp(Btp),
    /// A subaccount of the Neo environment. Neo ends on 31 December 2028.
    Neo(Neo),
    /// A UAA that one runs oneself.
    Uaa(Uaa),
    /// A Cloud Foundry: its organizations, its spaces, and service keys in them.
    CloudFoundry(CloudFoundry),
    /// A directory that speaks SCIM 2.0.
    Scim(Scim),
}

/// What is asked of every environment's part of a spec.
pub trait Connection {
    /// The field's own name, as printed in columns and messages.
    fn name(&self) -> &'static str;
    /// The admin Secrets that it names.
    fn secrets(&self) -> Vec<&SecretRef>;
    /// Whether an optional API is named in it, by the name of its field.
    fn has(&self, api: &str) -> bool;
}

impl Environment {
    /// The field's own name, as printed in columns and messages.
    pub fn name(&self) -> &'static str {
        self.connection().name()
    }

    /// The admin Secrets that this environment reads.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        self.connection().secrets()
    }

    /// Whether an optional API is named in it, by the name of its field.
    pub fn has(&self, api: &str) -> bool {
        self.connection().has(api)
    }

    fn connection(&self) -> &dyn Connection {
        match self {
            Self::Btp(btp) => btp,
            Self::Neo(neo) => neo,
            Self::Uaa(uaa) => uaa,
            Self::CloudFoundry(cloud_foundry) => cloud_foundry,
            Self::Scim(scim) => scim,
        }
    }
}

//! The roles of Cloud Foundry: of an organization, and of a space in it. Their types have the API's own words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A role in an organization.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationRole {
    /// The organization's name, exactly as the platform spells it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s](?:.*[^\s])?$"))]
    pub organization: String,
    /// What its holder may do in the organization.
    #[serde(rename = "type")]
    pub kind: OrganizationRoleType,
}

/// The types of roles in an organization.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationRoleType {
    /// Belongs to the organization, which every role in one of its spaces needs.
    OrganizationUser,
    /// Sees the organization, its spaces and its members.
    OrganizationAuditor,
    /// Gives and takes all roles of the organization and its spaces.
    OrganizationManager,
    /// Has to do with billing.
    OrganizationBillingManager,
}

/// A role in a space. `organization_user` in its organization is given before it, and taken away after it if nobody else
/// needs it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct SpaceRole {
    /// The name of the space's organization, exactly as the platform spells it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s](?:.*[^\s])?$"))]
    pub organization: String,
    /// The space's name, exactly as the platform spells it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s](?:.*[^\s])?$"))]
    pub space: String,
    /// What its holder may do in the space.
    #[serde(rename = "type")]
    pub kind: SpaceRoleType,
}

/// The types of roles in a space.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "snake_case")]
pub enum SpaceRoleType {
    /// Sees what is in the space, but no credentials.
    SpaceAuditor,
    /// Makes applications, service instances and service keys, and reads their credentials.
    SpaceDeveloper,
    /// Gives and takes the roles of the space.
    SpaceManager,
    /// Looks after applications and their bindings, but makes none.
    SpaceSupporter,
}

impl OrganizationRoleType {
    /// The API's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrganizationUser => "organization_user",
            Self::OrganizationAuditor => "organization_auditor",
            Self::OrganizationManager => "organization_manager",
            Self::OrganizationBillingManager => "organization_billing_manager",
        }
    }
}

impl SpaceRoleType {
    /// The API's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SpaceAuditor => "space_auditor",
            Self::SpaceDeveloper => "space_developer",
            Self::SpaceManager => "space_manager",
            Self::SpaceSupporter => "space_supporter",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_written_in_the_words_of_the_api() {
        use OrganizationRoleType::{
            OrganizationAuditor, OrganizationBillingManager, OrganizationManager, OrganizationUser,
        };
        for kind in [OrganizationUser, OrganizationAuditor, OrganizationManager, OrganizationBillingManager] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        use SpaceRoleType::{SpaceAuditor, SpaceDeveloper, SpaceManager, SpaceSupporter};
        for kind in [SpaceAuditor, SpaceDeveloper, SpaceManager, SpaceSupporter] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}

//! The types of roles, and what each lets its holder do (cloud_controller_ng, `lib/cloud_controller/permissions.rb`).

use serde_json::{Value, json};

/// The type of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoleType {
    OrganizationUser,
    OrganizationAuditor,
    OrganizationManager,
    OrganizationBillingManager,
    SpaceAuditor,
    SpaceDeveloper,
    SpaceManager,
    SpaceSupporter,
}

use RoleType::{
    OrganizationAuditor, OrganizationBillingManager, OrganizationManager, OrganizationUser, SpaceAuditor,
    SpaceDeveloper, SpaceManager, SpaceSupporter,
};

/// All of them, with their names.
const NAMES: [(RoleType, &str); 8] = [
    (SpaceAuditor, "space_auditor"),
    (SpaceDeveloper, "space_developer"),
    (SpaceManager, "space_manager"),
    (SpaceSupporter, "space_supporter"),
    (OrganizationUser, "organization_user"),
    (OrganizationAuditor, "organization_auditor"),
    (OrganizationManager, "organization_manager"),
    (OrganizationBillingManager, "organization_billing_manager"),
];

/// Those of an organization.
pub(super) const OF_ORGANIZATIONS: &[RoleType] =
    &[OrganizationUser, OrganizationAuditor, OrganizationManager, OrganizationBillingManager];
/// Those of a space.
pub(super) const OF_SPACES: &[RoleType] = &[SpaceAuditor, SpaceDeveloper, SpaceManager, SpaceSupporter];
/// Those that change an organization.
pub(super) const MANAGES_ORGANIZATION: &[RoleType] = &[OrganizationManager];
/// Those that change a space.
pub(super) const MANAGES_SPACE: &[RoleType] = &[SpaceManager];
/// Those that change what is in a space, and read its credentials.
pub(super) const DEVELOPS: &[RoleType] = &[SpaceDeveloper];

impl RoleType {
    /// The type with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Whether it is a role in a space.
    pub(super) fn is_of_space(self) -> bool {
        OF_SPACES.contains(&self)
    }

    /// All names, as an error lists them.
    pub(super) fn names() -> Value {
        json!(NAMES.map(|(_, name)| name))
    }
}

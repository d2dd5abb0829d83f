//! The roles that a platform knows.
//!
//! Another kind of role is another type and a line in each list here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod organization;

pub use organization::{OrganizationRole, OrganizationRoleType, SpaceRole, SpaceRoleType};

/// Each names exactly one of these.
// Where and for whom each can be is added to what is said of it here, by `plan::definitions`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// A role collection of a subaccount.
    RoleCollection(RoleName),
    /// A role of a service instance, such as `ESBMessaging.send` of `it-rt`.
    InstanceRole(RoleName),
    /// A platform role of a subaccount member, such as `Developer`.
    MemberRole(RoleName),
    /// A role of an application or subscription, such as Cloud Integration.
    ApplicationRole(ApplicationRole),
    /// An authority of a client.
    Authority(AuthorityName),
    /// A role in an organization of Cloud Foundry.
    OrganizationRole(OrganizationRole),
    /// A role in a space of Cloud Foundry.
    SpaceRole(SpaceRole),
    /// Membership in a group of a directory.
    GroupMembership(GroupName),
}

impl Role {
    /// The role's own name.
    pub fn name(&self) -> &str {
        match self {
            Self::RoleCollection(role) | Self::InstanceRole(role) | Self::MemberRole(role) => &role.name,
            Self::Authority(authority) => &authority.name,
            Self::GroupMembership(membership) => &membership.group,
            Self::ApplicationRole(role) => &role.name,
            Self::OrganizationRole(role) => role.kind.name(),
            Self::SpaceRole(role) => role.kind.name(),
        }
    }

    /// Which of the kinds it is.
    pub const fn kind(&self) -> RoleKind {
        match self {
            Self::RoleCollection(_) => RoleKind::RoleCollection,
            Self::InstanceRole(_) => RoleKind::InstanceRole,
            Self::MemberRole(_) => RoleKind::MemberRole,
            Self::ApplicationRole(_) => RoleKind::ApplicationRole,
            Self::Authority(_) => RoleKind::Authority,
            Self::OrganizationRole(_) => RoleKind::OrganizationRole,
            Self::SpaceRole(_) => RoleKind::SpaceRole,
            Self::GroupMembership(_) => RoleKind::GroupMembership,
        }
    }
}

/// For people: kind, name, and where it is, if it lives anywhere.
impl std::fmt::Display for Role {
    fn fmt(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(text, "{} {}", self.kind(), self.name())?;
        match self {
            Self::ApplicationRole(role) => write!(text, " of {}", role.application),
            Self::OrganizationRole(role) => write!(text, " in {}", role.organization),
            Self::SpaceRole(role) => write!(text, " in {}/{}", role.organization, role.space),
            _ => Ok(()),
        }
    }
}

/// The kinds of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// [`Role::RoleCollection`].
    RoleCollection,
    /// [`Role::InstanceRole`].
    InstanceRole,
    /// [`Role::MemberRole`].
    MemberRole,
    /// [`Role::ApplicationRole`].
    ApplicationRole,
    /// [`Role::Authority`].
    Authority,
    /// [`Role::OrganizationRole`].
    OrganizationRole,
    /// [`Role::SpaceRole`].
    SpaceRole,
    /// [`Role::GroupMembership`].
    GroupMembership,
}

impl RoleKind {
    /// Every kind, in the order in which documents name them.
    pub const ALL: [Self; 8] = [
        Self::RoleCollection,
        Self::InstanceRole,
        Self::MemberRole,
        Self::ApplicationRole,
        Self::Authority,
        Self::OrganizationRole,
        Self::SpaceRole,
        Self::GroupMembership,
    ];

    /// The field's own name, as messages print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoleCollection => "roleCollection",
            Self::InstanceRole => "instanceRole",
            Self::MemberRole => "memberRole",
            Self::ApplicationRole => "applicationRole",
            Self::Authority => "authority",
            Self::OrganizationRole => "organizationRole",
            Self::SpaceRole => "spaceRole",
            Self::GroupMembership => "groupMembership",
        }
    }
}

impl std::fmt::Display for RoleKind {
    fn fmt(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        text.write_str(self.name())
    }
}

/// A role that its name alone identifies.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct RoleName {
    /// The role's name, exactly as the platform spells it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s;](?:[^;]*[^\s;])?$"))]
    pub name: String,
}

/// An authority of a UAA client. Authorities stand in lists that commas and spaces divide, so a name has neither.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct AuthorityName {
    /// The authority's name, exactly as the UAA spells it, for example `scim.read`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s,;]+$"))]
    pub name: String,
}

/// A group of a directory.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct GroupName {
    /// The group's name, exactly as the directory shows it.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s;](?:[^;]*[^\s;])?$"))]
    pub group: String,
}

/// A role of an application on Neo.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationRole {
    /// The application or subscription, for example `<prefix>iflmap` for the runtime of Cloud Integration.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub application: String,
    /// The account that owns the application. Needed for subscriptions; left out for applications of the subaccount itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub provider: Option<String>,
    /// The role's name, for example `ESBMessaging.send`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s;](?:[^;]*[^\s;])?$"))]
    pub name: String,
}

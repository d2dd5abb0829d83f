//! Who may use a Platform, as what, and for which roles. No rule, no access.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one_of::exactly_one_each;
use super::{IdentityKind, RoleKind};

/// One rule of a Platform's `access` list: what TechnicalUsers and RoleBindings of these namespaces may be and grant.
///
/// In every text of a rule `*` stands for any run of characters, except where it says so. What administers the platform
/// itself (such as `xsuaa`/`apiaccess`, any plan of `service-manager`, the role collection `Subaccount
/// Administrator`, or `space_developer`) is never meant by a `*`: it must be spelled out.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.identities) || has(self.grants) || (has(self.orphan) && self.orphan)").message("a rule allows something: name identities, grants or orphan: true"),
    validation = Rule::new("has(self.namespaces.names) || has(self.namespaces.selector)").message("a rule speaks of somebody: name namespaces.names or namespaces.selector")
)]
pub struct AccessRule {
    /// The namespaces that this rule speaks of, by name or by label.
    pub namespaces: NamespaceChoice,
    /// The identities that TechnicalUsers of these namespaces may be. None listed: none allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = exactly_one_each::<IdentityPattern>("identity"))]
    pub identities: Vec<IdentityPattern>,
    /// The roles that RoleBindings of these namespaces may grant, each with whom to. None listed: none allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64))]
    pub grants: Vec<GrantRule>,
    /// Whether objects of these namespaces may leave on the platform what they made: `deletionPolicy: Orphan`. They may
    /// not where left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub orphan: bool,
}

/// Namespaces, by name or by label. A namespace is chosen if either part chooses it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceChoice {
    /// Names of namespaces, spelled out: `*` has no meaning here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 256), inner(length(min = 1, max = 63)))]
    pub names: Vec<String>,
    /// Labels that a namespace must carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,
}

/// Chooses namespaces by their labels.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Every one of these labels must be there with exactly this value.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16))]
    pub match_labels: BTreeMap<String, String>,
}

/// An identity that TechnicalUsers may be. Names exactly one of these.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum IdentityPattern {
    /// A service key of this offering and plan, in such a space.
    ServiceKey(ServiceKeyPattern),
    /// A client of the Platform's own UAA.
    OauthClient(AnyOauthClient),
    /// A user that is made in a directory. Only there is its name its namespace's to choose.
    DirectoryUser(DirectoryUserPattern),
    /// A user that a certificate is mapped to: whoever may choose the name *is* that user, with every role that it has. Its
    /// roles are grants to a user of that name: `grants` must allow those too.
    CertificateUser(CertificateUserPattern),
    /// A user that somebody else made. Its roles are grants to a user of that name: `grants` must allow those too.
    Existing(ExistingPattern),
}

impl IdentityPattern {
    /// The kind of identity that it speaks of.
    pub const fn kind(&self) -> IdentityKind {
        match self {
            Self::ServiceKey(_) => IdentityKind::ServiceKey,
            Self::OauthClient(_) => IdentityKind::OauthClient,
            Self::DirectoryUser(_) => IdentityKind::DirectoryUser,
            Self::CertificateUser(_) => IdentityKind::CertificateUser,
            Self::Existing(_) => IdentityKind::Existing,
        }
    }
}

/// Service keys by offering and plan, and by space where there are spaces.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceKeyPattern {
    /// The service offering, for example `it-rt`; `*` may be used.
    #[schemars(length(min = 1, max = 128))]
    pub offering: String,
    /// The service plan, for example `integration-flow`; `*` may be used.
    #[schemars(length(min = 1, max = 128))]
    pub plan: String,
    /// The spaces of Cloud Foundry that the key may be in. Left out: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpacePattern>,
}

/// Spaces of Cloud Foundry by name.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SpacePattern {
    /// The organization's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub organization: String,
    /// The space's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

/// Every client of the UAA that a TechnicalUser has made for itself: `{}`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
pub struct AnyOauthClient {}

/// Users to be made in a directory, by name.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryUserPattern {
    /// The user's name, for example `tu-orders-*`; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub user_name: String,
    /// The e-mail address that a TechnicalUser may name for it, for example `tu-*@acme.example`; `*` may be used. Left out:
    /// none, and the user gets an address that nobody has. Where users are known by their addresses, as on `btp`, whoever
    /// names one has what that address was granted: allow only addresses that belong to nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub email: Option<String>,
}

/// Users that certificates are mapped to, by name.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CertificateUserPattern {
    /// The user's name, for example `tu-orders-*`; `*` may be used, and not alone. Allow only names that belong to nobody
    /// else.
    #[schemars(length(min = 1, max = 150), regex(pattern = r"[^*]"))]
    pub user_name: String,
}

/// Existing users by name and identity provider.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExistingPattern {
    /// The user's name, for example `oauth_client_*`; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub user_name: String,
    /// The identity provider; `*` may be used. Left out: the platform's default one, as in a TechnicalUser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub origin: Option<String>,
}

/// Roles, and whom they may be granted to: any of these roles to any of these holders.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GrantRule {
    /// The roles. Each pattern speaks of one kind of role, at the places that it names.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = exactly_one_each::<RolePattern>("role"))]
    pub roles: Vec<RolePattern>,
    /// Whom to.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = exactly_one_each::<HolderPattern>("holder"))]
    pub to: Vec<HolderPattern>,
}

/// Roles of one kind. Names exactly one of these.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum RolePattern {
    /// Role collections of the subaccount.
    RoleCollection(NamePattern),
    /// Roles that instances of one offering take.
    InstanceRole(InstanceRolePattern),
    /// Platform roles of members.
    MemberRole(NamePattern),
    /// Roles of an application or subscription.
    ApplicationRole(ApplicationRolePattern),
    /// Authorities of clients.
    Authority(NamePattern),
    /// Roles in organizations of Cloud Foundry.
    OrganizationRole(OrganizationRolePattern),
    /// Roles in spaces of Cloud Foundry, with `organization_user` in their organizations, which they need.
    SpaceRole(SpaceRolePattern),
    /// Memberships in groups of a directory.
    GroupMembership(GroupPattern),
}

impl RolePattern {
    /// The kind of role that it speaks of.
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

/// Roles that their names alone identify.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamePattern {
    /// The role's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

/// Groups of a directory.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GroupPattern {
    /// The group's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub group: String,
}

/// Roles of service instances.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRolePattern {
    /// The service offering whose instances carry the role, for example `it-rt`; `*` may be used.
    #[schemars(length(min = 1, max = 128))]
    pub offering: String,
    /// The role's name, for example `ESBMessaging.*`; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

/// Roles of applications on Neo. Neo keeps their users by name alone, in whichever user base: a holder pattern for them
/// leaves `origin` out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationRolePattern {
    /// The application or subscription; `*` may be used.
    #[schemars(length(min = 1, max = 128))]
    pub application: String,
    /// The account that owns the application; `*` may be used. Left out: applications of the subaccount itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub provider: Option<String>,
    /// The role's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

/// Roles in organizations of Cloud Foundry.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationRolePattern {
    /// The organization's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub organization: String,
    /// The role's type, for example `organization_auditor`; `*` may be used, and never means `organization_manager`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub kind: String,
}

/// Roles in spaces of Cloud Foundry.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SpaceRolePattern {
    /// The name of the space's organization; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub organization: String,
    /// The space's name; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub space: String,
    /// The role's type, for example `space_auditor`; `*` may be used, and never means `space_manager` or
    /// `space_developer`, who reads every credential of the space.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub kind: String,
}

/// Whom a role may be granted to. Names exactly one of these.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum HolderPattern {
    /// TechnicalUsers of the namespace whose identity the operator makes: `{}`. One that is `existing` or a
    /// `certificateUser` is a user.
    TechnicalUser(OwnTechnicalUser),
    /// Users of an identity provider, also those that a TechnicalUser names as `existing` or as `certificateUser`.
    User(PrincipalPattern),
    /// Groups of an identity provider.
    Group(PrincipalPattern),
}

/// Every TechnicalUser of the namespace whose identity the operator makes: `{}`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnTechnicalUser {}

/// Users or groups by name and identity provider.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalPattern {
    /// The name, for example `*@acme.example`; `*` may be used.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The identity provider; `*` may be used. Left out: the platform's default one, as in a RoleBinding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub origin: Option<String>,
}

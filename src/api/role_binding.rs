//! RoleBinding: who shall have which roles on a platform.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one_of::exactly_one_each;
use super::{DeletionPolicy, PlatformRef, Role, TechnicalUserRef};

/// Who shall have which roles: every subject gets every role.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "technicaluser.dev",
    version = "v1alpha1",
    kind = "RoleBinding",
    plural = "rolebindings",
    namespaced,
    shortname = "trb",
    status = "RoleBindingStatus",
    derive = "PartialEq",
    doc = "A RoleBinding gives roles on a platform to technical users, users or groups: every subject gets every role. Only what it granted itself is ever taken away. With kubectl use the short name trb: RBAC owns the plain word.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Platform","type":"string","jsonPath":".spec.platformRef.name"}"#,
    printcolumn = r#"{"name":"Granted","type":"string","jsonPath":".status.granted"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Message","type":"string","priority":1,"jsonPath":".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.deletionPolicy != 'Orphan' || self.roles.all(role, !has(role.instanceRole) && !has(role.authority))").message("deletionPolicy Orphan cannot keep an instanceRole or an authority: they are part of the technical user's own instance or client; use Delete")
)]
pub struct RoleBindingSpec {
    /// The Platform on which the roles are granted. Cannot be changed.
    #[x_kube(validation = Rule::new("self == oldSelf").message("platformRef cannot be changed; make a new RoleBinding"))]
    pub platform_ref: PlatformRef,
    /// Who gets the roles. At least one.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = exactly_one_each::<Subject>("subject"))]
    #[x_kube(validation = Rule::new("self.all(one, self.exists_one(other, other == one))").message("a subject is listed twice; list each once"))]
    pub subjects: Vec<Subject>,
    /// The roles they get. At least one.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = exactly_one_each::<Role>("role"))]
    #[x_kube(validation = Rule::new("self.all(one, self.exists_one(other, other == one))").message("a role is listed twice; list each once"))]
    pub roles: Vec<Role>,
    /// What happens to the grants when this object is deleted: `Delete` (the default) takes away those it made, `Orphan` leaves them.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// Each names exactly one of these.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A TechnicalUser of this namespace.
    TechnicalUser(TechnicalUserRef),
    /// A user of an identity provider.
    User(Principal),
    /// A group of an identity provider (environment `btp`).
    Group(Principal),
}

/// A user or group as the platform knows it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// Its name at the identity provider, for example an e-mail address.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s<>:/;](?:[^<>:/;]*[^\s<>:/;])?$"))]
    pub name: String,
    /// The identity provider. On `btp` an origin key, `sap.default` where left out; on `neo` the user base,
    /// `accounts.sap.com` where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub origin: Option<String>,
}

/// How far a RoleBinding has come.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
// Until the operator has seen an object there is a generation that it has not observed: without this kstatus would take
// an object without status for finished.
#[schemars(extend("default" = {"observedGeneration": -1}))]
#[serde(rename_all = "camelCase")]
pub struct RoleBindingStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many of the wanted grants are in force, for example `3/4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<String>,
    /// A line for each subject and role, for people: the operator never reads it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleLine>,
    /// The operator's record of the grants that this RoleBinding holds or is about to hold. Only the operator writes it;
    /// what stands here as made by it is taken away when nobody wants it any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerEntry>,
    /// In mode `Observe`: what would be done, a line a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<String>,
    /// `Ready`, `Reconciling` and `Stalled`, as kstatus reads them.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// One subject, one role, and where that grant stands.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RoleLine {
    /// Who gets the role.
    pub subject: Subject,
    /// The role.
    pub role: Role,
    /// Where the grant stands.
    pub state: GrantState,
    /// The user or group on the platform that the subject stands for, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// What stands in the way, if anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// One grant that a RoleBinding holds or is about to hold.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// Who holds the role on the platform.
    pub holder: HolderRecord,
    /// The role.
    pub role: Role,
    /// Whether this RoleBinding made the grant, or is about to: only then will it ever take it away.
    pub owned: bool,
    /// Whether it still wants the grant. What it does not want it is letting go of.
    pub wanted: bool,
    /// Since when the Platform's access rules do not allow this grant any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_since: Option<Time>,
}

/// A user or group as the platform knows it, aliases and defaults resolved.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct HolderRecord {
    /// `User` or `Group`.
    pub kind: HolderKind,
    /// Its name at the identity provider.
    pub name: String,
    /// The identity provider.
    pub origin: String,
}

/// Whether a user or a group of an identity provider holds a role.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolderKind {
    /// A user.
    User,
    /// A group, whose members get the role when they log on.
    Group,
}

/// Where one grant stands.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantState {
    /// In force.
    Granted,
    /// On its way: about to be granted or taken away, or waiting for something.
    Pending,
    /// In force since before we came; it will never be taken away by us.
    PreExisting,
    /// The Platform's access rules do not allow it.
    Denied,
    /// It can never be as it is written, or the platform refused it.
    Failed,
}

//! Who may use a Platform, as what, and for which roles. No rule, no access.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One rule of a Platform's `access` list. A request is allowed if one rule allows all of it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AccessRule {
    /// The namespaces that this rule speaks of, by name or by label.
    pub namespaces: NamespaceChoice,
    /// The identities that TechnicalUsers of these namespaces may be. None listed: none allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub identities: Vec<IdentityKind>,
    /// The subjects that RoleBindings of these namespaces may name. Left out: `technicalUser` only.
    #[serde(default = "technical_user_only")]
    #[schemars(length(max = 3))]
    pub subjects: Vec<SubjectKind>,
    /// The roles that RoleBindings of these namespaces may grant; `*` stands for any run of characters. None listed: none allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub roles: Vec<String>,
}

fn technical_user_only() -> Vec<SubjectKind> {
    vec![SubjectKind::TechnicalUser]
}

/// Namespaces, by name or by label. A namespace is chosen if either part chooses it; an empty choice chooses none.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceChoice {
    /// Names of namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 63)))]
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

/// The kinds of identity a TechnicalUser can be, as `access` names them.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum IdentityKind {
    /// A service key.
    ServiceKey,
    /// A client of a UAA.
    OauthClient,
    /// A user that exists already.
    Existing,
}

/// The kinds of subject a RoleBinding can name, as `access` names them.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum SubjectKind {
    /// A TechnicalUser of the same namespace.
    TechnicalUser,
    /// A user of an identity provider, by name.
    User,
    /// A group of an identity provider, by name.
    Group,
}

//! Platform: one connection to a platform, and the policy for its use.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one_of::exactly_one;
use super::{AccessRule, Environment, Span};

/// One connection to a platform, and who may use it for what. Owned by the people who run the cluster.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "technicaluser.dev",
    version = "v1alpha1",
    kind = "Platform",
    plural = "platforms",
    shortname = "btpp",
    status = "PlatformStatus",
    derive = "PartialEq",
    doc = "A Platform is one connection to a platform, such as a subaccount of SAP BTP, and the policy for its use. Its admin credentials are Secrets in the operator's namespace. TechnicalUsers and RoleBindings name it in platformRef.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Environment","type":"string","jsonPath":".status.environment"}"#,
    printcolumn = r#"{"name":"Expires","type":"string","jsonPath":".status.expiresAt"}"#,
    printcolumn = r#"{"name":"RightsMissing","type":"string","jsonPath":".status.conditions[?(@.type==\"RightsMissing\")].status"}"#,
    printcolumn = r#"{"name":"Mode","type":"string","jsonPath":".spec.mode"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Message","type":"string","priority":1,"jsonPath":".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct PlatformSpec {
    /// Where the platform is and how the operator logs on to it.
    #[x_kube(validation = exactly_one::<Environment>())]
    pub environment: Environment,
    /// Who may use this Platform, as what, and for which roles. Left out: nobody may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub access: Vec<AccessRule>,
    /// Service offerings, by name, whose instances take roles as a parameter, beyond those that the operator knows:
    /// `it-rt`, which cannot be listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    #[x_kube(validation = Rule::new("!('it-rt' in self)").message("it-rt is known: its parameter is roles"))]
    pub offerings: BTreeMap<String, Offering>,
    /// How long after a rule stops allowing something it is taken away. It is announced at once, so that a typing
    /// mistake in a rule can be taken back before it takes production down. 10m where left out.
    #[serde(default = "ten_minutes")]
    pub withdrawal_grace: Span,
    /// `Enforce` (the default) brings the platform to what the manifests say. `Observe` changes nothing and says in each object's
    /// `status.plan` what it would do.
    #[serde(default)]
    pub mode: Mode,
    /// How often the platform is read in whole, so that changes made behind the operator's back are put right. At least 5s; 15m where left out.
    #[serde(default = "fifteen_minutes")]
    #[x_kube(validation = Rule::new("duration(self.endsWith('d') ? '24h' : self) >= duration('5s')").message("resyncInterval must be at least 5s"))]
    pub resync_interval: Span,
}

/// What the operator must know of a service offering.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Offering {
    /// Name of the instance parameter that takes a list of role names. RoleBindings fill it in; nobody else can.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub roles_parameter: String,
}

fn ten_minutes() -> Span {
    Span::new("10m")
}

fn fifteen_minutes() -> Span {
    Span::new("15m")
}

/// Whether the operator acts or only says what it would do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Bring the platform to what the manifests say.
    #[default]
    Enforce,
    /// Change nothing; `status.plan` says what would be done.
    Observe,
}

/// What the operator found out about a Platform.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
// Until the operator has seen an object there is a generation that it has not observed: without this kstatus would take
// an object without status for finished.
#[schemars(extend("default" = {"observedGeneration": -1}))]
#[serde(rename_all = "camelCase")]
pub struct PlatformStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The field of `spec.environment` that is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the platform is: the subaccount, zone or address that the admin credential led to when the operator first
    /// connected. A credential that leads elsewhere stops everything until somebody accepts the new place with the
    /// annotation `technicaluser.dev/accept-place: <place>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// When the first of the admin credentials in use ends: its certificate, or as the annotation
    /// `technicaluser.dev/expires-at` of its Secret says. Left out where no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The admin Secret that holds the credential which ends at `expiresAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiring_secret: Option<String>,
    /// Identities on the platform that carry this cluster's mark and whose TechnicalUser is gone; at most 32 of them.
    /// They are never removed by themselves: the annotation `technicaluser.dev/remove-unclaimed: <name>` removes one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclaimed: Vec<Unclaimed>,
    /// `Ready`, `Reconciling` and `Stalled`, as kstatus reads them. While there is something to say of the admin
    /// credentials also `AdminSecretRejected`, `CredentialExpiring` and `RightsMissing`.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// An identity on the platform whose TechnicalUser is gone.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct Unclaimed {
    /// Its name on the platform.
    pub name: String,
    /// The namespace of the TechnicalUser that it was made for, as its mark says.
    pub namespace: String,
    /// The TechnicalUser that it was made for, as its mark says.
    pub technical_user: String,
}

//! TechnicalUser: an identity that software logs on with, and the Secret with its credential.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one_of::exactly_one;
use super::rotation::{OnLoss, Restart, RotationSpec, SupersededStatus};
use super::{CertificateSpec, Form, Identity, LayoutStatus, MadeOf, Mode, PlatformRef, Principal, SecretTemplate};

/// What the TechnicalUser shall be.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "technicaluser.dev",
    version = "v1alpha1",
    kind = "TechnicalUser",
    plural = "technicalusers",
    namespaced,
    shortname = "tu",
    status = "TechnicalUserStatus",
    derive = "PartialEq",
    doc = "A TechnicalUser is an identity on a platform that software, not a person, logs on with. The operator makes the identity, issues a credential, proves that it works and writes it into one Secret, which it keeps right. Roles come from RoleBindings.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Platform","type":"string","jsonPath":".spec.platformRef.name"}"#,
    printcolumn = r#"{"name":"Secret","type":"string","jsonPath":".status.binding.name"}"#,
    printcolumn = r#"{"name":"Sequence","type":"integer","priority":1,"jsonPath":".status.credential.sequence"}"#,
    printcolumn = r#"{"name":"Issued","type":"date","jsonPath":".status.credential.issuedAt"}"#,
    printcolumn = r#"{"name":"Rotates","type":"string","priority":1,"jsonPath":".status.credential.rotateAt"}"#,
    printcolumn = r#"{"name":"Expires","type":"string","priority":1,"jsonPath":".status.credential.expiresAt"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Message","type":"string","priority":1,"jsonPath":".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.identity.existing) || !has(self.credential)").message("an existing identity takes no credential, since nobody can issue one for it; remove credential"),
    validation = Rule::new("has(self.identity.existing) || has(self.credential)").message("name the Secret for the credential in credential.secretName"),
    validation = Rule::new("!has(self.identity.certificateUser) || !has(self.credential) || (has(self.credential.certificate) && has(self.credential.certificate.sourceSecretRef))").message("name the Secret with the certificate in credential.certificate.sourceSecretRef"),
    validation = Rule::new("has(self.identity.certificateUser) || !has(self.credential) || !has(self.credential.certificate) || (has(self.credential.type) && self.credential.type == 'ClientCertificate')").message("a certificate belongs to the type ClientCertificate; set credential.type, or remove credential.certificate"),
    validation = Rule::new("!has(self.credential) || !has(self.credential.type) || self.credential.type in (has(self.identity.serviceKey) ? ['ClientSecret', 'ClientCertificate'] : has(self.identity.oauthClient) ? ['ClientSecret'] : has(self.identity.directoryUser) ? ['Password'] : ['ClientCertificate'])").message("credential.type is ClientSecret or ClientCertificate for a serviceKey, ClientSecret for an oauthClient, Password for a directoryUser, and ClientCertificate for a certificateUser")
)]
pub struct TechnicalUserSpec {
    /// The Platform on which the identity lives. Cannot be changed.
    #[x_kube(validation = Rule::new("self == oldSelf").message("platformRef cannot be changed; make a new TechnicalUser"))]
    pub platform_ref: PlatformRef,
    /// What this technical user is for, for the people who find it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub description: Option<String>,
    /// What the technical user is on the platform. Cannot be changed.
    #[x_kube(validation = exactly_one::<Identity>())]
    #[x_kube(validation = Rule::new("self == oldSelf").message("identity cannot be changed; make a new TechnicalUser"))]
    pub identity: Identity,
    /// The credential, and the Secret it is written to. Required unless the identity is `existing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialSpec>,
    /// What happens on the platform when this object is deleted: `Delete` (the default) removes what the operator made,
    /// `Orphan` leaves it. The Secret goes in either case.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// `Observe` changes nothing but what must go, and says in `status.plan` what it would do. What the Platform's rules
    /// no longer allow goes all the same, and so does everything when the object is deleted.
    #[serde(default)]
    pub mode: Mode,
}

/// The credential and its Secret.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.certificate) || !has(self.certificate.sourceSecretRef) || !has(self.rotation) || !has(self.rotation.every)").message("a certificate with a source is replaced when its source Secret is; remove rotation.every"),
    validation = Rule::new("!has(self.certificate) || !has(self.certificate.sourceSecretRef) || self.certificate.sourceSecretRef.name != self.secretName").message("secretName and certificate.sourceSecretRef are two Secrets: one is written, the other is only read"),
    validation = Rule::new("(has(self.secretTemplate) && has(self.secretTemplate.type) ? self.secretTemplate.type : 'Opaque') == (has(oldSelf.secretTemplate) && has(oldSelf.secretTemplate.type) ? oldSelf.secretTemplate.type : 'Opaque')").message("the type of a Secret cannot be changed; make a new TechnicalUser"),
    validation = Rule::new("self.form == 'Flat' || !has(self.secretTemplate) || ((!has(self.secretTemplate.omit) || !('type' in self.secretTemplate.omit)) && (!has(self.secretTemplate.rename) || !('type' in self.secretTemplate.rename)))").message("readers of .metadata find a binding by its key type, which can be renamed or omitted with form: Flat only"),
    validation = Rule::new("self.form != 'Json' || !has(self.secretTemplate) || !has(self.secretTemplate.omit) || !('credentials' in self.secretTemplate.omit)").message("with form: Json the key credentials is the credential; it cannot be omitted")
)]
pub struct CredentialSpec {
    /// What the technical user logs on with. A `serviceKey` has a `ClientSecret` (the default) or a `ClientCertificate`, and
    /// is moved from one to the other as by a rotation. The other identities have but one type: `oauthClient` a
    /// `ClientSecret`, `directoryUser` a `Password`, `certificateUser` a `ClientCertificate`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<CredentialType>,
    /// The Secret, in this namespace, that the credential is written to. It must not exist, or be this TechnicalUser's. Cannot be changed.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("secretName cannot be changed while workloads use the Secret; make a new TechnicalUser"))]
    pub secret_name: String,
    /// How the credential stands in the Secret. A changed form is written anew; no credential is issued for it.
    #[serde(default)]
    pub form: Form,
    /// Labels, annotations and type of the Secret, and its keys beside and instead of the credential's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_template: Option<SecretTemplate>,
    /// Where the certificate comes from, and what is asked for. Required for a `certificateUser`; with a `serviceKey` it goes
    /// with the type `ClientCertificate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateSpec>,
    /// When the credential is replaced, and how long the one before stays in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationSpec>,
    /// What happens when a value is lost that the platform shows only once: `Reissue` (the default) issues a new credential,
    /// `Block` waits for somebody to ask for one with the annotation `technicaluser.dev/rotate`.
    #[serde(default)]
    pub on_loss: OnLoss,
    /// `RolloutRestart` restarts the Deployments, StatefulSets and DaemonSets that read the Secret only when they start
    /// (`env`, `envFrom`, `subPath`), one at a time and once for each new credential. Not those that are paused, are rolling
    /// already, or have a PodDisruptionBudget that allows none. The chart gives the right only with `restartWorkloads`.
    #[serde(default)]
    pub restart: Restart,
}

/// What a technical user logs on with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialType {
    /// An id and a secret.
    ClientSecret,
    /// A certificate with its private key.
    ClientCertificate,
    /// A user name and a password.
    Password,
}

/// What happens on the platform when the Kubernetes object is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// What the operator made is removed.
    #[default]
    Delete,
    /// Everything stays on the platform as it is.
    Orphan,
}

/// What the operator did for a TechnicalUser. Never a credential's value.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
// Until the operator has seen an object there is a generation that it has not observed: without this kstatus would take
// an object without status for finished.
#[schemars(extend("default" = {"observedGeneration": -1}))]
#[serde(rename_all = "camelCase")]
pub struct TechnicalUserStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The Secret to mount: the Provisioned Service duck type of servicebinding.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<LocalObjectReference>,
    /// The identity on the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityStatus>,
    /// The credential that the Secret holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialStatus>,
    /// The credentials that stood in the Secret before, while software may still use them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<SupersededStatus>,
    /// Since when the credential cannot be replaced, although that is due or asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrotated_since: Option<Time>,
    /// The credential that the operator set out to issue, while it is not yet known to have succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<IntentStatus>,
    /// Every credential that may be on a platform which keeps no mark of ours, so that this alone tells which are: each is
    /// written down before it is ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerCredential>,
    /// The change that the platform is at work on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationStatus>,
    /// Since when the Platform's access rules do not allow this TechnicalUser any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_since: Option<Time>,
    /// The roles it carries that the Platform's access rules do not allow any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_roles: Vec<DeniedRole>,
    /// In mode `Observe`: what would be done, a line a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<String>,
    /// `Ready`, `Reconciling` and `Stalled`, as kstatus reads them, and `Discouraged` on identities that SAP advises against.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// The identity on the platform.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IdentityStatus {
    /// Its name on the platform: of the service instance, of the client, or of the user.
    pub name: String,
    /// The platform's id for it, where that is not the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The user that it is to the platform's other APIs, where roles are granted to it as to any user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Principal>,
    /// The roles that the identity itself carries: instance roles of a service key, authorities of a client. Absent for
    /// identities that carry none by nature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The roles that were asked for last, while it is not known whether it carries those or the ones before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_asked_for: Option<Vec<String>>,
}

/// A credential that is about to be issued.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IntentStatus {
    /// The number of the issue.
    pub sequence: i64,
    /// Fingerprint of the content that is about to be written into the Secret, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What the credential is made of, once it is known.
    #[serde(flatten)]
    pub made_of: MadeOf,
    /// How that content is made. Absent where it is the form `Descriptor` without a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutStatus>,
}

/// A credential that is, or may be, on a platform which keeps no mark of ours.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LedgerCredential {
    /// The name that we know it by.
    pub name: String,
    /// The platform's id for it.
    pub id: String,
}

/// A change that the platform has begun and not finished.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OperationStatus {
    /// What is changed.
    pub change: OperationKind,
    /// Where the platform tells how it goes, in the platform's own words.
    pub location: String,
}

/// What an operation changes.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// The identity is being made.
    Create,
    /// The identity's roles are being changed.
    SetRoles,
    /// A credential is being issued.
    Issue,
    /// A credential is being revoked.
    Revoke,
    /// The identity is being removed.
    Delete,
}

/// A role that the access rules do not allow any more.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DeniedRole {
    /// The role's name.
    pub name: String,
    /// Since when it is not allowed.
    pub since: Time,
}

/// The credential that the Secret holds.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CredentialStatus {
    /// Its name on the platform.
    pub name: String,
    /// The platform's id for it, where that is not the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The number of the issue, counted from 1.
    pub sequence: i64,
    /// When it was issued.
    pub issued_at: Time,
    /// When it stood in the Secret for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Time>,
    /// What it is made of.
    #[serde(flatten)]
    pub made_of: MadeOf,
    /// When it is due to be replaced. Absent where it is not replaced by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_at: Option<Time>,
    /// The interval that `rotateAt` was reckoned by, or that it was the life of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<String>,
    /// Digest of the last value of the annotation `technicaluser.dev/rotate` that was heeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<String>,
    /// When it was seen to work: a token was issued for it. Absent where the platform offers no token for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Time>,
    /// Fingerprint of the Secret's content, by which an alteration is seen.
    pub fingerprint: String,
    /// How the Secret's content was made. Absent where it is the form `Descriptor` without a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutStatus>,
    /// Digest of what was brought along for it, by which a change of its source is seen. Absent where it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The uid of the Secret, by which it is known when its owner reference and labels were taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

//! The contract: the custom resources, their status, and every name we write on other objects.
//!
//! Types only. Nothing here talks to a cluster or a platform, and nothing of ours is imported. Field docs
//! are the user's reference: they become the CRD's descriptions and what `kubectl explain` prints.

pub mod access;
pub mod certificate;
pub mod conditions;
pub mod definitions;
pub mod environment;
pub mod identity;
mod one_of;
pub mod platform;
pub mod reference;
pub mod role;
pub mod role_binding;
pub mod rotation;
pub mod secret_template;
pub mod span;
pub mod technical_user;

pub use access::{AccessRule, NamespaceChoice};
pub use certificate::{CertificateSpec, MadeOf};
pub use environment::Environment;
pub use identity::{Identity, IdentityKind};
pub use platform::{Mode, Platform, PlatformSpec, PlatformStatus, Unclaimed};
pub use reference::{LocalSecretRef, PlatformRef, SecretRef, TechnicalUserRef};
pub use role::{Role, RoleKind};
pub use role_binding::{
    GrantState, LedgerEntry, Principal, RoleBinding, RoleBindingSpec, RoleBindingStatus, RoleLine, Subject,
};
pub use rotation::{OnLoss, RotationSpec, SupersededStatus};
pub use secret_template::{Form, LayoutStatus, SecretTemplate};
pub use span::Span;
pub use technical_user::{
    CredentialSpec, CredentialStatus, CredentialType, DeletionPolicy, IdentityStatus, TechnicalUser, TechnicalUserSpec,
    TechnicalUserStatus,
};

/// API group of all three kinds.
pub const GROUP: &str = "technicaluser.dev";

/// Held on our objects while something of theirs may exist on a platform, and on a Platform in use.
pub const FINALIZER: &str = "technicaluser.dev/cleanup";

/// Label on every Secret we write; its value is [`OPERATOR`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// The operator's name: value of [`MANAGED_BY_LABEL`], event reporter and prefix of its field managers.
pub const OPERATOR: &str = "technical-user-operator";

/// Annotation by which a person says "let go of this object without cleaning up on the platform".
pub const ORPHAN_ANNOTATION: &str = "technicaluser.dev/orphan";

/// Annotation on a Platform by which whoever may edit it says that the place its credential leads to is the right one.
pub const ACCEPT_PLACE_ANNOTATION: &str = "technicaluser.dev/accept-place";

/// Annotation on an admin Secret: when the credential in it ends (RFC 3339), where only people know that.
pub const EXPIRES_AT_ANNOTATION: &str = "technicaluser.dev/expires-at";

/// Annotation on a Platform that removes one of its unclaimed identities, by name; several are divided by commas.
pub const REMOVE_UNCLAIMED_ANNOTATION: &str = "technicaluser.dev/remove-unclaimed";

/// Annotation on a TechnicalUser by which a person asks for a new credential: every new value asks once.
pub const ROTATE_ANNOTATION: &str = "technicaluser.dev/rotate";

/// Annotation on a Secret: the platform's name of the credential that the Secret holds.
pub const CREDENTIAL_ANNOTATION: &str = "technicaluser.dev/credential";

/// Annotation on a Secret: the number of the issue, counted from 1 for each TechnicalUser.
pub const SEQUENCE_ANNOTATION: &str = "technicaluser.dev/sequence";

/// Annotation on a Secret: the fingerprint of the content we wrote, so that an alteration is seen without keeping a copy.
pub const FINGERPRINT_ANNOTATION: &str = "technicaluser.dev/fingerprint";

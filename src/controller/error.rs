//! What can go wrong in a reconcile, and the one question asked of it: what fixes it?

use crate::plan::capability::Unsupported;
use crate::platform;

/// Why a reconcile did not reach its end. `Display` is one sentence that is safe to show to anybody.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The spec asks for what can never be.
    #[error("{0}")]
    Unsupported(String),
    /// Something else must come first; its arrival wakes us.
    #[error("{message}")]
    Waiting {
        /// What we wait for, as one word.
        reason: &'static str,
        /// What we wait for, as a sentence.
        message: String,
    },
    /// A Platform's admin Secret is not there; a person must put it where the sentence says.
    #[error("{0}")]
    AdminSecretMissing(String),
    /// A Platform's admin credential leads to another place than the one that the Platform is.
    #[error("{0}")]
    Elsewhere(String),
    /// What a Platform's admin Secrets hold may do less than what is in use.
    #[error("{0}")]
    RightsMissing(String),
    /// A Kubernetes object of that name belongs to somebody else.
    #[error("{0}")]
    NotOurs(String),
    /// A certificate that is brought along cannot be used; whoever keeps it must replace it.
    #[error("{0}")]
    CertificateUnusable(String),
    /// The platform gave the same value again.
    #[error(
        "the platform gave out the same value again, so the credential was not replaced; what it is of may have to be made anew"
    )]
    Ineffective,
    /// The form that is asked for the Secret can never be.
    #[error("{0}")]
    TemplateInvalid(String),
    /// The form that is asked for the Secret needs what the credential does not have.
    #[error("{0}")]
    FieldMissing(String),
    /// The form that is asked for the Secret needs a value that nobody has any more.
    #[error("{0}")]
    ValueLost(String),
    /// The platform, or the way to it.
    #[error("{0}")]
    Platform(#[from] platform::Error),
    /// Somebody else wrote the object first; looking again is all there is to do.
    #[error("another writer was first")]
    LostRace,
    /// The Kubernetes API.
    #[error("the Kubernetes API {}", said(.0))]
    Kubernetes(#[source] kube::Error),
    /// Something stands in the way of deletion. It never hangs without saying how it ends.
    #[error("{0}; to delete without cleaning up, annotate the object with technicaluser.dev/orphan=true")]
    Deletion(#[source] Box<Error>),
    /// The object cannot serve its purpose until this is over, whatever it did before.
    #[error("{0}")]
    Unserved(#[source] Box<Error>),
    /// Others still need the object, which is to be deleted.
    #[error("{0}")]
    InUse(String),
    /// Others come first; its turn wakes us.
    #[error("others of this Platform come first")]
    NotYet,
    /// The object has only just come, and what was applied with it may be on its way.
    #[error("what was applied with it may be on its way")]
    JustCame,
    /// A reconcile took too long and was dropped.
    #[error("the reconcile took too long and was dropped")]
    Timeout,
    /// A reconcile panicked.
    #[error("internal error: the reconcile panicked")]
    Panic,
}

/// What every reconcile returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What fixes an error. This alone decides retry, conditions and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The author of the object, by editing it, or a person who must act elsewhere.
    Person,
    /// Another object, whose change wakes us.
    Dependency,
    /// Time.
    Time,
    /// The platform, which is at work and not done.
    Work,
    /// Nothing but another look, at once.
    Race,
    /// Us.
    Bug,
}

impl Error {
    /// A wait for something whose arrival wakes us.
    pub fn waiting(reason: &'static str, message: impl Into<String>) -> Self {
        Self::Waiting { reason, message: message.into() }
    }

    /// What fixes it.
    pub fn class(&self) -> Class {
        use platform::Kind;
        match self {
            Self::Unsupported(_)
            | Self::NotOurs(_)
            | Self::AdminSecretMissing(_)
            | Self::Elsewhere(_)
            | Self::RightsMissing(_)
            | Self::CertificateUnusable(_)
            | Self::Ineffective
            | Self::TemplateInvalid(_)
            | Self::FieldMissing(_)
            | Self::ValueLost(_) => Class::Person,
            Self::Waiting { .. } | Self::InUse(_) => Class::Dependency,
            Self::Deletion(error) | Self::Unserved(error) => error.class(),
            Self::LostRace | Self::NotYet | Self::JustCame => Class::Race,
            Self::Kubernetes(_) | Self::Timeout => Class::Time,
            Self::Panic => Class::Bug,
            Self::Platform(error) => match error.kind() {
                Kind::Invalid
                | Kind::NotFound
                | Kind::Conflict
                | Kind::Forbidden
                | Kind::CredentialsRefused
                | Kind::ProofRefused
                | Kind::MalformedSecret => Class::Person,
                Kind::Throttled | Kind::Unavailable | Kind::OutcomeUnknown | Kind::UnexpectedAnswer => Class::Time,
                Kind::InProgress => Class::Work,
            },
        }
    }

    /// The condition's reason: one word of a closed set, so that metrics stay bounded.
    pub fn reason(&self) -> &'static str {
        use platform::Kind;
        match self {
            Self::Unsupported(_) => "Unsupported",
            Self::Waiting { reason, .. } => reason,
            Self::NotOurs(_) => "SecretNotOurs",
            Self::Deletion(error) | Self::Unserved(error) => error.reason(),
            Self::AdminSecretMissing(_) => "AdminSecretMissing",
            Self::Elsewhere(_) => "PlatformElsewhere",
            Self::RightsMissing(_) => "RightsMissing",
            Self::CertificateUnusable(_) => "CertificateUnusable",
            Self::Ineffective => "RotationIneffective",
            Self::TemplateInvalid(_) => "TemplateInvalid",
            Self::FieldMissing(_) => "FieldMissing",
            Self::ValueLost(_) => "ValueLost",
            Self::InUse(_) => "InUse",
            Self::LostRace => "LostRace",
            Self::NotYet => "NotYet",
            Self::JustCame => "JustCame",
            Self::Kubernetes(_) => "KubernetesError",
            Self::Timeout => "Timeout",
            Self::Panic => "InternalError",
            Self::Platform(error) => match error.kind() {
                Kind::Invalid => "PlatformRefused",
                Kind::NotFound => "NotFoundOnPlatform",
                Kind::Conflict => "NotOurs",
                Kind::Forbidden => "PlatformDenied",
                Kind::CredentialsRefused => "CredentialsRefused",
                Kind::ProofRefused => "CredentialRejected",
                Kind::MalformedSecret => "MalformedSecret",
                Kind::Throttled => "Throttled",
                Kind::Unavailable => "PlatformUnavailable",
                Kind::OutcomeUnknown => "OutcomeUnknown",
                Kind::UnexpectedAnswer => "UnexpectedAnswer",
                Kind::InProgress => "InProgress",
            },
        }
    }
}

/// What the API server said, in words that quote no object.
fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("refused a call: {} ({})", status.reason, status.code),
        _ => "could not be reached, or answered what cannot be read".to_owned(),
    }
}

impl From<Unsupported> for Error {
    fn from(Unsupported(text): Unsupported) -> Self {
        Self::Unsupported(text)
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if matches!(status.code, 404 | 409) => Self::LostRace,
            _ => Self::Kubernetes(error),
        }
    }
}

//! The one error that drivers make. It says what fixes it, never what the platform's body said.

use std::fmt;
use std::time::Duration;

/// What went wrong, by what will fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The platform understood the request and refuses it as it is: an edit of the spec fixes it.
    Invalid,
    /// The platform does not know something that the request names: a plan, a role collection, a subaccount.
    NotFound,
    /// Something of that name exists and is not ours.
    Conflict,
    /// The admin credential lacks a right (403).
    Forbidden,
    /// The admin credential itself is refused (401 twice): calls have stopped until it changes.
    CredentialsRefused,
    /// A credential that we issued does not log on.
    ProofRefused,
    /// The admin Secret cannot be used as it is.
    MalformedSecret,
    /// The platform asks us to wait.
    Throttled,
    /// The platform is not there, or not well: time fixes it.
    Unavailable,
    /// The request was sent and its answer lost: only looking again tells what happened.
    OutcomeUnknown,
    /// The platform's answer is not what its documents promise.
    UnexpectedAnswer,
    /// The platform has begun and not finished: look again soon.
    InProgress,
}

/// A call that did not do what it was asked for. `Display` is one sentence that is safe to show to anybody.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    kind: Kind,
    operation: &'static str,
    detail: String,
    retry_after: Option<Duration>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What every driver call returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind, in an operation such as `create service instance`.
    pub fn new(kind: Kind, operation: &'static str) -> Self {
        Self { kind, operation, detail: String::new(), retry_after: None, source: None }
    }

    /// Adds what a user must know to act. Never text from a response body that is not on an allow-list.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Says whose the error is, before what is already known about it.
    #[must_use]
    pub fn about(mut self, whose: impl fmt::Display) -> Self {
        self.detail = format!("{whose}: {}", self.detail);
        self
    }

    /// Adds how long the platform asked us to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Adds the cause, for the log alone. It must carry neither URL nor body.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What will fix it.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What was being done.
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// How long the platform asked us to wait.
    pub const fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What a user must know to act; may be empty.
    pub fn detail_text(&self) -> &str {
        &self.detail
    }

    /// Another of the same, for everyone who waited for the one call that failed.
    #[must_use]
    pub fn share(&self) -> Self {
        Self::new(self.kind, self.operation).detail(self.detail.clone()).retry_after(self.retry_after)
    }
}

impl Kind {
    /// One word, for metric labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::CredentialsRefused => "credentials_refused",
            Self::ProofRefused => "proof_refused",
            Self::MalformedSecret => "malformed_secret",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::UnexpectedAnswer => "unexpected_answer",
            Self::InProgress => "in_progress",
        }
    }

    /// One clause for people.
    const fn sentence(self) -> &'static str {
        match self {
            Self::Invalid => "the platform refused the request as invalid",
            Self::NotFound => "the platform does not know what the request names",
            Self::Conflict => "something of that name exists on the platform and is not ours",
            Self::Forbidden => "the admin credential lacks the right to do this",
            Self::CredentialsRefused => {
                "the platform refused the admin credential; calls stop until its Secret changes"
            }
            Self::ProofRefused => "the issued credential does not log on",
            Self::MalformedSecret => "the admin Secret cannot be used",
            Self::Throttled => "the platform asks us to wait",
            Self::Unavailable => "the platform is not available",
            Self::OutcomeUnknown => "the answer was lost; looking again",
            Self::UnexpectedAnswer => "the platform's answer could not be understood",
            Self::InProgress => "the platform is still at work",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "{}: {}", self.operation, self.kind.sentence())?;
        if self.detail.is_empty() { Ok(()) } else { write!(text, " ({})", self.detail) }
    }
}

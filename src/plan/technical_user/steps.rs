//! What can be done for a TechnicalUser, and in which order. Types, and what a person reads of them.

use std::collections::BTreeSet;
use std::fmt;

/// One effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Remove the identity of this id with all its credentials.
    DeleteIdentity(String),
    /// Record that this credential is about to be issued.
    Intend(i64),
    /// Record that nothing came of what was about to be issued.
    Desist,
    /// Write into the ledger that the credential which is brought along is about to become ours under this number.
    Claim {
        /// The number of the issue.
        sequence: i64,
        /// The platform's id for it.
        id: String,
    },
    /// Record that the identity is about to be asked to carry these roles.
    IntendRoles(BTreeSet<String>),
    /// Make the identity, carrying these roles.
    CreateIdentity(BTreeSet<String>),
    /// Make the identity's roles exactly these.
    SetRoles(BTreeSet<String>),
    /// Issue this credential, prove it, and write it into the Secret.
    Issue(i64),
    /// Fetch this credential from the platform's own copy, prove it, and write it into the Secret.
    Publish {
        /// The number of the issue.
        sequence: i64,
        /// The platform's id for it.
        id: String,
    },
    /// Write the Secret anew, in the form that is asked for, from its own content, which holds this credential.
    Reform(i64),
    /// Record that the Secret holds this credential: we crashed between the two writes.
    Acknowledge(i64),
    /// Put the Secret's owner, labels and annotations right, keeping its content.
    Dress,
    /// End a credential that the Secret does not hold.
    Revoke {
        /// The platform's id for it.
        id: String,
        /// Its name.
        name: String,
    },
    /// Remove the Secret.
    RemoveSecret,
}

impl Step {
    /// Whether it changes something on the platform, so that it must not cross a change that is under way.
    pub const fn orders(&self) -> bool {
        match self {
            Self::DeleteIdentity(_)
            | Self::IntendRoles(_)
            | Self::CreateIdentity(_)
            | Self::SetRoles(_)
            | Self::Issue(_)
            | Self::Revoke { .. } => true,
            Self::Intend(_)
            | Self::Desist
            | Self::Claim { .. }
            | Self::Publish { .. }
            | Self::Reform(_)
            | Self::Acknowledge(_)
            | Self::Dress
            | Self::RemoveSecret => false,
        }
    }
}

/// Steps of which each needs those before it: the first that fails ends the strand, and no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strand {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Whether it replaces a credential that works, so that nobody misses anything while it is not done.
    pub rotates: bool,
}

impl Strand {
    /// A strand of these steps.
    pub fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), rotates: false }
    }

    /// Whether the Secret holds no credential that works until this strand is done.
    pub fn restores_service(&self) -> bool {
        !self.rotates && self.steps.iter().any(|step| matches!(step, Step::Issue(_) | Step::Publish { .. }))
    }
}

/// Why the object cannot be Ready although every step was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// No RoleBinding gives it a role.
    NoRoles,
    /// The platform is still at work.
    InProgress,
    /// A Secret of that name belongs to somebody else.
    SecretNotOurs,
    /// The credential that is brought along is on the platform already, and somebody else's.
    Taken,
    /// The value is lost, cannot be had again, and is only replaced when a person asks for it.
    Lost,
}

/// What to do, and what keeps the object from being Ready after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do: strand after strand.
    pub strands: Vec<Strand>,
    /// What is left to wait for.
    pub hold: Option<Hold>,
}

impl Plan {
    /// A plan of nothing but waiting.
    pub fn hold(hold: Hold) -> Self {
        Self { strands: vec![], hold: Some(hold) }
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.strands.iter().flat_map(|strand| &strand.steps)
    }

    /// Whether there is nothing to do.
    pub fn is_quiet(&self) -> bool {
        self.steps().next().is_none()
    }

    /// Whether all there is to do is to order a credential that takes the place of one that works.
    pub fn only_rotates(&self) -> bool {
        let others = self.strands.iter().filter(|strand| !strand.rotates).flat_map(|strand| &strand.steps);
        others.count() == 0 && self.steps().any(|step| matches!(step, Step::Issue(_)))
    }

    /// Whether a step rests on something not being in a list, or on which of several is the one. A bulk list proves
    /// neither: a targeted read must have said so before anything is made, issued, revoked or removed.
    pub fn rests_on_silence(&self) -> bool {
        self.steps().any(|step| {
            matches!(
                step,
                Step::CreateIdentity(_)
                    | Step::Issue(_)
                    | Step::Intend(_)
                    | Step::Claim { .. }
                    | Step::Revoke { .. }
                    | Step::DeleteIdentity(_)
            )
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |roles: &BTreeSet<String>| roles.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::DeleteIdentity(id) => write!(text, "delete identity {id} and its credentials"),
            Self::Intend(sequence) => write!(text, "record that credential {sequence} is about to be issued"),
            Self::Desist => write!(text, "record that nothing came of what was about to be issued"),
            Self::Claim { sequence, id } => write!(text, "record credential {sequence} as ours, which will be {id}"),
            Self::IntendRoles(roles) => {
                write!(text, "record that the identity is about to be given roles [{}]", list(roles))
            }
            Self::CreateIdentity(roles) => write!(text, "create the identity with roles [{}]", list(roles)),
            Self::SetRoles(roles) => write!(text, "set the identity's roles to [{}]", list(roles)),
            Self::Issue(sequence) => write!(text, "issue credential {sequence} and write the Secret"),
            Self::Publish { sequence, .. } => {
                write!(text, "write the Secret from the platform's copy of credential {sequence}")
            }
            Self::Reform(sequence) => {
                write!(text, "write the Secret, which holds credential {sequence}, in another form")
            }
            Self::Acknowledge(sequence) => write!(text, "record that the Secret holds credential {sequence}"),
            Self::Dress => write!(text, "put the Secret's owner, labels and annotations right"),
            Self::Revoke { name, .. } => write!(text, "revoke credential {name}"),
            Self::RemoveSecret => write!(text, "remove the Secret"),
        }
    }
}

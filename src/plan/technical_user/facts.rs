//! What a TechnicalUser shall be, and what there is: on the platform, in the Secret, in the status. Types only.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::life::Life;
use super::overlap::{Superseded, Terms, Users};
use crate::plan::capability::Recall;
use crate::plan::owner::Owner;

/// What the TechnicalUser shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// Whose identity it is.
    pub owner: Owner,
    /// The roles that the identity itself carries; `None` where it carries none by nature.
    pub roles: Option<BTreeSet<String>>,
    /// Whether the identity is only made once it has a role.
    pub waits_for_roles: bool,
    /// The credential that is brought along, where it is not the platform that makes it.
    pub brought: Option<Brought>,
    /// What the credential is made of, in the word that stands in its mark; `None` for what the platform makes unless it is
    /// asked for something else, and where a credential has no mark.
    pub material: Option<String>,
    /// Digest of the form that the Secret's content shall have; `None` for the one that it has unless another is asked for.
    pub form: Option<String>,
    /// When another credential shall take the place of the one that works, and what becomes of that.
    pub rotation: Rotation,
    /// Whether a value that cannot be had again is replaced only when a person asks for it.
    pub blocks_on_loss: bool,
}

/// When a credential is replaced that works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// How often; never, if that is not said.
    pub every: Option<Duration>,
    /// Digest of what a person wrote to have it replaced now. Every new value asks once.
    pub demand: Option<String>,
    /// How long the one before stays in force.
    pub terms: Terms,
}

/// A credential that is brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// The platform's id for it, which follows from its value; where it has one of its own, the word for its material.
    pub id: String,
    /// Digest of all that the Secret takes over of it.
    pub source: String,
}

/// Whether something on the platform can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It can.
    Usable,
    /// The platform is still at work on it.
    InProgress,
    /// Its creation failed; it is in the way.
    Failed,
}

/// An identity with our owner's mark, as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFact {
    /// The platform's id for it.
    pub id: String,
    /// Whether it can be used.
    pub health: Health,
    /// The roles it carries, where the platform tells.
    pub roles: Option<BTreeSet<String>>,
    /// The name of the credential that its only secret is, on platforms that keep no more than that.
    pub credential: Option<String>,
}

/// A credential of an identity as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFact {
    /// The platform's id for it.
    pub id: String,
    /// Its name on the platform.
    pub name: String,
    /// The id of its identity.
    pub identity: String,
    /// Whether it can be used.
    pub health: Health,
    /// What it was made of, as its mark says.
    pub material: Option<String>,
}

/// The Secret, as one live read found it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretFact {
    /// There is none.
    #[default]
    Absent,
    /// There is one, and it belongs to somebody else.
    Foreign,
    /// It is ours.
    Ours {
        /// The number of the issue that it says it holds.
        sequence: Option<i64>,
        /// The fingerprint that its content has.
        fingerprint: String,
        /// The fingerprint that we wrote beside the content.
        claimed: Option<String>,
        /// Whether its owner, labels and annotations are as wanted.
        dressed: bool,
    },
}

/// A credential that was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The number of the issue.
    pub sequence: i64,
    /// The platform's id for it, where it was told.
    pub id: Option<String>,
    /// The fingerprint of the Secret's content.
    pub fingerprint: String,
    /// What it was made of.
    pub material: Option<String>,
    /// Digest of what was brought along for it.
    pub source: Option<String>,
    /// From when to when it is good, where it ends by itself.
    pub life: Option<Life>,
    /// When it is due to be replaced.
    pub rotate_at: Option<Timestamp>,
    /// Digest of the demand that it was issued for, or after.
    pub demand: Option<String>,
}

/// A credential of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name that we know it by.
    pub name: String,
    /// The platform's id for it.
    pub id: String,
}

/// A credential that is about to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The number of the issue.
    pub sequence: i64,
    /// The fingerprint of the content that is about to be written, once it is known.
    pub fingerprint: Option<String>,
}

/// What the status records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The id of the identity.
    pub identity: Option<String>,
    /// The roles last known to be in force on it.
    pub roles: Option<BTreeSet<String>>,
    /// The roles that were asked for last, while it is not known whether they are in force.
    pub roles_asked_for: Option<BTreeSet<String>>,
    /// The credential last published.
    pub credential: Option<Published>,
    /// The credential that we last set out to issue, on platforms that keep no credentials under our names.
    pub intent: Option<Intent>,
    /// Digest of the form of what was published.
    pub form: Option<String>,
    /// Digest of the form of the content that is about to be written.
    pub intended_form: Option<String>,
    /// Every credential that may be on a platform which keeps no mark of ours.
    pub ledger: Vec<Entry>,
    /// The credentials that stood in the Secret before, while software may still use them.
    pub superseded: Vec<Superseded>,
    /// Whether a rotation was tried and fails.
    pub rotation_fails: bool,
}

/// Everything that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Have {
    /// Everything on the platform that carries the owner's mark. Names are not unique: there may be several.
    pub identities: Vec<IdentityFact>,
    /// Their credentials.
    pub credentials: Vec<CredentialFact>,
    /// The Secret.
    pub secret: SecretFact,
    /// The status.
    pub recorded: Recorded,
    /// How a credential can be had again. Where the platform keeps no more than the last, `credentials` is empty.
    pub recall: Recall,
    /// Whether the platform is at work on a change that was begun.
    pub under_way: bool,
    /// Whether something was ordered whose outcome is not known and which may yet appear.
    pub order_in_doubt: bool,
    /// Whether the credential that is brought along is on the platform already, and the ledger does not say that it is ours:
    /// somebody else's, which an order would take over.
    pub taken: bool,
    /// Who still uses a credential that is superseded.
    pub users: Users,
}

impl Recorded {
    /// Whether the credential last published is one of this identity.
    pub fn is_credential_of(&self, identity: &IdentityFact) -> bool {
        self.credential.is_some() && self.identity.as_ref() == Some(&identity.id)
    }
}

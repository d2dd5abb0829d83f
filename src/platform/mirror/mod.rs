//! The mirror between a driver and the controllers: one for each Platform.
//!
//! Controllers look at pictures that were read in bulk, so a look costs no call as long as the picture is new enough.
//! What we write is shown at once, and survives a read that was under way meanwhile. A picture proves that something is
//! there; that it is not is asked of the platform for that one thing, and shown too. What a write of ours has left
//! open, and what the platform is still at work on, is asked for again at each look. Grants for the same scope wait a
//! moment for company, and for those who have said that they are on the way, and go out together. The mirror decides
//! nothing and knows neither HTTP nor Kubernetes.
//!
//! - [`part`]: one picture, its single-flight read, own writes folded in.
//! - [`known`]: the picture of identities and credentials.
//! - [`identities`], [`grants`]: what the pictures show, and the effects.
//! - [`watched`]: the grants that a scope's picture answers for.
//! - [`questions`]: whether grants are in force, asked for those alone. [`batch`], [`queue`]: one writer for each scope of
//!   grants, and who waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;

pub use self::batch::Coming;
use self::batch::ScopeOfGrants;
use self::grants::Refreshed;
pub use self::identities::Mirrored;
use self::questions::Questions;
use super::{Driver, Error, Grants, Kind, Result, Scope};
use crate::api::{IdentityKind, RoleKind};
use crate::plan::grant::Grant;

mod batch;
mod grants;
mod identities;
mod known;
mod part;
mod questions;
mod queue;
#[cfg(test)]
mod tests;
mod watched;

/// What a platform shows, near enough and cheap to look at, and the way to change it.
pub struct Mirror {
    mirrored: BTreeMap<IdentityKind, Mirrored>,
    grants: BTreeMap<RoleKind, Arc<dyn Grants>>,
    /// The scopes that somebody looks at or writes to. Those of two kinds of roles may have one name.
    scopes: Mutex<BTreeMap<(RoleKind, Scope), Arc<ScopeOfGrants>>>,
    questions: Arc<Questions>,
}

/// What others changed on the platform since the last refresh.
#[derive(Debug, Default)]
pub struct Changes {
    /// Names of identities that came, went or changed, or whose credentials did.
    pub identities: BTreeSet<String>,
    /// Grants that came or went. Those that nobody has asked about for long are listed too, once: whoever needs them
    /// asks, and so keeps them; otherwise they are not looked at any more.
    pub grants: BTreeSet<Grant>,
    /// What could not be read, and why. Its picture stays as it is; what was seen to have changed is told next time.
    pub failures: Vec<(String, Error)>,
}

impl Mirror {
    /// A mirror of what a driver shows of this cluster. Reads nothing yet.
    pub fn new(driver: Driver, cluster: &str) -> Self {
        let Driver { makers, grants, .. } = driver;
        let mirrored = makers.into_iter().map(|(kind, maker)| (kind, Mirrored::new(maker, cluster))).collect();
        Self { mirrored, grants, scopes: Mutex::default(), questions: Arc::default() }
    }

    /// The identities of a kind, with their credentials.
    pub fn of(&self, kind: IdentityKind) -> Result<&Mirrored> {
        self.mirrored.get(&kind).ok_or_else(|| unsupported("look up an identity", kind.name()))
    }

    /// The identities of every kind that the platform makes.
    pub fn every_kind(&self) -> impl Iterator<Item = &Mirrored> {
        self.mirrored.values()
    }

    /// Reads again every part that was looked at, and says what others changed. One that fails spoils no other.
    pub async fn refresh(&self) -> Changes {
        let of_kinds = join_all(self.mirrored.iter().map(async |(kind, one)| (kind, one.refresh().await)));
        let (of_kinds, grants) = tokio::join!(of_kinds, self.refresh_grants());
        let Refreshed { changes, mut failures } = grants;
        let failed = of_kinds
            .into_iter()
            .filter_map(|(kind, read)| Some((format!("identities of {}", kind.name()), read.err()?)));
        failures.extend(failed);
        let identities = self.mirrored.values().flat_map(Mirrored::take_changes).collect();
        Changes { identities, grants: changes, failures }
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn scopes(&self) -> MutexGuard<'_, BTreeMap<(RoleKind, Scope), Arc<ScopeOfGrants>>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the platform may differ from what we knew and from what we asked for. It does not where it said plainly that
/// it did nothing.
fn leaves_doubt(error: &Error) -> bool {
    match error.kind() {
        Kind::OutcomeUnknown
        | Kind::Unavailable
        | Kind::Conflict
        | Kind::NotFound
        | Kind::UnexpectedAnswer
        | Kind::InProgress => true,
        Kind::Invalid
        | Kind::Forbidden
        | Kind::CredentialsRefused
        | Kind::ProofRefused
        | Kind::MalformedSecret
        | Kind::Throttled => false,
    }
}

/// The refusal of what the driver does not offer.
fn unsupported(operation: &'static str, what: &str) -> Error {
    Error::new(Kind::Invalid, operation).detail(format!("this platform makes no {what}"))
}

//! The mirror between a driver and the controllers: one for each Platform.
//!
//! Controllers look at pictures that were read in bulk, so a look costs no call as long as the picture is new enough.
//! What we write is shown at once, and survives a read that was under way meanwhile. A picture proves that something is
//! there; that it is not is asked of the platform for that one thing, and shown too. What a write of ours has left open,
//! and what the platform is still at work on, is asked for again at each look. Grants for the same scope wait a moment
//! for company and go out together. The mirror decides nothing and knows neither HTTP nor Kubernetes.
//!
//! - [`part`]: one picture, its single-flight read, own writes folded in.
//! - [`known`]: the picture of identities and credentials.
//! - [`identities`], [`grants`]: what the pictures show, and the effects.
//! - [`watched`]: the grants that a scope's picture answers for.
//! - [`batch`], [`queue`]: one writer for each scope of grants, and who waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::batch::ScopeOfGrants;
use self::grants::Refreshed;
use self::known::Known;
use self::part::Part;
use super::{Driver, Error, Kind, Result, Scope};
use crate::plan::grant::Grant;

mod batch;
mod grants;
mod identities;
mod known;
mod part;
mod queue;
#[cfg(test)]
mod tests;
mod watched;

/// How [`Changes::failures`] names the part that is not a scope of grants.
const IDENTITIES: &str = "identities";

/// What a platform shows, near enough and cheap to look at, and the way to change it.
pub struct Mirror {
    driver: Driver,
    known: Option<Arc<Part<Known>>>,
    /// The scopes that somebody looks at or writes to.
    scopes: Mutex<BTreeMap<Scope, Arc<ScopeOfGrants>>>,
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
        let known = identities::part(&driver, cluster);
        Self { driver, known, scopes: Mutex::default() }
    }

    /// Reads again every part that was looked at, and says what others changed. One that fails spoils no other.
    pub async fn refresh(&self) -> Changes {
        let (identities, grants) = tokio::join!(self.refresh_identities(), self.refresh_grants());
        let Refreshed { changes, mut failures } = grants;
        failures.extend(identities.err().map(|error| (IDENTITIES.to_owned(), error)));
        let identities = self.known.as_ref().map(|known| known.take_changes()).unwrap_or_default();
        Changes { identities, grants: changes, failures }
    }

    async fn refresh_identities(&self) -> Result<()> {
        match &self.known {
            Some(known) => known.refresh().await,
            None => Ok(()),
        }
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn scopes(&self) -> MutexGuard<'_, BTreeMap<Scope, Arc<ScopeOfGrants>>> {
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
    Error::new(Kind::Invalid, operation).detail(format!("this platform offers no {what}"))
}

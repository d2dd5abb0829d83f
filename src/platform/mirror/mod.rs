//! The mirror between a driver and the controllers: one for each Platform.
//!
//! Controllers look at pictures that were read in bulk, so a look costs no call as long as the picture is new enough.
//! What we write is shown at once, and survives a read that was under way meanwhile. Grants for the same scope wait a
//! moment for company and go out together. The mirror decides nothing and knows neither HTTP nor Kubernetes.
//!
//! - [`part`]: one picture, its single-flight read, own writes folded in.
//! - [`identities`], [`grants`]: what the pictures show, and the effects.
//! - [`batch`]: one writer for each scope of grants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::batch::ScopeOfGrants;
use self::identities::Known;
use self::grants::Refreshed;
use self::part::Part;
use super::{Driver, Error, Kind, Result, Scope};
use crate::plan::grant::Grant;

mod batch;
mod grants;
mod identities;
mod part;
mod queue;
#[cfg(test)]
mod tests;
mod watched;

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
    /// Grants that came or went. Those of a scope that nobody has looked at for long are listed too, once: whoever
    /// needs them looks, and so keeps the scope; otherwise it is not read any more.
    pub grants: BTreeSet<Grant>,
    pub failures: Vec<(String, Error)>,
}

impl Mirror {
    /// A mirror of what a driver shows of this cluster. Reads nothing yet.
    pub fn new(driver: Driver, cluster: &str) -> Self {
        let known = identities::part(&driver, cluster);
        Self { driver, known, scopes: Mutex::default() }
    }

    /// Reads again every part that was looked at, and says what others changed. An error loses nothing: what was seen
    /// to have changed before it is told next time.
    pub async fn refresh(&self) -> Changes {
        let (identities, grants) = tokio::join!(self.refresh_identities(), self.refresh_grants());
        let Refreshed { changes: grants, failures } = grants;
        let mut changes = Changes { grants, failures, ..Changes::default() };
        changes.failures.extend(identities.err().map(|error| (IDENTITIES.to_owned(), error)));
        if let Some(known) = &self.known {
            changes.identities = known.take_changes();
        }
        changes
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

/// Whether the platform may differ from what we knew and from what we asked for.
fn leaves_doubt(error: &Error) -> bool {
    matches!(error.kind(), Kind::OutcomeUnknown | Kind::Conflict | Kind::UnexpectedAnswer | Kind::InProgress)
}

/// The refusal of what the driver does not offer.
fn unsupported(operation: &'static str, what: &str) -> Error {
    Error::new(Kind::Invalid, operation).detail(format!("this platform offers no {what}"))
}

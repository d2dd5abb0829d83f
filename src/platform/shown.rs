//! An admin credential that is shown with every call, instead of tokens that are fetched with it.
//!
//! Platforms lock accounts after a handful of wrong tries, so until one call has shown that it is good, calls go out one
//! at a time; after the second refusal none goes out until the Secret changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex as Turns, OwnedMutexGuard as Turn};

use super::error::{Error, Kind, Result};
use super::http::{Authorization, Http};
use super::pause::pause;
use crate::plan::digest;

/// Pause before the one second try after a refusal.
const SECOND_TRY: Duration = Duration::from_secs(2);
const OPERATION: &str = "log on";

/// What is shown. It has no `Debug`.
#[derive(Clone)]
pub enum Shown {
    /// A bearer token that somebody handed out (RFC 6750).
    Bearer(SecretString),
    /// A name and a password, or a client's id and secret (RFC 7617).
    Basic(String, SecretString),
    /// A TLS identity: the chain, leaf first, and its key. Both are PEM.
    Certificate(SecretString, SecretString),
}

impl Shown {
    /// What tells it from every other credential, without its values.
    pub fn digest(&self) -> String {
        let (kind, name, secret) = match self {
            Self::Bearer(token) => ("bearer", "", token),
            Self::Basic(name, password) => ("basic", name.as_str(), password),
            Self::Certificate(chain, key) => ("certificate", chain.expose_secret(), key),
        };
        digest::of([kind, name, secret.expose_secret()].map(str::as_bytes), 32)
    }

    /// What it is sent with.
    pub fn http(&self) -> Result<Http> {
        match self {
            Self::Certificate(chain, key) => Http::with_certificate(chain, key),
            Self::Bearer(_) | Self::Basic(..) => Http::new(),
        }
    }

    /// How a request shows it.
    pub fn authorization(&self) -> Authorization<'_> {
        match self {
            Self::Bearer(token) => Authorization::Bearer(token),
            Self::Basic(name, password) => Authorization::Basic(name, password),
            Self::Certificate(..) => Authorization::None,
        }
    }
}

/// What the platform thinks of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nobody has tried it yet, or it was refused once.
    Unproven {
        refused: bool,
    },
    Good,
    /// It was refused twice: for ever, that is until it changes.
    Refused,
}

/// A credential and its standing.
pub struct Fixed {
    shown: Shown,
    standing: Mutex<Standing>,
    turns: Arc<Turns<()>>,
}

impl Fixed {
    /// One that nobody has tried yet.
    pub fn new(shown: Shown) -> Self {
        Self { shown, standing: Mutex::new(Standing::Unproven { refused: false }), turns: Arc::default() }
    }

    /// What is shown.
    pub const fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Leave to show it: at once if it is known to be good, else when nobody else is trying it.
    pub async fn turn(&self, deadline: Instant) -> Result<Option<Turn<()>>> {
        match *self.standing() {
            Standing::Good => return Ok(None),
            Standing::Refused => return Err(Error::new(Kind::CredentialsRefused, OPERATION)),
            Standing::Unproven { .. } => {}
        }
        let wait = deadline.saturating_duration_since(Instant::now());
        let turn = tokio::time::timeout(wait, Arc::clone(&self.turns).lock_owned()).await;
        let turn = turn.map_err(|_| Error::new(Kind::Unavailable, OPERATION))?;
        let standing = *self.standing();
        match standing {
            Standing::Good => Ok(None),
            Standing::Refused => Err(Error::new(Kind::CredentialsRefused, OPERATION)),
            Standing::Unproven { refused } => {
                if refused {
                    pause(SECOND_TRY).await;
                }
                Ok(Some(turn))
            }
        }
    }

    /// The platform took it.
    pub fn accepted(&self) {
        *self.standing() = Standing::Good;
    }

    /// The platform refused it.
    pub fn refused(&self) {
        let mut standing = self.standing();
        *standing = match *standing {
            Standing::Unproven { refused: true } | Standing::Refused => Standing::Refused,
            Standing::Unproven { refused: false } | Standing::Good => Standing::Unproven { refused: true },
        };
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

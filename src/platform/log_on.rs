//! Logging on to a platform: with every admin credential, each on its own, and what the platform turns out to be.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::Driver;
use super::error::{Error, Result};
use super::session::Session;
use super::whereabouts::Whereabouts;
use crate::plan::admin_credential::rights::Scopes;

/// How it is found out what a platform is.
#[derive(Clone, Debug)]
pub enum Landing {
    /// It is where its address says.
    Address(Whereabouts),
    /// The access tokens tell; this where they do not.
    Tokens(Whereabouts),
}

impl Default for Landing {
    fn default() -> Self {
        Self::Address(Whereabouts::at("nowhere"))
    }
}

/// What logging on showed.
#[derive(Debug)]
pub struct LoggedOn {
    /// What the platform is.
    pub whereabouts: Whereabouts,
    /// The APIs whose admin credential did not work while another's did. The rest of the Platform goes on.
    pub failures: Vec<(&'static str, Error)>,
    /// What the admin credentials may do, as far as their tokens tell.
    pub scopes: Scopes,
}

impl LoggedOn {
    /// What the platform is, if every admin credential works.
    pub fn whole(self) -> Result<Whereabouts> {
        self.failures.into_iter().next().map_or(Ok(self.whereabouts), |(_, error)| Err(error))
    }
}

impl Driver {
    /// Logs on with every admin credential. An error where none works, or where they lead to different places.
    pub async fn log_on(&self) -> Result<LoggedOn> {
        let outcomes =
            join_all(self.sessions.iter().map(async |session| (session.api(), session.log_on().await))).await;
        let (mut found, mut failures, mut any) = (Vec::new(), Vec::new(), self.sessions.is_empty());
        for (api, outcome) in outcomes {
            match outcome {
                Ok(place) => {
                    any = true;
                    found.extend(place);
                }
                Err(error) => failures.push((api, error)),
            }
        }
        if !any && let Some((_, error)) = failures.pop() {
            return Err(error);
        }
        let telling = self.sessions.iter().filter_map(|session| Some((session.api(), session.scopes()?)));
        Ok(LoggedOn { whereabouts: self.landing.place(found)?, failures, scopes: telling.collect() })
    }

    /// The operations that each API has refused for want of a right, and not taken since.
    pub fn forbidden(&self) -> BTreeSet<(&'static str, &'static str)> {
        let of = |session: &Session| {
            session.forbidden().operations().into_iter().map(|one| (session.api(), one)).collect::<Vec<_>>()
        };
        self.sessions.iter().flat_map(of).collect()
    }
}

impl Landing {
    fn place(&self, found: Vec<Whereabouts>) -> Result<Whereabouts> {
        match self {
            Self::Address(place) => Ok(place.clone()),
            Self::Tokens(fallback) => Whereabouts::agreed(found, fallback),
        }
    }
}

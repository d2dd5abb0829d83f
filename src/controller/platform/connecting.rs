//! From a Platform's admin Secrets to a connection that is logged on, to the place that the Platform is.
//!
//! What Secrets hold is proven before it is used. While that fails, what they held before stays in use for as long as it
//! works: `plan::admin_credential::succession` says which of the two it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::ResourceExt;

use super::secrets::{Held, held};
use crate::api::{ACCEPT_PLACE_ANNOTATION, Platform};
use crate::controller::Context;
use crate::controller::connections::{Connection, State};
use crate::controller::error::{Class, Error, Result};
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::plan::admin_credential::expiry::Ends;
use crate::plan::admin_credential::rights::missing;
use crate::plan::admin_credential::succession::{Standing, Succession, Trial, succession};
use crate::platform::mirror::Mirror;
use crate::platform::{self, LoggedOn, Whereabouts};

/// A connection, and what logging on showed.
pub type InUse = (Arc<Connection>, LoggedOn);

/// What came of connecting.
pub struct Tried {
    /// What is in use.
    pub outcome: Result<InUse>,
    /// Whether that is what the admin Secrets hold now.
    pub secrets: Secrets,
    /// When what is in use ends; `None` where the Secrets could not be read.
    pub ends: Option<Ends>,
}

/// What became of what the admin Secrets hold now.
pub enum Secrets {
    /// It is used, or there is nothing else that could be.
    Used,
    /// It could not be read, and what they held before is in use.
    Unread,
    /// It is not used, and what they held before is.
    Rejected(Error),
}

impl Tried {
    fn only(outcome: Result<InUse>, ends: Option<Ends>) -> Self {
        Self { outcome, secrets: Secrets::Used, ends }
    }
}

/// Connects, with what the Secrets hold now or with what they held before.
pub async fn connect(live: &mut Live<Platform>, journal: &mut Journal, context: &Context) -> Tried {
    let name = live.object().name_any();
    let held = held(live.object(), context).await;
    let old = in_use(live.object(), context);
    let mut tried = match &old {
        Some(old) if !held.as_ref().is_ok_and(|held| held.fingerprint == old.secrets) => {
            succeed(live, old, held, context).await
        }
        _ => {
            context.connections.set_successor(&name, None);
            first(live.object(), held, context).await
        }
    };
    if let Ok((connection, logged_on)) = &tried.outcome {
        let whereabouts = logged_on.whereabouts.clone();
        let is_new = old.is_some_and(|old| !Arc::ptr_eq(&old, connection));
        if let Err(error) = pin(live, journal, &whereabouts).await {
            tried.outcome = Err(error);
            return tried;
        }
        context.index.place(&name, whereabouts.place());
        if is_new {
            journal.note("AdminSecretTaken", "logged on with what the admin Secrets hold now");
        }
    }
    tried
}

/// The connection that stands, if it was made for the environment as it is now.
fn in_use(platform: &Platform, context: &Context) -> Option<Arc<Connection>> {
    match context.connections.get(&platform.name_any()) {
        State::Up(connection) if connection.environment == platform.spec.environment => Some(connection),
        _ => None,
    }
}

/// The one there is is kept as long as it was made for the same environment and Secrets, above all when the platform has
/// refused it: it remembers that, and does not try the credential again.
async fn first(platform: &Platform, held: Result<Held>, context: &Context) -> Tried {
    let held = match held {
        Ok(held) => held,
        Err(error) => return Tried::only(Err(error), None),
    };
    let (name, ends) = (platform.name_any(), Some(held.ends.clone()));
    let known = context.connections.get(&name);
    let standing = match &known {
        State::Up(connection) | State::Refused(connection, _) => Some(connection),
        State::Unknown | State::Down(_) => None,
    };
    let fits = standing.filter(|one| one.is_for(&platform.spec.environment, &held.fingerprint));
    let connection = match fits {
        Some(connection) => Arc::clone(connection),
        None => match made(platform, &held, context) {
            Ok(made) => made,
            Err(error) => {
                context.connections.down(&name, &error);
                return Tried::only(Err(error), ends);
            }
        },
    };
    connection.end_at(held.ends);
    let outcome = connection.driver.log_on().await.map_err(Error::from);
    if let Err(error) = &outcome
        && (error.class() == Class::Person || fits.is_none())
    {
        context.connections.set(&name, State::Refused(Arc::clone(&connection), error.to_string()));
    }
    Tried::only(outcome.map(|logged_on| (connection, logged_on)), ends)
}

fn made(platform: &Platform, held: &Held, context: &Context) -> Result<Arc<Connection>> {
    let environment = &platform.spec.environment;
    let driver = context.outside.connect(environment, &held.secrets)?;
    let mirror = Mirror::new(driver.clone(), &context.cluster);
    // All who come now ask about what they record: one read of each scope answers for them.
    mirror.expect(&context.index.recorded(&platform.name_any()));
    Ok(Arc::new(Connection::new(environment.clone(), held.fingerprint.clone(), driver, mirror, held.ends.clone())))
}

/// The Secrets are not what they were: they are used if what they hold now is as good as what is in use.
async fn succeed(live: &Live<Platform>, old: &Arc<Connection>, held: Result<Held>, context: &Context) -> Tried {
    let ends_now = held.as_ref().ok().map(|held| held.ends.clone());
    let new = match held {
        Ok(held) => attempt(live.object(), &held, context).await,
        Err(error) if error.class() == Class::Person => Err(error),
        Err(error) => return Tried { outcome: Err(error), secrets: Secrets::Unread, ends: Some(old.ends()) },
    };
    let before = old.driver.log_on().await.map_err(Error::from);
    let trial = new.as_ref().ok().map(|(_, logged_on)| trial(live, logged_on));
    let standing = standing(live.object(), &before);
    match (succession(trial.as_ref(), &standing), new) {
        (Succession::TakesOver, new) => {
            context.connections.set_successor(&live.object().name_any(), None);
            Tried::only(new, ends_now)
        }
        (Succession::OldStays, new) => {
            let outcome = before.map(|logged_on| (Arc::clone(old), logged_on));
            Tried { outcome, secrets: Secrets::Rejected(reason(live, new, trial, &standing)), ends: Some(old.ends()) }
        }
        (Succession::Neither, new) => {
            let connection = new.as_ref().ok().map(|(connection, _)| Arc::clone(connection));
            let error = reason(live, new, trial, &standing);
            give_up(live.object(), connection, &error, context);
            Tried::only(Err(error), ends_now)
        }
    }
}

/// Logs on with what the Secrets hold now. Its connection is kept while it fails: it remembers what was refused.
async fn attempt(platform: &Platform, held: &Held, context: &Context) -> Result<InUse> {
    let name = platform.name_any();
    let known = context.connections.successor(&name);
    let known = known.filter(|one| one.is_for(&platform.spec.environment, &held.fingerprint));
    context.connections.set_successor(&name, None);
    let connection = known.map_or_else(|| made(platform, held, context), Ok)?;
    connection.end_at(held.ends.clone());
    context.connections.set_successor(&name, Some(Arc::clone(&connection)));
    let logged_on = connection.driver.log_on().await?;
    Ok((connection, logged_on))
}

/// Neither works: what the Secrets hold now is what counts, and its refusal is not forgotten.
fn give_up(platform: &Platform, connection: Option<Arc<Connection>>, error: &Error, context: &Context) {
    let name = platform.name_any();
    let known = connection.or_else(|| context.connections.successor(&name));
    context.connections.set_successor(&name, None);
    let state = match (error, known) {
        (Error::Platform(_), Some(connection)) => State::Refused(connection, error.to_string()),
        _ => State::Down(error.to_string()),
    };
    context.connections.set(&name, state);
}

fn trial(live: &Live<Platform>, logged_on: &LoggedOn) -> Trial {
    Trial {
        leads_here: is_here(live, &logged_on.whereabouts),
        failing: logged_on.failures.iter().map(|(api, _)| *api).collect(),
        lacks: missing(&live.object().spec, &logged_on.scopes),
    }
}

fn standing(platform: &Platform, before: &Result<LoggedOn>) -> Standing {
    match before {
        Ok(logged_on) => Standing::Holds {
            refused_by: logged_on.failures.iter().filter(|(_, error)| is_final(error)).map(|(api, _)| *api).collect(),
            lacks: missing(&platform.spec, &logged_on.scopes),
        },
        Err(error) if error.class() == Class::Person => Standing::Lost,
        Err(_) => Standing::Holds { refused_by: BTreeSet::new(), lacks: BTreeSet::new() },
    }
}

fn is_final(error: &platform::Error) -> bool {
    Error::from(error.share()).class() == Class::Person
}

/// Why what the Secrets hold now is not used.
fn reason(live: &Live<Platform>, new: Result<InUse>, trial: Option<Trial>, standing: &Standing) -> Error {
    let logged_on = match new {
        Ok((_, logged_on)) => logged_on,
        Err(error) => return error,
    };
    if !is_here(live, &logged_on.whereabouts) {
        return elsewhere(live, &logged_on.whereabouts);
    }
    let (refused_by, lacked) = match standing {
        Standing::Holds { refused_by, lacks } => (refused_by.clone(), lacks.clone()),
        Standing::Lost => Default::default(),
    };
    if let Some((api, error)) = logged_on.failures.into_iter().find(|(api, _)| !refused_by.contains(api)) {
        return error.about(api).into();
    }
    let lacks = trial.map(|trial| trial.lacks).unwrap_or_default();
    let scopes: Vec<&str> = lacks.difference(&lacked).map(|one| one.scope).collect();
    Error::RightsMissing(format!("what is in use may do more: the new credential has no {}", scopes.join(", ")))
}

/// Whether this is what the Platform is, or what somebody has accepted.
fn is_here(live: &Live<Platform>, whereabouts: &Whereabouts) -> bool {
    let is_known = |pinned: &String| whereabouts.pinned(pinned).is_some();
    live.status.place.as_ref().is_none_or(is_known) || is_accepted(live, whereabouts)
}

fn is_accepted(live: &Live<Platform>, whereabouts: &Whereabouts) -> bool {
    live.object().annotations().get(ACCEPT_PLACE_ANNOTATION) == Some(&whereabouts.to_string())
}

/// Pins what the platform is when it first connects. A credential that leads elsewhere is not used: nothing there
/// is known to be gone, and nothing is made anew, until somebody who may edit the Platform accepts the new place.
async fn pin(live: &mut Live<Platform>, journal: &mut Journal, whereabouts: &Whereabouts) -> Result<()> {
    let Some(pinned) = live.status.place.clone() else { return record(live, whereabouts.to_string()).await };
    if let Some(known) = whereabouts.pinned(&pinned) {
        return if known == pinned { Ok(()) } else { record(live, known).await };
    }
    if !is_accepted(live, whereabouts) {
        return Err(elsewhere(live, whereabouts));
    }
    let place = whereabouts.to_string();
    journal.warn("PlaceAccepted", format!("the Platform was {pinned} and is {place} from now on"));
    record(live, place).await
}

fn elsewhere(live: &Live<Platform>, whereabouts: &Whereabouts) -> Error {
    let pinned = live.status.place.as_deref().unwrap_or_default();
    Error::Elsewhere(format!(
        "this Platform is {pinned}, and its admin credential leads to {whereabouts}; nothing is touched there. Put the right credential back, or accept the new place with the annotation {ACCEPT_PLACE_ANNOTATION}: {whereabouts}"
    ))
}

async fn record(live: &mut Live<Platform>, place: String) -> Result<()> {
    live.status.place = Some(place);
    live.record().await
}

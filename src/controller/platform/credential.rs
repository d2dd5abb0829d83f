//! What a Platform says of its admin credentials: conditions, events, metrics. Judges nothing: `plan::admin_credential`
//! does.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::connecting::{InUse, Secrets, Tried};
use crate::api::Platform;
use crate::api::conditions::{self, ADMIN_SECRET_REJECTED, CREDENTIAL_EXPIRING, RIGHTS_MISSING, Verdict};
use crate::controller::Context;
use crate::controller::error::{Class, Error};
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::controller::retry::jittered;
use crate::plan::admin_credential::expiry::Ends;
use crate::plan::admin_credential::rights;

/// When what could not be proven for want of time is tried again.
const SOON: Duration = Duration::from_mins(1);

/// Says how the credential stands that is in use, and why it is not another. When to look again, if that may change.
pub fn say(live: &mut Live<Platform>, journal: &mut Journal, tried: &Tried, context: &Context) -> Option<Duration> {
    let now = (context.now)();
    let soon = match &tried.secrets {
        Secrets::Unread => None,
        Secrets::Used => {
            set_rejected(live, journal, None, context);
            None
        }
        Secrets::Rejected(why) => {
            let verdict = rejection(live, why, now);
            set_rejected(live, journal, Some(verdict), context);
            (why.class() != Class::Person).then(|| jittered(SOON))
        }
    };
    let due = expiry(live, journal, tried, now, context);
    soon.into_iter().chain(due).min()
}

fn set_rejected(live: &mut Live<Platform>, journal: &mut Journal, verdict: Option<Verdict>, context: &Context) {
    context.metrics.admin_secret_rejected(&live.object().name_any(), verdict.is_some());
    set(live, journal, ADMIN_SECRET_REJECTED, verdict, (context.now)());
}

fn rejection(live: &Live<Platform>, why: &Error, now: Timestamp) -> Verdict {
    let said = conditions::find(&live.status.conditions, ADMIN_SECRET_REJECTED);
    let since = said.map_or(now, |said| said.last_transition_time.0);
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let message = format!(
        "{why}. What worked before is in use since {since} all the same, until it ends or the operator restarts: put the admin Secret right before"
    );
    Verdict { status: "True", reason: why.reason(), message }
}

fn expiry(
    live: &mut Live<Platform>,
    journal: &mut Journal,
    tried: &Tried,
    now: Timestamp,
    context: &Context,
) -> Option<Duration> {
    let unread = matches!(&tried.outcome, Err(error) if error.class() != Class::Person);
    let ends = match &tried.ends {
        Some(ends) => ends.clone(),
        // That nothing could be read says nothing of what is there.
        None if unread => return None,
        None => Ends::default(),
    };
    let first = ends.first();
    context.metrics.admin_credential_ends(&live.object().name_any(), first.map(|end| end.at.as_second()));
    live.status.expires_at = first.map(|end| Time(end.at));
    live.status.expiring_secret = first.map(|end| end.secret.clone());
    let judgement = ends.judge(now);
    set(live, journal, CREDENTIAL_EXPIRING, judgement.verdict, now);
    judgement.again
}

/// Says which rights are missing.
pub fn say_rights(live: &mut Live<Platform>, journal: &mut Journal, in_use: &InUse, context: &Context) {
    let (connection, logged_on) = in_use;
    let missing = rights::missing(&live.object().spec, &logged_on.scopes);
    let refused = connection.driver.forbidden();
    context.metrics.admin_rights_missing(&live.object().name_any(), missing.len() + refused.len());
    set(live, journal, RIGHTS_MISSING, rights::verdict(&missing, &refused), (context.now)());
}

/// Sets a condition that is there only while there is something to say; an event tells when it begins, or says another thing.
fn set(live: &mut Live<Platform>, journal: &mut Journal, kind: &'static str, verdict: Option<Verdict>, now: Timestamp) {
    let generation = live.object().metadata.generation;
    let before = conditions::find(&live.status.conditions, kind).map(|said| said.reason.clone());
    let Some(verdict) = verdict else { return conditions::clear(&mut live.status.conditions, kind) };
    if before.as_deref() != Some(verdict.reason) {
        journal.warn(verdict.reason, verdict.message.clone());
    }
    conditions::set(&mut live.status.conditions, kind, verdict, generation, &Time(now));
}

//! What becomes of a TechnicalUser that is deleted, or that the access rules do not allow any more. Nothing that its
//! namespace controls holds this back: only the Platform's mode does, and `Orphan` where the rules give that right.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::{execute, is_begun, observe, operation, owner, permits, platform_of, restrained};
use crate::api::{DeletionPolicy, Identity, Mode, Platform, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Error, Result};
use crate::controller::live::Live;
use crate::controller::report::{Journal, Outcome};
use crate::controller::runner::Applied;
use crate::plan::access::{self, Asks, Withdrawal};
use crate::plan::technical_user::{self as planning, Want};

/// The end of a deleted object.
pub async fn cleanup(live: &mut Live<TechnicalUser>, journal: &mut Journal, context: &Context) -> Result<()> {
    if matches!(live.object().spec.identity, Identity::Existing(_)) {
        return Ok(());
    }
    let platform = platform_of(live.object(), context)?;
    if platform.spec.mode == Mode::Observe {
        return Ok(());
    }
    if live.object().spec.deletion_policy == DeletionPolicy::Orphan {
        if permits(live.object(), &platform, context, Asks::ToOrphan)? {
            journal.note("Orphaned", "left on the platform, as deletionPolicy Orphan asks");
            return Ok(());
        }
        journal.warn("OrphanDenied", "deletionPolicy Orphan is not allowed by the Platform: everything is removed");
    }
    withdraw(live, journal, &platform, context).await
}

/// What the access rules no longer allow is announced at once and withdrawn after the grace.
pub async fn denied(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
) -> Result<Applied> {
    let refusal = refusal(live.object(), platform);
    if !is_begun(live) {
        return Ok(Outcome::Stalled("AccessDenied", refusal).into());
    }
    let now = (context.now)();
    let since = live.status.denied_since.get_or_insert(Time(now)).0;
    match access::withdrawal(since, platform.spec.withdrawal_grace.duration(), now) {
        Withdrawal::Due(at) => {
            let outcome = Outcome::Stalled("AccessDenied", format!("{refusal}. It is withdrawn at {at}"));
            let mut applied = restrained(live, journal, platform, context, Ok(outcome)).await?;
            let due = std::time::Duration::try_from(at.duration_since(now)).ok();
            applied.again = applied.again.into_iter().chain(due).min();
            Ok(applied)
        }
        Withdrawal::Now if platform.spec.mode == Mode::Observe => {
            Ok(Outcome::Observed("mode Observe: it would be withdrawn".into()).into())
        }
        Withdrawal::Now => {
            withdraw(live, journal, platform, context).await?;
            live.status.credential = None;
            live.status.identity = None;
            live.status.binding = None;
            live.status.intent = None;
            live.status.ledger.clear();
            live.status.superseded.clear();
            live.status.denied_roles.clear();
            Ok(Outcome::Stalled("AccessDenied", format!("{refusal}. It was withdrawn")).into())
        }
    }
}

/// Why it may not be.
pub fn refusal(user: &TechnicalUser, platform: &Platform) -> String {
    let (namespace, name) = (user.namespace().unwrap_or_default(), platform.name_any());
    format!("Platform {name} does not allow namespace {namespace} this identity; its spec.access must list it")
}

/// Removes everything of it from the platform, and its Secret. Done only when the platform, asked for this very object,
/// has nothing of it left and nothing more can appear.
async fn withdraw(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    platform: &Platform,
    context: &Context,
) -> Result<()> {
    let connection = context.connections.wait_for(&platform.name_any()).await?;
    let mirrored = connection.mirror.of(live.object().spec.identity.kind())?;
    let want = Want { owner: owner(live.object(), context), ..Want::default() };
    operation::follow(live, &want.owner, journal, mirrored).await?;
    let mut seen = observe::observe_to_remove(live, &want.owner, mirrored, context).await?;
    let plan = planning::farewell(&seen.have);
    if !plan.is_quiet() {
        let (want, seen, turn, pair) = (&want, &mut seen, None, None);
        execute::Execution { live, journal, context, mirrored, platform, want, seen, turn, pair, at_work: false }
            .carry_out(&plan.strands)
            .await?;
    }
    match plan.hold {
        Some(_) => Err(still_removing()),
        None => Ok(()),
    }
}

fn still_removing() -> Error {
    execute::in_progress("remove identity")
}

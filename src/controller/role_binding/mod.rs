//! RoleBinding: resolve each line, let the plan say what to grant and take away, record, carry out, record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;

use super::Context;
use super::connections::Connection;
use super::error::{Error, Result};
use super::index;
use super::live::Live;
use super::report::{Journal, Outcome};
use super::runner::{Applied, Reconcile};
use crate::api::{DeletionPolicy, Mode, Platform, RoleBinding};
use crate::plan::grant::Grant;
use crate::plan::role_binding::{self as planning, Ledger, Plan, Stance, World};
use crate::platform;

mod lines;
mod resolve;

use lines::Lines;

/// How old the picture may be on whose word a grant is called ours: older, and a person might have granted it meanwhile.
const FRESH: Duration = Duration::from_secs(10);

/// The calls that failed, by the grant they were for.
type Failures = BTreeMap<Grant, platform::Error>;

impl Reconcile for RoleBinding {
    async fn apply(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<Applied> {
        let platform = platform_of(live.object(), context)?;
        let drafts = resolve::drafts(live, &platform, context).await?;
        let mut lines = Lines::new(drafts, &live.status.roles);
        let mut failures = Failures::new();
        if lines.concern_grants() {
            let connection = context.connections.wait_for(&platform.name_any()).await?;
            let world = world(live.object(), &lines, &connection, context).await?;
            let plan = planning::plan(&world);
            if platform.spec.mode == Mode::Observe {
                return Ok(observed(live, &plan).into());
            }
            failures = carry_out(live, journal, &mut lines, &connection, &plan).await?;
        } else if platform.spec.mode == Mode::Observe {
            return Ok(observed(live, &Plan::default()).into());
        }
        live.status.plan.clear();
        live.status.roles = lines.after(&failures);
        live.status.granted = Some(lines.tally(&live.status.roles));
        let again = lines.again((context.now)());
        match failures.into_values().next() {
            Some(failure) => Err(failure.into()),
            None => Ok(Applied { outcome: lines.outcome(&live.status.roles), again }),
        }
    }

    async fn cleanup(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<()> {
        if live.object().spec.deletion_policy == DeletionPolicy::Orphan {
            journal.note("Orphaned", "left the grants on the platform, as deletionPolicy Orphan asks");
            return Ok(());
        }
        let mut lines = Lines::new(vec![], &live.status.roles);
        if !lines.owns_any() {
            return Ok(());
        }
        let platform = platform_of(live.object(), context)?;
        if platform.spec.mode == Mode::Observe {
            return Ok(());
        }
        let connection = context.connections.wait_for(&platform.name_any()).await?;
        let plan = planning::plan(&world(live.object(), &lines, &connection, context).await?);
        let failures = carry_out(live, journal, &mut lines, &connection, &plan).await?;
        live.status.roles = lines.after(&failures);
        match failures.into_values().next() {
            Some(failure) => Err(failure.into()),
            // It is woken when the other one has recorded the grant.
            None if !plan.ledger.is_empty() => {
                Err(Error::waiting("HandingOver", "another RoleBinding takes a grant over"))
            }
            None => Ok(()),
        }
    }
}

fn platform_of(binding: &RoleBinding, context: &Context) -> Result<Arc<Platform>> {
    let name = &binding.spec.platform_ref.name;
    context
        .stores
        .platform(name)
        .ok_or_else(|| Error::waiting("PlatformNotFound", format!("there is no Platform {name}")))
}

/// Everything the plan must know. Grants that are not recorded yet are looked up in a fresh picture.
async fn world(binding: &RoleBinding, lines: &Lines, connection: &Connection, context: &Context) -> Result<World> {
    let me: index::Key = (binding.namespace().unwrap_or_default(), binding.name_any());
    // Two that are deleted together must not each leave a shared grant to the other: the watch is ordered, so the
    // later of them sees both go once it has seen itself go.
    if !context.index.has_seen(&me, binding) {
        return Err(Error::LostRace);
    }
    let (wanted, ledger) = (lines.wanted(), lines.ledger());
    let all: Vec<Grant> = wanted.keys().chain(ledger.keys()).cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let is_new = wanted.iter().any(|(grant, stance)| *stance == Stance::Want && !ledger.contains_key(grant));
    let max_age = if is_new { FRESH } else { Duration::MAX };
    let holds = connection.mirror.holds(&all, max_age).await.into_iter().collect::<platform::Result<Vec<bool>>>()?;
    let have = all.iter().zip(holds).filter(|(_, holds)| *holds).map(|(grant, _)| grant.clone()).collect();
    let platform = &binding.spec.platform_ref.name;
    let (owned_elsewhere, claimed_elsewhere) = context.index.elsewhere(&me, platform, all.iter());
    Ok(World { wanted, ledger, have, owned_elsewhere, claimed_elsewhere })
}

/// Records what we may come to own, then grants and revokes.
async fn carry_out(
    live: &mut Live<RoleBinding>,
    journal: &mut Journal,
    lines: &mut Lines,
    connection: &Connection,
    plan: &Plan,
) -> Result<Failures> {
    if plan.intent.values().any(|owned| *owned) {
        live.hold().await?;
    }
    lines.follow(plan);
    if !plan.is_quiet() {
        live.status.roles = lines.before(plan);
        live.record().await?;
    }
    let (granted, revoked) =
        tokio::join!(connection.mirror.grant(plan.grant.clone()), connection.mirror.revoke(plan.revoke.clone()));
    let mut failures = Failures::new();
    note(journal, &mut failures, ("Granted", "granted", "to"), &plan.grant, granted);
    note(journal, &mut failures, ("Revoked", "took", "from"), &plan.revoke, revoked);
    Ok(failures)
}

fn note(
    journal: &mut Journal,
    failures: &mut Failures,
    (reason, verb, direction): (&'static str, &str, &str),
    grants: &[Grant],
    results: Vec<platform::Result<()>>,
) {
    for (grant, result) in grants.iter().zip(results) {
        match result {
            Ok(()) => journal.note(reason, said(verb, grant, direction)),
            Err(error) => drop(failures.insert(grant.clone(), error)),
        }
    }
}

fn said(verb: &str, Grant { holder, role }: &Grant, direction: &str) -> String {
    format!("{verb} {} {} {direction} {} ({})", role.kind(), role.name(), holder.name(), holder.origin())
}

fn observed(live: &mut Live<RoleBinding>, plan: &Plan) -> Outcome {
    let grants = plan.grant.iter().map(|grant| said("grant", grant, "to"));
    live.status.plan = grants.chain(plan.revoke.iter().map(|grant| said("take", grant, "from"))).collect();
    Outcome::Observed(format!("mode Observe: {} steps would be taken; see status.plan", live.status.plan.len()))
}

/// The ledger that status lines record.
fn ledger(lines: &[crate::api::RoleLine]) -> Ledger {
    let mut ledger = Ledger::new();
    for (line, grant) in lines.iter().filter_map(|line| Some((line, index::grant_of(line)?))) {
        *ledger.entry(grant).or_default() |= line.owned;
    }
    ledger
}

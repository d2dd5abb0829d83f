//! RoleBinding: resolve each line, let the plan say what to take away and to grant, record, carry out, record.

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
use crate::plan::access::{self, Asks, Request, To};
use crate::plan::environment::rules;
use crate::plan::grant::Grant;
use crate::plan::role_binding::{self as planning, Ledger, Plan, World};
use crate::platform;
use crate::platform::mirror::Coming;

mod effects;
mod lines;
pub mod record;
mod resolve;

/// The calls that failed, by the grant they were for.
type Failures = BTreeMap<Grant, platform::Error>;

impl Reconcile for RoleBinding {
    fn platform(&self) -> Option<&str> {
        Some(&self.spec.platform_ref.name)
    }

    async fn apply(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<Applied> {
        let platform = platform_of(live.object(), context)?;
        let drafts = resolve::drafts(live.object(), &platform, context).await?;
        let wanted = lines::wanted(&drafts, rules(&platform.spec.environment));
        let mut ledger = ledger(live);
        let (mut failures, mut again) = (Failures::new(), None);
        if !wanted.is_empty() || !ledger.is_empty() {
            let connection = context.connections.wait_for(&platform.name_any()).await?;
            let coming = connection.mirror.announce(new(&wanted, &ledger));
            let (world, unread) = world(live.object(), &platform, wanted, ledger, &connection, context).await?;
            let plan = planning::plan(&world);
            if platform.spec.mode == Mode::Observe {
                return Ok(observed(live, &plan).into());
            }
            again = plan.withdrawal.and_then(|at| Duration::try_from(at.duration_since(world.now)).ok());
            let to_do = ToDo { platform: &platform, world: &world, plan: &plan, coming };
            failures = carry_out(live, journal, to_do, &connection, context).await?;
            ledger = settled(&plan, &failures);
            failures.extend(unread);
        } else if platform.spec.mode == Mode::Observe {
            return Ok(observed(live, &Plan::default()).into());
        }
        live.status.plan.clear();
        live.status.ledger = record::recorded(&ledger);
        live.status.roles = lines::lines(&drafts, &ledger, &failures, &platform.name_any());
        live.status.granted = Some(lines::tally(&live.status.roles));
        let failure = failures.into_values().next();
        let result = failure.map_or_else(|| Ok(lines::outcome(&live.status.roles)), |failure| Err(failure.into()));
        Ok(Applied { result, again })
    }

    async fn cleanup(live: &mut Live<Self>, journal: &mut Journal, context: &Context) -> Result<()> {
        let ledger = ledger(live);
        if !ledger.values().any(|entry| entry.owned) {
            return Ok(());
        }
        let platform = platform_of(live.object(), context)?;
        if platform.spec.mode == Mode::Observe {
            return Ok(());
        }
        if may_orphan(live.object(), &platform, journal, context)? {
            return Ok(());
        }
        let connection = context.connections.wait_for(&platform.name_any()).await?;
        let (world, _) = world(live.object(), &platform, BTreeMap::new(), ledger, &connection, context).await?;
        let plan = planning::plan(&world);
        let to_do = ToDo { platform: &platform, world: &world, plan: &plan, coming: Coming::default() };
        let failures = carry_out(live, journal, to_do, &connection, context).await?;
        let left = settled(&plan, &failures);
        live.status.ledger = record::recorded(&left);
        live.status.roles.clear();
        match failures.into_values().next() {
            Some(failure) => Err(failure.into()),
            // It is woken when the other one has recorded the grant.
            None if !left.is_empty() => Err(Error::waiting("HandingOver", "another RoleBinding takes a grant over")),
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

fn ledger(live: &Live<RoleBinding>) -> Ledger {
    record::ledger_of(&live.status.ledger)
}

/// Whether the grants stay on the platform: the object must ask for it, and the rules must give that right.
fn may_orphan(binding: &RoleBinding, platform: &Platform, journal: &mut Journal, context: &Context) -> Result<bool> {
    if binding.spec.deletion_policy != DeletionPolicy::Orphan {
        return Ok(false);
    }
    let namespace = &context.stores.namespace(&binding.namespace().unwrap_or_default())?;
    let environment = &platform.spec.environment;
    let allowed = access::permit(&platform.spec.access, &Request { namespace, environment, asks: Asks::ToOrphan });
    if allowed {
        journal.note("Orphaned", "left the grants on the platform, as deletionPolicy Orphan asks");
    } else {
        journal.warn("OrphanDenied", "deletionPolicy Orphan is not allowed by the Platform: the grants are taken away");
    }
    Ok(allowed)
}

/// Everything the plan must know, and the grants of which the platform did not tell: those stay as they are.
///
/// What is new, and what seems to be missing, is asked for by name: neither a list nor its age decides whose a grant is.
async fn world(
    binding: &RoleBinding,
    platform: &Platform,
    mut wanted: BTreeMap<Grant, bool>,
    ledger: Ledger,
    connection: &Connection,
    context: &Context,
) -> Result<(World, Failures)> {
    let me = index::key(binding);
    // Two that are deleted together must not each leave a shared grant to the other: the watch is ordered, so the
    // later of them sees both go once it has seen itself go.
    if !context.index.has_seen(&me, binding) {
        return Err(Error::LostRace);
    }
    let (mut have, unread) = in_force(&wanted, &ledger, connection).await;
    for grant in unread.keys() {
        if ledger.contains_key(grant) {
            have.insert(grant.clone());
        } else {
            wanted.remove(grant);
        }
    }
    let all: BTreeSet<&Grant> = wanted.keys().chain(ledger.keys()).collect();
    let name = platform.name_any();
    let (owned_elsewhere, mut claimed_elsewhere) = context.index.elsewhere(&me, &name, all.iter().copied());
    let namespace = &context.stores.namespace(&me.0)?;
    let may_be_wanted = |grant: &Grant| {
        let asks = Asks::ToGrant(&grant.role, To::Holder(&grant.holder));
        let request = Request { namespace, environment: &platform.spec.environment, asks };
        // What the rules do not allow holds back no removal, whatever is written.
        context.index.may_be_wanted(&me, &name, &grant.role) && access::permit(&platform.spec.access, &request)
    };
    claimed_elsewhere.extend(all.into_iter().filter(|grant| may_be_wanted(grant)).cloned());
    let rules = rules(&platform.spec.environment);
    let all = wanted.keys().chain(ledger.keys());
    let resting = all.filter(|grant| rules.implied(grant).is_some()).cloned().collect();
    let (grace, now) = (platform.spec.withdrawal_grace.duration(), (context.now)());
    Ok((World { wanted, ledger, have, owned_elsewhere, claimed_elsewhere, resting, grace, now }, unread))
}

/// Which of the wanted grants are in force, and those of which the platform did not tell.
async fn in_force(
    wanted: &BTreeMap<Grant, bool>,
    ledger: &Ledger,
    connection: &Connection,
) -> (BTreeSet<Grant>, Failures) {
    let (mut have, mut unread) = (BTreeSet::new(), Failures::new());
    let asked: Vec<Grant> = wanted.iter().filter(|(_, allowed)| **allowed).map(|(grant, _)| grant.clone()).collect();
    let mut unsure = vec![];
    for (grant, shown) in asked.iter().zip(connection.mirror.holds(&asked, Duration::MAX).await) {
        match shown {
            Ok(true) if ledger.contains_key(grant) => drop(have.insert(grant.clone())),
            Ok(_) => unsure.push(grant.clone()),
            Err(error) => drop(unread.insert(grant.clone(), error)),
        }
    }
    for (grant, told) in unsure.iter().zip(connection.mirror.confirm(&unsure).await) {
        match told {
            Ok(true) => drop(have.insert(grant.clone())),
            Ok(false) => {}
            Err(error) => drop(unread.insert(grant.clone(), error)),
        }
    }
    (have, unread)
}

/// What is allowed and nobody has recorded yet: most of it will be granted in a moment.
fn new<'a>(wanted: &'a BTreeMap<Grant, bool>, ledger: &Ledger) -> impl Iterator<Item = &'a Grant> {
    let is_new = |(grant, allowed): &(&Grant, &bool)| **allowed && !ledger.contains_key(*grant);
    wanted.iter().filter(is_new).map(|(grant, _)| grant)
}

/// What is to be done, as it was seen and decided.
struct ToDo<'a> {
    platform: &'a Platform,
    world: &'a World,
    plan: &'a Plan,
    coming: Coming,
}

/// Records what we may come to own, then revokes and grants.
async fn carry_out(
    live: &mut Live<RoleBinding>,
    journal: &mut Journal,
    ToDo { platform, world, plan, coming }: ToDo<'_>,
    connection: &Connection,
    context: &Context,
) -> Result<Failures> {
    if plan.intent.values().any(|entry| entry.owned) && live.object().metadata.deletion_timestamp.is_none() {
        live.hold().await?;
    }
    if plan.is_quiet() {
        return Ok(Failures::new());
    }
    if comes_to_own(world, plan) {
        live.status.ledger = record::recorded(&plan.intent);
        live.record().await?;
    }
    live.confirm().await?;
    let rules = rules(&platform.spec.environment);
    // The rules are asked for what is new: what must go does not wait for them.
    let granting = async {
        if !plan.grant.is_empty() {
            context.rules.confirm(&platform.name_any(), context).await?;
        }
        Ok::<_, Error>(effects::carry_out(&plan.grant, &effects::GRANT, rules, &connection.mirror, coming).await)
    };
    let revoking = effects::carry_out(&plan.revoke, &effects::REVOKE, rules, &connection.mirror, Coming::default());
    let (revoked, granted) = tokio::join!(revoking, granting);
    let mut failures = effects::noted(&plan.revoke, &effects::REVOKE, revoked, journal);
    failures.extend(effects::noted(&plan.grant, &effects::GRANT, granted?, journal));
    Ok(failures)
}

/// Whether the plan is about to make something that the record does not call ours yet.
fn comes_to_own(world: &World, plan: &Plan) -> bool {
    let recorded = |grant: &Grant| world.ledger.get(grant).is_some_and(|entry| entry.owned);
    plan.grant.iter().any(|grant| plan.intent.get(grant).is_some_and(|entry| entry.owned) && !recorded(grant))
}

/// The ledger after the effects: what could not be taken away is still ours.
fn settled(plan: &Plan, failures: &Failures) -> Ledger {
    let left = plan.revoke.iter().filter(|grant| failures.contains_key(grant));
    let left = left.filter_map(|grant| Some((grant.clone(), *plan.intent.get(grant)?)));
    plan.ledger.clone().into_iter().chain(left).collect()
}

fn observed(live: &mut Live<RoleBinding>, plan: &Plan) -> Outcome {
    let grants = plan.grant.iter().map(|grant| effects::said("grant", grant, "to"));
    live.status.plan = grants.chain(plan.revoke.iter().map(|grant| effects::said("take", grant, "from"))).collect();
    Outcome::Observed(format!("mode Observe: {} steps would be taken; see status.plan", live.status.plan.len()))
}

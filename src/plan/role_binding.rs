//! What to do for a RoleBinding: record, grant, revoke, record.
//!
//! The ledger is the set of grants that this binding holds or is about to hold, each with whether it made it. A
//! platform has no place for our mark on a grant, so the ledger is written before the grant is made: after a crash
//! anywhere, what we may have made is known, and what was there before is never taken away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::access::{Withdrawal, withdrawal};
use super::grant::Grant;

/// The grants of a binding.
pub type Ledger = BTreeMap<Grant, Entry>;

/// What is recorded of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether the binding made the grant, or is about to: only then may it take it away.
    pub owned: bool,
    /// Whether the binding still wants it; what it does not want it is letting go of.
    pub wanted: bool,
    /// Since when the access rules do not allow it any more.
    pub denied_since: Option<Timestamp>,
}

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What the spec names and the platform can have, and whether the access rules allow it.
    pub wanted: BTreeMap<Grant, bool>,
    /// What the status records.
    pub ledger: Ledger,
    /// What is in force on the platform, as far as wanted. That something is missing here must have been confirmed by a
    /// targeted read.
    pub have: BTreeSet<Grant>,
    /// What other live bindings made.
    pub owned_elsewhere: BTreeSet<Grant>,
    /// What other live bindings record and want. Such a grant stays, whoever lets go of it.
    pub claimed_elsewhere: BTreeSet<Grant>,
    /// The grants that do not stand without another one: they are made after the rest and go before it.
    pub resting: BTreeSet<Grant>,
    /// How long what the rules stop allowing stays; `None`: for ever.
    pub grace: Option<Duration>,
    /// The time of day.
    pub now: Timestamp,
}

/// The steps, in order: record `intent`, then revoke and grant, then record `ledger`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The ledger to record before any effect.
    pub intent: Ledger,
    /// What to grant.
    pub grant: Waves,
    /// What to take away. It may be gone already.
    pub revoke: Waves,
    /// The ledger once all of it has succeeded.
    pub ledger: Ledger,
    /// When the first grant that is not allowed any more is due to be withdrawn.
    pub withdrawal: Option<Timestamp>,
}

/// Changes in their order: what the others need, or what needs the others, goes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waves {
    /// These at first.
    pub first: Vec<Grant>,
    /// These when the first are done.
    pub then: Vec<Grant>,
}

impl Waves {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.then.is_empty()
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.first.iter().chain(&self.then)
    }
}

impl Plan {
    /// Whether nothing needs to be called.
    pub fn is_quiet(&self) -> bool {
        self.grant.is_empty() && self.revoke.is_empty()
    }
}

/// The way from what there is to what is wanted. A deleted binding, which wants nothing, may be let go when its ledger is
/// empty.
///
/// ```
/// use technical_user_operator::api::{Principal, Role};
/// use technical_user_operator::plan::environment::rules;
/// use technical_user_operator::plan::grant::{Grant, HolderKind};
/// use technical_user_operator::plan::role_binding::{World, plan};
///
/// let environment = serde_json::from_str(r#"{ "btp": {} }"#)?;
/// let jane = Principal { name: "jane@acme.example".into(), origin: None };
/// let role: Role = serde_json::from_str(r#"{ "roleCollection": { "name": "PI_Read_Only" } }"#)?;
/// let grant = Grant::new(rules(&environment).holder(HolderKind::User, &jane), role);
///
/// let missing = World { wanted: [(grant.clone(), true)].into(), ..World::default() };
/// assert!(plan(&missing).intent[&grant].owned, "it is recorded as ours before it is made");
/// assert_eq!(plan(&missing).grant.first, [grant.clone()]);
///
/// let there_before = World { have: [grant.clone()].into(), ..missing };
/// assert!(!plan(&there_before).ledger[&grant].owned, "what was there before never is");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn plan(world: &World) -> Plan {
    let mut ledger: Ledger = world.wanted.iter().filter_map(|(grant, allowed)| keep(world, grant, *allowed)).collect();
    let withdrawal = ledger.values().filter_map(|entry| due(world, entry)).min();
    let leaving = world.ledger.iter().filter(|(grant, entry)| entry.owned && !ledger.contains_key(*grant));
    let (claimed, revoke): (Vec<Grant>, Vec<Grant>) =
        leaving.map(|(grant, _)| grant.clone()).partition(|grant| world.claimed_elsewhere.contains(grant));
    let missing = |(grant, entry): &(&Grant, &Entry)| entry.denied_since.is_none() && !world.have.contains(*grant);
    let grant: Vec<Grant> = ledger.iter().filter(missing).map(|(grant, _)| grant.clone()).collect();
    // A grant stays ours until the one that wants it has recorded it, or it would find it and take it for a stranger's.
    let left_to_us = claimed.into_iter().filter(|grant| !world.owned_elsewhere.contains(grant));
    ledger.extend(left_to_us.map(|grant| (grant, LEAVING)));
    let intent = ledger.clone().into_iter().chain(revoke.iter().map(|grant| (grant.clone(), LEAVING))).collect();
    let rests = |grant: &Grant| world.resting.contains(grant);
    let (then, first) = grant.into_iter().partition(rests);
    let grant = Waves { first, then };
    let (first, then) = revoke.into_iter().partition(rests);
    Plan { intent, grant, revoke: Waves { first, then }, ledger, withdrawal }
}

/// Ours, and not wanted any more.
const LEAVING: Entry = Entry { owned: true, wanted: false, denied_since: None };

/// The ledger's entry for something that the spec names: ours if we make it now, if we recorded it so, or if another
/// binding of ours made it. What is already there otherwise was somebody else's before, and stays theirs.
fn keep(world: &World, grant: &Grant, allowed: bool) -> Option<(Grant, Entry)> {
    let recorded = world.ledger.get(grant);
    if allowed {
        let made_now = !world.have.contains(grant);
        let recorded = recorded.is_some_and(|entry| entry.owned);
        let owned = made_now || recorded || world.owned_elsewhere.contains(grant);
        return Some((grant.clone(), Entry { owned, wanted: true, denied_since: None }));
    }
    // What is not allowed is not made, and what others made is not ours to withdraw.
    let recorded = recorded.filter(|entry| entry.owned)?;
    let since = recorded.denied_since.unwrap_or(world.now);
    let kept = Entry { owned: true, wanted: true, denied_since: Some(since) };
    matches!(withdrawal(since, world.grace, world.now), Withdrawal::Due(_)).then(|| (grant.clone(), kept))
}

fn due(world: &World, entry: &Entry) -> Option<Timestamp> {
    match withdrawal(entry.denied_since?, world.grace, world.now) {
        Withdrawal::Due(at) => Some(at),
        Withdrawal::Now => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Role;
    use crate::api::role::RoleName;
    use crate::plan::grant::{Holder, HolderKind};

    const OWNED: Entry = Entry { owned: true, wanted: true, denied_since: None };
    const THEIRS: Entry = Entry { owned: false, ..OWNED };

    fn grant(role: &str) -> Grant {
        let holder = Holder::named(HolderKind::User, "jane", "sap.default");
        Grant::new(holder, Role::RoleCollection(RoleName { name: role.into() }))
    }

    fn a() -> Grant {
        grant("a")
    }

    fn revoked(world: &World) -> Vec<Grant> {
        plan(world).revoke.iter().cloned().collect()
    }

    fn wanting(allowed: bool) -> World {
        World { wanted: BTreeMap::from([(a(), allowed)]), ..World::default() }
    }

    fn recording(entry: Entry) -> World {
        World { ledger: Ledger::from([(a(), entry)]), have: BTreeSet::from([a()]), ..World::default() }
    }

    #[test]
    fn what_is_missing_is_recorded_as_ours_before_it_is_granted() {
        let plan = plan(&wanting(true));
        assert_eq!(plan.intent, Ledger::from([(a(), OWNED)]));
        assert_eq!((plan.grant.first, plan.revoke), (vec![a()], Waves::default()));
    }

    #[test]
    fn what_was_there_before_is_never_ours() {
        let mut world = wanting(true);
        world.have.insert(a());
        assert!(plan(&world).is_quiet());
        assert_eq!(plan(&world).ledger, Ledger::from([(a(), THEIRS)]));
        assert_eq!(plan(&recording(THEIRS)), Plan::default());
        world.ledger.insert(a(), THEIRS);
        world.have.clear();
        assert_eq!(plan(&world).intent, Ledger::from([(a(), OWNED)]), "they let go of it, and we make it");
    }

    #[test]
    fn what_rests_on_another_is_made_after_it_and_goes_before_it() {
        let (base, resting) = (a(), grant("b"));
        let in_order = |first: &Grant, then: &Grant| Waves { first: vec![first.clone()], then: vec![then.clone()] };
        let wanted = BTreeMap::from([(base.clone(), true), (resting.clone(), true)]);
        let world = World { wanted, resting: BTreeSet::from([resting.clone()]), ..World::default() };
        let made = plan(&world);
        assert_eq!(made.grant, in_order(&base, &resting));
        let gone = World { wanted: BTreeMap::new(), ledger: made.ledger, ..world };
        assert_eq!(plan(&gone).revoke, in_order(&resting, &base));
    }

    #[test]
    fn what_the_picture_does_not_show_is_revoked_all_the_same() {
        let mut world = recording(OWNED);
        world.have.clear();
        assert_eq!(revoked(&world), [a()]);
    }

    #[test]
    fn what_another_binding_wants_stays() {
        let mut world = recording(OWNED);
        assert_eq!(revoked(&world), [a()]);
        world.claimed_elsewhere.insert(a());
        assert!(plan(&world).is_quiet());
        assert_eq!(plan(&world).ledger, Ledger::from([(a(), LEAVING)]), "ours until the other has recorded it");
        world.owned_elsewhere.insert(a());
        assert_eq!(plan(&world), Plan::default());
    }

    #[test]
    fn what_another_binding_made_is_shared_and_the_last_one_takes_it_away() {
        let mut world = wanting(true);
        world.have.insert(a());
        world.owned_elsewhere.insert(a());
        assert_eq!(plan(&world).ledger, Ledger::from([(a(), OWNED)]));
    }

    #[test]
    fn what_is_not_allowed_is_not_made_and_stays_until_its_grace_has_passed() {
        assert_eq!(plan(&wanting(false)), Plan::default());
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut world = World { wanted: wanting(false).wanted, ..recording(OWNED) };
        (world.grace, world.now) = (Some(Duration::from_secs(10)), at(100));
        let kept = Entry { denied_since: Some(at(100)), ..OWNED };
        let first = plan(&world);
        assert_eq!((&first.ledger, first.withdrawal), (&Ledger::from([(a(), kept)]), Some(at(110))));
        assert!(first.is_quiet());
        let later = World { ledger: first.ledger, now: at(110), ..world };
        assert_eq!((revoked(&later), plan(&later).ledger), (vec![a()], Ledger::new()));
        let allowed_again = World { wanted: wanting(true).wanted, now: at(109), ..later };
        assert_eq!(plan(&allowed_again).ledger, Ledger::from([(a(), OWNED)]));
    }
}

//! What to do for a RoleBinding: record, grant, revoke, record.
//!
//! The ledger is the set of grants that this binding holds or is about to hold, each with whether it made it. A
//! platform has no place for our mark on a grant, so the ledger is written before the grant is made: after a crash
//! anywhere, what we may have made is known, and what was there before is never taken away.

use std::collections::{BTreeMap, BTreeSet};

use super::grant::Grant;

/// The grants of a binding; the value says whether the binding made the grant and may take it away.
pub type Ledger = BTreeMap<Grant, bool>;

/// What the binding wants of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// It shall be in force.
    Want,
    /// It is no longer allowed, and its grace has not passed: it stays as it is, and is not made anew.
    Keep,
}

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What the binding wants.
    pub wanted: BTreeMap<Grant, Stance>,
    /// What its status records.
    pub ledger: Ledger,
    /// What is in force on the platform, as far as wanted or recorded.
    pub have: BTreeSet<Grant>,
    /// What other live bindings made.
    pub owned_elsewhere: BTreeSet<Grant>,
    /// What other live bindings want and will record, or hold until their grace has passed. Such a grant stays, whoever
    /// lets go of it.
    pub claimed_elsewhere: BTreeSet<Grant>,
}

/// The steps, in order: record `intent`, then grant and revoke, then record `ledger`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The ledger to record before any effect.
    pub intent: Ledger,
    /// What to grant.
    pub grant: Vec<Grant>,
    /// What to take away.
    pub revoke: Vec<Grant>,
    /// The ledger once all of it has succeeded.
    pub ledger: Ledger,
}

impl Plan {
    /// Whether nothing needs to be called.
    pub fn is_quiet(&self) -> bool {
        self.grant.is_empty() && self.revoke.is_empty()
    }
}

/// The way from what there is to what is wanted. A deleted binding may be let go when its ledger is empty.
pub fn plan(world: &World) -> Plan {
    let mut ledger: Ledger = world.wanted.iter().filter_map(|(grant, stance)| keep(world, grant, *stance)).collect();
    let leaving =
        |(grant, owned): &(&Grant, &bool)| **owned && !ledger.contains_key(*grant) && world.have.contains(*grant);
    let left = world.ledger.iter().filter(leaving).map(|(grant, _)| grant.clone());
    let (claimed, revoke): (Vec<Grant>, Vec<Grant>) = left.partition(|grant| world.claimed_elsewhere.contains(grant));
    let grant = ledger
        .keys()
        .filter(|grant| world.wanted.get(grant) == Some(&Stance::Want) && !world.have.contains(grant))
        .cloned()
        .collect();
    // A grant stays ours until the one that wants it has recorded it, or it would find it and take it for a stranger's.
    let handed_over = |grant: &Grant| world.owned_elsewhere.contains(grant);
    ledger.extend(claimed.into_iter().filter(|grant| !handed_over(grant)).map(|grant| (grant, true)));
    let intent = ledger.clone().into_iter().chain(revoke.iter().map(|grant| (grant.clone(), true))).collect();
    Plan { intent, grant, revoke, ledger }
}

/// The ledger's entry for something wanted: ours if we make it now, if we recorded it so, or if another binding of
/// ours made it. What is already there otherwise was somebody else's before, and stays theirs.
fn keep(world: &World, grant: &Grant, stance: Stance) -> Option<(Grant, bool)> {
    let recorded = world.ledger.get(grant).copied();
    if stance == Stance::Keep && recorded.is_none() {
        return None;
    }
    let made_now = stance == Stance::Want && !world.have.contains(grant);
    let owned = made_now || recorded == Some(true) || world.owned_elsewhere.contains(grant);
    Some((grant.clone(), owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Role;
    use crate::api::role_binding::RoleName;
    use crate::plan::grant::{Holder, HolderKind};

    fn grant(role: &str) -> Grant {
        let holder = Holder::named(HolderKind::User, "jane", "sap.default");
        Grant::new(holder, Role::RoleCollection(RoleName { name: role.into() }))
    }

    fn wanting(roles: &[&str]) -> World {
        World { wanted: roles.iter().map(|role| (grant(role), Stance::Want)).collect(), ..World::default() }
    }

    #[test]
    fn what_is_missing_is_recorded_as_ours_before_it_is_granted() {
        let plan = plan(&wanting(&["a"]));
        assert_eq!(plan.intent, Ledger::from([(grant("a"), true)]));
        assert_eq!((plan.grant, plan.revoke), (vec![grant("a")], vec![]));
    }

    #[test]
    fn what_was_there_before_is_never_ours() {
        let mut world = wanting(&["a"]);
        world.have.insert(grant("a"));
        let first = plan(&world);
        assert!(first.is_quiet());
        assert_eq!(first.ledger, Ledger::from([(grant("a"), false)]));
        let gone = World { ledger: first.ledger, have: world.have, ..World::default() };
        assert_eq!(plan(&gone), Plan::default());
    }

    #[test]
    fn what_another_binding_wants_stays() {
        let mut world = World { ledger: Ledger::from([(grant("a"), true)]), ..World::default() };
        world.have.insert(grant("a"));
        assert_eq!(plan(&world).revoke, vec![grant("a")]);
        world.claimed_elsewhere.insert(grant("a"));
        world.owned_elsewhere.insert(grant("a"));
        assert_eq!(plan(&world), Plan::default());
    }

    #[test]
    fn what_another_binding_wants_is_ours_until_it_has_recorded_it() {
        let mut world = World { ledger: Ledger::from([(grant("a"), true)]), ..World::default() };
        world.have.insert(grant("a"));
        world.claimed_elsewhere.insert(grant("a"));
        assert!(plan(&world).is_quiet());
        assert_eq!(plan(&world).ledger, world.ledger);
    }

    #[test]
    fn what_another_binding_made_is_shared_and_the_last_one_takes_it_away() {
        let mut world = wanting(&["a"]);
        world.have.insert(grant("a"));
        world.owned_elsewhere.insert(grant("a"));
        assert_eq!(plan(&world).ledger, Ledger::from([(grant("a"), true)]));
    }

    #[test]
    fn what_is_kept_for_its_grace_is_neither_made_nor_taken_away() {
        let mut world = World { wanted: BTreeMap::from([(grant("a"), Stance::Keep)]), ..World::default() };
        assert_eq!(plan(&world), Plan::default());
        world.ledger.insert(grant("a"), true);
        assert!(plan(&world).is_quiet());
        assert_eq!(plan(&world).ledger, world.ledger);
    }
}

//! The roles that the identity itself carries: taking away and giving are strands of their own, so that a role that the
//! platform refuses holds back no removal.

use std::collections::BTreeSet;

use super::facts::{Have, IdentityFact, Want};
use super::steps::{Step, Strand};

type Roles = BTreeSet<String>;

/// The strands that take away and that give.
pub fn correct(want: &Want, kept: &IdentityFact, have: &Have) -> (Strand, Strand) {
    let Some(wanted) = &want.roles else { return <(Strand, Strand)>::default() };
    let (sure, possible) = carried(kept, have);
    if sure.as_ref() == Some(wanted) && possible == *wanted {
        return <(Strand, Strand)>::default();
    }
    // What was in force before is known to be accepted; only what is new can be refused.
    let reduced: Roles = sure.as_ref().map(|sure| sure & wanted).unwrap_or_default();
    let takes = sure.is_some() && !possible.is_subset(wanted);
    match (takes, reduced == *wanted) {
        (true, true) => (set(kept, wanted), Strand::default()),
        (true, false) => (set(kept, &reduced), set(kept, wanted)),
        (false, _) => (Strand::default(), set(kept, wanted)),
    }
}

/// The strand that takes these away and touches nothing else.
pub fn without(want: &Want, kept: &IdentityFact, have: &Have, forbidden: &Roles) -> Strand {
    let (sure, possible) = carried(kept, have);
    if want.roles.is_none() || possible.is_disjoint(forbidden) {
        return Strand::default();
    }
    set(kept, &(&sure.unwrap_or_default() - forbidden))
}

/// What the identity is known to carry, and all that it may carry. What the platform tells counts; where it does not
/// tell, what was last asked for, as far as it is known to have come about.
pub fn carried(kept: &IdentityFact, have: &Have) -> (Option<Roles>, Roles) {
    if let Some(told) = &kept.roles {
        return (Some(told.clone()), told.clone());
    }
    // What is recorded of another identity says nothing about this one.
    let recorded = Some(&have.recorded).filter(|recorded| recorded.identity.as_ref() == Some(&kept.id));
    let sure = recorded.and_then(|recorded| recorded.roles.clone());
    let asked_for = recorded.and_then(|recorded| recorded.roles_asked_for.clone());
    let possible = sure.iter().chain(&asked_for).flatten().cloned().collect();
    (sure, possible)
}

/// Where the platform does not tell, the wish is recorded before it is sent: should the answer be lost and the wish be
/// taken back, the roles last recorded would look right.
fn set(kept: &IdentityFact, roles: &Roles) -> Strand {
    let record = kept.roles.is_none().then(|| Step::IntendRoles(roles.clone()));
    Strand::of(record.into_iter().chain([Step::SetRoles(roles.clone())]))
}

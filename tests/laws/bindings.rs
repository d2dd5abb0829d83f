//! Laws 1 to 4, 7 and 10 of RoleBindings that share grants.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use technical_user_operator::plan::grant::Grant;
use technical_user_operator::plan::role_binding::{Ledger, Stance, plan};

use crate::config;
use crate::grants::{Grants, grant};

/// Undisturbed rounds until nothing is left to do: one to hand over what another still wants, one to let go of it.
const ROUNDS: usize = 3;

/// A piece of a history.
#[derive(Clone, Debug)]
enum Happening {
    /// A binding wishes this from now on; nothing, if it is deleted.
    Wish(usize, BTreeMap<Grant, Stance>),
    /// Somebody else grants.
    GrantByOthers(Grant),
    /// Somebody else revokes.
    RevokeByOthers(Grant),
    /// A reconcile with a store that lags, which dies after so many effects.
    Reconcile { who: usize, lag: usize, effects: usize },
}

impl Happening {
    fn strike(&self, grants: &mut Grants) {
        match self {
            Self::Wish(who, wished) => grants.wish(*who, wished.clone()),
            Self::GrantByOthers(grant) => grants.grant_by_others(grant.clone()),
            Self::RevokeByOthers(grant) => grants.revoke_by_others(grant),
            Self::Reconcile { who, lag, effects } => grants.reconcile(*who, *lag, *effects),
        }
    }
}

fn any_grant() -> impl Strategy<Value = Grant> {
    (0..3_u8).prop_map(grant)
}

fn wishes() -> impl Strategy<Value = BTreeMap<Grant, Stance>> {
    btree_map(any_grant(), prop_oneof![4 => Just(Stance::Want), 1 => Just(Stance::Keep)], 0..3)
}

fn histories(lag: usize) -> impl Strategy<Value = Vec<Happening>> {
    let reconcile = (0..3_usize, 0..=lag, prop_oneof![0..5_usize, Just(99)]);
    vec(
        prop_oneof![
            2 => (0..3_usize, wishes()).prop_map(|(who, wished)| Happening::Wish(who, wished)),
            1 => any_grant().prop_map(Happening::GrantByOthers),
            1 => any_grant().prop_map(Happening::RevokeByOthers),
            4 => reconcile.prop_map(|(who, lag, effects)| Happening::Reconcile { who, lag, effects }),
        ],
        0..16,
    )
}

fn after(history: &[Happening]) -> Grants {
    let mut grants = Grants::new();
    for one in history {
        one.strike(&mut grants);
    }
    grants
}

fn delete_all(grants: &mut Grants) {
    (0..3).for_each(|who| grants.wish(who, BTreeMap::new()));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn law_1_a_converged_world_has_an_empty_plan(history in histories(0)) {
        let mut grants = after(&history);
        grants.settle(ROUNDS);
        for who in 0..3 {
            let world = grants.observe(who, 0);
            let plan = plan(&world);
            prop_assert!(plan.is_quiet(), "{plan:?}");
            prop_assert_eq!((&plan.intent, &plan.ledger), (&world.ledger, &world.ledger));
        }
    }

    #[test]
    fn law_2_after_a_crash_anywhere_what_is_wanted_is_in_force(history in histories(6)) {
        let mut grants = after(&history);
        grants.settle(ROUNDS);
        for binding in &grants.bindings {
            let wanted = binding.wished.iter().filter(|(_, stance)| **stance == Stance::Want);
            prop_assert!(wanted.map(|(grant, _)| grant).all(|grant| grants.platform.contains(grant)));
        }
    }

    #[test]
    fn law_2_nothing_of_ours_stays_when_nobody_wants_it(history in histories(6)) {
        let mut grants = after(&history);
        delete_all(&mut grants);
        grants.settle(ROUNDS);
        prop_assert!(grants.platform.is_subset(&grants.foreign), "{:?}", grants.platform);
        prop_assert!(grants.bindings.iter().all(|binding| binding.ledger.is_empty()));
    }

    #[test]
    fn law_3_what_was_there_before_stays(history in histories(6)) {
        let mut grants = after(&history);
        let foreign = grants.foreign.clone();
        delete_all(&mut grants);
        grants.settle(ROUNDS);
        prop_assert!(foreign.is_subset(&grants.platform));
        prop_assert_eq!(grants.broken, Vec::<String>::new());
    }

    #[test]
    fn law_4_what_a_live_binding_wants_stays(history in histories(0)) {
        prop_assert_eq!(after(&history).broken, Vec::<String>::new());
    }

    #[test]
    fn law_7_what_is_kept_for_its_grace_is_neither_made_nor_taken_away(history in histories(0), who in 0..3_usize) {
        let mut grants = after(&history);
        grants.settle(ROUNDS);
        let (held, before) = (grants.bindings[who].ledger.clone(), grants.platform.clone());
        grants.wish(who, held.keys().map(|grant| (grant.clone(), Stance::Keep)).collect());
        grants.settle(ROUNDS);
        prop_assert_eq!((&grants.platform, &grants.bindings[who].ledger), (&before, &held));
        for grant in &before {
            grants.revoke_by_others(grant);
        }
        grants.reconcile(who, 0, 99);
        prop_assert!(grants.platform.is_empty());
    }

    #[test]
    fn law_10_a_store_that_lags_never_takes_what_is_not_ours(history in histories(6)) {
        let mut grants = after(&history);
        grants.settle(ROUNDS);
        prop_assert_eq!(&grants.broken, &Vec::<String>::new());
        let ledgers: Vec<Ledger> = grants.bindings.iter().map(|binding| binding.ledger.clone()).collect();
        grants.settle(1);
        prop_assert!(grants.bindings.iter().zip(&ledgers).all(|(binding, ledger)| binding.ledger == *ledger));
    }
}

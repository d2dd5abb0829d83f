//! Laws 11 and 12: nobody gets more than a rule allows, and what is no longer allowed goes, whatever the namespace does.

use std::time::Duration;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cases;
use crate::claims::{Span, all};
use crate::hostile::{Act, Forgery, Policy};
use crate::identities::shapes;
use crate::kubernetes::{Address, Kind};
use crate::landscape::{Landscape, case};
use crate::leash::FREE;
use crate::manifests::{grant, of_jane, of_the_user, platform, role_binding, role_name, technical_user};
use crate::silence::at_rest;
use crate::subaccount::Shape;

/// What happens in a namespace that tries everything.
#[derive(Clone, Debug)]
enum Move {
    Act(Act),
    Policy(Policy),
    Forgery(Forgery),
    /// The operator looks at one of the objects there are, so far.
    Go(usize, usize),
    /// Time passes.
    Pass(u64),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        5 => Act::any().prop_map(Move::Act),
        1 => Policy::any().prop_map(Move::Policy),
        5 => (0..6_usize, prop_oneof![2 => Just(FREE), 1 => 0..20_usize]).prop_map(|(who, steps)| Move::Go(who, steps)),
        1 => (0..400_u64).prop_map(Move::Pass),
    ]
}

fn without_admission_policy() -> impl Strategy<Value = Move> {
    prop_oneof![4 => moves(), 1 => Forgery::any().prop_map(Move::Forgery)]
}

impl Move {
    async fn strike(&self, landscape: &mut Landscape) {
        match self {
            Self::Act(act) => act.strike(landscape),
            Self::Policy(policy) => policy.strike(landscape),
            Self::Forgery(forgery) => forgery.strike(landscape),
            Self::Go(who, steps) => {
                let objects = landscape.objects();
                if let Some(address) = objects.get(who % objects.len().max(1)) {
                    landscape.go(0, address, 0, *steps).await;
                }
            }
            Self::Pass(seconds) => tokio::time::advance(Duration::from_secs(*seconds)).await,
        }
    }
}

async fn after(moves: &[Move]) -> Landscape {
    let mut landscape = Landscape::new(Shape::ServiceManager, 1).await;
    for one in moves {
        one.strike(&mut landscape).await;
    }
    landscape
}

fn of_law(landscape: &Landscape, law: &str) -> Vec<String> {
    let outside = landscape.outside();
    outside.broken.iter().filter(|one| one.starts_with(law)).cloned().collect()
}

/// What the platform holds for the namespace that the rules do not allow now.
fn excess(landscape: &Landscape) -> Vec<String> {
    let outside = landscape.outside();
    let now = Span::now(&outside.kubernetes);
    let mut excess = vec![];
    for identity in &outside.subaccounts[0].now.identities {
        let Some(owner) = &identity.owner else { continue };
        if !now.allows(&outside, 0, owner, None) {
            excess.push(format!("law 12: the identity of {} is still there", owner.name));
        }
        let forbidden = identity.roles.iter().filter(|role| !now.allows(&outside, 0, owner, Some(role)));
        excess.extend(forbidden.map(|role| format!("law 12: {} still carries {role}", owner.name)));
    }
    let grants = outside.subaccounts[0].now.grants.difference(&outside.subaccounts[0].strangers);
    let forbidden = grants.filter(|grant| now.wanting(&outside, 0, grant).is_empty());
    excess.extend(forbidden.map(|grant| format!("law 12: {} is still granted", grant.role.name())));
    excess
}

/// The names of identities of ours that have no object.
fn ownerless(landscape: &Landscape) -> Vec<String> {
    let outside = landscape.outside();
    let users = Address::new(Kind::TechnicalUser, "", "");
    let uids: Vec<&Value> = outside.kubernetes.list(&users).map(|(_, user)| &user["metadata"]["uid"]).collect();
    let identities = outside.subaccounts[0].now.identities.iter();
    let ownerless = identities.filter(|one| one.owner.as_ref().is_some_and(|owner| !uids.contains(&&json!(owner.uid))));
    ownerless.map(|one| one.name.clone()).collect()
}

/// Those of them of which the Platform's status does not tell.
fn untold(landscape: &Landscape) -> Vec<String> {
    let mut untold = ownerless(landscape);
    let outside = landscape.outside();
    let status = outside.kubernetes.get(&platform()).map(|platform| platform["status"]["unclaimed"].clone());
    untold.retain(|name| !all(status.as_ref().unwrap_or(&Value::Null)).any(|one| one["name"] == name.as_str()));
    untold
}

/// The rules allow nothing any more; the namespace goes on, a move in every round, for longer than the grace.
async fn withdraw(landscape: &mut Landscape, acts: &[Act]) {
    landscape.settle().await;
    Policy::Rules(vec![]).strike(landscape);
    for round in 0..14 {
        if let Some(act) = acts.get(round % acts.len().max(1)) {
            act.strike(landscape);
        }
        landscape.round().await;
    }
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn law_11_the_platform_never_holds_what_the_rules_did_not_allow(moves in vec(moves(), 0..24)) {
        let broken = case(async {
            let mut landscape = after(&moves).await;
            landscape.settle().await;
            of_law(&landscape, "law 11")
        });
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_11_holds_without_the_admission_policy(moves in vec(without_admission_policy(), 0..24)) {
        let broken = case(async {
            let mut landscape = after(&moves).await;
            landscape.settle().await;
            of_law(&landscape, "law 11")
        });
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_12_what_is_not_allowed_is_gone_after_the_grace_whatever_the_namespace_does(
        moves in vec(moves(), 0..16), acts in vec(Act::any(), 0..6),
    ) {
        let excess = case(async {
            let mut landscape = after(&moves).await;
            withdraw(&mut landscape, &acts).await;
            excess(&landscape)
        });
        prop_assert_eq!(excess, Vec::<String>::new());
    }

    #[test]
    fn law_12_nothing_is_left_when_the_namespace_is_emptied(moves in vec(moves(), 0..20)) {
        let left = case(async {
            let mut landscape = after(&moves).await;
            for address in landscape.objects() {
                landscape.delete(&address);
            }
            landscape.settle().await;
            let objects = landscape.outside().kubernetes.all(Kind::TechnicalUser);
            excess(&landscape).into_iter().chain(objects.iter().map(|one| format!("{one:?}"))).collect::<Vec<_>>()
        });
        prop_assert_eq!(left, Vec::<String>::new());
    }

    #[test]
    fn law_2_what_lost_its_object_is_told(
        moves in vec(moves(), 0..6), restarts in any::<bool>(), forgeries in vec(Forgery::any(), 0..3),
    ) {
        let (lost, untold) = case(async {
            let mut landscape = at_rest(Shape::ServiceManager).await;
            for one in &moves {
                one.strike(&mut landscape).await;
            }
            forgeries.iter().for_each(|one| one.strike(&landscape));
            Forgery::DropFinalizer(None).strike(&landscape);
            landscape.delete(&technical_user());
            if restarts {
                landscape.crash(0).await;
            }
            landscape.settle().await;
            (ownerless(&landscape), untold(&landscape))
        });
        // At rest it had an identity; that went only if the finalizer had been put back meanwhile.
        prop_assert!(!lost.is_empty() || !moves.is_empty());
        prop_assert_eq!(untold, Vec::<String>::new());
    }

    #[test]
    fn law_12_rules_that_are_not_known_yet_hold_back_no_removal(roles in btree_set(0..3_usize, 0..3)) {
        let (held, broken) = case(async {
            let mut landscape = at_rest(Shape::ServiceManager).await;
            let more = [3].into_iter().chain(roles.iter().copied()).collect();
            landscape.apply(&role_binding(2), &of_jane(&more));
            landscape.round_by_caches(|landscape| Policy::Rules(vec![]).strike(landscape)).await;
            let held = landscape.outside().subaccounts[0].now.grants.clone();
            (held, of_law(&landscape, "law 11"))
        });
        prop_assert_eq!(held, roles.iter().map(|role| grant(*role)).collect());
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_11_no_identity_is_given_roles_by_rules_that_are_gone(shape in shapes(), wanted in btree_set(0..4_usize, 0..4)) {
        let (carried, broken) = case(async {
            let mut landscape = at_rest(shape).await;
            landscape.apply(&role_binding(1), &of_the_user(shape, &wanted));
            landscape.round_by_caches(|landscape| Policy::Rules(vec![]).strike(landscape)).await;
            let carried = landscape.outside().subaccounts[0].now.identities[0].roles.clone();
            (carried, of_law(&landscape, "law 11"))
        });
        // What is not wanted goes all the same.
        let before = [0, 1].into();
        prop_assert_eq!(carried, (&wanted & &before).into_iter().map(role_name).collect());
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_11_rules_that_are_gone_are_not_gone_by(moves in vec(moves(), 0..8), acts in vec(Act::any(), 1..6)) {
        let broken = case(async {
            let mut landscape = after(&moves).await;
            landscape.settle().await;
            for act in &acts {
                act.strike(&landscape);
            }
            // The watch of Platforms is silent: what the operator has seen of the rules is not true any more.
            landscape.round_by_caches(|landscape| Policy::Rules(vec![]).strike(landscape)).await;
            of_law(&landscape, "law 11")
        });
        prop_assert_eq!(broken, Vec::<String>::new());
    }
}

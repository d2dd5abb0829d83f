//! Law 13: absence from a list makes nobody create, issue, revoke, own or discard; nor is a watch believed for its
//! silence. And law 8 of those who meddle.

use kube::runtime::controller::Action;
use proptest::prelude::*;

use crate::cases;
use crate::history::listings;
use crate::identities::shapes;
use crate::landscape::{Landscape, case};
use crate::leash::FREE;
use crate::manifests::{a_technical_user, of_jane, of_the_user, platform, role_binding, technical_user};
use crate::meddling::Meddling;
use crate::subaccount::Shape;
use crate::subaccount::weather::Listing;

/// A TechnicalUser and RoleBindings, all at rest.
pub async fn at_rest(shape: Shape) -> Landscape {
    let mut landscape = Landscape::new(shape, 1).await;
    landscape.apply(&technical_user(), &a_technical_user(shape));
    landscape.apply(&role_binding(1), &of_the_user(shape, &[0, 1].into()));
    if shape == Shape::ServiceManager {
        landscape.apply(&role_binding(2), &of_jane(&[0, 1, 2].into()));
    }
    landscape.settle().await;
    landscape
}

/// Lists lie for some rounds, before which the operator may have been started anew. How many effects that had.
async fn effects_of(landscape: &mut Landscape, listing: Listing, restarts: bool) -> usize {
    landscape.outside().subaccounts[0].listing = listing;
    if restarts {
        landscape.crash(0).await;
    }
    let mut effects = 0;
    for _ in 0..3 {
        effects += landscape.round().await;
    }
    effects
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn law_13_what_lists_do_not_show_costs_nothing(shape in shapes(), listing in listings(), restarts in any::<bool>()) {
        let effects = case(async { effects_of(&mut at_rest(shape).await, listing, restarts).await });
        prop_assert_eq!(effects, 0);
    }

    #[test]
    fn law_13_what_no_watch_tells_of_is_looked_at_again(shape in shapes()) {
        let unwatched = case(async {
            let mut landscape = at_rest(shape).await;
            let mut unwatched = vec![];
            for address in landscape.objects().into_iter().chain([platform()]) {
                landscape.go(0, &address, 0, FREE).await;
                if landscape.operators[0].last.as_ref().is_none_or(|action| *action == Action::await_change()) {
                    unwatched.push(address);
                }
            }
            unwatched
        });
        prop_assert_eq!(unwatched, vec![]);
    }

    #[test]
    fn law_8_who_meddles_again_and_again_is_not_answered_each_time(shape in shapes(), deletes in any::<bool>()) {
        let rests = case(async {
            let mut landscape = at_rest(shape).await;
            if deletes { Meddling::Delete } else { Meddling::Alter }.strike(&landscape);
            landscape.go(0, &technical_user(), 0, FREE).await;
            let user = landscape.outside().kubernetes.get(&technical_user()).cloned().unwrap_or_default();
            landscape.operators[0].rests(user["metadata"]["uid"].as_str().unwrap_or_default())
        });
        prop_assert!(rests);
    }

    #[test]
    fn law_13_what_lists_do_not_show_is_removed_all_the_same(shape in shapes(), listing in listings(), restarts in any::<bool>()) {
        let left = case(async {
            let mut landscape = at_rest(shape).await;
            effects_of(&mut landscape, listing, restarts).await;
            for address in landscape.objects() {
                landscape.delete(&address);
            }
            for _ in 0..4 {
                landscape.round().await;
            }
            landscape.left_behind()
        });
        prop_assert_eq!(left, Vec::<String>::new());
    }
}

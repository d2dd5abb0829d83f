//! Laws 1, 2, 3, 5, 6 and 10 of a TechnicalUser, on the product's own code.

use proptest::prelude::*;

use crate::cases;
use crate::history::{Happening, Scene, Wildness, crashes, of_identities};
use crate::landscape::{Landscape, case};
use crate::manifests::{a_technical_user, of_the_user, role_binding, technical_user};
use crate::subaccount::Shape;

pub fn shapes() -> impl Strategy<Value = Shape> {
    proptest::sample::select(&Shape::ALL[..])
}

const TAME: Wildness = Wildness { lag: 0, pauses: false, operators: 1 };

/// All of it happened to a new TechnicalUser, for which the first RoleBinding wishes the first role.
async fn after(shape: Shape, operators: usize, history: &[Happening]) -> Landscape {
    let mut landscape = Landscape::new(shape, operators).await;
    landscape.apply(&technical_user(), &a_technical_user(shape));
    landscape.apply(&role_binding(1), &of_the_user(shape, &[0].into()));
    for one in history {
        one.strike(Scene::Identity, &mut landscape).await;
    }
    landscape
}

/// What is broken once it has come to rest.
pub async fn broken(mut landscape: Landscape) -> Vec<String> {
    landscape.settle().await;
    let mut broken = landscape.outside().broken.clone();
    broken.extend(landscape.unsettled_identity());
    broken.extend(landscape.leaks());
    broken.extend(landscape.panics());
    broken
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn law_1_a_converged_world_costs_no_write_also_after_a_restart(shape in shapes(), history in of_identities(TAME)) {
        let effects = case(async {
            let mut landscape = after(shape, 1, &history).await;
            landscape.settle().await;
            landscape.crash(0).await;
            landscape.round().await
        });
        prop_assert_eq!(effects, 0);
    }

    #[test]
    fn law_2_after_a_crash_anywhere_the_next_runs_converge(shape in shapes(), history in of_identities(TAME)) {
        prop_assert_eq!(case(async { broken(after(shape, 1, &history).await).await }), Vec::<String>::new());
    }

    #[test]
    fn law_2_nothing_is_created_twice(shape in shapes(), history in crashes(2)) {
        let (made, broken) = case(async {
            let mut landscape = after(shape, 1, &history).await;
            landscape.settle().await;
            let made = landscape.outside().subaccounts[0].made;
            (made, broken(landscape).await)
        });
        prop_assert_eq!(made, 1);
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_2_nothing_is_left_of_what_is_deleted(shape in shapes(), history in of_identities(TAME)) {
        let left = case(async {
            let mut landscape = after(shape, 1, &history).await;
            for address in landscape.objects() {
                landscape.delete(&address);
            }
            landscape.settle().await;
            landscape.left_behind()
        });
        prop_assert_eq!(left, Vec::<String>::new());
    }

    #[test]
    fn law_5_edits_in_the_middle_of_a_reconcile_cost_no_credential(
        shape in shapes(), history in of_identities(Wildness { pauses: true, ..TAME }),
    ) {
        prop_assert_eq!(case(async { broken(after(shape, 1, &history).await).await }), Vec::<String>::new());
    }

    #[test]
    fn law_10_a_cache_that_lags_breaks_nothing(
        shape in shapes(), history in of_identities(Wildness { lag: 6, ..TAME }),
    ) {
        prop_assert_eq!(case(async { broken(after(shape, 1, &history).await).await }), Vec::<String>::new());
    }

    #[test]
    fn law_10_two_operators_break_nothing(
        history in of_identities(Wildness { pauses: true, operators: 2, ..TAME }),
    ) {
        let broken = case(async { broken(after(Shape::ServiceManager, 2, &history).await).await });
        prop_assert_eq!(broken, Vec::<String>::new());
    }
}

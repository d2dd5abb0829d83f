//! Laws 1, 2, 3 and 5 of a TechnicalUser, by one executor that may die after any effect.

use proptest::prelude::*;
use technical_user_operator::plan::technical_user::{SecretFact, plan};

use crate::config;
use crate::disorder::{after, changes_of_mind, crashes, histories, settle, shapes};
use crate::executor::Round;
use crate::world::Shape;

/// Within so many undisturbed rounds every world settles: discard what failed, make anew, put right, see it is right.
const ROUNDS: usize = 4;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn law_1_a_converged_world_has_an_empty_plan(shape in shapes(), history in histories(0)) {
        let mut world = after(shape, &history);
        settle(&mut world, ROUNDS);
        let (version, effects) = (world.version, world.history.len());
        prop_assert!(plan(&world.want(), &world.observe(0).1).steps.is_empty());
        Round::begin(&world, 0).run(&mut world, 99);
        prop_assert!(world.history.len() <= effects + 1 && world.version == version);
    }

    #[test]
    fn law_2_after_a_crash_anywhere_the_next_rounds_converge(shape in shapes(), history in histories(0)) {
        let mut world = after(shape, &history);
        settle(&mut world, ROUNDS);
        prop_assert_eq!(world.unsettled(), Vec::<String>::new());
    }

    #[test]
    fn law_2_a_wish_that_was_taken_back_leaves_no_role(shape in shapes(), history in changes_of_mind()) {
        let mut world = after(Shape { carries_roles: true, tells_roles: false, ..shape }, &history);
        settle(&mut world, ROUNDS);
        prop_assert_eq!(world.unsettled(), Vec::<String>::new());
    }

    #[test]
    fn law_2_nothing_is_created_twice(shape in shapes(), history in crashes()) {
        let mut world = after(shape, &history);
        settle(&mut world, ROUNDS);
        prop_assert_eq!(world.platform.made, 1);
        // A value that is shown once and was lost has to be issued again; the crashes are as many as the rounds.
        let bound = if shape.keeps { 1 } else { history.len() + 1 };
        prop_assert!(world.platform.issues.len() <= bound, "{:?}", world.platform.issues);
    }

    #[test]
    fn law_3_a_secret_of_somebody_else_is_left_alone(shape in shapes(), history in histories(0)) {
        let world = after(shape, &history);
        let (_, mut have) = world.observe(0);
        have.secret = SecretFact::Foreign;
        prop_assert!(plan(&world.want(), &have).steps.is_empty());
    }

    #[test]
    fn law_5_the_credential_that_the_secret_holds_is_never_ended(shape in shapes(), history in histories(0)) {
        let mut world = after(shape, &history);
        settle(&mut world, ROUNDS);
        prop_assert_eq!(world.broken, Vec::<String>::new());
    }

    #[test]
    fn law_10_an_old_listing_breaks_nothing(shape in shapes(), history in histories(6)) {
        let mut world = after(shape, &history);
        settle(&mut world, ROUNDS);
        prop_assert_eq!(&world.broken, &Vec::<String>::new());
        prop_assert_eq!(world.unsettled(), Vec::<String>::new());
    }
}

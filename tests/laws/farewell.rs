//! The end of a TechnicalUser: nothing of it stays on the platform, from any world and after any crash.

use proptest::prelude::*;
use technical_user_operator::plan::technical_user::{Step, farewell};

use crate::config;
use crate::disorder::{ALL, after, histories, shapes};
use crate::world::World;

/// One round of the farewell, which dies after so many effects. A listing of now is read, as before any deletion.
fn leave(world: &mut World, effects: usize) {
    world.broken.clear();
    let (view, have) = world.observe(0);
    for step in farewell(&have).into_iter().take(effects) {
        match step {
            Step::DeleteIdentity => view.identity.iter().for_each(|(id, _)| world.platform.delete(*id)),
            Step::RemoveSecret => world.secret = None,
            other => world.broken.push(format!("a farewell only takes away: {other}")),
        }
        world.seen();
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn farewell_leaves_nothing(shape in shapes(), history in histories(0), effects in 0..3_usize) {
        let mut world = after(shape, &history);
        leave(&mut world, effects);
        leave(&mut world, ALL);
        prop_assert!(world.platform.identity.is_none() && world.secret.is_none());
        prop_assert!(farewell(&world.observe(0).1).is_empty());
        prop_assert_eq!(world.broken, Vec::<String>::new());
    }

    #[test]
    fn farewell_leaves_the_secret_of_somebody_else(shape in shapes(), history in histories(0)) {
        let mut world = after(shape, &history);
        world.secret.iter_mut().for_each(|secret| secret.foreign = true);
        let before = world.secret.is_some();
        leave(&mut world, ALL);
        prop_assert!(world.platform.identity.is_none());
        prop_assert_eq!(world.secret.is_some(), before);
    }
}

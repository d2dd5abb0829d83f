//! Law 10: two executors that both believe they lead, their effects interleaved at random, break no other law.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::disorder::{ALL, after, histories, settle, shapes};
use crate::executor::Round;
use crate::world::World;

/// One move of one of the two: its next effect, or its death and a new beginning.
#[derive(Clone, Copy, Debug)]
struct Move {
    second: bool,
    dies: bool,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    vec((any::<bool>(), prop::bool::weighted(0.15)).prop_map(|(second, dies)| Move { second, dies }), 0..30)
}

/// On a platform with one secret nothing fences an old leader off between its `Intend` and its issue. The others learn
/// of it from what it writes afterwards, so there an executor that has issued lives until it has written that.
fn interleave(world: &mut World, moves: &[Move]) {
    let mut rounds = [Round::begin(world, 0), Round::begin(world, 0)];
    for one in moves {
        let round = &mut rounds[usize::from(one.second)];
        let over = round.effects.is_empty() || (one.dies && !round.owes_word(world));
        if over || round.advance(world).is_err() {
            *round = Round::begin(world, 0);
        }
    }
    for round in rounds {
        if round.owes_word(world) {
            round.run(world, ALL);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn law_10_two_executors_break_nothing(shape in shapes(), history in histories(0), moves in moves()) {
        let mut world = after(shape, &history);
        interleave(&mut world, &moves);
        settle(&mut world, 4);
        prop_assert_eq!(world.unsettled(), Vec::<String>::new());
        if shape.keeps {
            prop_assert_eq!(world.broken, Vec::<String>::new());
        }
    }
}

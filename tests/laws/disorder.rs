//! What happens to a world between rounds, and how random histories are made. It must not call the plan.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use technical_user_operator::plan::technical_user::Health;

use crate::executor::Round;
use crate::platform::Mood;
use crate::world::{Shape, World, fingerprint};

/// Something that somebody else does.
#[derive(Clone, Debug)]
pub enum Event {
    /// The RoleBindings wish other roles.
    Wish(BTreeSet<String>),
    /// The Secret is deleted.
    DeleteSecret,
    /// The Secret's content is altered.
    AlterContent,
    /// The Secret's content is altered, and its annotations describe the alteration; the sequence grows by so much.
    Forge(i64),
    /// Labels or other annotations are altered.
    Undress,
    /// The fingerprint annotation is altered.
    AlterClaim,
    /// The sequence annotation is removed.
    DropSequence,
    /// The first credential is deleted on the platform.
    DeleteCredential,
    /// The identity is deleted on the platform.
    DeleteIdentity,
    /// The identity's roles are changed on the platform.
    ChangeRoles(BTreeSet<String>),
    /// What the platform was at work on comes to its end.
    Finish(bool),
    /// What the platform makes next comes out like this.
    Mood(Mood),
}

/// A piece of a history.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Somebody else acts.
    Event(Event),
    /// A round with a listing of this age, which dies after so many effects.
    Round { age: usize, effects: usize },
}

/// More effects than any round has: it comes to its end.
pub const ALL: usize = 99;

impl Event {
    pub fn strike(&self, world: &mut World) {
        match self {
            Self::Wish(roles) => world.wished.clone_from(roles),
            Self::DeleteSecret => world.secret = None,
            Self::Mood(mood) => world.platform.mood = *mood,
            Self::Finish(well) => world.platform.finish(if *well { Health::Usable } else { Health::Failed }),
            Self::DeleteIdentity => world.platform.identity = None,
            Self::DeleteCredential => {
                world.platform.identity.iter_mut().for_each(|identity| drop(identity.credentials.pop_first()));
            }
            Self::ChangeRoles(roles) => {
                // Where the platform does not tell, nobody could see it.
                let told = world.shape.tells_roles;
                world.platform.identity.iter_mut().filter(|_| told).for_each(|one| one.roles.clone_from(roles));
            }
            _ => self.touch(world),
        }
        world.seen();
    }

    fn touch(&self, world: &mut World) {
        let Some(secret) = &mut world.secret else { return };
        match self {
            Self::AlterContent => secret.value += 1_000_000,
            // Of a value that is shown once, nothing but the claim vouches until the status does.
            Self::Forge(_) if world.status.intent.is_some() => secret.value += 1_000_000,
            Self::Forge(ahead) => {
                secret.value += 1_000_000;
                secret.claimed = Some(fingerprint(secret.value));
                secret.sequence = secret.sequence.map(|sequence| sequence.saturating_add(*ahead));
            }
            Self::Undress => secret.dressed = false,
            Self::AlterClaim => secret.claimed = Some("altered".to_owned()),
            Self::DropSequence => secret.sequence = None,
            _ => {}
        }
    }
}

impl Happening {
    pub fn strike(&self, world: &mut World) {
        match self {
            Self::Event(event) => event.strike(world),
            Self::Round { age, effects } => Round::begin(world, *age).run(world, *effects),
        }
    }
}

/// A new world in which all of this happened.
pub fn after(shape: Shape, history: &[Happening]) -> World {
    let mut world = World::new(shape);
    for one in history {
        one.strike(&mut world);
    }
    world
}

/// Rounds without any disorder until nothing is left to do. What the platform is at work on succeeds between them.
pub fn settle(world: &mut World, rounds: usize) {
    world.platform.mood = Mood::Prompt;
    for _ in 0..rounds {
        world.platform.finish(Health::Usable);
        world.seen();
        Round::begin(world, 0).run(world, ALL);
    }
}

pub fn roles() -> impl Strategy<Value = BTreeSet<String>> {
    btree_set(prop_oneof![Just("send".to_owned()), Just("read".to_owned())], 0..=2)
}

pub fn shapes() -> impl Strategy<Value = Shape> {
    any::<[bool; 4]>().prop_map(|[keeps, tells_roles, carries_roles, waits]| Shape {
        keeps,
        tells_roles,
        carries_roles,
        waits_for_roles: waits && carries_roles,
    })
}

pub fn events() -> impl Strategy<Value = Event> {
    let mood = prop_oneof![Just(Mood::Slow), Just(Mood::Broken)];
    prop_oneof![
        roles().prop_map(Event::Wish),
        Just(Event::DeleteSecret),
        Just(Event::AlterContent),
        prop_oneof![Just(0), Just(100), Just(i64::MAX)].prop_map(Event::Forge),
        Just(Event::Undress),
        Just(Event::AlterClaim),
        Just(Event::DropSequence),
        Just(Event::DeleteCredential),
        Just(Event::DeleteIdentity),
        roles().prop_map(Event::ChangeRoles),
        any::<bool>().prop_map(Event::Finish),
        mood.prop_map(Event::Mood),
    ]
}

/// Whole rounds and rounds that die, with listings up to `age` effects old.
fn rounds(age: usize) -> impl Strategy<Value = Happening> {
    (0..=age, prop_oneof![1..8_usize, Just(ALL)]).prop_map(|(age, effects)| Happening::Round { age, effects })
}

/// Histories in which rounds and other people's acts alternate at random.
pub fn histories(age: usize) -> impl Strategy<Value = Vec<Happening>> {
    vec(prop_oneof![events().prop_map(Happening::Event), rounds(age)], 0..14)
}

/// Histories in which nobody but the operator acts, and dies again and again.
pub fn crashes() -> impl Strategy<Value = Vec<Happening>> {
    vec(rounds(0), 0..8)
}

/// Histories in which only the wished roles change, to and fro.
pub fn changes_of_mind() -> impl Strategy<Value = Vec<Happening>> {
    vec(prop_oneof![roles().prop_map(|wished| Happening::Event(Event::Wish(wished))), rounds(0)], 0..10)
}

//! Which of several identities with one owner's mark is the one. Platforms do not guarantee that names are unique after
//! a lost answer; everything with the mark is ours, one is kept, the others go.

use super::facts::{Have, Health, IdentityFact};

/// The one that is kept: the one that the record names, else the one that is furthest, else the first by id, so that
/// every look chooses the same.
pub fn kept(have: &Have) -> Option<&IdentityFact> {
    let recorded = |one: &&IdentityFact| have.recorded.identity.as_ref() == Some(&one.id);
    let furthest = have.identities.iter().min_by_key(|one| (distance(one.health), &one.id));
    have.identities.iter().find(recorded).or(furthest)
}

/// The others.
pub fn superfluous<'a>(have: &'a Have, kept: &'a IdentityFact) -> impl Iterator<Item = &'a IdentityFact> {
    have.identities.iter().filter(|one| one.id != kept.id)
}

/// How far an identity is from being of use.
const fn distance(health: Health) -> u8 {
    match health {
        Health::Usable => 0,
        Health::InProgress => 1,
        Health::Failed => 2,
    }
}

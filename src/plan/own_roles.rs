//! The roles that an identity itself shall carry: what RoleBindings ask for and the access rules allow, and for its grace
//! what they no longer allow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::access::{Withdrawal, withdrawal};

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The roles that live RoleBindings ask for, and whether the access rules allow them.
    pub asked: BTreeMap<String, bool>,
    /// Every role that the identity may carry now.
    pub carried: BTreeSet<String>,
    /// Since when carried roles are not allowed, as far as it is recorded.
    pub denied: BTreeMap<String, Timestamp>,
    /// How long what the rules stop allowing stays; `None`: for ever.
    pub grace: Option<Duration>,
    /// The time of day.
    pub now: Timestamp,
}

/// The roles, and what there is to remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The roles that the identity shall carry.
    pub roles: BTreeSet<String>,
    /// Of what it carries now, what must go even if nobody may touch the rest: its grace has passed.
    pub forbidden: BTreeSet<String>,
    /// Since when carried roles are not allowed: the clock runs until the role is gone or allowed again.
    pub denied: BTreeMap<String, Timestamp>,
    /// When the first of them is due to be withdrawn.
    pub withdrawal: Option<Timestamp>,
}

/// Which roles it shall be.
pub fn wanted(world: &World) -> Wanted {
    let mut wanted = Wanted::default();
    for (role, allowed) in &world.asked {
        if *allowed {
            wanted.roles.insert(role.clone());
        } else if world.carried.contains(role) {
            deny(world, role, &mut wanted);
        }
    }
    wanted
}

fn deny(world: &World, role: &str, wanted: &mut Wanted) {
    let since = world.denied.get(role).copied().unwrap_or(world.now);
    wanted.denied.insert(role.to_owned(), since);
    match withdrawal(since, world.grace, world.now) {
        Withdrawal::Now => wanted.forbidden.insert(role.to_owned()),
        Withdrawal::Due(at) => {
            wanted.withdrawal = Some(wanted.withdrawal.map_or(at, |first| first.min(at)));
            wanted.roles.insert(role.to_owned())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn world(allowed: bool, carried: bool) -> World {
        let role = || "send".to_owned();
        World {
            asked: BTreeMap::from([(role(), allowed)]),
            carried: carried.then(role).into_iter().collect(),
            grace: Some(Duration::from_secs(10)),
            now: at(100),
            ..World::default()
        }
    }

    #[test]
    fn what_is_not_allowed_is_kept_for_its_grace_if_it_is_carried() {
        assert_eq!(wanted(&world(false, false)), Wanted::default());
        let first = wanted(&world(false, true));
        assert_eq!((first.roles.len(), first.withdrawal), (1, Some(at(110))));
        let later = World { denied: first.denied, now: at(110), ..world(false, true) };
        assert_eq!((wanted(&later).roles.len(), wanted(&later).forbidden.len()), (0, 1));
        assert_eq!(wanted(&later).denied, later.denied, "the clock runs on until it is gone");
        assert_eq!(wanted(&World { asked: world(true, true).asked, ..later }).denied, BTreeMap::new());
    }
}

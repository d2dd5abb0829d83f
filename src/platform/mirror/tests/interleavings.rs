//! Whatever happens in whatever order, the mirror ends up showing the truth.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::Mirror;
use super::fake::{Fake, clients, grant, identity, owner, wanted};
use super::{LONG, mirror};
use crate::platform::Kind;

const USERS: usize = 4;
const ROLES: usize = 2;

#[derive(Clone, Debug)]
enum Deed {
    Grant(usize, usize),
    Revoke(usize, usize),
    /// Somebody else grants or revokes behind our back.
    Meddle(usize, usize),
    Create(usize),
    Delete(usize),
    Refresh,
    Find(usize),
    Confirm(usize, usize),
    Look(usize, u64),
    /// The next call fails.
    Fault(Kind),
}

fn deed() -> impl Strategy<Value = Deed> {
    let kinds = prop::sample::select(vec![Kind::OutcomeUnknown, Kind::Unavailable, Kind::Conflict]);
    prop_oneof![
        4 => (0..USERS, 0..ROLES).prop_map(|(user, role)| Deed::Grant(user, role)),
        4 => (0..USERS, 0..ROLES).prop_map(|(user, role)| Deed::Revoke(user, role)),
        2 => (0..USERS, 0..ROLES).prop_map(|(user, role)| Deed::Meddle(user, role)),
        2 => (0..USERS).prop_map(Deed::Create),
        2 => (0..USERS).prop_map(Deed::Delete),
        2 => Just(Deed::Refresh),
        2 => (0..USERS).prop_map(Deed::Find),
        2 => (0..USERS, 0..ROLES).prop_map(|(user, role)| Deed::Confirm(user, role)),
        2 => (0..USERS, 0..200_u64).prop_map(|(user, age)| Deed::Look(user, age)),
        2 => kinds.prop_map(Deed::Fault),
    ]
}

/// A deed, when it begins, and how long whoever does it waits.
type Event = (Deed, u64, u64);

async fn act(fake: &Fake, mirror: &Mirror, deed: Deed) {
    match deed {
        Deed::Grant(user, role) => drop(mirror.grant(vec![grant(user, role)]).await),
        Deed::Revoke(user, role) => drop(mirror.revoke(vec![grant(user, role)]).await),
        Deed::Meddle(user, role) => {
            let mut truth = fake.truth();
            if !truth.grants.remove(&grant(user, role)) {
                truth.grants.insert(grant(user, role));
            }
        }
        Deed::Create(uid) => drop(clients(mirror).create(&wanted(&uid.to_string(), &[])).await),
        Deed::Delete(uid) => {
            drop(clients(mirror).delete_identity(&identity(&uid.to_string(), &BTreeSet::new())).await);
        }
        Deed::Refresh => drop(mirror.refresh().await),
        Deed::Find(uid) => drop(clients(mirror).find_identities(&owner(&uid.to_string())).await),
        Deed::Confirm(user, role) => drop(mirror.confirm(&[grant(user, role)]).await),
        Deed::Look(user, age) => drop(mirror.holds(&[grant(user, 0)], Duration::from_millis(age)).await),
        Deed::Fault(kind) => fake.truth().faults.push_back(kind),
    }
}

async fn shows_the_truth(fake: &Fake, mirror: &Mirror, max_age: Duration) {
    for user in 0..USERS {
        let uid = user.to_string();
        let shown = clients(mirror).identities(&owner(&uid), max_age).await.unwrap();
        let id = identity(&uid, &BTreeSet::new()).id;
        assert_eq!(shown.first(), fake.truth().identities.get(&id));
        for role in 0..ROLES {
            let shown = super::shown(mirror, &[grant(user, role)], max_age).await[0];
            assert_eq!(shown, fake.truth().grants.contains(&grant(user, role)), "user {user}, role {role}");
        }
    }
}

async fn run(mut events: Vec<Event>, eager: bool, meddled: bool) {
    events.retain(|(deed, ..)| meddled || !matches!(deed, Deed::Meddle(..)));
    let fake = Fake::default();
    fake.truth().eager = eager;
    let mirror = mirror(&fake);
    let (start, fake, mirror) = (Instant::now(), &fake, &mirror);
    join_all(events.into_iter().map(|(deed, begin, patience)| async move {
        sleep_until(start + Duration::from_millis(begin)).await;
        let _ = timeout(Duration::from_millis(patience), act(fake, mirror, deed)).await;
    }))
    .await;
    // Batches whose askers have gone are still under way.
    tokio::time::sleep(Duration::from_secs(5)).await;
    fake.truth().faults.clear();
    if !meddled {
        // Our own writes alone must have kept the pictures right, and a doubt must have been noted.
        shows_the_truth(fake, mirror, LONG).await;
    }
    mirror.refresh().await;
    shows_the_truth(fake, mirror, LONG).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_ends_in_the_truth(
        events in prop::collection::vec((deed(), 0..400_u64, 1..300_u64), 1..40),
        eager: bool,
        meddled: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(events, eager, meddled));
    }
}

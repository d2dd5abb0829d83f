//! Identities and credentials: single flight, folding, doubt, and what a refresh tells.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{advance, sleep, timeout};

use super::fake::{Fake, LATENCY, credential, identity, owner, wanted};
use super::{LONG, mirror};
use crate::platform::Kind;

const NOW: Duration = Duration::ZERO;

fn names<const N: usize>(uids: [&str; N]) -> BTreeSet<String> {
    uids.iter().map(|uid| owner(uid).identity_name()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_looks_cost_one_list_and_later_ones_nothing() {
    let (fake, name) = (Fake::default(), owner("a").identity_name());
    fake.truth().identities.insert(name.clone(), identity(&name, &BTreeSet::new()));
    let mirror = mirror(&fake);
    let seen = join_all((0..1000).map(|_| mirror.identity(&name, LONG))).await;
    assert!(seen.into_iter().all(|identity| identity.unwrap().is_some()));
    mirror.credentials_of("id", LONG).await.unwrap();
    assert_eq!(fake.truth().calls, ["list identities", "list credentials"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_reads_again_only_what_is_too_old_for_it() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    mirror.identity("x", LONG).await.unwrap();
    advance(Duration::from_secs(10)).await;
    mirror.identity("x", Duration::from_secs(11)).await.unwrap();
    assert_eq!(fake.truth().count("list identities"), 1);
    mirror.identity("x", Duration::from_secs(9)).await.unwrap();
    assert_eq!(fake.truth().count("list identities"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_shared_and_the_next_look_tries_again() {
    let fake = Fake::default();
    fake.truth().faults.push_back(Kind::Unavailable);
    let mirror = mirror(&fake);
    let seen = join_all((0..10).map(|_| mirror.identity("x", LONG))).await;
    assert!(seen.iter().all(|seen| seen.as_ref().is_err_and(|error| error.kind() == Kind::Unavailable)));
    assert_eq!(fake.truth().count("list identities"), 1);
    assert!(mirror.identity("x", LONG).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_first_to_ask_may_go_without_stopping_the_read_for_the_others() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let first = timeout(LATENCY / 2, mirror.identity("x", LONG));
    let (first, second) = tokio::join!(first, mirror.identity("x", LONG));
    assert!(first.is_err());
    assert!(second.is_ok());
    assert_eq!(fake.truth().count("list identities"), 1);
    // With nobody left the read ends, and the next look begins another.
    let only = timeout(LATENCY / 2, mirror.identity("x", NOW)).await;
    assert!(only.is_err());
    assert!(mirror.identity("x", NOW).await.is_ok());
    assert_eq!(fake.truth().count("list identities"), 3);
}

#[tokio::test(start_paused = true)]
async fn what_we_do_is_seen_without_another_list() {
    let fake = Fake::default();
    let (mirror, owner) = (mirror(&fake), owner("a"));
    assert_eq!(mirror.identity(&owner.identity_name(), LONG).await.unwrap(), None);

    let made = mirror.create(&wanted("a", &["r"])).await.unwrap();
    assert_eq!(mirror.identity(&made.name, LONG).await.unwrap(), Some(made.clone()));
    let changed = mirror.set_roles(&made, &wanted("a", &["r", "s"])).await.unwrap();
    assert_eq!(mirror.identity(&made.name, LONG).await.unwrap(), Some(changed));
    let issued = mirror.issue(&made, &owner, "k-1").await.unwrap();
    assert!(mirror.credentials_of(&made.id, LONG).await.unwrap().contains(&issued.credential));
    mirror.prove(&issued).await.unwrap();
    mirror.revoke_credential(&issued.credential).await.unwrap();
    assert_eq!(mirror.credentials_of(&made.id, LONG).await.unwrap(), []);
    mirror.delete_identity(&made).await.unwrap();
    assert_eq!(mirror.identity(&made.name, LONG).await.unwrap(), None);
    assert_eq!(fake.truth().count("list"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_outlives_the_list_that_was_begun_before_it() {
    for eager in [false, true] {
        let fake = Fake::default();
        fake.truth().eager = eager;
        let mirror = mirror(&fake);
        let name = owner("a").identity_name();
        mirror.identity(&name, LONG).await.unwrap();
        let wanted = wanted("a", &[]);
        let create = mirror.create(&wanted);
        let list = async {
            sleep(LATENCY / 2).await;
            mirror.refresh().await.unwrap()
        };
        let (made, changes) = tokio::join!(create, list);
        assert_eq!(mirror.identity(&name, LONG).await.unwrap(), Some(made.unwrap()));
        assert_eq!(changes.identities, names([]), "our own write is no news");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_the_next_look_reads_again() {
    let fake = Fake::default();
    let (mirror, name) = (mirror(&fake), owner("a").identity_name());
    mirror.identity(&name, LONG).await.unwrap();
    for kind in [Kind::OutcomeUnknown, Kind::Conflict] {
        let reads = fake.truth().count("list identities");
        fake.truth().faults.push_back(kind);
        mirror.create(&wanted("a", &[])).await.unwrap_err();
        assert!(mirror.identity(&name, LONG).await.unwrap().is_some(), "{kind:?}");
        assert_eq!(fake.truth().count("list identities"), reads + 1);
    }
    fake.truth().faults.push_back(Kind::Throttled);
    mirror.create(&wanted("b", &[])).await.unwrap_err();
    mirror.identity(&name, LONG).await.unwrap();
    assert_eq!(fake.truth().count("list identities"), 3, "nothing was done, so nothing is in doubt");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_dropped_leaves_doubt() {
    let fake = Fake::default();
    fake.truth().eager = true;
    let (mirror, name) = (mirror(&fake), owner("a").identity_name());
    assert_eq!(mirror.identity(&name, LONG).await.unwrap(), None);
    assert!(timeout(LATENCY / 2, mirror.create(&wanted("a", &[]))).await.is_err());
    assert!(mirror.identity(&name, LONG).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_tells_what_others_did_and_nothing_else() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    assert_eq!(mirror.refresh().await.unwrap(), super::super::Changes::default());
    assert!(fake.truth().calls.is_empty(), "nobody looked, so nothing is read");

    mirror.identity("x", LONG).await.unwrap();
    let [ours, theirs, gone] = ["a", "b", "c"].map(|uid| identity(&owner(uid).identity_name(), &BTreeSet::new()));
    mirror.create(&wanted("a", &[])).await.unwrap();
    fake.truth().identities.extend([theirs.clone(), gone.clone()].map(|identity| (identity.name.clone(), identity)));
    assert_eq!(mirror.refresh().await.unwrap().identities, names(["b", "c"]));

    fake.truth().identities.remove(&gone.name);
    let of_ours = credential(&ours, "k-1");
    fake.truth().credentials.insert(of_ours.id.clone(), of_ours);
    assert_eq!(mirror.refresh().await.unwrap().identities, names(["a", "c"]));
    assert_eq!(mirror.refresh().await.unwrap().identities, names([]));
}

#[tokio::test(start_paused = true)]
async fn what_a_look_found_changed_is_told_by_the_next_refresh() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    mirror.identity("x", LONG).await.unwrap();
    let theirs = identity(&owner("b").identity_name(), &BTreeSet::new());
    fake.truth().identities.insert(theirs.name.clone(), theirs);
    mirror.identity("x", NOW).await.unwrap();
    fake.truth().faults.push_back(Kind::Unavailable);
    mirror.refresh().await.unwrap_err();
    assert_eq!(mirror.refresh().await.unwrap().identities, names(["b"]));
}

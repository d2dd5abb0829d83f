//! Identities and credentials: single flight, folding, doubt, and what a refresh tells.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{advance, sleep, timeout};

use super::fake::{Fake, LATENCY, clients, credential, identity, owner, wanted};
use super::{LONG, mirror};
use crate::platform::{Health, Kind, NewCredential, ObservedIdentity, Ordered, Result};

const NOW: Duration = Duration::ZERO;

fn done<T>(ordered: Result<Ordered<T>>) -> T {
    match ordered {
        Ok(Ordered::Done(what)) => what,
        _ => panic!("it was to be done"),
    }
}

fn names<const N: usize>(uids: [&str; N]) -> BTreeSet<String> {
    uids.iter().map(|uid| owner(uid).identity_name()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_looks_cost_one_list_and_later_ones_nothing() {
    let (fake, owner, a) = (Fake::default(), owner("a"), identity("a", &BTreeSet::new()));
    fake.truth().identities.insert(a.id.clone(), a.clone());
    let mirror = mirror(&fake);
    let seen = join_all((0..1000).map(|_| clients(&mirror).identities(&owner, LONG))).await;
    assert!(seen.into_iter().all(|identities| identities.unwrap() == [a.clone()]));
    clients(&mirror).credentials_of(&a, LONG).await.unwrap();
    assert_eq!(fake.truth().calls, ["list identities", "list credentials"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_reads_again_only_what_is_too_old_for_it() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    clients(&mirror).identities(&owner("x"), LONG).await.unwrap();
    advance(Duration::from_secs(10)).await;
    clients(&mirror).identities(&owner("x"), Duration::from_secs(11)).await.unwrap();
    assert_eq!(fake.truth().count("list identities"), 1);
    clients(&mirror).identities(&owner("x"), Duration::from_secs(9)).await.unwrap();
    assert_eq!(fake.truth().count("list identities"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_shared_and_the_next_look_tries_again() {
    let fake = Fake::default();
    fake.truth().faults.push_back(Kind::Unavailable);
    let (mirror, x) = (mirror(&fake), owner("x"));
    let seen = join_all((0..10).map(|_| clients(&mirror).identities(&x, LONG))).await;
    assert!(seen.iter().all(|seen| seen.as_ref().is_err_and(|error| error.kind() == Kind::Unavailable)));
    assert_eq!(fake.truth().count("list identities"), 1);
    assert!(clients(&mirror).identities(&owner("x"), LONG).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_first_to_ask_may_go_without_stopping_the_read_for_the_others() {
    let fake = Fake::default();
    let (mirror, x) = (mirror(&fake), owner("x"));
    let first = timeout(LATENCY / 2, clients(&mirror).identities(&x, LONG));
    let (first, second) = tokio::join!(first, clients(&mirror).identities(&x, LONG));
    assert!(first.is_err());
    assert!(second.is_ok());
    assert_eq!(fake.truth().count("list identities"), 1);
    // With nobody left the read ends, and the next look begins another.
    let only = timeout(LATENCY / 2, clients(&mirror).identities(&owner("x"), NOW)).await;
    assert!(only.is_err());
    assert!(clients(&mirror).identities(&owner("x"), NOW).await.is_ok());
    assert_eq!(fake.truth().count("list identities"), 3);
}

#[tokio::test(start_paused = true)]
async fn what_we_do_is_seen_without_another_list() {
    let fake = Fake::default();
    let (mirror, owner) = (mirror(&fake), owner("a"));
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), []);

    let made = done(clients(&mirror).create(&wanted("a", &["r"])).await);
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), std::slice::from_ref(&made));
    let changed = done(clients(&mirror).set_roles(&made, &wanted("a", &["r", "s"])).await);
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), [changed]);
    let issued = done(clients(&mirror).issue(&made, &NewCredential::made(&owner, "k-1")).await);
    assert_eq!(clients(&mirror).credentials_of(&made, LONG).await.unwrap(), std::slice::from_ref(&issued.credential));
    clients(&mirror).prove(&issued).await.unwrap();
    done(clients(&mirror).revoke_credential(&issued.credential).await);
    assert_eq!(clients(&mirror).credentials_of(&made, LONG).await.unwrap(), []);
    done(clients(&mirror).delete_identity(&made).await);
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), []);
    assert_eq!(fake.truth().count("list"), 2);
    assert_eq!(fake.truth().count("find"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_outlives_the_list_that_was_begun_before_it() {
    for eager in [false, true] {
        let fake = Fake::default();
        fake.truth().eager = eager;
        let mirror = mirror(&fake);
        let owner = owner("a");
        clients(&mirror).identities(&owner, LONG).await.unwrap();
        let wanted = wanted("a", &[]);
        let create = clients(&mirror).create(&wanted);
        let list = async {
            sleep(LATENCY / 2).await;
            mirror.refresh().await
        };
        let (made, changes) = tokio::join!(create, list);
        assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), [done(made)]);
        assert_eq!(changes.identities, names([]), "our own write is no news");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_the_next_look_asks_for_that_one_alone() {
    let fake = Fake::default();
    let (mirror, a) = (mirror(&fake), owner("a"));
    clients(&mirror).identities(&a, LONG).await.unwrap();
    for kind in [Kind::OutcomeUnknown, Kind::Conflict, Kind::Unavailable] {
        let finds = fake.truth().count("find");
        fake.truth().faults.push_back(kind);
        clients(&mirror).create(&wanted("a", &[])).await.unwrap_err();
        assert_eq!(clients(&mirror).identities(&a, LONG).await.unwrap().len(), 1, "{kind:?}");
        clients(&mirror).identities(&a, LONG).await.unwrap();
        clients(&mirror).identities(&owner("b"), LONG).await.unwrap();
        assert_eq!(fake.truth().count("find"), finds + 1, "what was found is in the picture, and nobody else asks");
    }
    fake.truth().faults.push_back(Kind::Throttled);
    clients(&mirror).create(&wanted("b", &[])).await.unwrap_err();
    clients(&mirror).identities(&owner("b"), LONG).await.unwrap();
    assert_eq!(fake.truth().count("find"), 3, "nothing was done, so nothing is in doubt");
    assert_eq!(fake.truth().count("list identities"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_dropped_leaves_doubt() {
    let fake = Fake::default();
    fake.truth().eager = true;
    let (mirror, owner) = (mirror(&fake), owner("a"));
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), []);
    assert!(timeout(LATENCY / 2, clients(&mirror).create(&wanted("a", &[]))).await.is_err());
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_tells_what_others_did_and_nothing_else() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let changes = mirror.refresh().await;
    assert!(changes.identities.is_empty() && changes.failures.is_empty());
    assert!(fake.truth().calls.is_empty(), "nobody looked, so nothing is read");

    clients(&mirror).identities(&owner("x"), LONG).await.unwrap();
    let [ours, theirs, gone] = ["a", "b", "c"].map(|uid| identity(uid, &BTreeSet::new()));
    clients(&mirror).create(&wanted("a", &[])).await.unwrap();
    fake.truth().identities.extend([theirs.clone(), gone.clone()].map(|identity| (identity.id.clone(), identity)));
    assert_eq!(mirror.refresh().await.identities, names(["b", "c"]));

    fake.truth().identities.remove(&gone.id);
    let of_ours = credential(&ours, "k-1");
    fake.truth().credentials.insert(of_ours.id.clone(), of_ours);
    assert_eq!(mirror.refresh().await.identities, names(["a", "c"]));
    assert_eq!(mirror.refresh().await.identities, names([]));
}

#[tokio::test(start_paused = true)]
async fn what_a_look_found_changed_is_told_by_the_next_refresh() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    clients(&mirror).identities(&owner("x"), LONG).await.unwrap();
    let theirs = identity("b", &BTreeSet::new());
    fake.truth().identities.insert(theirs.id.clone(), theirs);
    clients(&mirror).identities(&owner("x"), NOW).await.unwrap();
    fake.truth().faults.push_back(Kind::Unavailable);
    let changes = mirror.refresh().await;
    assert_eq!((changes.failures.len(), changes.identities), (1, names(["b"])));
    assert_eq!(mirror.refresh().await.identities, names([]));
}

#[tokio::test(start_paused = true)]
async fn what_has_only_begun_is_asked_for_until_it_is_done() {
    let fake = Fake::default();
    let (mirror, owner) = (mirror(&fake), owner("a"));
    clients(&mirror).identities(&owner, LONG).await.unwrap();
    fake.truth().slow = true;
    assert!(matches!(clients(&mirror).create(&wanted("a", &[])).await, Ok(Ordered::Begun(_))));
    for looks in 1..4 {
        assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap()[0].health, Health::InProgress);
        assert_eq!(fake.truth().count("find"), looks);
    }
    let made = identity("a", &BTreeSet::new());
    fake.truth().identities.insert(made.id.clone(), made.clone());
    for _ in 0..2 {
        assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), std::slice::from_ref(&made));
    }
    assert_eq!(fake.truth().count("find"), 4);
    assert_eq!(fake.truth().count("list identities"), 1);
}

#[tokio::test(start_paused = true)]
async fn several_of_one_owner_are_all_shown_and_go_one_by_one() {
    let fake = Fake::default();
    let (mirror, owner) = (mirror(&fake), owner("a"));
    let one = identity("a", &BTreeSet::new());
    // Another order of the same name has passed, and one was given another name.
    let second = ObservedIdentity { id: "second".into(), ..one.clone() };
    let renamed = ObservedIdentity { id: "third".into(), name: "renamed".into(), ..one.clone() };
    let all = [one, second.clone(), renamed];
    fake.truth().identities.extend(all.clone().map(|identity| (identity.id.clone(), identity)));
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap().len(), 3);
    assert_eq!(clients(&mirror).find_identities(&owner).await.unwrap().len(), 3);
    assert_eq!(clients(&mirror).everything(LONG).await.unwrap().len(), 3);
    done(clients(&mirror).delete_identity(&second).await);
    let left: Vec<_> = clients(&mirror).identities(&owner, LONG).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(left, [all[0].id.clone(), "third".into()]);
    assert_eq!(fake.truth().count("list identities"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_shows_less_is_corrected_by_asking() {
    let fake = Fake::default();
    let (mirror, owner, a) = (mirror(&fake), owner("a"), identity("a", &BTreeSet::new()));
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), []);
    fake.truth().identities.insert(a.id.clone(), a.clone());
    let of_a = credential(&a, "k-1");
    fake.truth().credentials.insert(of_a.id.clone(), of_a.clone());
    assert_eq!(clients(&mirror).find_identities(&owner).await.unwrap(), std::slice::from_ref(&a));
    assert_eq!(clients(&mirror).find_credentials(&a).await.unwrap(), std::slice::from_ref(&of_a));
    assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), std::slice::from_ref(&a));
    assert_eq!(clients(&mirror).credentials_of(&a, LONG).await.unwrap(), [of_a]);
    assert_eq!(mirror.refresh().await.identities, names(["a"]), "whoever else it concerns is told");
    assert_eq!(mirror.refresh().await.identities, names([]));
}

#[tokio::test(start_paused = true)]
async fn a_write_outlives_the_targeted_read_that_it_crosses() {
    for eager in [false, true] {
        for pause in [0, 10, 30, 49] {
            let fake = Fake::default();
            fake.truth().eager = eager;
            let (mirror, owner) = (mirror(&fake), owner("a"));
            clients(&mirror).identities(&owner, LONG).await.unwrap();
            let wanted = wanted("a", &[]);
            let create = async {
                sleep(Duration::from_millis(pause)).await;
                clients(&mirror).create(&wanted).await
            };
            let (made, _) = tokio::join!(create, clients(&mirror).find_identities(&owner));
            assert_eq!(clients(&mirror).identities(&owner, LONG).await.unwrap(), [done(made)], "after {pause} ms");
        }
    }
}

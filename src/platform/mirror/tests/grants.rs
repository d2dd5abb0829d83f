//! Grants: coalescing, order, dropped callers, doubt, and what a refresh tells.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::super::queue::{COMPANY, PATIENCE};
use super::fake::{Fake, LATENCY, grant};
use super::{LONG, mirror, shown};
use crate::platform::Kind;

#[tokio::test(start_paused = true)]
async fn a_thousand_grants_of_five_roles_go_out_in_five_calls() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let all: Vec<_> = (0..1000).map(|number| grant(number / 5, number % 5)).collect();
    let outcomes = join_all(all.iter().map(|one| mirror.grant(vec![one.clone()]))).await;
    assert!(outcomes.into_iter().flatten().all(|outcome| outcome.is_ok()));
    assert_eq!(fake.truth().calls, vec!["grant 200"; 5]);
    assert!(shown(&mirror, &all, LONG).await.into_iter().all(|held| held));
    assert_eq!(fake.truth().count("read"), 5, "one read for each scope, however many grants are looked up");
}

#[tokio::test(start_paused = true)]
async fn what_many_ask_at_once_is_asked_in_one_call_and_each_gets_its_own_answer() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.insert(grant(7, 2));
    let all: Vec<_> = (0..1000).map(|number| grant(number / 5, number % 5)).collect();
    let asked = all.chunks(100).map(|grants| mirror.confirm(grants));
    let told: Vec<bool> = join_all(asked).await.into_iter().flatten().map(|told| told.unwrap()).collect();
    assert_eq!(fake.truth().calls, ["confirm"]);
    let held: Vec<_> = all.into_iter().zip(told).filter(|(_, held)| *held).map(|(grant, _)| grant).collect();
    assert_eq!(held, [grant(7, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_question_is_not_answered_by_a_read_that_began_before_it() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let late = async {
        sleep(COMPANY + LATENCY / 2).await;
        fake.truth().grants.insert(grant(1, 0));
        mirror.confirm(&[grant(1, 0)]).await.remove(0).unwrap()
    };
    let one = [grant(1, 0)];
    let (first, second) = tokio::join!(mirror.confirm(&one), late);
    assert!(!first[0].as_ref().unwrap() && second);
    assert_eq!(fake.truth().count("confirm"), 2);
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_others_are_being_answered_is_asked_for_together_after_it_unless_that_takes_too_long() {
    for (takes, calls) in [(PATIENCE / 5, 2), (PATIENCE * 2, 3)] {
        let fake = Fake::default();
        let mirror = mirror(&fake);
        fake.truth().confirming = Some(takes);
        let asker = |number: u32| {
            let mirror = &mirror;
            async move {
                // The last of them is late for those who waited long enough.
                sleep(if number == 9 { PATIENCE + COMPANY * 3 } else { COMPANY * (number + 1) }).await;
                mirror.confirm(&[grant(number as usize, 0)]).await.remove(0).unwrap()
            }
        };
        let one = [grant(99, 0)];
        let most = if takes < PATIENCE { 9 } else { 10 };
        let (_, others) = tokio::join!(mirror.confirm(&one), join_all((1..most).map(asker)));
        assert!(others.iter().all(|held| !held));
        assert_eq!(fake.truth().count("confirm"), calls, "{takes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_during_a_batch_goes_out_together_with_the_next() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let late = |number: usize| {
        let mirror = &mirror;
        async move {
            sleep(Duration::from_millis(55) + Duration::from_millis(number as u64)).await;
            mirror.grant(vec![grant(number, 0)]).await
        }
    };
    tokio::join!(mirror.grant(vec![grant(99, 0)]), join_all((0..10).map(late)));
    assert_eq!(fake.truth().calls, ["grant 1", "grant 10"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_on_the_way_is_waited_for_and_nobody_else_is() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let coming: Vec<_> = (0..5).map(|user| (grant(user, 0), mirror.announce([&grant(user, 0)]))).collect();
    let asker = |(number, (wanted, coming))| {
        let mirror = &mirror;
        async move {
            // Each is late for the moment that the one before it waits.
            sleep(Duration::from_millis(80) * number).await;
            mirror.grant_announced(vec![wanted], coming).await.remove(0)
        }
    };
    let began = Instant::now();
    let others = mirror.grant(vec![grant(99, 1)]).map(|_| began.elapsed());
    let (granted, elsewhere) = tokio::join!(join_all((0..).zip(coming).map(asker)), others);
    assert!(granted.into_iter().all(|one| one.is_ok()));
    assert_eq!(fake.truth().calls, ["grant 1", "grant 5"]);
    assert_eq!(elsewhere, COMPANY + LATENCY, "nobody is on the way to this scope");
    assert_eq!(began.elapsed(), Duration::from_millis(4 * 80) + LATENCY, "with the last of them it goes out at once");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_those_who_set_out_later() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let began = Instant::now();
    let steady = (1..20).map(|number| {
        let mirror = &mirror;
        async move {
            // Somebody is on the way at every moment.
            sleep(COMPANY / 2 * number).await;
            let _coming = mirror.announce([&grant(1, 0)]);
            sleep(COMPANY).await;
        }
    });
    let (took, _) = tokio::join!(mirror.grant(vec![grant(2, 0)]).map(|_| began.elapsed()), join_all(steady));
    assert_eq!(took, COMPANY + LATENCY);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_come_is_not_waited_for_long_and_holds_back_no_revocation() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let began = Instant::now();
    let stands_still = mirror.announce([&grant(1, 0)]);
    let (granted, revoked) = tokio::join!(
        mirror.grant(vec![grant(2, 0)]).map(|_| began.elapsed()),
        mirror.revoke(vec![grant(3, 0)]).map(|_| began.elapsed()),
    );
    assert_eq!((granted, revoked), (PATIENCE + LATENCY, COMPANY + LATENCY));
    drop(stands_still);

    let gives_up = mirror.announce([&grant(1, 0)]);
    let (began, granting) = (Instant::now(), mirror.grant(vec![grant(4, 0)]));
    let leaves = async {
        sleep(COMPANY * 2).await;
        drop(gives_up);
    };
    tokio::join!(granting, leaves);
    assert_eq!(began.elapsed(), COMPANY * 2 + LATENCY);
}

#[tokio::test(start_paused = true)]
async fn the_same_grant_is_sent_once_and_everyone_is_answered() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let outcomes = join_all((0..10).map(|_| mirror.grant(vec![grant(1, 0), grant(1, 0)]))).await;
    assert_eq!(outcomes.into_iter().flatten().flatten().count(), 20);
    assert_eq!(fake.truth().calls, ["grant 1"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_word_on_a_grant_wins() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    tokio::join!(
        mirror.grant(vec![grant(1, 0)]),
        mirror.revoke(vec![grant(2, 0), grant(1, 0)]),
        mirror.grant(vec![grant(1, 0), grant(2, 0), grant(3, 0)]),
        mirror.revoke(vec![grant(3, 0)]),
    );
    assert_eq!(fake.truth().grants, BTreeSet::from([grant(1, 0), grant(2, 0)]));
}

#[tokio::test(start_paused = true)]
async fn a_revocation_waits_for_one_small_batch_of_grants_and_not_for_all() {
    let fake = Fake::default();
    fake.truth().batch_size = Some(50);
    let mirror = mirror(&fake);
    let grants = mirror.grant((0..1000).map(|user| grant(user, 0)).collect());
    let revocation = async {
        sleep(COMPANY + LATENCY / 2).await;
        mirror.revoke(vec![grant(5000, 0)]).await
    };
    let (granted, revoked) = tokio::join!(grants, revocation);
    assert!(granted.into_iter().chain(revoked).all(|outcome| outcome.is_ok()));
    let calls = fake.truth().calls.clone();
    assert_eq!(calls[..3], ["grant 50", "revoke 1", "grant 50"]);
    assert_eq!(calls.len(), 21);
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_the_others_of_its_batch_as_they_are_known() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    shown(&mirror, &[grant(1, 0), grant(2, 0)], LONG).await;
    fake.truth().failing = Some((grant(1, 0), Kind::OutcomeUnknown));
    let outcomes = mirror.grant(vec![grant(1, 0), grant(2, 0)]).await;
    assert!(outcomes[0].is_err() && outcomes[1].is_ok());
    assert_eq!(shown(&mirror, &[grant(2, 0)], LONG).await, [true]);
    assert_eq!(fake.truth().count("read"), 1, "there is no doubt about this one");
    assert_eq!(shown(&mirror, &[grant(1, 0)], LONG).await, [true]);
    assert_eq!(fake.truth().count("read"), 2);
}

#[tokio::test(start_paused = true)]
async fn who_goes_takes_nobody_else_along() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let impatient = timeout(LATENCY / 2, mirror.grant(vec![grant(1, 0)]));
    let (gone, stayed) = tokio::join!(impatient, mirror.grant(vec![grant(2, 0)]));
    assert!(gone.is_err());
    assert!(stayed[0].is_ok());
    assert_eq!(fake.truth().grants.len(), 2, "what was asked for is done");
    assert!(shown(&mirror, &[grant(1, 0)], LONG).await[0]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_tells_each_and_leaves_doubt_where_there_is_any() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    shown(&mirror, &[grant(1, 0)], LONG).await;
    fake.truth().faults.push_back(Kind::OutcomeUnknown);
    let outcomes = join_all((0..3).map(|user| mirror.grant(vec![grant(user, 0)]))).await;
    assert!(outcomes.iter().all(|one| one[0].as_ref().is_err_and(|error| error.kind() == Kind::OutcomeUnknown)));
    assert_eq!(shown(&mirror, &[grant(1, 0)], LONG).await, [true], "what is in doubt is read again");

    fake.truth().faults.push_back(Kind::Forbidden);
    assert!(mirror.revoke(vec![grant(1, 0)]).await[0].is_err());
    assert!(shown(&mirror, &[grant(1, 0)], LONG).await[0]);
    assert_eq!(fake.truth().count("read"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_panics_does_not_end_the_writer() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().panics = true;
    let outcome = mirror.grant(vec![grant(1, 0)]).await;
    assert!(outcome[0].as_ref().is_err_and(|error| error.kind() == Kind::OutcomeUnknown));
    assert!(mirror.grant(vec![grant(1, 0)]).await[0].is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_grant_outlives_the_read_that_was_begun_before_it() {
    for eager in [false, true] {
        let fake = Fake::default();
        fake.truth().eager = eager;
        let mirror = mirror(&fake);
        shown(&mirror, &[grant(1, 0)], LONG).await;
        for pause in [0, 10, 30, 60] {
            let read = async {
                sleep(Duration::from_millis(pause)).await;
                mirror.refresh().await
            };
            let (granted, changes) = tokio::join!(mirror.grant(vec![grant(1, 0)]), read);
            assert!(granted[0].is_ok());
            assert!(shown(&mirror, &[grant(1, 0)], LONG).await[0], "after {pause} ms");
            assert_eq!(changes.grants, BTreeSet::new(), "our own write is no news");
            assert!(mirror.revoke(vec![grant(1, 0)]).await[0].is_ok());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_reads_the_scopes_in_use_and_tells_what_others_did() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.insert(grant(1, 0));
    shown(&mirror, &[grant(1, 0), grant(3, 1)], LONG).await;
    mirror.grant(vec![grant(2, 0)]).await.remove(0).unwrap();
    fake.truth().grants.remove(&grant(1, 0));
    fake.truth().grants.extend([grant(3, 1), grant(3, 2)]);
    let changes = mirror.refresh().await;
    assert_eq!(changes.grants, BTreeSet::from([grant(1, 0), grant(3, 1)]));
    assert_eq!(fake.truth().count("read role-2"), 0, "nobody looked at that scope");
}

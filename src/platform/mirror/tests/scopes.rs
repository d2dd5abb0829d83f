//! Scopes of grants: what a picture holds, what a refresh reads, and whom a failure concerns.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;

use super::super::grants::Held;
use super::super::watched::UNSEEN_READS;
use super::fake::{Fake, grant};
use super::{LONG, mirror, shown};
use crate::api::RoleKind;
use crate::platform::{Kind, Scope};

fn scope(role: usize) -> Scope {
    Scope(format!("role-{role}"))
}

#[tokio::test(start_paused = true)]
async fn a_picture_holds_what_is_asked_about_and_nothing_of_strangers() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.extend((0..20_000).map(|user| grant(user, 0)));
    let ours = [grant(7, 0), grant(30_000, 0)];
    assert_eq!(shown(&mirror, &ours, LONG).await, [true, false]);
    mirror.confirm(&[grant(8, 0)]).await.remove(0).unwrap();
    mirror.refresh().await;
    let picture = mirror.scopes()[&(RoleKind::RoleCollection, scope(0))].held.peek(Held::len);
    assert_eq!(picture, Some(3), "two looked at and one confirmed, of 20,000");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_asked_about_before_is_read_for_once_and_for_all_who_ask_meanwhile() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.extend((0..200).map(|user| grant(user, 0)));
    assert_eq!(shown(&mirror, &[grant(0, 0)], LONG).await, [true]);
    let looks = (1..100).map(|user| {
        let mirror = &mirror;
        async move { shown(mirror, &[grant(user, 0)], LONG).await }
    });
    assert!(join_all(looks).await.into_iter().flatten().all(|held| held));
    assert_eq!(fake.truth().count("read"), 3, "one is under way when the others come");
}

#[tokio::test(start_paused = true)]
async fn what_is_expected_is_in_the_first_read() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.extend((0..200).map(|user| grant(user, 0)));
    let all: Vec<_> = (0..200).map(|user| grant(user, 0)).collect();
    mirror.expect(&all);
    for one in all {
        assert_eq!(shown(&mirror, &[one], LONG).await, [true]);
    }
    assert_eq!(fake.truth().calls, ["read role-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_cannot_be_read_fails_its_own_grants() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.extend([grant(1, 0), grant(1, 1)]);
    fake.truth().unreadable.insert(scope(1));
    let answers = mirror.holds(&[grant(1, 1), grant(1, 0)], LONG).await;
    assert!(answers[0].as_ref().is_err_and(|error| error.kind() == Kind::Unavailable));
    assert!(matches!(answers[1], Ok(true)));

    fake.truth().unreadable = BTreeSet::from([scope(0)]);
    shown(&mirror, &[grant(1, 1)], LONG).await;
    fake.truth().grants = BTreeSet::new();
    let changes = mirror.refresh().await;
    assert_eq!(changes.grants, BTreeSet::from([grant(1, 1)]), "the other one is read all the same");
    let failures: Vec<_> = changes.failures.iter().map(|(what, error)| (what.as_str(), error.kind())).collect();
    assert_eq!(failures, [("role-0", Kind::Unavailable)]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_reads_many_scopes_a_few_at_a_time() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    let grants: Vec<_> = (0..100).map(|role| grant(1, role)).collect();
    for one in &grants {
        shown(&mirror, std::slice::from_ref(one), LONG).await;
    }
    fake.truth().reading = (0, 0);
    assert!(mirror.refresh().await.failures.is_empty());
    assert_eq!(fake.truth().reading, (0, 8));
    assert_eq!(fake.truth().count("read"), 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_targeted_read_saw_is_shown_and_told_to_others() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    assert_eq!(shown(&mirror, &[grant(1, 0), grant(2, 0)], LONG).await, [false, false]);
    fake.truth().grants.insert(grant(1, 0));
    let seen: Vec<bool> = mirror.confirm(&[grant(1, 0), grant(2, 0)]).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(seen, [true, false]);
    assert_eq!(shown(&mirror, &[grant(1, 0), grant(2, 0)], LONG).await, [true, false]);
    assert_eq!(fake.truth().count("read"), 1);
    assert_eq!(mirror.refresh().await.grants, BTreeSet::from([grant(1, 0)]));
}

#[tokio::test(start_paused = true)]
async fn a_targeted_read_that_a_write_crossed_does_not_hide_the_write() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    shown(&mirror, &[grant(1, 0)], LONG).await;
    let confirm = async {
        tokio::time::sleep(Duration::from_millis(55)).await;
        mirror.confirm(&[grant(1, 0)]).await
    };
    let (granted, _) = tokio::join!(mirror.grant(vec![grant(1, 0)]), confirm);
    granted.into_iter().for_each(|outcome| outcome.unwrap());
    assert_eq!(shown(&mirror, &[grant(1, 0)], LONG).await, [true]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_asks_about_is_told_once_and_then_dropped() {
    let fake = Fake::default();
    let mirror = mirror(&fake);
    fake.truth().grants.extend([grant(1, 0), grant(2, 0)]);
    shown(&mirror, &[grant(1, 0), grant(2, 0)], LONG).await;
    for _ in 1..UNSEEN_READS {
        assert_eq!(mirror.refresh().await.grants, BTreeSet::new());
    }
    assert_eq!(mirror.refresh().await.grants, BTreeSet::from([grant(1, 0), grant(2, 0)]));
    // Somebody needs the first; nobody answers for the second.
    shown(&mirror, &[grant(1, 0)], LONG).await;
    for _ in 0..2 {
        mirror.refresh().await;
    }
    assert_eq!(mirror.scopes()[&(RoleKind::RoleCollection, scope(0))].held.peek(Held::len), Some(1));
    for _ in 0..UNSEEN_READS {
        mirror.refresh().await;
    }
    assert!(mirror.scopes().is_empty(), "nobody asks about anything in it");
}

//! Who is restarted, and who is left alone.

use proptest::prelude::*;

use super::*;

const NOW: Publication<'static> = Publication { secret: "orders", owner: "uid-1", sequence: 7 };

fn named(kind: WorkloadKind, name: &str) -> Workload {
    Workload { kind, name: name.into() }
}

fn deployment(name: &str) -> Workload {
    named(WorkloadKind::Deployment, name)
}

/// One that may be restarted.
fn candidate(workload: Workload) -> Candidate {
    Candidate { workload, uses_the_secret: true, rollout: Rollout::Settled, restarted_for: String::new(), budget: None }
}

fn waiting(user: User, why: Why) -> Waiting {
    Waiting { user, pods: 1, why }
}

fn stuck(workload: &Workload) -> Waiting {
    waiting(User::Workload(workload.clone()), Why::NotRestarted)
}

/// Long after the publication.
fn judged(waiting: &[Waiting], candidates: &[Candidate]) -> Judgement {
    judge(NOW, waiting, candidates, Duration::from_secs(10_000), &Margins::default())
}

fn hold_of(one: &Candidate) -> Option<Hold> {
    let judgement = judged(&[stuck(&one.workload)], std::slice::from_ref(one));
    assert_eq!(judgement.restart.is_some(), judgement.held.is_empty(), "restarted or held, and not both");
    judgement.held.into_iter().next().map(|(_, hold)| hold)
}

#[test]
fn who_reads_only_at_the_start_is_restarted_and_nobody_else() {
    let a = candidate(deployment("a"));
    assert_eq!(judged(&[stuck(&a.workload)], std::slice::from_ref(&a)).restart, Some(deployment("a")));
    for why in [Why::Settling, Why::NotReady, Why::ClockAhead] {
        let follows = [waiting(User::Workload(deployment("a")), why)];
        assert_eq!(judged(&follows, std::slice::from_ref(&a)), Judgement::default(), "{why:?}");
        assert!(!is_needed(&follows));
    }
    assert_eq!(judged(&[], &[a]), Judgement::default());
}

#[test]
fn three_kinds_can_be_restarted() {
    for kind in [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet] {
        assert_eq!(hold_of(&candidate(named(kind.clone(), "a"))), None, "{kind}");
    }
}

#[test]
fn one_at_a_time() {
    let all = ["a", "b", "c"].map(|name| candidate(deployment(name)));
    let judgement = judged(&all.each_ref().map(|one| stuck(&one.workload)), &all);
    assert_eq!(judgement.restart, Some(deployment("a")));
    assert_eq!(judgement.held.iter().map(|(_, hold)| hold.clone()).collect::<Vec<_>>(), [Hold::Turn, Hold::Turn]);

    let [mut a, b, _] = all;
    a.restarted_for = record("", NOW);
    a.rollout = Rollout::Rolling;
    let judgement = judged(&[stuck(&b.workload)], &[a.clone(), b.clone()]);
    assert_eq!(judgement.held, [(User::Workload(deployment("b")), Hold::Turn)], "also when a has moved and goes on");
    a.rollout = Rollout::Settled;
    assert_eq!(judged(&[stuck(&b.workload)], &[a, b]).restart, Some(deployment("b")));
}

#[test]
fn one_that_somebody_else_rolls_does_not_stop_the_others() {
    let rolling = Candidate { rollout: Rollout::Rolling, ..candidate(deployment("a")) };
    let b = candidate(deployment("b"));
    let judgement = judged(&[stuck(&rolling.workload), stuck(&b.workload)], &[rolling, b]);
    assert_eq!(judgement.restart, Some(deployment("b")));
    assert_eq!(judgement.held, [(User::Workload(deployment("a")), Hold::Rolling)]);
}

#[test]
fn what_keeps_a_workload_is_told() {
    let a = || candidate(deployment("a"));
    assert_eq!(hold_of(&a()), None);
    assert_eq!(hold_of(&Candidate { uses_the_secret: false, ..a() }), Some(Hold::NotInTemplate));
    assert_eq!(hold_of(&Candidate { rollout: Rollout::OnDelete, ..a() }), Some(Hold::OnDelete));
    assert_eq!(hold_of(&Candidate { rollout: Rollout::Paused, ..a() }), Some(Hold::Paused));
    assert_eq!(hold_of(&Candidate { rollout: Rollout::Rolling, ..a() }), Some(Hold::Rolling));
    assert_eq!(hold_of(&Candidate { budget: Some("b".into()), ..a() }), Some(Hold::Budget("b".into())));
    assert_eq!(hold_of(&Candidate { restarted_for: "orders/7/uid-1".into(), ..a() }), Some(Hold::Restarted));
    assert_eq!(hold_of(&Candidate { restarted_for: "orders/8/uid-1".into(), ..a() }), Some(Hold::Restarted));
    assert_eq!(hold_of(&Candidate { restarted_for: "orders/6/uid-1,other/7/uid-1".into(), ..a() }), None);
    // Of a TechnicalUser that was deleted, with a name that another has now.
    assert_eq!(hold_of(&Candidate { restarted_for: "orders/8/uid-0".into(), ..a() }), None);
}

#[test]
fn what_nobody_can_restart_is_named() {
    let users = [
        User::Pod("migrate".into()),
        User::Workload(named(WorkloadKind::Job, "a")),
        User::Workload(named(WorkloadKind::CronJob, "a")),
        User::Workload(named(WorkloadKind::Other("Rollout".into()), "a")),
    ];
    for user in users {
        let judgement = judged(&[waiting(user.clone(), Why::NotRestarted)], &[candidate(deployment("a"))]);
        assert_eq!(judgement, Judgement { restart: None, held: vec![(user, Hold::NoWorkload)] });
    }
    let gone = judged(&[stuck(&deployment("gone"))], &[]);
    assert_eq!(gone.held, [(User::Workload(deployment("gone")), Hold::NotInTemplate)]);
}

#[test]
fn what_keeps_somebody_reads_like_a_sentence() {
    let said = |user: &User, hold: Hold| format!("{user} {hold}");
    let a = User::Workload(deployment("a"));
    assert_eq!(said(&a, Hold::Budget("b".into())), "Deployment a is held by PodDisruptionBudget b");
    assert_eq!(said(&a, Hold::Restarted), "Deployment a was restarted and has not moved");
    assert_eq!(said(&User::Pod("migrate".into()), Hold::NoWorkload), "pod migrate is not restarted by the operator");
}

#[test]
fn nobody_is_restarted_before_it_can_be_told() {
    let a = candidate(deployment("a"));
    let at = |second| {
        judge(NOW, &[stuck(&a.workload)], std::slice::from_ref(&a), Duration::from_secs(second), &Margins::default())
    };
    assert_eq!(at(239).held, [(User::Workload(deployment("a")), Hold::TooEarly)]);
    assert_eq!(at(240).restart, Some(deployment("a")));
}

#[test]
fn the_record_keeps_the_last_publication_of_each_secret() {
    assert_eq!(record("", NOW), "orders/7/uid-1");
    assert_eq!(record("orders/6/uid-1,billing/3/uid-2", NOW), "billing/3/uid-2,orders/7/uid-1");
    assert_eq!(record("orders/8/uid-0", NOW), "orders/7/uid-1");
    assert_eq!(record("nonsense,, billing/3/uid-2 ,x/y/z,old/3", NOW), "billing/3/uid-2,orders/7/uid-1");
}

proptest! {
    /// A world in which nothing moves however often it is restarted: each workload is restarted once, and that is all.
    #[test]
    fn each_is_restarted_once_for_each_publication(
        count in 1_usize..5,
        publications in prop::collection::vec((prop_oneof![Just("orders"), Just("billing")], 1_i64..4), 1..30),
        owner in "[a-f0-9-]{1,36}",
    ) {
        let mut all: Vec<Candidate> = (0..count).map(|number| candidate(deployment(&number.to_string()))).collect();
        let waiting: Vec<Waiting> = all.iter().map(|one| stuck(&one.workload)).collect();
        let mut restarts: Vec<(&str, i64, Workload)> = vec![];
        for (secret, sequence) in publications {
            let publication = Publication { secret, owner: &owner, sequence };
            let judgement = judge(publication, &waiting, &all, Duration::from_secs(10_000), &Margins::default());
            let Some(workload) = judgement.restart else { continue };
            let restart = (secret, sequence, workload.clone());
            prop_assert!(!restarts.contains(&restart), "{restart:?}");
            restarts.push(restart);
            let restarted = all.iter_mut().find(|one| one.workload == workload).unwrap();
            restarted.restarted_for = record(&restarted.restarted_for, publication);
        }
    }
}

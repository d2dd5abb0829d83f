//! Who is waited for, and who is not.

use proptest::prelude::*;

use super::*;

const PUBLISHED: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(PUBLISHED + second).unwrap()
}

/// Margins that are easy to tell apart: 60, 120 and 540 seconds.
fn margins() -> Margins {
    Margins::default()
}

fn container(reads: &[Reads], started: Option<i64>) -> ContainerFact {
    let state = started.map_or(State::Idle, |second| State::Running(at(second)));
    ContainerFact { name: "main".into(), state, reads: reads.iter().copied().collect() }
}

/// A pod that is Ready, with one container.
fn pod(reads: &[Reads], started: Option<i64>) -> PodFact {
    let containers = vec![container(reads, started)];
    PodFact { name: "pod".into(), workload: None, ready: true, ended: false, containers }
}

/// Why a pod is waited for, so many seconds after the publication.
fn why(pod: &PodFact, since: u64) -> Option<Why> {
    let waiting = still_using(std::slice::from_ref(pod), at(0), Duration::from_secs(since), &margins());
    waiting.first().map(|waiting| waiting.why)
}

#[test]
fn an_environment_is_that_of_the_start() {
    let started = |second| pod(&[Reads::Environment], Some(second));
    assert_eq!(why(&started(-1), 10_000), Some(Why::NotRestarted));
    assert_eq!(why(&started(0), 10_000), Some(Why::NotRestarted), "by a clock that may be ahead");
    assert_eq!(why(&started(59), 10_000), Some(Why::NotRestarted));
    assert_eq!(why(&started(60), 10_000), None);
}

#[test]
fn a_sub_path_is_what_the_volume_was_at_the_start() {
    let started = |second| pod(&[Reads::SubPath], Some(second));
    assert_eq!(why(&started(179), 10_000), Some(Why::NotRestarted), "the kubelet may not have looked yet");
    assert_eq!(why(&started(180), 10_000), None);
}

#[test]
fn a_volume_follows_when_kubelet_and_reader_had_their_time() {
    let follows = pod(&[Reads::Volume], Some(-5000));
    assert_eq!(why(&follows, 659), Some(Why::Settling));
    assert_eq!(why(&follows, 660), None);
}

#[test]
fn a_pod_that_is_not_ready_is_not_believed_to_have_followed() {
    let unready = PodFact { ready: false, ..pod(&[Reads::Volume], Some(-5000)) };
    assert_eq!(why(&unready, 659), Some(Why::Settling));
    assert_eq!(why(&unready, 1_000_000), Some(Why::NotReady));
}

#[test]
fn whoever_started_late_enough_need_not_follow() {
    let began = |second| PodFact { ready: false, ..pod(&[Reads::Volume], Some(second)) };
    assert_eq!(why(&began(180), 200), None);
    assert_eq!(why(&began(179), 200), Some(Why::Settling));
}

#[test]
fn both_ways_of_reading_must_have_moved() {
    let both = [Reads::Environment, Reads::Volume];
    assert_eq!(why(&pod(&both, Some(-1)), 10_000), Some(Why::NotRestarted));
    assert_eq!(why(&pod(&both, Some(100)), 200), Some(Why::Settling));
    assert_eq!(why(&pod(&both, Some(100)), 660), None);
}

#[test]
fn one_container_that_has_not_moved_is_enough() {
    let mut two = pod(&[Reads::Environment], Some(100));
    two.containers.push(container(&[Reads::Environment], Some(-100)));
    assert_eq!(why(&two, 10_000), Some(Why::NotRestarted));
    two.containers.push(container(&[Reads::Volume], Some(-100)));
    assert_eq!(why(&two, 600), Some(Why::NotRestarted), "not only a matter of time");
}

#[test]
fn what_does_not_run_reads_anew_when_it_starts() {
    let idle = |reads| PodFact { ready: false, ..pod(&[reads], None) };
    assert_eq!(why(&idle(Reads::Environment), 59), Some(Why::Settling));
    assert_eq!(why(&idle(Reads::Environment), 60), None);
    assert_eq!(why(&idle(Reads::Volume), 179), Some(Why::Settling));
    assert_eq!(why(&idle(Reads::Volume), 180), None);
}

#[test]
fn a_pod_that_ended_uses_nothing_unless_something_in_it_runs() {
    let ended = |started| PodFact { ready: false, ended: true, ..pod(&[Reads::Environment, Reads::Volume], started) };
    assert_eq!(why(&ended(None), 0), None);
    assert_eq!(why(&ended(Some(-5)), 10_000), Some(Why::NotRestarted));
}

#[test]
fn what_an_init_container_read_lives_on_in_the_pod() {
    let done = |reads, second| {
        let mut pod = pod(&[reads], None);
        pod.containers[0].state = State::Done(at(second));
        pod
    };
    assert_eq!(why(&done(Reads::Environment, -1), 10_000), Some(Why::NotRestarted));
    assert_eq!(why(&done(Reads::Environment, 60), 10_000), None);
    assert_eq!(why(&done(Reads::Volume, 179), 10_000), Some(Why::NotRestarted), "it does not look again");
    assert_eq!(why(&done(Reads::Volume, 180), 10_000), None);
    assert_eq!(why(&PodFact { ended: true, ..done(Reads::Environment, -1) }, 0), None);
}

#[test]
fn a_start_in_the_future_proves_nothing() {
    let started = pod(&[Reads::Environment], Some(300));
    assert_eq!(why(&started, 239), Some(Why::ClockAhead));
    assert_eq!(why(&started, 240), None, "no further than clocks may differ");
    let follows = pod(&[Reads::Volume], Some(1_000_000));
    assert_eq!((why(&follows, 659), why(&follows, 660)), (Some(Why::Settling), None));
}

#[test]
fn a_publication_that_is_dated_a_year_too_early_frees_nobody() {
    let long_running = pod(&[Reads::Environment], Some(300 * 24 * 3600));
    assert_eq!(why(&long_running, 3600), Some(Why::ClockAhead));
}

#[test]
fn a_publication_at_the_end_of_time_frees_nobody() {
    let started = pod(&[Reads::Environment], Some(0));
    let waiting = still_using(&[started], Timestamp::MAX, Duration::from_secs(1000), &margins());
    assert_eq!(waiting.first().map(|waiting| waiting.why), Some(Why::NotRestarted));
}

fn of(kind: WorkloadKind, name: &str, pod_name: &str, started: i64) -> PodFact {
    let workload = Some(Workload { kind, name: name.into() });
    PodFact { name: pod_name.into(), workload, ..pod(&[Reads::Environment], Some(started)) }
}

#[test]
fn pods_of_a_workload_are_named_together_and_read_like_a_sentence() {
    let rollout = || WorkloadKind::Other("Rollout".into());
    let bare = PodFact { name: "migrate".into(), ..pod(&[Reads::Environment], Some(-1)) };
    let pods = [
        of(rollout(), "web", "web-1", -1),
        bare,
        of(WorkloadKind::StatefulSet, "queue", "queue-0", -1),
        of(WorkloadKind::Deployment, "orders", "orders-b", -1),
        of(WorkloadKind::Deployment, "orders", "orders-a", -2),
        of(WorkloadKind::Deployment, "orders", "orders-c", 100),
    ];
    let said = |pods: &[PodFact]| -> Vec<String> {
        let waiting = still_using(pods, at(0), Duration::from_secs(1000), &margins());
        waiting.iter().map(ToString::to_string).collect()
    };
    let expected = ["2 pods of Deployment orders", "1 pod of StatefulSet queue", "1 pod of Rollout web", "pod migrate"];
    assert_eq!(said(&pods), expected);
    let turned: Vec<PodFact> = pods.iter().rev().cloned().collect();
    assert_eq!(said(&turned), expected, "the order of the API server is not told");
}

#[test]
fn of_several_reasons_the_one_that_takes_most_is_told() {
    let follows = |name, ready| PodFact {
        ready,
        ..PodFact {
            containers: vec![container(&[Reads::Volume], Some(-9))],
            ..of(WorkloadKind::Deployment, "orders", name, 0)
        }
    };
    let told = |pods: &[PodFact]| still_using(pods, at(0), Duration::from_secs(1000), &margins())[0].clone();
    let unready = follows("b", false);
    assert_eq!(told(&[follows("a", true), unready.clone()]).why, Why::NotReady);
    let mut both = [of(WorkloadKind::Deployment, "orders", "c", -1), unready];
    assert_eq!((told(&both).pods, told(&both).why), (2, Why::NotRestarted));
    both.reverse();
    assert_eq!(told(&both).why, Why::NotRestarted);
}

fn any_container() -> impl Strategy<Value = ContainerFact> {
    let way = prop_oneof![Just(Reads::Environment), Just(Reads::SubPath), Just(Reads::Volume)];
    let started = |second| prop_oneof![Just(State::Running(at(second))), Just(State::Done(at(second)))];
    let state = prop_oneof![1 => Just(State::Idle), 4 => (-900_i64..900).prop_flat_map(started)];
    (state, prop::collection::btree_set(way, 1..=3)).prop_map(|(state, reads)| ContainerFact {
        name: "main".into(),
        state,
        reads,
    })
}

/// When it started, in seconds after the publication by the clock of its node.
fn started(container: &ContainerFact) -> Option<i64> {
    match container.state {
        State::Idle => None,
        State::Running(started) | State::Done(started) => Some(started.as_second() - PUBLISHED),
    }
}

fn any_pod() -> impl Strategy<Value = PodFact> {
    let owner = prop::option::of(prop_oneof![Just("a"), Just("b")]);
    (owner, any::<bool>(), any::<bool>(), prop::collection::vec(any_container(), 1..4)).prop_map(
        |(owner, ready, ended, containers)| {
            let workload = owner.map(|name| Workload { kind: WorkloadKind::Deployment, name: name.into() });
            PodFact { name: "pod".into(), workload, ready, ended, containers }
        },
    )
}

/// Whether a container has the old one in its hands at the time of the look or gets it when it starts right then, told by
/// somebody who sees everything: the clock of the node is off by `skew`, the kubelet took `lag` for the volume, the reader
/// holds on for `patience`.
fn has_the_old_one(container: &ContainerFact, since: i64, (skew, lag, patience): (i64, i64, i64)) -> bool {
    let began = started(container).map_or(since, |second| second - skew);
    let looks_again = matches!(container.state, State::Running(_));
    container.reads.iter().any(|reads| match reads {
        Reads::Environment => began < 0,
        Reads::SubPath => began < lag,
        Reads::Volume => began < lag && (!looks_again || since < lag + patience),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn nobody_who_has_the_old_one_is_left_out(
        pod in any_pod(),
        since in 0_i64..900,
        skew in -60_i64..60,
        lag in 0_i64..120,
        patience in 0_i64..540,
    ) {
        // Nothing can have started later than now, whatever its node says.
        let possible = |container: &ContainerFact| started(container).is_none_or(|second| second - skew <= since);
        prop_assume!(pod.containers.iter().all(possible));
        let starts = |container: &&ContainerFact| !pod.ended || matches!(container.state, State::Running(_));
        let mut live = pod.containers.iter().filter(starts);
        let holds = live.any(|container| has_the_old_one(container, since, (skew, lag, patience)));
        prop_assert!(!holds || why(&pod, since.unsigned_abs()).is_some(), "{pod:?}");
    }

    #[test]
    fn time_alone_never_brings_anybody_back(pod in any_pod(), since in 0_u64..900, more in 0_u64..900) {
        prop_assert!(why(&pod, since).is_some() || why(&pod, since + more).is_none());
    }

    #[test]
    fn every_pod_is_counted_once_or_not_at_all(pods in prop::collection::vec(any_pod(), 0..8), since in 0_u64..900) {
        let waiting = still_using(&pods, at(0), Duration::from_secs(since), &margins());
        let counted: usize = waiting.iter().map(|waiting| waiting.pods).sum();
        prop_assert_eq!(counted, pods.iter().filter(|pod| why(pod, since).is_some()).count());
    }

    #[test]
    fn what_began_long_after_is_free_at_last(mut pod in any_pod(), since in 660_u64..900) {
        pod.containers.retain(|container| started(container).is_none_or(|second| second >= 180));
        let late = Duration::from_secs(since + 300);
        prop_assert_eq!(still_using(&[pod], at(0), late, &margins()), vec![]);
    }
}

//! Turns, with real tasks that wait.

use super::*;

const SHORT: Duration = Duration::from_millis(50);
const ANSWERED: Outcome = Outcome::Answered(None);

fn budget(max_in_flight: usize) -> Budget {
    Budget::new("test", &Limits::one(Limit::Unknown), max_in_flight, Arc::new(Unobserved))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

async fn admit(budget: &Budget, lane: Lane, urgency: Urgency) -> Result<Permit> {
    budget.admit("call", lane, urgency, soon()).await
}

#[tokio::test]
async fn the_urgent_overtake_those_who_wait() {
    let budget = budget(1);
    let held = admit(&budget, Lane::Rest, Urgency::Normal).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let waiting = [Urgency::Last, Urgency::Normal, Urgency::First].map(|urgency| {
        let (budget, order) = (budget.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let permit = admit(&budget, Lane::Rest, urgency).await.unwrap();
            order.lock().unwrap().push(urgency);
            permit.finish(ANSWERED, "ok");
        })
    });
    pause(SHORT).await;
    held.finish(ANSWERED, "ok");
    for task in waiting {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [Urgency::First, Urgency::Normal, Urgency::Last]);
}

#[tokio::test]
async fn a_long_wait_is_an_error_and_not_a_wait() {
    let budget = budget(1);
    let permit = admit(&budget, Lane::Rest, Urgency::Normal).await.unwrap();
    permit.finish(Outcome::Throttled(Some(Duration::from_secs(60))), "throttled");
    let error = admit(&budget, Lane::Rest, Urgency::Normal).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Throttled);
    assert!(error.wait().unwrap() > Duration::from_secs(50));
}

#[tokio::test]
async fn a_lane_that_waits_holds_up_no_other() {
    let slow = Limit::Kept(Pace { per_second: 0.5, burst: 1.0 });
    let limits = Limits { instances: slow, ..Limits::one(Limit::Unknown) };
    let budget = Budget::new("test", &limits, 64, Arc::new(Unobserved));
    admit(&budget, Lane::Instances, Urgency::Normal).await.unwrap().finish(ANSWERED, "ok");
    let queued = tokio::spawn({
        let budget = budget.clone();
        async move { admit(&budget, Lane::Instances, Urgency::Normal).await.map(drop) }
    });
    pause(SHORT).await;
    let asked = Instant::now();
    for lane in [Lane::Bindings, Lane::Changes, Lane::Rest] {
        admit(&budget, lane, Urgency::Normal).await.unwrap().finish(ANSWERED, "ok");
    }
    assert!(asked.elapsed() < SHORT, "{:?}", asked.elapsed());
    queued.abort();
}

#[tokio::test]
async fn new_work_far_behind_in_a_slow_lane_is_told_when_to_come_back() {
    let slow = Limit::Kept(Pace { per_second: 1.0, burst: 1.0 });
    let budget = Budget::new("test", &Limits::one(slow), 64, Arc::new(Unobserved));
    admit(&budget, Lane::Rest, Urgency::Normal).await.unwrap().finish(ANSWERED, "ok");
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let budget = budget.clone();
            tokio::spawn(async move { admit(&budget, Lane::Rest, Urgency::Normal).await.map(drop) })
        })
        .collect();
    pause(SHORT).await;
    let told: Vec<_> = futures::future::join_all(tasks.into_iter().filter(tokio::task::JoinHandle::is_finished)).await;
    let mut waits: Vec<_> = told.into_iter().map(|told| told.unwrap().unwrap_err().wait().unwrap()).collect();
    assert!(waits.len() >= 12, "{} of 20 were told", waits.len());
    waits.sort();
    let apart = |pair: &[Duration]| pair[1] > pair[0] + Duration::from_millis(500);
    assert!(waits.windows(2).any(apart), "not all at once: {waits:?}");
    assert!(waits.last().unwrap().as_secs() >= waits.len() as u64 - 1, "{waits:?}");
}

#[tokio::test]
async fn a_caller_that_gives_up_blocks_nobody() {
    let budget = budget(1);
    let held = admit(&budget, Lane::Rest, Urgency::Normal).await.unwrap();
    let queued = tokio::spawn({
        let budget = budget.clone();
        async move { admit(&budget, Lane::Rest, Urgency::First).await.map(drop) }
    });
    pause(SHORT).await;
    queued.abort();
    let _ = queued.await;
    drop(held);
    admit(&budget, Lane::Rest, Urgency::Last).await.unwrap().finish(ANSWERED, "ok");
}

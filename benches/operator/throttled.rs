//! Heals while creations are throttled: many TechnicalUsers wait for their instances, as a platform makes only so many
//! a minute, and Secrets of others are deleted, on the same Platform and on another one.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::simulator::Simulator;
use crate::harness::{eventually, runtime};
use crate::heal::{self, Harm, Patient};
use crate::objects::Pairs;
use crate::report::{Report, Target};
use crate::stage::{PLATFORM, Stage};
use crate::{Size, memory, stage};

/// The Platform that nobody throttles, on a subaccount of its own.
const ELSEWHERE: &str = "elsewhere";
const HERE: &str = "bench-here";
const THERE: &str = "bench-elsewhere";
const WAITING: &str = "bench-waiting";
const ROUTE: &str = "service-manager.create-instance";

/// How the Secrets are harmed.
pub(crate) struct Rounds {
    /// How many of them, on each Platform.
    pub(crate) count: usize,
    /// How many at once in each.
    pub(crate) at_once: usize,
    /// How long from one to the next: a platform's minute has a beginning and an end, and both matter.
    pub(crate) gap: Duration,
    /// When a Secret counts as not healed.
    pub(crate) limit: Duration,
    /// After this time no further round begins.
    pub(crate) over: Duration,
}

/// How long each Secret took to heal on a Platform, ascending.
struct Healed {
    here: Vec<Duration>,
    elsewhere: Vec<Duration>,
}

/// Lets `size.waiting` TechnicalUsers wait, and heals others meanwhile.
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let elsewhere = stage::simulator();
    let operator = stage.operator();
    stage.connect(&operator);
    stage.connect_to(ELSEWHERE, &elsewhere, &operator);
    for (namespace, platform) in [(HERE, PLATFORM), (THERE, ELSEWHERE)] {
        stage.namespace(namespace);
        let count = size.rounds.count * size.rounds.at_once;
        runtime().block_on(Pairs::new(namespace, platform, count).apply(&stage.client));
    }
    wait_for_creations(&stage, size);
    let (began, ordered) = (Instant::now(), instances(&stage.simulator, 201..=202));
    let healed = runtime().block_on(rounds(&stage, &size.rounds));
    let made = instances(&stage.simulator, 201..=202) - ordered;
    tell(size, &healed, report);
    minutes(size, (made, began.elapsed()), report);
    report.row("throttled: memory", memory::resident(operator.id()), "MB", Some(Target::AtMost(64.0)));
}

/// Writes the TechnicalUsers that will wait, and returns when the platform has refused the first.
fn wait_for_creations(stage: &Stage, size: &Size) {
    stage.simulator.limit(ROUTE, size.per_minute);
    stage.namespace(WAITING);
    let pairs = Pairs::new(WAITING, PLATFORM, size.waiting);
    runtime().block_on(pairs.write(&stage.client));
    let refused = || (instances(&stage.simulator, 429..=429) > 0).then_some(());
    eventually("creations are throttled", Duration::from_mins(1), refused);
}

/// How often the platform has answered an order for an instance like this.
fn instances(simulator: &Simulator, statuses: RangeInclusive<u64>) -> usize {
    let all = simulator.requests();
    let ordered = all.iter().filter(|entry| entry["route"] == ROUTE);
    ordered.filter(|entry| entry["status"].as_u64().is_some_and(|status| statuses.contains(&status))).count()
}

async fn rounds(stage: &Stage, rounds: &Rounds) -> Healed {
    let mut here = Patient::new(&stage.client, HERE, rounds.limit).await;
    let mut elsewhere = Patient::new(&stage.client, THERE, rounds.limit).await;
    let (began, mut healed) = (Instant::now(), Healed { here: vec![], elsewhere: vec![] });
    for round in 0..rounds.count {
        if began.elapsed() > rounds.over {
            break;
        }
        let numbers = round * rounds.at_once..(round + 1) * rounds.at_once;
        let both = (here.heal(Harm::Deleted, numbers.clone()), elsewhere.heal(Harm::Deleted, numbers));
        let (times_here, times_elsewhere) = tokio::join!(both.0, both.1);
        healed.here.extend(times_here);
        healed.elsewhere.extend(times_elsewhere);
        tokio::time::sleep(rounds.gap).await;
    }
    healed.here.sort();
    healed.elsewhere.sort();
    healed
}

#[expect(clippy::cast_precision_loss, reason = "some hundred heals")]
fn tell(size: &Size, healed: &Healed, report: &mut Report) {
    for (times, place) in [(&healed.here, "the same Platform"), (&healed.elsewhere, "another Platform")] {
        let name = |what: &str| format!("{} wait to be made, heal on {place}: {what}", size.waiting);
        let late = times.iter().filter(|time| **time >= size.rounds.limit).count();
        report.row(&name("Secrets deleted"), times.len() as f64, "", None);
        report.row(&name(&format!("not within {:?}", size.rounds.limit)), late as f64, "", Some(Target::AtMost(0.0)));
        report.row(&name("P50"), heal::percentile(times, 50), "ms", None);
        report.row(&name("P99"), heal::percentile(times, 99), "ms", Some(Target::AtMost(1000.0)));
    }
}

/// That the heals were not bought with the creations: how many were made meanwhile, of those that the platform allows.
#[expect(clippy::cast_precision_loss, reason = "some hundred instances")]
fn minutes(size: &Size, (made, took): (usize, Duration), report: &mut Report) {
    let minutes = took.as_secs_f64() / 60.0;
    let name = format!("{} wait to be made: made a minute, of {} allowed", size.waiting, size.per_minute);
    report.row(&name, made as f64 / minutes, "/min", None);
    report.detail("throttled", json!({ "made": made, "seconds": took.as_secs_f64() }));
}

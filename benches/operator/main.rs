//! The bench: what the operator does with 300 and with 2,000 TechnicalUsers, in figures with their targets.
//!
//! It measures a release build on a real control plane, with a simulated platform that takes 50 ms for every call. It is
//! no test: nothing fails because it was slow. `cargo bench` runs it in full; `cargo test --bench operator`, or
//! `BENCH_QUICK=1`, with few objects and in seconds, to see that it still runs; those figures mean little.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot go on has nothing better to do")]

#[expect(dead_code, unused_imports, reason = "the stories need more of it than the bench")]
#[path = "../../tests/harness/mod.rs"]
mod harness;

mod bare;
mod calls;
mod heal;
mod load;
mod memory;
mod objects;
mod plot;
mod report;
mod restart;
mod stage;

use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use bare::Bare;
use calls::Platform;
use harness::operator::Operator;
use harness::runtime;
use heal::{Harm, Patient};
use report::{Report, Target};
use stage::Stage;

/// How much of everything.
struct Size {
    small: usize,
    large: usize,
    foreign: usize,
    heals: usize,
}

const FULL: Size = Size { small: 300, large: 2000, foreign: 200, heals: 100 };
const QUICK: Size = Size { small: 20, large: 40, foreign: 5, heals: 10 };

/// How long a quiet operator is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);

fn main() {
    // cargo bench says so; cargo test does not.
    let quick = env::var_os("BENCH_QUICK").is_some() || !env::args().any(|argument| argument == "--bench");
    let size = if quick { QUICK } else { FULL };
    let (stage, mut report) = (Stage::start(), Report::default());
    // Whatever else the machine does meanwhile takes its share of every figure.
    report.detail("load average before", fs::read_to_string("/proc/loadavg").unwrap_or_default().into());
    let bare = bare_rates(&stage, &size, &mut report);
    let platform = Platform::from_now(&stage.simulator);
    let operator = stage.operator();
    stage.connect(&operator);
    idle_memory(&stage, &operator, &size, &mut report);
    load::measure(&stage, &operator, ("bench-small", size.small), &bare, &mut report);
    heals(&stage, &size, &mut report);
    load::measure(&stage, &operator, ("bench-large", size.large), &bare, &mut report);
    admin_tokens(&stage, &platform, &mut report);
    restart::measure(&stage, operator, size.small + size.large, &mut report);
    report.publish();
}

fn bare_rates(stage: &Stage, size: &Size, report: &mut Report) -> Bare {
    let namespaces = ["bare-manifests", "bare-writes"];
    namespaces.iter().for_each(|namespace| stage.namespace(namespace));
    let bare = runtime().block_on(bare::measure(&stage.client, namespaces, size.small));
    report.row("bare rate: manifests created", bare.manifests, "/s", None);
    report.row("bare rate: with finalizer, Secret, two statuses, event", bare.writes, "/s", None);
    for namespace in namespaces {
        stage.kubectl().ok(&["delete", "namespace", namespace, "--timeout=300s"]);
    }
    bare
}

/// One for each of the Platform's two admin credentials, as no token runs out meanwhile.
#[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
fn admin_tokens(stage: &Stage, platform: &Platform, report: &mut Report) {
    let (of_admins, _) = platform.asked(&stage.simulator).tokens();
    report.row("token calls of both admin credentials, all in all", of_admins as f64, "", Some(Target::AtMost(2.0)));
}

fn idle_memory(stage: &Stage, operator: &Operator, size: &Size, report: &mut Report) {
    sleep(REST);
    let idle = memory::resident(operator.id());
    report.row("memory: idle", idle, "MB", Some(Target::AtMost(25.0)));
    stage.namespace("foreign");
    runtime().block_on(memory::fill(&stage.client, "foreign", size.foreign));
    sleep(REST);
    let growth = memory::resident(operator.id()) - idle;
    report.row(
        &format!("memory: growth with {} foreign Secrets of 0.7 MB", size.foreign),
        growth,
        "MB",
        Some(Target::AtMost(1.0)),
    );
}

fn heals(stage: &Stage, size: &Size, report: &mut Report) {
    for (harm, word) in [(Harm::Deleted, "deleted"), (Harm::Altered, "altered")] {
        for (at_once, manner) in [(1, "one at a time"), (size.heals.min(20), "many at once")] {
            let mut patient = Patient::new(&stage.client, "bench-small");
            let times = runtime().block_on(patient.heal_times(harm, size.heals, at_once));
            let percentile = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
            report.row(&format!("heal of a Secret {word}, {manner}: P50"), percentile(50), "ms", None);
            report.row(
                &format!("heal of a Secret {word}, {manner}: P99"),
                percentile(99),
                "ms",
                Some(Target::AtMost(1000.0)),
            );
        }
    }
}

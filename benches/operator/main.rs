//! The bench: what the operator does with many TechnicalUsers and RoleBindings, in figures with their targets.
//!
//! It measures a release build on a real control plane, with a simulated platform that takes 50 ms for every call. It is
//! no test: nothing fails because it was slow. `cargo bench` runs it in full; `cargo test --bench operator`, or
//! `BENCH_QUICK=1`, with few objects and in seconds, to see that it still runs; those figures mean little. What its parts
//! are and how to choose some of them is in [`USAGE`].

#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot go on has nothing better to do")]

#[expect(dead_code, unused_imports, reason = "the stories need more of it than the bench")]
#[path = "../../tests/harness/mod.rs"]
mod harness;

mod apply;
mod bare;
mod bulk;
mod calls;
mod certificates;
mod crowd;
mod heal;
mod load;
mod members;
mod memory;
mod objects;
mod plot;
mod removal;
mod report;
mod restart;
mod rotate;
mod stage;
mod throttled;
mod watch;

use std::time::Duration;
use std::{env, fs, thread};

use report::Report;
use throttled::Rounds;

/// What `--help` prints.
const USAGE: &str = "\
Measures the operator, prints a table of figures beside their targets, and writes it, JSON and a plot to target/bench.

  make bench                                   everything; some twelve minutes
  BENCH_ONLY=removal,crowd make bench          these parts alone, each on a control plane of its own
  BENCH_QUICK=1 make bench                     few objects: that it runs, not what it costs

Parts:
  apply      300 and 2,000 TechnicalUsers with a RoleBinding each, from apply to Ready: rate beside the bare rate of the
             same writes, Kubernetes reads and writes for each pair, platform calls, heals, memory, a restart
  removal    2,000 RoleBindings deleted by one call: time, Kubernetes reads by verb, platform calls, most memory
  throttled  1,000 TechnicalUsers wait where 50 instances are made a minute; Secrets of others are deleted: heals on the
             same Platform and on another
  crowd      5,000 TechnicalUsers and 5,000 RoleBindings: memory
  bulk       1,000 grants over 5 roles on Neo: calls that grant, and calls of a look at all of them
  rotation   1,000 credentials replaced at once while software calls with each, and Secrets of others are deleted: time, calls,
             failed calls of that software, heals; and a start over what an older version left
  certificates  300 TechnicalUsers with a client certificate of the platform's making: time beside as many with a secret, calls
  members    1,000 members of one group of a SCIM directory: calls that change it, and calls that look users up";

/// How much of everything.
struct Size {
    small: usize,
    large: usize,
    foreign: usize,
    heals: usize,
    removed: usize,
    waiting: usize,
    /// Instances that the platform makes in a minute while the others wait.
    per_minute: u32,
    rounds: Rounds,
    crowd: usize,
    grants: usize,
    members: usize,
    rotated: usize,
    /// How long software waits between two calls.
    pause: Duration,
    /// How long a quiet operator is left alone before its memory is read.
    rest: Duration,
}

const FULL: Size = Size {
    small: 300,
    large: 2000,
    foreign: 200,
    heals: 100,
    removed: 2000,
    waiting: 1000,
    per_minute: 50,
    rounds: Rounds {
        count: 25,
        at_once: 4,
        gap: Duration::from_secs(3),
        limit: Duration::from_mins(1),
        over: Duration::from_mins(3),
    },
    crowd: 5000,
    grants: 1000,
    members: 1000,
    rotated: 1000,
    pause: Duration::from_secs(10),
    rest: Duration::from_secs(3),
};

const QUICK: Size = Size {
    small: 20,
    large: 40,
    foreign: 5,
    heals: 10,
    removed: 20,
    waiting: 20,
    per_minute: 10,
    rounds: Rounds {
        count: 2,
        at_once: 2,
        gap: Duration::from_millis(100),
        limit: Duration::from_secs(2),
        over: Duration::from_secs(3),
    },
    crowd: 20,
    grants: 200,
    members: 200,
    rotated: 20,
    pause: Duration::from_secs(1),
    rest: Duration::from_millis(300),
};

/// A part of the bench: takes its figures and says them.
type Part = fn(&Size, &mut Report);

const PARTS: [(&str, Part); 8] = [
    ("apply", apply::measure),
    ("removal", removal::measure),
    ("throttled", throttled::measure),
    ("crowd", crowd::measure),
    ("bulk", bulk::measure),
    ("rotation", rotate::measure),
    ("certificates", certificates::measure),
    ("members", members::measure),
];

fn main() {
    if env::args().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return;
    }
    // cargo bench says so; cargo test does not.
    let quick = env::var_os("BENCH_QUICK").is_some() || !env::args().any(|argument| argument == "--bench");
    let (size, mut report) = (if quick { QUICK } else { FULL }, Report::default());
    // Whatever else the machine does meanwhile takes its share of every figure.
    report.detail("load average before", fs::read_to_string("/proc/loadavg").unwrap_or_default().into());
    let parts = chosen(&env::var("BENCH_ONLY").unwrap_or_default());
    let taken = if quick { side_by_side(&parts, &size) } else { one_by_one(&parts, &size) };
    taken.into_iter().for_each(|part| report.append(part));
    report.publish();
}

/// So that none takes anything from another.
fn one_by_one(parts: &[Part], size: &Size) -> Vec<Report> {
    parts.iter().map(|part| take(*part, size)).collect()
}

/// Two at a time, for whoever only wants to see that they run. More would cost an operator its lease on two processors.
fn side_by_side(parts: &[Part], size: &Size) -> Vec<Report> {
    let take_all = |parts: &[Part]| parts.iter().map(|part| take(*part, size)).collect::<Vec<_>>();
    let (some, others) = parts.split_at(parts.len() / 2);
    thread::scope(|scope| {
        let beside = scope.spawn(|| take_all(others));
        let mut reports = take_all(some);
        reports.extend(beside.join().expect("parts that say what went wrong"));
        reports
    })
}

fn take(part: Part, size: &Size) -> Report {
    let mut report = Report::default();
    part(size, &mut report);
    report
}

/// The parts that were asked for: all of them, unless some are named.
fn chosen(named: &str) -> Vec<Part> {
    let named: Vec<&str> = named.split(',').filter(|name| !name.is_empty()).collect();
    let known = |name: &&str| PARTS.iter().any(|(part, _)| part == name);
    assert!(named.iter().all(known), "BENCH_ONLY={}: see --help for the names of the parts", named.join(","));
    let all = PARTS.into_iter().filter(|(part, _)| named.is_empty() || named.contains(part));
    all.map(|(_, part)| part).collect()
}

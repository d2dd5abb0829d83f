//! A restart with everything Ready: it must write nothing, and settle soon.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::calls::Requests;
use crate::harness::operator::Operator;
use crate::harness::runtime;
use crate::report::{Report, Target};
use crate::stage::Stage;
use crate::{Size, memory};

const INTERVAL: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_mins(2);

/// Stops the operator and starts it again, beside all TechnicalUsers of [`crate::apply`] and as many RoleBindings.
#[expect(clippy::cast_precision_loss, reason = "a few thousand objects")]
pub(crate) fn measure(stage: &Stage, operator: Operator, size: &Size, report: &mut Report) {
    let count = size.small + size.large;
    let (status, _) = operator.stop();
    report.detail("the operator stopped when asked", json!(status.success()));
    let before = runtime().block_on(Requests::now(&stage.client));
    let began = Instant::now();
    let operator = stage.operator();
    let settled = settled(&operator, 2 * count, size.rest, began);
    let requests = runtime().block_on(Requests::now(&stage.client)).since(&before);
    let writes: u64 = requests.all_writes().values().sum();
    report.row("restart: writes to Kubernetes", writes as f64, "", Some(Target::AtMost(0.0)));
    report.row(&format!("restart: {count} TechnicalUsers settled after"), settled.as_secs_f64(), "s", None);
    report.row("restart: memory", memory::resident(operator.id()), "MB", Some(Target::AtMost(64.0)));
    report.row("restart: most memory", memory::peak(operator.id()), "MB", None);
    report.detail(
        "kubernetes calls after the restart",
        json!({ "writes": requests.all_writes(), "reads": requests.reads() }),
    );
}

/// How long it took until every object had been looked at and nothing had been looked at for a while.
pub(crate) fn settled(operator: &Operator, objects: usize, quiet: Duration, began: Instant) -> Duration {
    let (mut seen, mut changed) = (0, Instant::now());
    while seen < objects || changed.elapsed() < quiet {
        assert!(began.elapsed() < LIMIT, "not settled after {LIMIT:?}; {seen} reconciles:\n{}", operator.log());
        let now = reconciles(&operator.metrics());
        if now != seen {
            (seen, changed) = (now, Instant::now());
        }
        sleep(INTERVAL);
    }
    changed - began
}

/// Reconciles of TechnicalUsers and RoleBindings so far.
fn reconciles(metrics: &str) -> usize {
    let lines = metrics.lines().filter(|line| line.starts_with("technical_user_reconciles_total{"));
    let ours = lines.filter(|line| !line.contains("\"Platform\""));
    ours.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

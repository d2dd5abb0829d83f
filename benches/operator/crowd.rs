//! What many objects weigh: memory beside thousands of TechnicalUsers and as many RoleBindings, all Ready.

use crate::harness::runtime;
use crate::objects::Pairs;
use crate::report::{Report, Target};
use crate::stage::{PLATFORM, Stage};
use crate::{Size, memory};

const NAMESPACE: &str = "bench-crowd";

/// Makes so many, and reads the operator's memory.
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let operator = stage.operator();
    stage.connect(&operator);
    stage.namespace(NAMESPACE);
    let pairs = Pairs::new(NAMESPACE, PLATFORM, size.crowd);
    let times = runtime().block_on(pairs.apply(&stage.client));
    std::thread::sleep(size.rest);
    let name = |what: &str| format!("{count} TechnicalUsers and {count} RoleBindings: {what}", count = size.crowd);
    let took = times.last().map_or(0.0, std::time::Duration::as_secs_f64);
    report.row(&name("until all are Ready"), took, "s", None);
    report.row(&name("memory"), memory::resident(operator.id()), "MB", Some(Target::AtMost(64.0)));
    report.row(&name("most memory"), memory::peak(operator.id()), "MB", None);
    report.curve(&format!("{} TechnicalUsers alone", size.crowd), &times);
}

//! Many RoleBindings deleted by one call: how long until all are gone, and what that costs.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use technical_user_operator::api::RoleBinding;

use crate::calls::{Asked, Platform, Requests};
use crate::harness::operator::Operator;
use crate::harness::runtime;
use crate::objects::Pairs;
use crate::report::{Report, Target};
use crate::stage::{PLATFORM, Stage};
use crate::watch::{self, Told};
use crate::{Size, memory};

const NAMESPACE: &str = "bench-removal";
/// Long enough to see a removal that is far too slow.
const LIMIT: Duration = Duration::from_mins(10);

/// Makes so many TechnicalUsers with their RoleBindings, and takes the RoleBindings away.
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let operator = stage.operator();
    stage.connect(&operator);
    stage.namespace(NAMESPACE);
    let pairs = Pairs::new(NAMESPACE, PLATFORM, size.removed);
    runtime().block_on(pairs.apply(&stage.client));
    std::thread::sleep(size.rest);

    memory::forget_peak(operator.id());
    let resident = memory::resident(operator.id());
    let platform = Platform::from_now(&stage.simulator);
    let bindings: Api<RoleBinding> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let watch = runtime().block_on(watch::begin(bindings.clone()));
    let before = runtime().block_on(Requests::now(&stage.client));
    let times = runtime().block_on(remove(&bindings, watch, size.removed));
    // The TechnicalUsers that lost a role may still be told so.
    std::thread::sleep(size.rest);
    let requests = runtime().block_on(Requests::now(&stage.client)).since(&before);

    times_and_memory(&operator, (&times, size.removed), resident, report);
    kubernetes(&requests, size.removed, report);
    asked(&platform.asked(&stage.simulator), size.removed, report);
}

/// Deletes all; when each was gone, ascending. Those that were not in time are missing.
async fn remove(
    bindings: &Api<RoleBinding>,
    mut watch: BoxStream<'static, Told<RoleBinding>>,
    count: usize,
) -> Vec<Duration> {
    let (began, mut times) = (Instant::now(), vec![]);
    let gone = async {
        while times.len() < count {
            if let Told::Gone(_) = watch.next().await.expect("a watch without end") {
                times.push(began.elapsed());
            }
        }
    };
    let (how, which) = (DeleteParams::default(), ListParams::default());
    let asked = bindings.delete_collection(&how, &which);
    // Out of time is an answer too.
    let (asked, _) = tokio::join!(asked, tokio::time::timeout(LIMIT, gone));
    asked.expect("delete the RoleBindings");
    times
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand objects")]
fn times_and_memory(operator: &Operator, (times, count): (&[Duration], usize), resident: f64, report: &mut Report) {
    let name = |what: &str| format!("{count} RoleBindings removed: {what}");
    let took = times.last().copied().unwrap_or(LIMIT).as_secs_f64();
    report.row(&name("not gone in time"), (count - times.len()) as f64, "", Some(Target::AtMost(0.0)));
    report.row(&name("until all are gone"), took, "s", None);
    report.row(&name("rate"), times.len() as f64 / took, "/s", None);
    report.row(&name("memory before"), resident, "MB", None);
    report.row(&name("most memory"), memory::peak(operator.id()), "MB", Some(Target::AtMost(64.0)));
    report.curve(&name("gone"), times);
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
fn kubernetes(requests: &Requests, count: usize, report: &mut Report) {
    let name = |what: &str| format!("{count} RoleBindings removed: {what}");
    let (reads, writes) = (requests.reads(), requests.all_writes());
    let lists = reads.iter().filter(|(call, _)| call.starts_with("LIST")).map(|(_, count)| count).sum::<u64>() as f64;
    let each = |calls: &std::collections::BTreeMap<String, u64>| calls.values().sum::<u64>() as f64 / count as f64;
    report.row(&name("Kubernetes lists"), lists, "", Some(Target::AtMost(5.0)));
    report.row(&name("Kubernetes reads each"), each(&reads), "", None);
    report.row(&name("Kubernetes writes each"), each(&writes), "", None);
    report.detail("kubernetes calls of the removal", json!({ "writes": writes, "reads": reads }));
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
fn asked(asked: &Asked, count: usize, report: &mut Report) {
    let each = asked.others() as f64 / count as f64;
    report.row(&format!("{count} RoleBindings removed: platform calls each, tokens apart"), each, "", None);
    report.detail("platform calls of the removal", json!(asked.routes));
}

//! The main figure: many objects from their first write until all are Ready, and what that cost in calls and memory.

use std::collections::BTreeMap;

use serde_json::json;

use crate::bare::Bare;
use crate::calls::{self, Asked, Platform, Requests};
use crate::harness::operator::Operator;
use crate::harness::runtime;
use crate::objects::{self, Pairs};
use crate::report::{Report, Target};
use crate::stage::{PLATFORM, Stage};
use crate::{Size, memory};

/// TechnicalUsers a second that 300 in five seconds are.
const PER_SECOND: f64 = 60.0;

/// Where it is measured, and beside what.
pub(crate) struct Load<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) operator: &'a Operator,
    pub(crate) bare: &'a Bare,
    pub(crate) size: &'a Size,
}

impl Load<'_> {
    /// Applies so many TechnicalUsers with their RoleBindings in a namespace of their own.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand objects")]
    pub(crate) fn measure(&self, namespace: &str, count: usize, report: &mut Report) {
        let Load { stage, operator, bare, size } = self;
        stage.namespace(namespace);
        let watch = runtime().block_on(objects::watched(&stage.client, namespace));
        let platform = Platform::from_now(&stage.simulator);
        let before = runtime().block_on(Requests::now(&stage.client));
        let pairs = Pairs::new(namespace, PLATFORM, count);
        let times = runtime().block_on(pairs.apply_watched(&stage.client, watch));
        // What is still under way when the last object is Ready, such as its event, was part of the work.
        std::thread::sleep(size.rest);
        let requests = runtime().block_on(Requests::now(&stage.client)).since(&before);
        let took = times.last().map_or(0.0, std::time::Duration::as_secs_f64);
        let rate = count as f64 / took;
        let name = |what: &str| format!("{count} TechnicalUsers: {what}");
        report.row(&name("until all are Ready"), took, "s", Some(Target::AtMost(count as f64 / PER_SECOND)));
        report.row(&name("rate"), rate, "/s", Some(Target::AtLeast(PER_SECOND)));
        report.row(&name("share of the bare rate of manifests"), rate / bare.manifests, "", None);
        report.row(&name("share of the bare rate with writes"), rate / bare.writes, "", Some(Target::AtLeast(0.7)));
        report.row(&name("memory"), memory::resident(operator.id()), "MB", Some(Target::AtMost(64.0)));
        report.curve(&format!("{count} TechnicalUsers"), &times);
        kubernetes(stage, (namespace, count as f64), &requests, report);
        asked((namespace, count as f64), &platform.asked(&stage.simulator), report);
    }
}

/// Calls to the API server.
#[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
fn kubernetes(stage: &Stage, (namespace, count): (&str, f64), requests: &Requests, report: &mut Report) {
    let [about_bindings, _] = calls::events(&stage.kubectl().list(namespace, "events"));
    let of = |resource: &str| total(&requests.writes(resource)) as f64;
    let of_users = of("technicalusers") + of("secrets") + of("events") - about_bindings as f64;
    let of_bindings = of("rolebindings") + about_bindings as f64;
    let (writes, reads) = (total(&requests.all_writes()) as f64, total(&requests.reads()) as f64);
    let name = |what: &str| format!("{count} TechnicalUsers: {what}");
    report.row(&name("Kubernetes writes per TechnicalUser"), of_users / count, "", Some(Target::AtMost(5.0)));
    report.row(&name("Kubernetes writes per RoleBinding"), of_bindings / count, "", Some(Target::AtMost(4.0)));
    report.row(&name("Kubernetes writes for both"), writes / count, "", Some(Target::AtMost(6.5)));
    report.row(&name("Kubernetes reads for both"), reads / count, "", Some(Target::AtMost(3.0)));
    let all = json!({ "writes": requests.all_writes(), "reads": requests.reads() });
    report.detail(&format!("kubernetes calls in {namespace}"), all);
}

/// Calls to the platform.
#[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
fn asked((namespace, count): (&str, f64), asked: &Asked, report: &mut Report) {
    let (_, proofs) = asked.tokens();
    let name = |what: &str| format!("{count} TechnicalUsers: {what}");
    report.row(&name("platform calls per TechnicalUser, tokens apart"), asked.others() as f64 / count, "", None);
    report.row(&name("proofs per TechnicalUser"), proofs as f64 / count, "", Some(Target::AtMost(1.0)));
    report.row(&name("most calls in flight at the platform"), asked.most_in_flight as f64, "", None);
    report.detail(&format!("platform calls in {namespace}"), json!(asked.routes));
}

fn total(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

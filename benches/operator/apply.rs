//! From apply to Ready: how fast beside the bare rate, at what cost in calls and memory, how soon a Secret is healed, and
//! what a restart costs.

use std::thread::sleep;
use std::time::Duration;

use crate::bare::{self, Bare};
use crate::calls::Platform;
use crate::harness::operator::Operator;
use crate::harness::runtime;
use crate::heal::{self, Harm, Patient};
use crate::load::Load;
use crate::report::{Report, Target};
use crate::stage::Stage;
use crate::{Size, memory, restart};

const SMALL: &str = "bench-small";
const LARGE: &str = "bench-large";
/// Long enough to see a heal that is far too slow.
const HEAL_LIMIT: Duration = Duration::from_mins(1);
/// A Secret that was put right is left alone for a second, which is not what is measured here.
const REST: Duration = Duration::from_secs(1);

/// Takes all of these figures on one stage.
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let bare = bare_rates(&stage, size, report);
    let platform = Platform::from_now(&stage.simulator);
    let operator = stage.operator();
    stage.connect(&operator);
    idle_memory(&stage, &operator, size, report);
    let load = Load { stage: &stage, operator: &operator, bare: &bare, size };
    load.measure(SMALL, size.small, report);
    heals(&stage, size, report);
    load.measure(LARGE, size.large, report);
    admin_tokens(&stage, &platform, report);
    restart::measure(&stage, operator, size, report);
}

fn bare_rates(stage: &Stage, size: &Size, report: &mut Report) -> Bare {
    let namespaces = ["bare-manifests", "bare-writes"];
    namespaces.iter().for_each(|namespace| stage.namespace(namespace));
    let bare = runtime().block_on(bare::measure(stage, namespaces, size.small));
    report.row("bare rate: manifests created", bare.manifests, "/s", None);
    report.row("bare rate: with finalizer, Secret, two statuses, event", bare.writes, "/s", None);
    stage.kubectl().ok(&["delete", "namespace", namespaces[0], namespaces[1], "--timeout=300s"]);
    bare
}

/// One for each of the Platform's two admin credentials, as no token runs out meanwhile.
#[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
fn admin_tokens(stage: &Stage, platform: &Platform, report: &mut Report) {
    let (of_admins, _) = platform.asked(&stage.simulator).tokens();
    report.row("token calls of both admin credentials, all in all", of_admins as f64, "", Some(Target::AtMost(2.0)));
}

fn idle_memory(stage: &Stage, operator: &Operator, size: &Size, report: &mut Report) {
    sleep(size.rest);
    let idle = memory::resident(operator.id());
    report.row("memory: idle", idle, "MB", Some(Target::AtMost(25.0)));
    stage.namespace("foreign");
    runtime().block_on(memory::fill(&stage.client, "foreign", size.foreign));
    sleep(size.rest);
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
            let name = |share: &str| format!("heal of a Secret {word}, {manner}: {share}");
            sleep(REST);
            let times = runtime().block_on(async {
                let mut patient = Patient::new(&stage.client, SMALL, HEAL_LIMIT).await;
                patient.heal_times(harm, size.heals, at_once).await
            });
            report.row(&name("P50"), heal::percentile(&times, 50), "ms", None);
            report.row(&name("P99"), heal::percentile(&times, 99), "ms", Some(Target::AtMost(1000.0)));
        }
    }
}

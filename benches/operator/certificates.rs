//! Client certificates that the platform makes, beside as many client secrets in the same run.

use std::time::Duration;

use serde_json::json;

use crate::Size;
use crate::calls::Platform;
use crate::harness::runtime;
use crate::objects::Pairs;
use crate::report::Report;
use crate::stage::{PLATFORM, Stage};

const SECRETS: &str = "bench-secrets";
const CERTIFICATES: &str = "bench-certificates";

/// Applies `size.small` TechnicalUsers with secrets, then as many with certificates. The platform makes a key of 2048 bits
/// for each of the latter, which is a good part of the time.
#[expect(clippy::cast_precision_loss, reason = "a few hundred calls")]
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let operator = stage.operator();
    stage.connect(&operator);
    let applied = |pairs: Pairs<'_>| {
        stage.namespace(pairs.namespace);
        let platform = Platform::from_now(&stage.simulator);
        let times = runtime().block_on(pairs.apply(&stage.client));
        (times.last().copied().unwrap_or_default(), platform.asked(&stage.simulator))
    };
    let (secrets, _) = applied(Pairs::new(SECRETS, PLATFORM, size.small));
    let (certificates, asked) = applied(Pairs::new(CERTIFICATES, PLATFORM, size.small).with_certificates());
    let name = |what: &str| format!("{} client certificates: {what}", size.small);
    report.row(&name("until all are Ready"), certificates.as_secs_f64(), "s", None);
    let ratio = certificates.as_secs_f64() / secrets.max(Duration::from_millis(1)).as_secs_f64();
    report.row(&name("as a multiple of as many secrets"), ratio, "", None);
    report.row(&name("platform calls each, tokens apart"), asked.others() as f64 / size.small as f64, "", None);
    report.detail("platform calls of the certificates", json!(asked.routes));
}

//! Every metric, in one registry. Labels come from closed sets and from names of Platforms, of which there are few: never
//! from names that a namespace chooses, and never from error texts.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::platform::budget::CallObserver;

/// What is counted whenever somebody reads the metrics: time alone changes it.
#[derive(Default)]
pub struct Moment {
    /// TechnicalUsers whose credential is due to be replaced and is not replaced yet.
    pub overdue: usize,
    /// When the first credential of a Platform's TechnicalUsers ends by itself, in seconds since the epoch.
    pub first_ends: BTreeMap<String, i64>,
}

/// Counts what there is at the moment.
type Count = Box<dyn Fn() -> Moment + Send + Sync>;

/// The counters, and the registry that prints them.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    reconcile_seconds: Family<Kind, Histogram>,
    calls: Family<Call, Counter>,
    call_seconds: Family<Api, Histogram>,
    budget_wait_seconds: Family<Api, Histogram>,
    issued: Counter,
    healed: Counter,
    superseded: Gauge,
    overdue: Gauge,
    first_ends: Family<Platform, Gauge>,
    count: OnceLock<Count>,
    unclaimed: Family<Platform, Gauge>,
    credential_ends: Family<Platform, Gauge>,
    secret_rejected: Family<Platform, Gauge>,
    rights_missing: Family<Platform, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reconcile {
    kind: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    api: &'static str,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Api {
    api: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Platform {
    platform: String,
}

impl Platform {
    fn of(name: &str) -> Self {
        Self { platform: name.to_owned() }
    }
}

fn counted(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// From 5 ms, doubling, to 20 s.
fn seconds() -> Histogram {
    Histogram::new((0..13).map(|step| 0.005 * f64::from(1 << step)))
}

impl Metrics {
    /// All metrics at zero.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("technical_user");
        let reconciles = Family::<Reconcile, Counter>::default();
        let reconcile_seconds = Family::<Kind, Histogram>::new_with_constructor(seconds);
        let calls = Family::<Call, Counter>::default();
        let call_seconds = Family::<Api, Histogram>::new_with_constructor(seconds);
        let budget_wait_seconds = Family::<Api, Histogram>::new_with_constructor(seconds);
        let (issued, healed) = (Counter::default(), Counter::default());
        let (superseded, overdue) = (Gauge::default(), Gauge::default());
        let unclaimed = Family::<Platform, Gauge>::default();
        registry.register("reconciles", "Reconciles by kind and outcome", reconciles.clone());
        registry.register("reconcile_seconds", "Time a reconcile took", reconcile_seconds.clone());
        registry.register("platform_calls", "Calls to platforms by operation and outcome", calls.clone());
        registry.register("platform_call_seconds", "Time a call to a platform took", call_seconds.clone());
        registry.register(
            "platform_budget_wait_seconds",
            "Time a call waited for its turn",
            budget_wait_seconds.clone(),
        );
        registry.register("credentials_issued", "Credentials issued", issued.clone());
        registry.register("secrets_restored", "Secrets written again after loss or alteration", healed.clone());
        let about = "Credentials that were replaced and are still in force";
        registry.register("credentials_superseded", about, superseded.clone());
        let about = "TechnicalUsers whose credential is due to be replaced and is not replaced yet";
        registry.register("rotations_overdue", about, overdue.clone());
        let first_ends = Family::<Platform, Gauge>::default();
        let about =
            "When the first credential of a Platform's TechnicalUsers ends by itself, in seconds since the epoch";
        registry.register("credential_expires_timestamp_seconds", about, first_ends.clone());
        let about = "Identities on the platform with our mark whose TechnicalUser is gone";
        registry.register("unclaimed_identities", about, unclaimed.clone());
        let [credential_ends, secret_rejected, rights_missing] = [(); 3].map(|()| Family::<Platform, Gauge>::default());
        let about = "When the first admin credential of a Platform ends, in seconds since the epoch";
        registry.register("admin_credential_expires_timestamp_seconds", about, credential_ends.clone());
        let about = "Whether what the admin Secrets of a Platform hold now is not in use, and what they held before is";
        registry.register("admin_secret_rejected", about, secret_rejected.clone());
        let about = "Rights that the admin credentials of a Platform lack";
        registry.register("admin_rights_missing", about, rights_missing.clone());
        Arc::new(Self {
            registry,
            reconciles,
            reconcile_seconds,
            calls,
            call_seconds,
            budget_wait_seconds,
            issued,
            healed,
            superseded,
            overdue,
            first_ends,
            count: OnceLock::new(),
            unclaimed,
            credential_ends,
            secret_rejected,
            rights_missing,
        })
    }

    /// A reconcile has ended.
    pub fn reconciled(&self, kind: &str, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&Reconcile { kind: kind.to_owned(), outcome }).inc();
        self.reconcile_seconds.get_or_create(&Kind { kind: kind.to_owned() }).observe(took.as_secs_f64());
    }

    /// A credential was issued.
    pub fn issued(&self) {
        self.issued.inc();
    }

    /// A Secret was written again.
    pub fn healed(&self) {
        self.healed.inc();
    }

    /// So many credentials are still in force that were replaced.
    pub fn superseded(&self, count: usize) {
        self.superseded.set(counted(count));
    }

    /// What changes with time alone is counted like this.
    pub fn counted_by(&self, count: impl Fn() -> Moment + Send + Sync + 'static) {
        // Who counts first counts for as long as the process lives.
        let _ = self.count.set(Box::new(count));
    }

    fn count(&self) {
        let Some(count) = self.count.get() else { return };
        let moment = count();
        self.overdue.set(counted(moment.overdue));
        self.first_ends.clear();
        for (platform, at) in &moment.first_ends {
            self.first_ends.get_or_create(&Platform::of(platform)).set(*at);
        }
    }

    /// So many identities on a platform carry our mark and belong to nobody any more.
    pub fn unclaimed(&self, platform: &str, count: usize) {
        self.unclaimed.get_or_create(&Platform::of(platform)).set(counted(count));
    }

    /// When the first admin credential of a Platform ends, in seconds since the epoch, if anybody knows.
    pub fn admin_credential_ends(&self, platform: &str, at: Option<i64>) {
        match at {
            Some(at) => {
                self.credential_ends.get_or_create(&Platform::of(platform)).set(at);
            }
            None => {
                self.credential_ends.remove(&Platform::of(platform));
            }
        }
    }

    /// Whether what the admin Secrets of a Platform hold now is not in use, and what they held before is.
    pub fn admin_secret_rejected(&self, platform: &str, rejected: bool) {
        self.secret_rejected.get_or_create(&Platform::of(platform)).set(i64::from(rejected));
    }

    /// So many rights does the admin credential of a Platform lack.
    pub fn admin_rights_missing(&self, platform: &str, count: usize) {
        self.rights_missing.get_or_create(&Platform::of(platform)).set(counted(count));
    }

    /// A Platform is gone.
    pub fn forget(&self, platform: &str) {
        let families = [&self.unclaimed, &self.credential_ends, &self.secret_rejected, &self.rights_missing];
        for family in families {
            family.remove(&Platform::of(platform));
        }
    }

    /// All metrics in the OpenMetrics text format.
    pub fn print(&self) -> String {
        self.count();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

impl CallObserver for Metrics {
    fn called(
        &self,
        api: &'static str,
        operation: &'static str,
        outcome: &'static str,
        waited: Duration,
        took: Duration,
    ) {
        self.calls.get_or_create(&Call { api, operation, outcome }).inc();
        self.call_seconds.get_or_create(&Api { api }).observe(took.as_secs_f64());
        self.budget_wait_seconds.get_or_create(&Api { api }).observe(waited.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_time_makes_overdue_is_counted_when_it_is_asked_for() {
        let metrics = Metrics::new();
        assert!(metrics.print().contains("technical_user_rotations_overdue 0"), "nobody counts before somebody leads");
        metrics.counted_by(|| Moment { overdue: 3, first_ends: [("integration".to_owned(), 7)].into() });
        assert!(metrics.print().contains("technical_user_rotations_overdue 3"), "{}", metrics.print());
        let ends = "technical_user_credential_expires_timestamp_seconds{platform=\"integration\"} 7";
        assert!(metrics.print().contains(ends), "{}", metrics.print());
    }

    #[test]
    fn nothing_is_told_of_a_platform_that_is_gone() {
        let metrics = Metrics::new();
        metrics.unclaimed("integration", 2);
        assert!(metrics.print().contains(r#"technical_user_unclaimed_identities{platform="integration"} 2"#));
        metrics.admin_credential_ends("integration", Some(7));
        metrics.admin_secret_rejected("integration", true);
        metrics.admin_rights_missing("integration", 3);
        for line in [
            "credential_expires_timestamp_seconds{platform=\"integration\"} 7",
            "secret_rejected{platform=\"integration\"} 1",
            "rights_missing{platform=\"integration\"} 3",
        ] {
            assert!(metrics.print().contains(&format!("technical_user_admin_{line}")), "{}", metrics.print());
        }
        metrics.forget("integration");
        assert!(!metrics.print().contains("integration"));
    }
}

//! Flags and environment variables of the operator.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgAction, Parser};

use crate::api::span::Span;
use crate::telemetry::LogFormat;

/// Technical users, role bindings and working credentials on SAP BTP, from Kubernetes manifests.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The operator's own namespace: admin Secrets and the leader's Lease are in it.
    #[arg(long, env = "POD_NAMESPACE", default_value = "technical-user-operator-system")]
    pub namespace: String,
    /// A name for this process that no other replica has.
    #[arg(long, env = "POD_NAME")]
    pub name: Option<String>,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "HTTP_ADDRESS", default_value = "0.0.0.0:8080")]
    pub http_address: SocketAddr,
    /// The form of log lines.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "json")]
    pub log_format: LogFormat,
    /// Which log lines: a level, or `target=level` pairs with commas.
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,
    /// Whether replicas elect a leader. Without it, run one replica only.
    #[arg(long, env = "LEADER_ELECT", action = ArgAction::Set, default_value_t = true)]
    pub leader_elect: bool,
    /// How many objects of each kind are reconciled at once.
    #[arg(long, env = "CONCURRENCY", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// How long to look for what an order made whose answer was lost, before it is ordered again: a number and `s`, `m`
    /// or `h`. Longer than any broker takes to show what it has begun.
    #[arg(long, env = "ORDER_LIMIT", default_value = "60s", value_parser = span)]
    pub order_limit: Duration,
    /// How far the clock of a node may be from the API server's: a pod that started within so much of the publication of a
    /// credential is not believed to have read it.
    #[arg(long, env = "NODE_CLOCK_MARGIN", default_value = "1m", value_parser = span)]
    pub node_clock_margin: Duration,
    /// How long a kubelet may take to bring a volume with a Secret up to date.
    #[arg(long, env = "KUBELET_SYNC", default_value = "2m", value_parser = span)]
    pub kubelet_sync: Duration,
}

/// A length of time as manifests write it.
fn span(text: &str) -> Result<Duration, &'static str> {
    Span::new(text).duration().ok_or("give a whole number and one unit, for example 90s or 2m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_limit_is_a_span() {
        let parsed = |arguments: &[&str]| Args::try_parse_from([&["operator"], arguments].concat());
        assert_eq!(parsed(&[]).unwrap().order_limit, Duration::from_mins(1));
        assert_eq!(parsed(&["--order-limit", "2m"]).unwrap().order_limit, Duration::from_mins(2));
        for wrong in ["60", "soon", "-1s", ""] {
            assert!(parsed(&["--order-limit", wrong]).is_err(), "{wrong}");
        }
    }
}

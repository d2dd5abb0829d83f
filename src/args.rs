//! Flags and environment variables of the operator.

use std::net::SocketAddr;

use clap::{ArgAction, Parser};

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
}

//! The operator's own binary, running as a `ServiceAccount` with that account's rights and no more.

use std::net::SocketAddr;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use reqwest::Method;

use super::process::{Killer, Process};
use super::{ControlPlane, Kubeconfig, http, simulator};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How to run it.
#[derive(Clone)]
pub(crate) struct Settings<'a> {
    /// The operator's namespace, which is also its `ServiceAccount`'s.
    pub(crate) namespace: &'a str,
    /// The account it acts as.
    pub(crate) service_account: &'a str,
    /// URL of a proxy before the API server; `None` goes straight there.
    pub(crate) through: Option<&'a str>,
    /// Whether it waits for the Lease before it acts.
    pub(crate) leader_elect: bool,
    /// How many objects it reconciles at a time.
    pub(crate) concurrency: u16,
    /// Further arguments.
    pub(crate) arguments: &'a [&'a str],
    /// Whether it trusts the simulators' own authority.
    pub(crate) trusts_simulators: bool,
    /// Further environment variables.
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// A running operator.
pub(crate) struct Operator {
    process: Process,
    // Read again by the operator whenever it connects.
    _kubeconfig: Kubeconfig,
}

impl Operator {
    /// Starts it; it may not be ready yet.
    pub(crate) fn start(plane: &ControlPlane, settings: &Settings<'_>) -> Self {
        let token = plane.kubectl().token(settings.namespace, settings.service_account);
        let kubeconfig = match settings.through {
            Some(proxy) => Kubeconfig::new(proxy, None, &token),
            None => Kubeconfig::new(plane.server(), Some(plane.ca_file()), &token),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_technical-user-operator"));
        // The chart's environment.
        // Nobody here has a broker that takes a minute to show what it has begun.
        command.env("MALLOC_ARENA_MAX", "1").env("ORDER_LIMIT", "3s");
        // Nor has anybody here a kubelet that is slow, or a node whose clock differs.
        command.env("NODE_CLOCK_MARGIN", "1s").env("KUBELET_SYNC", "1s").envs(settings.environment.iter().copied());
        if settings.trusts_simulators {
            command.env("SSL_CERT_FILE", simulator::ca_file());
        }
        command.env("KUBECONFIG", kubeconfig.path()).args(["--namespace", settings.namespace]);
        command.args(["--http-address", "127.0.0.1:0", "--log-format", "json"]);
        command.arg(format!("--leader-elect={}", settings.leader_elect));
        command.arg(format!("--concurrency={}", settings.concurrency)).args(settings.arguments);
        Self { process: Process::start("the operator", command), _kubeconfig: kubeconfig }
    }

    /// Where it serves health and metrics.
    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.process.wait_for_line("listening", START_LIMIT);
        let mut words = line.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
        words.find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("no address in {line}"))
    }

    /// Its metrics, in the text format.
    pub(crate) fn metrics(&self) -> String {
        http::call(Method::GET, &format!("http://{}/metrics", self.address()), None)
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Its process id, to read its memory by.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it in the middle of whatever it does, by SIGKILL.
    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// A handle to do so from a proxy.
    pub(crate) fn killer(&self) -> Killer {
        self.process.killer()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&self, limit: Duration) -> ExitStatus {
        self.process.wait(limit)
    }

    /// Asks it to end, by SIGTERM, and waits for that.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let status = self.process.stop(STOP_LIMIT);
        (status, self.process.log())
    }
}

//! The real node: what it takes beside the harness's control plane until pods run and reach the API server.

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::forward::forward;
use crate::harness::{ControlPlane, Process};

const UP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/up.sh");

/// Longer than the script's own limits, so that what it says is what is read.
const START_LIMIT: Duration = Duration::from_mins(5);

/// A node on which pods run. It ends with its owner's process.
pub(crate) struct Node {
    _process: Process,
}

impl Node {
    /// Brings it up for a control plane; or the reason why it does not come up here.
    pub(crate) fn start(plane: &ControlPlane) -> Result<Self, String> {
        let (scheme, api) = plane.server().split_once("://").expect("a URL");
        assert_eq!(scheme, "https");
        let service = SocketAddr::new(variable("API_ADDRESS").parse().expect("an address"), 443);
        forward(service, api.parse().expect("an address and a port"));

        let mut command = Command::new(UP);
        command.env("KUBECONFIG", plane.kubeconfig());
        let process = Process::start("the node", command);
        let line = process.wait_for_line("node: ", START_LIMIT);
        match line.strip_prefix("node: not ready: ") {
            None => Ok(Self { _process: process }),
            Some(reason) => Err(reason.to_owned()),
        }
    }

    /// Gives it an image to run pods from.
    #[expect(clippy::unused_self, reason = "before it is up there is nobody to give it to")]
    pub(crate) fn load(&self, archive: &str) {
        let load = ["--namespace", "k8s.io", "images", "import", archive];
        let loaded = Command::new("/run/node/ctr").args(load).output().expect("run ctr");
        assert!(loaded.status.success(), "{archive}: {}", String::from_utf8_lossy(&loaded.stderr));
    }
}

/// What whoever started this test says in its environment.
pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: `make e2e` runs this test"))
}

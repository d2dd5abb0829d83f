//! The real control plane of a test process: etcd, kube-apiserver, kube-controller-manager.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

use super::etcd::{self, Stored};
use super::{Kubectl, Process};

/// Where the Go module with the launcher lies.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/control-plane");

/// Longer than the launcher's own limit, so that its message is the one that is read.
const START_LIMIT: Duration = Duration::from_mins(5);

/// What the launcher says once everything is ready.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Announcement {
    kubeconfig: PathBuf,
    server: String,
    ca_file: PathBuf,
    admin_token: String,
    etcd_socket: PathBuf,
    assets: PathBuf,
    dir: PathBuf,
}

/// A running control plane.
pub(crate) struct ControlPlane {
    launcher: Process,
    announced: Announcement,
}

impl ControlPlane {
    /// The one that all stories of this process share. It ends with the process: the launcher sees its input close.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<ControlPlane> = LazyLock::new(ControlPlane::start);
        &SHARED
    }

    /// Starts one of one's own, building it first where this machine has never built it.
    pub(crate) fn start() -> Self {
        let launcher = Process::start("the control plane", Command::new(assets().join("control-plane")));
        let line = launcher.wait_for_line("\"kubeconfig\"", START_LIMIT);
        let announced = serde_json::from_str(&line).expect("the launcher's line of JSON");
        Self { launcher, announced }
    }

    /// kubectl and helm as an administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        Kubectl::new(&self.announced.assets, &self.announced.kubeconfig)
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.announced.kubeconfig
    }

    /// The API server's URL.
    pub(crate) fn server(&self) -> &str {
        &self.announced.server
    }

    /// The authority that signed the API server's certificate.
    pub(crate) fn ca_file(&self) -> &Path {
        &self.announced.ca_file
    }

    /// Everything that is stored, as it is stored.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        etcd::everything(&self.announced.etcd_socket)
    }

    /// The folder with logs, certificates and etcd's files.
    pub(crate) fn dir(&self) -> &Path {
        &self.announced.dir
    }

    /// The administrator's bearer token.
    pub(crate) fn admin_token(&self) -> &str {
        &self.announced.admin_token
    }

    /// The process that holds it up.
    pub(crate) fn launcher(&self) -> &Process {
        &self.launcher
    }

    /// The same, to end it in ways that need more than a look.
    pub(crate) fn launcher_mut(&mut self) -> &mut Process {
        &mut self.launcher
    }
}

/// Runs the build, which is instant when there is nothing to do. What it says goes to the test's own standard error: a
/// quarter of an hour of silence would look like a hang.
fn assets() -> PathBuf {
    let build = Path::new(MODULE).join("build.sh");
    let output = Command::new(&build).stderr(std::process::Stdio::inherit()).output().expect("run build.sh");
    assert!(output.status.success(), "{} failed: {}", build.display(), output.status);
    PathBuf::from(String::from_utf8(output.stdout).expect("a path in UTF-8").trim())
}

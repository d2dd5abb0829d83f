//! The operator in its pod: installed by its chart, looked at from the node, killed.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::simulator::ca_file;
use crate::harness::stage::{OPERATOR_NAMESPACE, RELEASE};
use crate::harness::{PATIENCE, Stage, Team, eventually};

/// The installed operator.
pub(crate) struct Operator<'a> {
    stage: &'a Stage,
}

/// The ConfigMap with the authority of the simulated platforms, in each namespace that calls them.
pub(crate) const AUTHORITIES: &str = "platforms";

impl<'a> Operator<'a> {
    /// Installs it with the chart's own values, but for what `restart: RolloutRestart` needs and for whom a platform of this
    /// machine is certified by.
    pub(crate) fn install(team: &Team<'a>) -> Self {
        let authority = fs::read_to_string(ca_file()).expect("the authority");
        for namespace in [OPERATOR_NAMESPACE, &team.name] {
            let metadata = json!({ "name": AUTHORITIES, "namespace": namespace });
            team.apply(&json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "ca.crt": authority },
            }));
        }
        let authorities = format!("authorities.configMap={AUTHORITIES}");
        team.stage.install(RELEASE, &["--set", "restartWorkloads=true", "--set", &authorities]);
        let (operator, stage) = (Self { stage: team.stage }, team.stage);
        operator.is_well();
        let policy = stage.kubectl().get(OPERATOR_NAMESPACE, &format!("networkpolicy/{RELEASE}"));
        assert!(policy.is_some(), "the chart's NetworkPolicy is there, though nothing on this node enforces it");
        is_confined(operator.process());
        operator
    }

    /// Waits until its probes say that it is ready; none of them has had it started anew.
    pub(crate) fn is_well(&self) {
        let pod = eventually("the operator's pod is ready", PATIENCE, || {
            self.pods().into_iter().find(|pod| pod["status"]["containerStatuses"][0]["ready"] == true)
        });
        assert_eq!(pod["status"]["containerStatuses"][0]["restartCount"], 0, "{pod:#}");
    }

    /// Kills its process, which so gives up no Lease, and takes its pod away. Another pod follows.
    pub(crate) fn kill(&self) {
        self.is_well();
        let killed = Command::new("kill").args(["-KILL", &self.process().to_string()]).status().expect("kill");
        assert!(killed.success());
        let label = format!("app.kubernetes.io/instance={RELEASE}");
        let pods = ["delete", "pods", "--selector", &label, "--namespace", OPERATOR_NAMESPACE];
        self.stage.kubectl().ok(&[&pods[..], &["--grace-period=0", "--force"]].concat());
    }

    fn pods(&self) -> Vec<Value> {
        let mut pods = self.stage.kubectl().list(OPERATOR_NAMESPACE, "pods");
        pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        pods
    }

    /// Its process id. The test sees the processes of all pods.
    #[expect(clippy::unused_self, reason = "there is none before it is installed")]
    fn process(&self) -> u32 {
        eventually("the operator's process", PATIENCE, || {
            let mut processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
            processes.find_map(|process| {
                let program = fs::read_link(process.path().join("exe")).ok()?;
                let id = process.file_name().to_str()?.parse().ok()?;
                program.ends_with("technical-user-operator").then_some(id)
            })
        })
    }
}

/// What the kernel says of the process is what the chart's security context asks for.
fn is_confined(process: u32) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        line.unwrap_or_else(|| panic!("no {name} in {status}")).to_owned()
    };
    let seen = json!({
        "user": value("Uid"), "capabilities": value("CapBnd"), "new privileges": value("NoNewPrivs"), "seccomp": value("Seccomp"),
    });
    let user = ["65532"; 4].join("\t");
    let wanted = json!({
        "user": user, "capabilities": "0000000000000000", "new privileges": "1", "seccomp": "2",
    });
    assert_eq!(seen, wanted);
}

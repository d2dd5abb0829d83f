//! What the figures are taken on: a real control plane, the simulated platform with its latency, what the charts install,
//! and the operator as the chart's own ServiceAccount. Measures nothing.

use std::io::Write as _;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig as ClientConfig};
use kube::{Client, Config};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::harness::operator::{Operator, Settings};
use crate::harness::simulator::Simulator;
use crate::harness::{ControlPlane, Kubeconfig, Kubectl, runtime};

/// The operator's namespace and, within it, the name of its ServiceAccount: both as in the charts' own documentation.
const SYSTEM: &str = "technical-user-operator-system";
const ACCOUNT: &str = "technical-user-operator";

/// The one Platform.
pub(crate) const PLATFORM: &str = "integration";

/// What every call to the platform costs, in milliseconds.
pub(crate) const LATENCY: u64 = 50;

/// Everything that runs, but for the operator.
pub(crate) struct Stage {
    pub(crate) plane: ControlPlane,
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
}

impl Stage {
    /// Starts it all, and installs CRDs and rights.
    pub(crate) fn start() -> Self {
        let plane = ControlPlane::start();
        let latency = LATENCY.to_string();
        let simulator =
            Simulator::start_with(&["--latency", &latency, "--settings", r#"{"neoRequestsPerMinute":null}"#]);
        let client = client(&plane);
        let stage = Self { plane, simulator, client };
        stage.install();
        stage
    }

    /// Starts the operator, with the chart's own settings.
    pub(crate) fn operator(&self) -> Operator {
        let settings = Settings {
            namespace: SYSTEM,
            service_account: ACCOUNT,
            through: None,
            leader_elect: true,
            concurrency: self.concurrency(),
            arguments: &[],
        };
        Operator::start(&self.plane, &settings)
    }

    /// The Platform and its admin Secrets; returns when the operator has it Ready.
    pub(crate) fn connect(&self, operator: &Operator) {
        let kubectl = self.kubectl();
        for (name, api) in [("integration-xsuaa", "xsuaa"), ("integration-service-manager", "service-manager")] {
            let credential = self.simulator.credential(api, "secret").to_string();
            let mut file = NamedTempFile::new().expect("a temporary file");
            file.write_all(credential.as_bytes()).expect("write the credential");
            let from = format!("--from-file=credentials={}", file.path().display());
            kubectl.ok(&["create", "secret", "generic", name, "--namespace", SYSTEM, &from]);
        }
        kubectl.apply(&platform().to_string()).expect("the Platform");
        let reached = kubectl.wait("", &format!("platform/{PLATFORM}"), "condition=Ready", 60);
        assert!(reached.is_ok(), "the platform is not reached; the operator says:\n{}", operator.log());
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        self.plane.kubectl()
    }

    /// Makes a namespace.
    pub(crate) fn namespace(&self, name: &str) {
        self.kubectl().ok(&["create", "namespace", name]);
    }

    fn install(&self) {
        for (release, values) in [("technical-user-operator-crds", ""), (ACCOUNT, "replicas=0")] {
            let chart = format!("{}/charts/{release}", env!("CARGO_MANIFEST_DIR"));
            let arguments = ["install", release, &chart, "--namespace", SYSTEM, "--create-namespace", "--set", values];
            self.kubectl().helm(&arguments).expect("install a chart");
        }
    }

    /// How many objects the chart lets the operator reconcile at a time.
    fn concurrency(&self) -> u16 {
        let rendered =
            self.kubectl().helm(&["get", "values", ACCOUNT, "--namespace", SYSTEM, "--all", "--output=json"]);
        let values: serde_json::Value = serde_json::from_str(&rendered.expect("the chart's values")).expect("JSON");
        values["concurrency"].as_u64().and_then(|value| value.try_into().ok()).expect("a concurrency in the chart")
    }
}

/// A client as the administrator.
fn client(plane: &ControlPlane) -> Client {
    let file = Kubeconfig::new(plane.server(), Some(plane.ca_file()), plane.admin_token());
    let config = ClientConfig::read_from(file.path()).expect("the kubeconfig");
    runtime().block_on(async {
        let mut config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.expect("a config");
        // A watch of Secrets that nobody touches is quiet for long.
        config.read_timeout = Some(Duration::from_mins(10));
        Client::try_from(config).expect("a client")
    })
}

fn platform() -> serde_json::Value {
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1",
        "kind": "Platform",
        "metadata": { "name": PLATFORM },
        "spec": {
            "environment": { "btp": {
                "authorization": { "credentialsSecretRef": { "name": "integration-xsuaa" } },
                "serviceManager": { "credentialsSecretRef": { "name": "integration-service-manager" } },
            } },
            "access": [{
                "namespaces": { "names": ["bench-small", "bench-large"] },
                "identities": ["serviceKey"],
                "roles": ["ESBMessaging.*"],
            }],
        },
    })
}

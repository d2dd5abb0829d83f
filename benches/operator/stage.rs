//! What the figures are taken on: a real control plane, the simulated platform with its latency, what the charts install,
//! and the operator as the chart's own ServiceAccount. Measures nothing.

use std::io::Write as _;
use std::time::Duration;

use btp_simulator::Options;
use kube::config::{KubeConfigOptions, Kubeconfig as ClientConfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::harness::api::Api;
use crate::harness::operator::{Operator, Settings};
use crate::harness::simulator::Simulator;
use crate::harness::{ControlPlane, Kubeconfig, Kubectl, policy, runtime};

/// The operator's namespace and, within it, the name of its ServiceAccount: both as in the charts' own documentation.
const SYSTEM: &str = "technical-user-operator-system";
const ACCOUNT: &str = "technical-user-operator";

/// The Platform of most parts.
pub(crate) const PLATFORM: &str = "integration";

/// What every call to the platform costs, in milliseconds.
pub(crate) const LATENCY: u64 = 50;

/// Everything that runs, but for the operator.
pub(crate) struct Stage {
    pub(crate) plane: ControlPlane,
    /// Behind [`PLATFORM`].
    pub(crate) simulator: Simulator,
    /// As the administrator.
    pub(crate) client: Client,
    /// With the operator's own account.
    pub(crate) operators_client: Client,
}

/// A platform with its latency, and without limits that nobody asked for.
pub(crate) fn simulator() -> Simulator {
    let settings = json!({ "rates": "lifted", "neoRequestsPerMinute": null });
    let latency = Duration::from_millis(LATENCY);
    Simulator::start_with(&Options { latency, settings: Some(settings), ..Options::default() })
}

impl Stage {
    /// Starts it all, and installs CRDs and rights.
    pub(crate) fn start() -> Self {
        let plane = ControlPlane::start();
        install(&plane.kubectl());
        policy::in_force(&Api::new(&plane));
        let client = client(&plane, plane.admin_token());
        let operators_client = self::client(&plane, &plane.kubectl().token(SYSTEM, ACCOUNT));
        Self { plane, simulator: simulator(), client, operators_client }
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
            trusts_simulators: true,
            environment: &[],
        };
        Operator::start(&self.plane, &settings)
    }

    /// The Platform of most parts; returns when the operator has it Ready.
    pub(crate) fn connect(&self, operator: &Operator) {
        self.connect_to(PLATFORM, &self.simulator, operator);
    }

    /// A Platform with its admin Secrets; returns when the operator has it Ready.
    pub(crate) fn connect_to(&self, name: &str, simulator: &Simulator, operator: &Operator) {
        ["xsuaa", "service-manager"].iter().for_each(|api| self.admin_secret(name, simulator, api));
        self.reach(name, &platform(name, &btp(name), &service_keys()), operator);
    }

    /// A Neo subaccount of the simulator as a Platform; returns when the operator has it Ready.
    pub(crate) fn connect_neo(&self, name: &str, operator: &Operator) {
        self.admin_secret(name, &self.simulator, "neo");
        self.reach(name, &platform(name, &neo(name), &application_roles()), operator);
    }

    /// An admin credential of the simulator, as the platform would hand it out.
    pub(crate) fn admin_secret(&self, name: &str, simulator: &Simulator, api: &str) {
        let credential = simulator.credential(api, "secret").to_string();
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(credential.as_bytes()).expect("write the credential");
        let (secret, from) = (format!("{name}-{api}"), format!("--from-file=credentials={}", file.path().display()));
        self.kubectl().ok(&["create", "secret", "generic", &secret, "--namespace", SYSTEM, &from]);
    }

    /// Applies a Platform; returns when the operator has it Ready.
    pub(crate) fn reach(&self, name: &str, platform: &Value, operator: &Operator) {
        let kubectl = self.kubectl();
        kubectl.apply(&platform.to_string()).expect("the Platform");
        let reached = kubectl.wait("", &format!("platform/{name}"), "condition=Ready", 60);
        assert!(reached.is_ok(), "the platform is not reached; the operator says:\n{}", operator.log());
    }

    /// kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        self.plane.kubectl()
    }

    /// Makes a namespace that may use every Platform.
    pub(crate) fn namespace(&self, name: &str) {
        let metadata = json!({ "name": name, "labels": { "bench": "operator" } });
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
        self.kubectl().apply(&namespace.to_string()).expect("a namespace");
    }

    /// How many objects the chart lets the operator reconcile at a time.
    fn concurrency(&self) -> u16 {
        let rendered =
            self.kubectl().helm(&["get", "values", ACCOUNT, "--namespace", SYSTEM, "--all", "--output=json"]);
        let values: serde_json::Value = serde_json::from_str(&rendered.expect("the chart's values")).expect("JSON");
        values["concurrency"].as_u64().and_then(|value| value.try_into().ok()).expect("a concurrency in the chart")
    }
}

/// Installs both charts; nothing runs pods here, so the operator is started as a process.
fn install(kubectl: &Kubectl) {
    for (release, values) in [("technical-user-operator-crds", ""), (ACCOUNT, "replicas=0")] {
        let chart = format!("{}/charts/{release}", env!("CARGO_MANIFEST_DIR"));
        let arguments = ["install", release, &chart, "--namespace", SYSTEM, "--create-namespace", "--set", values];
        kubectl.helm(&arguments).expect("install a chart");
    }
}

/// A client with this token.
fn client(plane: &ControlPlane, token: &str) -> Client {
    let file = Kubeconfig::new(plane.server(), Some(plane.ca_file()), token);
    let config = ClientConfig::read_from(file.path()).expect("the kubeconfig");
    runtime().block_on(async {
        let mut config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.expect("a config");
        // A watch of Secrets that nobody touches is quiet for long.
        config.read_timeout = Some(Duration::from_mins(10));
        Client::try_from(config).expect("a client")
    })
}

/// Names an admin Secret of a Platform.
pub(crate) fn secret(name: &str, api: &str) -> Value {
    json!({ "credentialsSecretRef": { "name": format!("{name}-{api}") } })
}

fn btp(name: &str) -> Value {
    json!({ "btp": { "authorization": secret(name, "xsuaa"), "serviceManager": secret(name, "service-manager") } })
}

fn neo(name: &str) -> Value {
    let mut neo = secret(name, "neo");
    neo["host"] = json!("hana.ondemand.com");
    neo["subaccount"] = json!("acme");
    json!({ "neo": neo })
}

/// TechnicalUsers that send messages.
fn service_keys() -> Value {
    json!({
        "identities": [{ "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } }],
        "grants": [{
            "roles": [{ "instanceRole": { "offering": "it-rt", "name": "ESBMessaging.*" } }],
            "to": [{ "technicalUser": {} }],
        }],
    })
}

/// Users with roles of the integration tenant.
fn application_roles() -> Value {
    let role = json!({ "application": "*", "provider": "*", "name": "AuthGroup.*" });
    json!({ "grants": [{ "roles": [{ "applicationRole": role }], "to": [{ "user": { "name": "*" } }] }] })
}

/// A Platform of an environment, with what may be done there.
pub(crate) fn platform(name: &str, environment: &Value, rights: &Value) -> Value {
    let mut rule = rights.clone();
    rule["namespaces"] = json!({ "selector": { "matchLabels": { "bench": "operator" } } });
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1",
        "kind": "Platform",
        "metadata": { "name": name },
        "spec": { "environment": environment, "access": [rule] },
    })
}

//! The stage of a story: a control plane on which the real helm installed both charts, so that the operator of the story
//! has the chart's `ServiceAccount` and the chart's rights and nothing else, and everybody else what the chart's admission
//! policies leave them.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use kube::config::KubeConfigOptions;
use kube::{Client, Config};

use super::api::Api;
use super::kubelet::Kubelet;
use super::operator::{Operator, Settings};
use super::{ControlPlane, Kubeconfig, Kubectl, policy, runtime};

/// The operator's namespace, on every stage.
pub(crate) const OPERATOR_NAMESPACE: &str = "technical-user-operator-system";
/// Name of the release, and so of the `ServiceAccount`.
pub(crate) const RELEASE: &str = "technical-user-operator";

const CHARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts");

enum Plane {
    Shared(&'static ControlPlane),
    Own(Box<ControlPlane>),
}

impl Deref for Plane {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::Shared(plane) => plane,
            Self::Own(plane) => plane,
        }
    }
}

/// A control plane with both charts.
pub(crate) struct Stage {
    plane: Plane,
    api: Api,
    /// Of the shared stage.
    operator: OnceLock<Operator>,
    kubelet: OnceLock<Kubelet>,
}

impl Stage {
    /// The one that most stories share, each in a namespace and with a Platform of its own, with one operator for all.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Stage> = LazyLock::new(|| {
            let stage = Stage::on(Plane::Shared(ControlPlane::shared()));
            stage.operator.get_or_init(|| stage.start_operator(&[]));
            stage
        });
        &SHARED
    }

    /// The last that the shared operator said about a name, for the message of a story that fails.
    pub(crate) fn said_about(&self, name: &str) -> String {
        let log = self.operator.get().map(Operator::log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(name)).collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// The metrics of the shared operator, in the text format.
    pub(crate) fn metrics(&self) -> String {
        self.operator.get().map(Operator::metrics).unwrap_or_default()
    }

    /// One of one's own, without an operator: for stories that stop it, watch it or cut it off.
    pub(crate) fn own() -> Self {
        Self::on(Plane::Own(Box::new(ControlPlane::start())))
    }

    /// One on which the chart was told to give the right to restart workloads.
    pub(crate) fn that_may_restart() -> Self {
        let stage = Self::own();
        stage.install(RELEASE, &["--set", "replicas=0", "--set", "restartWorkloads=true"]);
        stage
    }

    /// One of those for stories that start and kill operators of their own, one story at a time on each.
    pub(crate) fn alone() -> MutexGuard<'static, Self> {
        static ALONE: [LazyLock<Mutex<Stage>>; 2] = [const { LazyLock::new(|| Mutex::new(Stage::own())) }; 2];
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed) % ALONE.len();
        ALONE[next].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on(plane: Plane) -> Self {
        let api = Api::new(&plane);
        let stage = Self { plane, api, operator: OnceLock::new(), kubelet: OnceLock::new() };
        stage.install("technical-user-operator-crds", &[]);
        // Nothing runs pods here: the operator is a process, with what the chart gives it.
        stage.install(RELEASE, &["--set", "replicas=0"]);
        policy::in_force(&stage.api);
        stage
    }

    /// Installs or upgrades a chart of the repository, under its own name.
    pub(crate) fn install(&self, chart: &str, arguments: &[&str]) {
        let folder = format!("{CHARTS}/{chart}");
        let command = ["upgrade", "--install", chart, &folder, "--namespace", OPERATOR_NAMESPACE, "--create-namespace"];
        let helm = self.kubectl().helm(&[&command, arguments].concat());
        helm.unwrap_or_else(|error| panic!("helm: {error}"));
    }

    /// An operator that runs as the chart's account.
    pub(crate) fn start_operator(&self, arguments: &[&str]) -> Operator {
        self.start_operator_with(&Settings { arguments, ..Self::settings() })
    }

    /// The same, with other settings.
    pub(crate) fn start_operator_with(&self, settings: &Settings<'_>) -> Operator {
        Operator::start(&self.plane, settings)
    }

    /// How an operator runs unless a story wants otherwise.
    pub(crate) const fn settings() -> Settings<'static> {
        Settings {
            namespace: OPERATOR_NAMESPACE,
            service_account: RELEASE,
            through: None,
            leader_elect: false,
            concurrency: 32,
            arguments: &[],
            trusts_simulators: true,
            environment: &[],
        }
    }

    /// A connection with the operator's rights and no more, for a story that calls the operator's own code. `through` is the
    /// URL of a proxy before the API server.
    pub(crate) fn client(&self, through: Option<&str>) -> Client {
        let token = self.kubectl().token(OPERATOR_NAMESPACE, RELEASE);
        let file = match through {
            Some(proxy) => Kubeconfig::new(proxy, None, &token),
            None => Kubeconfig::new(self.plane.server(), Some(self.plane.ca_file()), &token),
        };
        connected(&file)
    }

    /// A connection with every right.
    pub(crate) fn administrator(&self) -> Client {
        let plane = self.plane();
        connected(&Kubeconfig::new(plane.server(), Some(plane.ca_file()), plane.admin_token()))
    }

    /// The Node of this stage, on which pods become Running and Ready. It is there from the first time that a story asks;
    /// how pods get on it and what else they can do, [`super::kubelet`] says.
    pub(crate) fn kubelet(&self) -> &Kubelet {
        self.kubelet.get_or_init(|| Kubelet::start(&self.plane, &self.api))
    }

    /// The control plane.
    pub(crate) fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The API server as the administrator.
    pub(crate) const fn api(&self) -> &Api {
        &self.api
    }

    /// kubectl and helm as the administrator.
    pub(crate) fn kubectl(&self) -> Kubectl {
        self.plane.kubectl()
    }
}

fn connected(file: &Kubeconfig) -> Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(file.path()).expect("the kubeconfig");
    runtime().block_on(async {
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("a configuration")).expect("a client")
    })
}

//! What the stories run on: a real control plane, the simulator and the operator as child processes, kubectl and helm,
//! and a proxy that cuts the operator off in the middle of an effect. It decides nothing about the product.
//!
//! Everything here blocks: a story is a plain `#[test]` that reads from top to bottom. What is asynchronous by nature
//! runs on one [`runtime`] of this process.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

pub(crate) mod api;
mod call;
pub(crate) mod certificate;
pub(crate) mod conditions;
pub(crate) mod consumers;
mod control_plane;
pub(crate) mod credential;
mod etcd;
pub(crate) mod http;
mod kubeconfig;
mod kubectl;
pub(crate) mod kubelet;
mod observed;
pub(crate) mod operator;
mod patience;
mod person;
pub(crate) mod policy;
mod process;
mod proxy;
pub(crate) mod readers;
pub(crate) mod simulator;
pub(crate) mod stage;
pub(crate) mod team;
pub(crate) mod uaa;
mod watchdog;

pub(crate) use call::Call;
pub(crate) use control_plane::ControlPlane;
pub(crate) use kubeconfig::Kubeconfig;
pub(crate) use kubectl::Kubectl;
pub(crate) use patience::{eventually, never};
pub(crate) use person::Person;
pub(crate) use process::Process;
pub(crate) use proxy::{Moment, Proxy};
pub(crate) use stage::Stage;
pub(crate) use team::{PATIENCE, Team};

/// The runtime of proxies and HTTP requests. Lives as long as the test process, so that a proxy outlasts the story that
/// made it by no more than that.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime for the harness")
    });
    &RUNTIME
}

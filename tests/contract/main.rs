//! The contract of the drivers: one suite that every environment's driver passes against the simulator, and what only
//! one environment has. A driver is done when its [`Description`](description::Description) passes.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod administrator;
mod btp;
mod certificates;
mod client_certificates;
mod cloud_foundry;
mod cloud_foundry_roles;
mod description;
mod documents;
mod faults;
mod identity_service;
mod log_on;
mod neo;
mod neo_tenant;
mod role_collections;
mod scim;
mod scim_members;
mod service_manager;
mod suite;
mod uaa;
mod uaa_people;

/// The parts of the stories' harness that need no control plane.
#[expect(dead_code, reason = "the stories use more of it")]
#[path = "../harness"]
mod harness {
    pub(crate) mod http;
    pub(crate) mod patience;
    pub(crate) mod process;
    pub(crate) mod simulator;
    mod watchdog;

    /// The runtime on which calls are made: tests read from top to bottom and wait for each.
    pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
        static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> =
            std::sync::LazyLock::new(|| tokio::runtime::Runtime::new().expect("a runtime"));
        &RUNTIME
    }
}

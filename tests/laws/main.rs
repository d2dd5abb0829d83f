//! The laws of the product as properties of the plan: random worlds, a crash after any effect, an old leader.
//!
//! Everything here is a model: a platform, a Secret and a status in memory, and an executor that carries out steps
//! exactly as their docs say. Nothing may talk to a cluster or a network, and nothing may decide in place of the plan.

mod access;
mod bindings;
mod caches;
mod clock;
mod disorder;
mod executor;
mod farewell;
mod grants;
mod history;
mod identities;
mod judge;
mod kubernetes;
mod landscape;
mod leash;
mod manifests;
mod meddling;
mod old_leader;
mod operator;
mod outside;
mod platform;
mod rest;
mod sharing;
mod subaccount;
mod users;
mod world;

use proptest::test_runner::Config;

/// How many random worlds each law is tried on. `PROPTEST_CASES` in the environment overrides it.
const CASES: u32 = 2_000;

/// Shrunk worlds become plain tests beside the plan, so no file of seeds is kept.
fn config() -> Config {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { CASES };
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A law that runs the product itself is tried on fewer worlds; `PROPTEST_CASES` tries so many of each.
fn cases(usual: u32) -> Config {
    let config = config();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { usual };
    Config { cases, ..config }
}

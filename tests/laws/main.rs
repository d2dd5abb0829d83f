//! The laws of the product as properties of the product: its own runner, record and ledger over fakes that contradict.
//!
//! - [`kubernetes`]: an API server in memory. [`subaccount`]: a platform in memory whose lists are old or miss something,
//!   whose answers are lost, and which works on after it has answered. [`outside`]: both behind one lock.
//! - [`operator`]: one process of the operator, with [`caches`] that lag and a [`leash`] on which it can stop, or die,
//!   at any call. [`landscape`]: the case as a whole, and the way to rest.
//! - [`history`], [`hostile`], [`meddling`]: what happens. [`judge`]: every effect, at the moment it happens, by
//!   [`claims`] and [`rules`]. [`rest`]: what must be true at the end.
//! - [`identities`], [`rotations`] with [`pods`], [`fleets`], [`mappings`], [`sharing`], [`policies`], [`silence`], [`places`], [`strangers`], [`permits`]: the laws.
//!
//! Nothing may talk to a cluster or a network, and nothing here may decide in place of the plan.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod caches;
mod claims;
mod clock;
mod fleets;
mod history;
mod hostile;
mod identities;
mod judge;
mod kubernetes;
mod landscape;
mod leash;
mod manifests;
mod mappings;
mod meddling;
mod operator;
mod outside;
mod permits;
mod places;
mod pods;
mod policies;
mod rest;
mod rotations;
mod rules;
mod sharing;
mod silence;
mod strangers;
mod subaccount;

use proptest::test_runner::Config;

/// How many random worlds a pure law is tried on. `PROPTEST_CASES` in the environment overrides it.
const CASES: u32 = 2_000;

/// Shrunk worlds become plain tests beside what broke, so no file of seeds is kept.
fn config() -> Config {
    cases(CASES)
}

/// A law that runs the product itself is tried on fewer worlds; `PROPTEST_CASES` tries so many of each.
fn cases(usual: u32) -> Config {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { usual };
    Config { cases, failure_persistence: None, ..Config::default() }
}

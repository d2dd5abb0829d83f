//! The house itself: who may use whom, how large things may grow, and that generated files are current.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the repository has failed")]

mod generated;
mod layers;
mod size;
mod sources;

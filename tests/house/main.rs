//! The house itself: who may use whom, how large things may grow, that generated files are current, and that what is
//! promised is shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the repository has failed")]

mod cells;
mod generated;
mod layers;
mod size;
mod sources;

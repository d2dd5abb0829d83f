//! The house itself: who may use whom, how large things may grow, and that generated files are current.

mod generated;
mod layers;
mod size;
mod sources;

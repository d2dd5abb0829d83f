//! The decisions. Pure and synchronous: no async, no Kubernetes, no HTTP, no clock.

pub mod grant;
pub mod owner;

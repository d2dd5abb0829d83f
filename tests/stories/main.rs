//! The stories: what a user does and sees, on a real control plane. One crate, so that they are linked once and share one
//! control plane.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

#[path = "../harness/mod.rs"]
mod harness;

mod access;
mod admin_credential;
mod admission;
mod brokers;
mod calm;
mod certificates;
mod client_certificates;
mod cloud_foundry;
mod control_plane;
mod crash;
mod deletion;
mod escalation;
mod faults;
mod forms;
mod helm;
mod holders;
mod hostile;
mod identity_service;
mod kstatus;
mod leader;
mod lines;
mod moving;
mod neo;
mod neo_tenant;
mod places;
mod policy;
mod processes;
mod proxy;
mod quickstart;
mod readers;
mod restart;
mod rights;
mod rollout;
mod rotation;
mod scim;
mod secrecy;
mod secrets;
mod throttled;
mod turnover;
mod uaa;
mod unclaimed;
mod withdrawal;

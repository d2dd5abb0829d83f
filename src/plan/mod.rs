//! The decisions. Pure and synchronous: no async, no Kubernetes client, no HTTP, no clock.
//!
//! Each kind's plan is a function of what is wanted and what there is. Every judgement of the operator is made
//! here; drivers and controllers observe, ask, and carry out.

pub mod access;
pub mod admin_credential;
pub mod capability;
pub mod capability_page;
pub mod definitions;
pub mod digest;
pub mod discouraged;
pub mod environment;
pub mod fields;
pub mod grant;
pub mod own_roles;
pub mod owner;
pub mod pattern;
pub mod restart;
pub mod role_binding;
pub mod rollout;
pub mod service_key;
pub mod technical_user;

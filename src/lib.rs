//! Technical users on SAP BTP: two manifests in, a working, healed credential in a Secret out.
//!
//! ```text
//!             watch (wakes us)            compare-and-swap (confirms)
//!  Kubernetes ────────────────► controller ─────────────────────► live object
//!                                   │
//!         ┌─────────────────────────┼─────────────────────────────┐
//!         │ observe                 │ plan (pure)                 │ carry out
//!         ▼                         ▼                             ▼
//!   platform::mirror          plan::technical_user         status (compare-and-swap),
//!   (one picture, read        plan::role_binding           platform call, Secret (one write),
//!    in bulk)                 (want, have) -> steps        event, metric
//! ```
//!
//! Four layers that only look down; `tests/house` holds them:
//!
//! - [`api`]: the contract. Types only.
//! - [`plan`]: the decisions. No async, no Kubernetes client, no HTTP, no clock.
//! - [`platform`]: the outside. One folder for each driver, over one HTTP client, one budget of calls for each admin
//!   credential, and one mirror for each Platform.
//! - [`controller`]: the shell, and the only place that touches Kubernetes. One generic runner, a file or folder for
//!   each kind.
//!
//! An environment is a folder of its own in each of `api`, `plan` and `platform`, and a line in a few lists.
//!
//! Read `api`, `plan`, `controller::technical_user` and one driver, and you have understood the product.
//!
//! The laws, which `tests/laws` checks over random worlds with a crash after every effect:
//!
//! 1. A converged world has an empty plan: no write to Kubernetes, none to the platform.
//! 2. After a crash anywhere the next run converges; nothing is created twice, nothing live is left unknown.
//! 3. We revoke and delete only what we recorded as ours before we made it. A role that was there before stays.
//! 4. A role that any live RoleBinding wants stays, whoever lets go of it.
//! 5. The credential that the Secret holds is never revoked while the TechnicalUser lives.
//! 6. No credential value is ever anywhere but in the platform's answer, our memory and the one Secret.
//! 7. Nothing is done for a namespace that `access` does not allow. What a rule stops allowing is announced at once
//!    and withdrawn after a grace.
//! 8. The cost of a resync grows with pages, not with objects; the cost of a change with the change.
//! 9. Wrong admin credentials stop calls: no account is ever locked by us.
//! 10. Two replicas, a stale cache or an old leader can waste a call and break none of these.
//! 11. Access is one question, asked whole by everybody: the platform never holds for a namespace what the rules did not
//!     allow when it was made. A grant to a TechnicalUser that is `existing` is a grant to that user.
//! 12. What must go, goes: nothing that a namespace controls holds a removal back or resets its clock.
//! 13. Silence proves nothing: absence from a list makes nobody create, issue, revoke, own or discard before a targeted
//!     read has said so. A platform that is not the one it was is touched by nobody: what an admin Secret held before goes
//!     on where that leads, what it holds now is used where the Platform is.
//! 14. The record is the operator's: what a person reads is made from it and never read back.

pub mod api;
pub mod args;
pub mod controller;
pub mod metrics;
pub mod plan;
pub mod platform;
pub mod server;
pub mod telemetry;

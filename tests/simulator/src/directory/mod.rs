//! What the simulated directories have in common: resources described by schemas, filters, patches, pages. It follows
//! RFC 7643 and RFC 7644; where a platform speaks a dialect, that is the platform's.
//!
//! Nothing in here knows routes, credentials or passwords.

pub(crate) mod collection;
pub(crate) mod discovery;
pub(crate) mod fault;
pub(crate) mod filter;
pub(crate) mod input;
pub(crate) mod page;
pub(crate) mod patch;
pub(crate) mod projection;
pub(crate) mod resource;
pub(crate) mod schema;
pub(crate) mod shelf;
#[cfg(test)]
mod tests;
mod tokens;

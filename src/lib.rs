//! Technical users on SAP BTP.
pub mod api;
pub mod plan;
pub mod platform;

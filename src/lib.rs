//! Technical users on SAP BTP.
pub mod api;

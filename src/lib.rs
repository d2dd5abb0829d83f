//! Technical users on SAP BTP.

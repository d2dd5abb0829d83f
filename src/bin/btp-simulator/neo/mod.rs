//! The Neo environment: members and application roles of one subaccount. Mounted below `/neo`.

//! What is to be said, and done, about the operator's own credentials: when they end, what they lack, and when a new one
//! takes the place of the old.

pub mod expiry;
pub mod rights;
pub mod succession;

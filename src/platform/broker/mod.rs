//! What is known of brokers, whoever asks them, the Service Manager or a Cloud Controller: what they are told of an
//! instance, and what their keys look like. Pure; it makes no call.

pub mod bareness;
pub mod parameters;
pub mod payload;

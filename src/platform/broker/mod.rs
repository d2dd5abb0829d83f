//! What is known of brokers and of what they make, whoever asks them, the Service Manager or a Cloud Controller: what they
//! are told of an instance, how their orders go on, by which labels what is ours is found, and what their keys look like.
//! Knows no addresses: whoever asks makes the calls.

pub mod answer;
pub mod bareness;
pub mod certificate;
pub mod instances;
pub mod mark;
pub mod order;
pub mod parameters;
pub mod payload;

//! A development tool that speaks the APIs of SAP BTP as far as the operator uses them, on the loopback interface
//! unless it is told otherwise.
//!
//! It shares no code with the operator, so that a misreading of a document in one is not repeated in the other.
//! `frame` is what all platforms share; every other module is one platform, mounted below a prefix of its own, or
//! what the parts of the simulated subaccounts share (`subaccount`, `landscape`, `clients`, `certificates`, `admin`),
//! or what the directories share (`directory`).
//! Tests run it within their own process, people and the demo as a program.

mod admin;
mod certificates;
mod clients;
mod cloud_foundry;
mod cloud_integration;
mod directory;
mod frame;
mod identity_service;
mod it_rt;
mod landscape;
mod listeners;
mod neo;
mod people;
mod scim;
mod sender;
mod service_manager;
mod simulator;
mod subaccount;
#[cfg(test)]
mod testing;
mod tokens;
mod uaa;
mod xsuaa;

pub use simulator::{Options, Simulator, authority};

//! The simulator's answers, and the requests made of it, against the OpenAPI documents of the platforms.
//!
//! The documents are not part of this repository: the variable `PLATFORM_CONTRACTS` names their folder. Without it
//! nothing is checked, and the test says so. The SCIM directory has a judge of its own. `checks` is what other tests can use on a request log of their own.

#![cfg(test)]

mod checks;
mod cloud_foundry;
mod cloud_integration;
mod identity_service;
mod recording;
mod scim;
mod service_manager;
mod simulator;
mod xsuaa;

use std::io::Write as _;

use checks::{Contracts, violations_in_log};
use recording::Recording;
use simulator::Simulator;

/// The documents, or a plain word that there are none.
fn contracts() -> Option<Contracts> {
    let folder = std::env::var_os("PLATFORM_CONTRACTS");
    if folder.is_none() {
        say("NOT RUN: PLATFORM_CONTRACTS does not name the folder of the platforms' OpenAPI documents.\n");
    }
    folder.map(|folder| Contracts::read(folder.as_ref()).expect("the OpenAPI documents"))
}

/// Straight to the stream: what the print macros write is shown for failed tests only.
fn say(word: &str) {
    std::io::stderr().write_all(word.as_bytes()).expect("standard error");
}

/// Every route of the platform is driven, and every exchange is as the document has it.
async fn holds(prefix: &str, recording: &Recording<'_>, contracts: &Contracts) {
    let silent = recording.simulator.undriven_routes(prefix).await;
    assert!(silent.is_empty(), "routes that no request has reached: {silent:?}");
    let violations = recording.violations(contracts);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[tokio::test]
async fn the_service_manager_answers_as_its_document_says() {
    let Some(contracts) = contracts() else { return };
    let simulator = Simulator::start().await;
    let mut recording = Recording::of(&simulator, "service-manager").await;
    service_manager::story(&mut recording).await;
    holds("/service-manager", &recording, &contracts).await;
}

#[tokio::test]
async fn the_xsuaa_api_answers_as_its_document_says() {
    let Some(contracts) = contracts() else { return };
    let simulator = Simulator::start().await;
    let mut recording = Recording::of(&simulator, "xsuaa").await;
    xsuaa::story(&mut recording).await;
    holds("/xsuaa", &recording, &contracts).await;
}

#[tokio::test]
async fn cloud_foundry_answers_as_its_document_says() {
    let Some(contracts) = contracts() else { return };
    let simulator = Simulator::start().await;
    let mut recording = Recording::of(&simulator, "cloud-foundry").await;
    cloud_foundry::story(&mut recording).await;
    holds("/cloud-foundry", &recording, &contracts).await;
}

#[tokio::test]
async fn the_identity_directory_answers_as_its_document_says() {
    let Some(contracts) = contracts() else { return };
    let simulator = Simulator::start().await;
    let mut recording = Recording::of(&simulator, "identity-service").await;
    identity_service::story(&mut recording).await;
    holds("/identity-service/scim", &recording, &contracts).await;
}

#[tokio::test]
async fn cloud_integration_answers_as_its_document_says() {
    let Some(contracts) = contracts() else { return };
    let simulator = Simulator::start().await;
    let mut recording = Recording::of(&simulator, "cloud-integration").await;
    cloud_integration::story(&mut recording).await;
    holds("/cloud-integration/api/v1", &recording, &contracts).await;
}

#[tokio::test]
async fn a_wrong_request_is_found_in_the_log() {
    let Some(contracts) = contracts() else { return };
    let simulator = Simulator::start().await;
    let mut recording = Recording::of(&simulator, "service-manager").await;
    recording.get("/v1/service_plans?max_items=1").await;
    assert_eq!(violations_in_log(&contracts, &simulator.log().await), Vec::<String>::new());
    recording.post("/v1/service_instances", serde_json::json!({"name": "a", "plan": "b"})).await;
    recording.get("/v1/service_plans?colour=red").await;
    recording.get("/v1/nothing").await;
    let found = violations_in_log(&contracts, &simulator.log().await);
    assert_eq!(found.len(), 3, "{found:?}");
}

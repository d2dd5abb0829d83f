//! What a driver has asked of the Service Manager, of XSUAA, of Cloud Foundry, of the Identity Directory and of Cloud
//! Integration, against their OpenAPI documents.
//!
//! The documents are not part of this repository: the variable `PLATFORM_CONTRACTS` names their folder. Without it
//! nothing is checked, and a line says so.

use std::io::Write as _;

use serde_json::Value;

use crate::harness::simulator::Simulator;

#[path = "../contracts/checks/mod.rs"]
mod checks;

/// The routes below these are those that a document describes.
const DESCRIBED: [&str; 5] =
    ["/service-manager/", "/xsuaa/", "/cloud-foundry/", "/identity-service/scim/", "/cloud-integration/api/v1/"];

/// Every request that reached the simulator is one that the documents know, with a status they list.
pub(crate) fn hold(simulator: &Simulator) {
    let Some(folder) = std::env::var_os("PLATFORM_CONTRACTS") else {
        // Straight to the stream: what the print macros write is shown for failed tests only.
        let word = "NOT RUN: PLATFORM_CONTRACTS does not name a folder, so the drivers' requests were not checked.\n";
        return std::io::stderr().write_all(word.as_bytes()).expect("standard error");
    };
    let contracts = checks::Contracts::read(folder.as_ref()).expect("the OpenAPI documents");
    let log = simulator.requests();
    assert!(log.iter().any(is_described), "nothing was asked that could be checked");
    let violations = checks::violations_in_log(&contracts, &log);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

fn is_described(request: &Value) -> bool {
    let path = request["path"].as_str().unwrap_or_default();
    DESCRIBED.iter().any(|prefix| path.starts_with(prefix))
}

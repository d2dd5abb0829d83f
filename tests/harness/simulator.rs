//! The platform of the stories: the simulator's own binary, and its control API.

#![expect(dead_code, reason = "the stories that need a platform come with the operator")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http;
use super::process::Process;

const START_LIMIT: Duration = Duration::from_secs(30);

/// The first line it says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    url: String,
    mtls_url: String,
    ca_file: PathBuf,
}

/// A running simulator.
pub(crate) struct Simulator {
    process: Process,
    announced: Announcement,
}

impl Simulator {
    /// Starts one on free ports.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one whose platforms behave like this from the start.
    pub(crate) fn start_set(settings: &Value) -> Self {
        Self::start_with(&["--settings", &settings.to_string()])
    }

    /// Starts one on free ports with further arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_btp-simulator"));
        command.args(["--listen", "127.0.0.1:0", "--mtls-listen", "127.0.0.1:0"]).args(arguments);
        let process = Process::start("the simulator", command);
        let line = process.wait_for_line("\"mtlsUrl\"", START_LIMIT);
        Self { process, announced: serde_json::from_str(&line).expect("the simulator's line of JSON") }
    }

    /// Base URL of all platforms.
    pub(crate) fn url(&self) -> &str {
        &self.announced.url
    }

    /// Base URL of the token services that ask for a client certificate.
    pub(crate) fn mtls_url(&self) -> &str {
        &self.announced.mtls_url
    }

    /// The authority of the latter.
    pub(crate) fn ca_file(&self) -> &PathBuf {
        &self.announced.ca_file
    }

    /// The admin credential of a platform, as its cockpit would hand it out. `variant` is `secret` or `x509`.
    pub(crate) fn credential(&self, platform: &str, variant: &str) -> Value {
        http::get_json(&self.control(&format!("credentials/{platform}?type={variant}")))
    }

    /// The same of the other subaccount that it plays: right in itself, and of the wrong place.
    pub(crate) fn credential_of_other(&self, platform: &str, variant: &str) -> Value {
        http::get_json(&self.control(&format!("credentials/{platform}?type={variant}&subaccount=other")))
    }

    /// What the other subaccount holds, without secrets.
    pub(crate) fn state_of_other(&self) -> Value {
        http::get_json(&self.control("state?subaccount=other"))
    }

    /// What the platforms hold, without secrets.
    pub(crate) fn state(&self) -> Value {
        http::get_json(&self.control("state"))
    }

    /// The requests since the last reset, oldest first.
    pub(crate) fn requests(&self) -> Vec<Value> {
        serde_json::from_value(http::get_json(&self.control("log"))).expect("a list of requests")
    }

    /// Makes a route (or `all`) faulty.
    pub(crate) fn fault(&self, route: &str, fault: &Value) {
        http::call(Method::PUT, &self.control(&format!("faults/{route}")), Some(fault));
    }

    /// The faults that are still on.
    pub(crate) fn faults(&self) -> Value {
        http::get_json(&self.control("faults"))
    }

    /// Lets a route answer only so many requests a minute; the rest is throttled.
    pub(crate) fn limit(&self, route: &str, per_minute: u32) {
        http::call(Method::PUT, &self.control(&format!("limits/{route}")), Some(&json!({ "perMinute": per_minute })));
    }

    /// Makes every route well again.
    pub(crate) fn heal(&self) {
        http::call(Method::DELETE, &self.control("faults"), None);
    }

    /// Turns switches of the platforms' behaviour.
    pub(crate) fn settings(&self, part: &Value) {
        http::call(Method::PUT, &self.control("settings"), Some(part));
    }

    /// Moves the platforms' clock forward.
    pub(crate) fn advance_clock(&self, by: Duration) {
        http::call(Method::POST, &self.control("clock"), Some(&json!({ "advanceSeconds": by.as_secs() })));
    }

    /// Back to how it was at the start.
    pub(crate) fn reset(&self) {
        http::call(Method::POST, &self.control("reset"), None);
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    fn control(&self, route: &str) -> String {
        format!("{}/_simulator/{route}", self.announced.url)
    }
}

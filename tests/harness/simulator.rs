//! The platform of the stories: a simulator within the test's own process, and its control API.

#![expect(dead_code, reason = "each kind of test needs some of it")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, process};

use btp_simulator::Options;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::http;

/// The authority of the token services that ask for a client certificate, which all simulators of this process have in
/// common.
pub(crate) fn ca_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("authority-{}.pem", process::id()));
        fs::write(&path, btp_simulator::authority().expect("an authority")).expect("write the authority");
        path
    })
}

/// A running simulator. It ends with its owner.
pub(crate) struct Simulator {
    url: String,
    mtls_url: String,
    /// Of its own, so that it is as fast or slow as a platform is, whatever the test does meanwhile.
    runtime: Option<Runtime>,
    _stop: watch::Sender<bool>,
}

impl Simulator {
    /// Starts one on free ports.
    pub(crate) fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts one whose platforms behave like this from the start.
    pub(crate) fn start_set(settings: &Value) -> Self {
        Self::start_with(&Options { settings: Some(settings.clone()), ..Options::default() })
    }

    /// Starts one like this.
    pub(crate) fn start_with(options: &Options) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let simulator = runtime.block_on(btp_simulator::Simulator::bind(options)).expect("a simulator");
        let (url, mtls_url) = (simulator.url().to_owned(), simulator.mtls_url().to_owned());
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(simulator.serve(stopped));
        Self { url, mtls_url, runtime: Some(runtime), _stop: stop }
    }

    /// Base URL of all platforms.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Base URL of the token services that ask for a client certificate.
    pub(crate) fn mtls_url(&self) -> &str {
        &self.mtls_url
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

    /// What the platforms hold, with passwords.
    pub(crate) fn state_with_secrets(&self) -> Value {
        http::get_json(&self.control("state?secrets=true"))
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

    fn control(&self, route: &str) -> String {
        format!("{}/_simulator/{route}", self.url)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // A story may be at its end within another runtime, where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

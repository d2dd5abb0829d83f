//! A UAA of a story, the simulator's or a real one, as its administrator sees it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::process::Process;
use super::simulator::Simulator;
use super::{http, runtime};

/// A start; the first one fetches the UAA from a Maven repository.
const START_LIMIT: Duration = Duration::from_mins(10);

/// The UAA. A real one ends with its owner.
pub(crate) struct Uaa {
    /// Its address and the client that administers it.
    pub(crate) credential: Value,
    /// The process of a real one.
    process: Option<Process>,
}

impl Uaa {
    /// The simulator's.
    pub(crate) fn simulated(simulator: &Simulator) -> Self {
        Self { credential: simulator.credential("uaa", "secret"), process: None }
    }

    /// A real one, if this machine can run it.
    pub(crate) fn real() -> Option<Self> {
        let is_there = |tool: &str| Command::new(tool).arg("-version").output().is_ok();
        if let Some(missing) = ["java", "mvn"].iter().find(|tool| !is_there(tool)) {
            println!("skipped: no real UAA without {missing}");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/uaa/run.sh");
        let process = Process::start("the UAA", Command::new(script));
        let line = process.wait_for_line("\"clientsecret\"", START_LIMIT);
        Some(Self { credential: serde_json::from_str(&line).expect("a line of JSON"), process: Some(process) })
    }

    /// Whether it is a real one.
    pub(crate) fn is_real(&self) -> bool {
        self.process.is_some()
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        self.credential["url"].as_str().expect("an address")
    }

    /// Everything in one of its lists.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        self.call(Method::GET, &format!("{path}?count=500"), &Value::Null)["resources"]
            .as_array()
            .expect("a list")
            .clone()
    }

    /// A call of the administrator that has to succeed.
    pub(crate) fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let text = |key: &str| self.credential[key].as_str().expect("text");
        let (id, secret) = (text("clientid"), text("clientsecret"));
        let token = self.log_on(&[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]);
        runtime().block_on(async {
            let request = http::client(None).request(method, format!("{}{path}", self.url()));
            let request = request.bearer_auth(token.expect("a token"));
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            answer.json().await.expect("JSON")
        })
    }

    /// A token; the status where it is refused.
    pub(crate) fn log_on(&self, form: &[(&str, &str)]) -> Result<String, u16> {
        runtime().block_on(async {
            let answer = http::client(None).post(format!("{}/oauth/token", self.url())).form(form).send().await;
            let answer = answer.expect("an answer");
            let status = answer.status();
            let body: Value = answer.json().await.expect("JSON");
            if status.is_success() {
                Ok(body["access_token"].as_str().expect("a token").to_owned())
            } else {
                Err(status.as_u16())
            }
        })
    }

    /// The names of the users in a group.
    pub(crate) fn members(&self, group: &str) -> Vec<String> {
        let groups = self.list("/Groups");
        let found = groups.iter().find(|one| one["displayName"] == group).expect("the group");
        let is_member = |user: &&Value| found["members"].to_string().contains(user["id"].as_str().expect("an id"));
        let users = self.list("/Users");
        users.iter().filter(is_member).map(|user| user["userName"].as_str().expect("a name").to_owned()).collect()
    }
}

//! The simulator's binary, started for one test and stopped with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

/// A running simulator. It stops when its standard input is closed, so it cannot outlive the test.
pub(crate) struct Simulator {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_btp-simulator"))
            .args(["--listen", "127.0.0.1:0", "--exit-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("its output");
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let line = line.await.expect("a reader").expect("the line that says it is ready");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let url = ready["url"].as_str().expect("its address").to_owned();
        Self { url, http: reqwest::Client::new(), child, stdin }
    }

    /// Reads from the control API.
    pub(crate) async fn control(&self, path: &str) -> Value {
        let response = self.http.get(format!("{}/_simulator/{path}", self.url)).send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    /// Writes to the control API.
    pub(crate) async fn set(&self, path: &str, body: &Value) {
        let request = self.http.put(format!("{}/_simulator/{path}", self.url)).json(body);
        assert!(request.send().await.expect("an answer").status().is_success(), "{path}");
    }

    /// The request log.
    pub(crate) async fn log(&self) -> Vec<Value> {
        match self.control("log").await {
            Value::Array(entries) => entries,
            other => panic!("the log is {other}"),
        }
    }

    /// Names of the routes below a prefix that no request has reached.
    pub(crate) async fn undriven_routes(&self, prefix: &str) -> Vec<String> {
        let (routes, metrics) = (self.control("routes").await, self.control("metrics").await);
        let below = routes
            .as_array()
            .into_iter()
            .flatten()
            .filter(|route| route["path"].as_str().is_some_and(|path| path.starts_with(prefix)));
        let names = below.filter_map(|route| route["name"].as_str());
        names.filter(|name| metrics["routes"][name].is_null()).map(str::to_owned).collect()
    }

    /// A token of the platform's administrator.
    pub(crate) async fn token(&self, platform: &str) -> String {
        let key = self.control(&format!("credentials/{platform}")).await;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", key["clientid"].as_str().expect("an id")),
            ("client_secret", key["clientsecret"].as_str().expect("a secret")),
        ];
        let url = format!("{}/oauth/token", key["url"].as_str().expect("a token service"));
        let answer = self.http.post(url).form(&form).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _exit = self.child.wait();
    }
}

//! A simulator for one test. It stops with the test's runtime.

use btp_simulator::Options;
use serde_json::Value;
use tokio::sync::watch;

/// A running simulator.
pub(crate) struct Simulator {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    _stop: watch::Sender<bool>,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        let simulator = btp_simulator::Simulator::bind(&Options::default()).await.expect("a simulator");
        let url = simulator.url().to_owned();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(simulator.serve(stopped));
        Self { url, http: reqwest::Client::new(), _stop: stop }
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
        if platform == "cloud-foundry" {
            let client = self.control("credentials/cloud-foundry?type=client").await;
            let root: Value = self
                .http
                .get(format!("{}/", client["url"].as_str().expect("a URL")))
                .send()
                .await
                .expect("an answer")
                .json()
                .await
                .expect("JSON");
            return self
                .token_of(&client, &format!("{}/oauth/token", root["links"]["uaa"]["href"].as_str().expect("a UAA")))
                .await;
        }
        let key = self.control(&format!("credentials/{platform}")).await;
        let folder = if platform == "identity-service" { "oauth2" } else { "oauth" };
        self.token_of(&key, &format!("{}/{folder}/token", key["url"].as_str().expect("a token service"))).await
    }

    async fn token_of(&self, key: &Value, url: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", key["clientid"].as_str().expect("an id")),
            ("client_secret", key["clientsecret"].as_str().expect("a secret")),
        ];
        let answer = self.http.post(url).form(&form).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

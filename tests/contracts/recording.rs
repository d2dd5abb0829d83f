//! Requests to one platform, recorded with their answers so that both can be checked afterwards.

use reqwest::{Method, header};
use serde_json::Value;

use crate::checks::{Contracts, Exchange};
use crate::simulator::Simulator;

/// What has been asked and answered so far.
pub(crate) struct Recording<'a> {
    pub(crate) simulator: &'a Simulator,
    prefix: &'static str,
    media_type: &'static str,
    token: String,
    exchanges: Vec<(Exchange, Intent)>,
    /// Where the last answer sends its reader.
    pub(crate) location: Option<String>,
}

/// Whether a request is meant to be right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intent {
    Right,
    Wrong,
}

impl<'a> Recording<'a> {
    /// An empty one, with the token of the platform's administrator.
    pub(crate) async fn of(simulator: &'a Simulator, platform: &'static str) -> Self {
        let (prefix, media_type) = match platform {
            "xsuaa" => ("/xsuaa", "application/json"),
            "cloud-foundry" => ("/cloud-foundry", "application/json"),
            "identity-service" => ("/identity-service/scim", "application/scim+json"),
            "cloud-integration" => ("/cloud-integration/api/v1", "application/json"),
            _ => ("/service-manager", "application/json"),
        };
        let token = simulator.token(platform).await;
        Self { simulator, prefix, media_type, token, exchanges: Vec::new(), location: None }
    }

    /// Goes on as somebody else.
    pub(crate) fn with_token(&mut self, token: &str) -> String {
        std::mem::replace(&mut self.token, token.to_owned())
    }

    pub(crate) async fn get(&mut self, path: &str) -> Value {
        self.send(Method::GET, path, None, Intent::Right).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some(body), Intent::Right).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: Option<Value>) -> Value {
        self.send(Method::PUT, path, body, Intent::Right).await
    }

    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> Value {
        self.send(Method::PATCH, path, Some(body), Intent::Right).await
    }

    pub(crate) async fn delete(&mut self, path: &str, body: Option<Value>) -> Value {
        self.send(Method::DELETE, path, body, Intent::Right).await
    }

    /// A request that is wrong on purpose: only its answer will be checked.
    pub(crate) async fn wrong(&mut self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.send(method, path, body, Intent::Wrong).await
    }

    /// Fails unless the last answer had this status.
    pub(crate) fn expect_status(&self, status: u16) {
        let last = self.exchanges.last().map(|(exchange, _)| exchange);
        let told = last.map(|last| format!("{} {} gave {:?}", last.method, last.path, last.answer));
        assert_eq!(last.map(|last| last.status), Some(status), "{told:?}");
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<Value>, intent: Intent) -> Value {
        let url = format!("{}{}{path}", self.simulator.url, self.prefix);
        let mut request = self.simulator.http.request(method.clone(), url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = &body {
            request = request.header(header::CONTENT_TYPE, self.media_type).body(body.to_string());
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        self.location = header(header::LOCATION).map(str::to_owned);
        let content_type = header(header::CONTENT_TYPE);
        let content_type = content_type.unwrap_or_default().to_owned();
        let answer: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).unwrap_or_default();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query.to_owned())));
        let exchange = Exchange {
            method: method.to_string(),
            path: format!("{}{path}", self.prefix),
            query,
            content_type: body.as_ref().map(|_| self.media_type.to_owned()),
            body,
            status,
            answer: Some((content_type, answer.clone())),
        };
        self.exchanges.push((exchange, intent));
        answer
    }

    /// Everything that is not as the documents have it.
    pub(crate) fn violations(&self, contracts: &Contracts) -> Vec<String> {
        let checked = self.exchanges.iter().map(|(exchange, intent)| {
            let mut wrong = contracts.answer_violations(exchange);
            if *intent == Intent::Right {
                wrong.extend(contracts.request_violations(exchange));
            }
            wrong
        });
        checked.flatten().collect()
    }
}

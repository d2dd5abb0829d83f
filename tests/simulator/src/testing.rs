//! A running simulator for tests, on free ports, and short ways to talk to it.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Client, Identity, Method};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::frame::Frame;
use crate::{Options, Simulator};

/// A simulator; it ends with the test's runtime.
pub(crate) struct World {
    pub(crate) frame: Arc<Frame>,
    pub(crate) http: Client,
    ca: String,
    _stop: watch::Sender<bool>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn start() -> Self {
        let simulator = Simulator::bind(&Options::default()).await.unwrap();
        let (frame, ca) = (Arc::clone(simulator.frame()), simulator.authority().to_owned());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(simulator.serve(stopped));
        Self { frame, http: Client::new(), ca, _stop: stop }
    }

    /// One call to a path of the plain listener.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.frame.url)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::DELETE, path, None).await
    }

    /// Turns switches of the settings.
    pub(crate) async fn set(&self, settings: Value) {
        let answer = self.call("", Method::PUT, "/_simulator/settings", Some(settings)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Switches a fault on.
    pub(crate) async fn fault(&self, route: &str, fault: Value) {
        let answer = self.call("", Method::PUT, &format!("/_simulator/faults/{route}"), Some(fault)).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// A token of an administrator: `service-manager` or `xsuaa`.
    pub(crate) async fn admin(&self, platform: &str) -> String {
        let key = self.get("", &format!("/_simulator/credentials/{platform}")).await.body;
        let answer = self.token(&key).await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks for a token with the fields of a service key, secret in the body.
    pub(crate) async fn token(&self, key: &Value) -> Answer {
        let url =
            key["tokenurl"].as_str().map_or_else(|| format!("{}/auth/oauth/token", self.frame.url), str::to_owned);
        let field = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", field("clientid")),
            ("client_secret", field("clientsecret")),
        ];
        read(self.http.post(url).form(&form).send().await.unwrap()).await
    }

    /// A client that shows the certificate of a service key.
    pub(crate) fn with_certificate(&self, key: &Value) -> Client {
        let pem = format!("{}{}", key["key"].as_str().unwrap(), key["certificate"].as_str().unwrap());
        let trusted = reqwest::Certificate::from_pem(self.ca.as_bytes()).unwrap();
        let identity = Identity::from_pem(pem.as_bytes()).unwrap();
        Client::builder().tls_certs_only([trusted]).identity(identity).build().unwrap()
    }

    /// An instance of the plan `integration-flow` with these roles; its id.
    pub(crate) async fn runtime_instance(&self, token: &str, name: &str, roles: &[&str]) -> String {
        let answer = self.post(token, "/service-manager/v1/service_instances", runtime_order(name, roles)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// A key of an instance; its `oauth` part.
    pub(crate) async fn runtime_key(&self, token: &str, instance: &str, name: &str, parameters: Value) -> Value {
        let order = json!({"name": name, "service_instance_id": instance, "parameters": parameters});
        let answer = self.post(token, "/service-manager/v1/service_bindings", order).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["credentials"]["oauth"].clone()
    }
}

pub(crate) fn runtime_order(name: &str, roles: &[&str]) -> Value {
    json!({"name": name, "service_offering_name": "it-rt", "service_plan_name": "integration-flow",
           "parameters": {"grant-types": ["client_credentials"], "roles": roles}})
}

pub(crate) async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}

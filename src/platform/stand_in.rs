//! A token service and an API of a few lines, for tests of what is between them and a driver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::json;

use super::AdminSecret;
use super::pause::pause;
use super::token::{Client, ClientProof};

/// What a service does with a request.
#[derive(Clone, Copy)]
pub enum Answering {
    /// What it should.
    Well,
    /// The same after a while.
    Slowly(Duration),
    /// Nothing.
    Never,
    /// With this status and body.
    With(u16, &'static str),
}

/// The two services on one address.
pub struct StandIn {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    tokens: Mutex<Answering>,
    api: Mutex<Answering>,
    /// The subaccount that tokens speak of.
    subaccount: Mutex<&'static str>,
    /// A token that the API does not accept.
    refused: Mutex<&'static str>,
    log_ons: AtomicUsize,
    calls: AtomicUsize,
}

impl StandIn {
    /// Starts both, and they are well.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            tokens: Mutex::new(Answering::Well),
            api: Mutex::new(Answering::Well),
            subaccount: Mutex::new("s-1"),
            refused: Mutex::new("none"),
            log_ons: AtomicUsize::default(),
            calls: AtomicUsize::default(),
        });
        let routes = Router::new().route("/oauth/token", any(log_on)).fallback(call).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, shared }
    }

    /// What the token service does from now on.
    pub fn token_service(&self, answering: Answering) {
        *self.shared.tokens.lock().unwrap() = answering;
    }

    /// What the API does from now on.
    pub fn api(&self, answering: Answering) {
        *self.shared.api.lock().unwrap() = answering;
    }

    /// Which subaccount tokens speak of from now on.
    pub fn is_in(&self, subaccount: &'static str) {
        *self.shared.subaccount.lock().unwrap() = subaccount;
    }

    /// The API does not accept this token from now on.
    pub fn refuses(&self, token: &'static str) {
        *self.shared.refused.lock().unwrap() = token;
    }

    /// How often somebody has tried to log on.
    pub fn log_ons(&self) -> usize {
        self.shared.log_ons.load(Ordering::SeqCst)
    }

    /// How often the API was called.
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// The address of both.
    pub fn url(&self) -> Url {
        Url::parse(&self.url).unwrap()
    }

    /// A client with this secret.
    pub fn client(&self, secret: &str) -> Client {
        let token_url = self.url().join("/oauth/token").unwrap();
        Client::new(token_url, "sb-1", ClientProof::Body(secret.into()))
    }

    /// An admin Secret for this client, for both of its APIs.
    pub fn admin_secret(&self, client: &str) -> AdminSecret {
        let fields = [("clientid", client), ("clientsecret", "hunter2")];
        let addresses = ["url", "apiurl", "sm_url"].map(|key| (key, self.url.as_str()));
        let entry = |(key, value): (&str, &str)| (key.to_owned(), value.as_bytes().to_vec());
        let entries: BTreeMap<_, _> = fields.into_iter().chain(addresses).map(entry).collect();
        AdminSecret::parse(&entries).unwrap()
    }
}

async fn log_on(State(shared): State<Arc<Shared>>) -> Response {
    shared.log_ons.fetch_add(1, Ordering::SeqCst);
    let claims = json!({ "ext_attr": { "subaccountid": *shared.subaccount.lock().unwrap() } }).to_string();
    let token = format!("{}.{}.s", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims));
    let answering = *shared.tokens.lock().unwrap();
    answer(answering, json!({ "access_token": token, "expires_in": 3600, "scope": "a.read b.write" }).to_string()).await
}

async fn call(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.calls.fetch_add(1, Ordering::SeqCst);
    let refused = format!("Bearer {}", shared.refused.lock().unwrap());
    if headers.get("authorization").is_some_and(|shown| *shown == refused) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let answering = *shared.api.lock().unwrap();
    answer(answering, "{}".to_owned()).await
}

async fn answer(answering: Answering, well: String) -> Response {
    match answering {
        Answering::Well => {}
        Answering::Slowly(wait) => pause(wait).await,
        Answering::Never => std::future::pending().await,
        Answering::With(status, body) => return (StatusCode::from_u16(status).unwrap(), body).into_response(),
    }
    well.into_response()
}

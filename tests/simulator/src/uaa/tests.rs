//! The UAA's answers over its own routes, each as it was seen from the real one.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::mount;
use crate::frame::{self, Frame};

/// A running UAA and its administrator.
pub(super) struct Server {
    url: String,
    frame: std::sync::Arc<Frame>,
    secret: String,
    pub(super) token: String,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let frame = Frame::new(url.clone(), url.clone(), Duration::ZERO);
        let mounted = mount(&frame);
        let credential = mounted.platform.admin_credential(false).unwrap();
        let router = frame::assemble(&frame, vec![mounted]);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let secret = credential["clientsecret"].as_str().unwrap().to_owned();
        let mut server = Self { url, frame, secret, token: String::new() };
        server.token = server.token_of("admin", &server.secret).await;
        server
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, format!("{}/uaa{path}", self.url))
    }

    async fn ask_token(&self, client: &str, secret: &str) -> (StatusCode, Value) {
        let form = [("grant_type", "client_credentials")];
        sent(self.request(Method::POST, "/oauth/token").basic_auth(client, Some(secret)).form(&form)).await
    }

    pub(super) async fn token_of(&self, client: &str, secret: &str) -> String {
        let (status, body) = self.ask_token(client, secret).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn call(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        self.call_with(&self.token, method, path, body).await
    }

    pub(super) async fn call_with(&self, token: &str, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.request(method, path).bearer_auth(token);
        sent(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub(super) async fn make(&self, id: &str, authorities: Value) -> (StatusCode, Value) {
        let body = json!({"client_id": id, "client_secret": "x", "authorities": authorities,
            "authorized_grant_types": ["client_credentials"]});
        self.call(Method::POST, "/oauth/clients", body).await
    }

    async fn change_secret(&self, id: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::PUT, &format!("/oauth/clients/{id}/secret"), body).await
    }

    async fn is_active(&self, token: &str) -> bool {
        let request = self.request(Method::POST, "/introspect").basic_auth("admin", Some(&self.secret));
        let (status, body) = sent(request.form(&[("token", token)])).await;
        assert_eq!(status, 200, "{body}");
        body["active"].as_bool().unwrap()
    }
}

/// Status and body; an empty body is `null`.
pub(super) async fn sent(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

#[tokio::test]
async fn a_client_is_made_once_and_keeps_its_own_fields() {
    let uaa = Server::start().await;
    let body = json!({"client_id": "tu", "client_secret": "x", "authorized_grant_types": ["client_credentials"],
        "authorities": ["orders.read", "orders.read"], "owner": "abc/def", "access_token_validity": 600});
    let (status, made) = uaa.call(Method::POST, "/oauth/clients", body.clone()).await;
    assert_eq!((status.as_u16(), &made["authorities"]), (201, &json!(["orders.read"])));
    assert_eq!((&made["owner"], &made["scope"]), (&json!("abc/def"), &json!(["uaa.none"])));
    assert!(!made.to_string().contains("secret"));
    let (status, again) = uaa.call(Method::POST, "/oauth/clients", body).await;
    assert_eq!((status.as_u16(), &again["error_description"]), (409, &json!("Client already exists: tu")));
    assert_eq!(uaa.call(Method::GET, "/oauth/clients/TU", Value::Null).await, (StatusCode::NOT_FOUND, Value::Null));
}

#[tokio::test]
async fn a_token_carries_the_authorities_and_lives_as_the_client_says() {
    let uaa = Server::start().await;
    uaa.make("tu", json!(["orders.read", "Orders.Write"])).await;
    let (_, body) = uaa.ask_token("tu", "x").await;
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(43_199)));
    assert_eq!(body["scope"], "Orders.Write orders.read");
    let token = body["access_token"].as_str().unwrap();
    assert!(uaa.is_active(token).await);
    uaa.frame.clock.advance(Duration::from_hours(12));
    let (status, body) = uaa.call_with(token, Method::GET, "/oauth/clients", Value::Null).await;
    assert_eq!((status.as_u16(), &body["error"]), (401, &json!("invalid_token")));
}

#[tokio::test]
async fn token_errors_are_told_apart() {
    let uaa = Server::start().await;
    let bad = json!({"error": "unauthorized", "error_description": "Bad credentials"});
    assert_eq!(uaa.ask_token("admin", "wrong").await, (StatusCode::UNAUTHORIZED, bad.clone()));
    assert_eq!(uaa.ask_token("ghost", "wrong").await, (StatusCode::UNAUTHORIZED, bad));
    let asked = |form: Vec<(&'static str, &'static str)>| {
        sent(uaa.request(Method::POST, "/oauth/token").basic_auth("admin", Some(&uaa.secret)).form(&form))
    };
    let (status, body) = asked(vec![("grant_type", "bogus")]).await;
    assert_eq!((status.as_u16(), &body["error"]), (400, &json!("unsupported_grant_type")));
    let (status, body) = asked(vec![("x", "y")]).await;
    assert_eq!((status.as_u16(), &body["error_description"]), (400, &json!("Missing grant type")));
    let (status, body) = asked(vec![("grant_type", "client_credentials"), ("scope", "nope.x")]).await;
    assert_eq!((status.as_u16(), &body["error"]), (400, &json!("invalid_scope")));
    let (_, body) = asked(vec![("grant_type", "client_credentials"), ("scope", "clients.read")]).await;
    assert_eq!(body["scope"], "clients.read");
}

#[tokio::test]
async fn two_secrets_at_most_and_the_older_goes_first() {
    let uaa = Server::start().await;
    uaa.make("tu", json!(["a.b"])).await;
    let (status, body) = uaa.change_secret("tu", json!({"secret": "y", "changeMode": "ADD"})).await;
    assert_eq!((status.as_u16(), body), (200, json!({"status": "ok", "message": "Secret is added"})));
    let (old, new) = (uaa.token_of("tu", "x").await, uaa.token_of("tu", "y").await);
    let (status, body) = uaa.change_secret("tu", json!({"secret": "z", "changeMode": "ADD"})).await;
    assert_eq!(status, 400);
    assert!(body["error_description"].as_str().unwrap().ends_with("already has two secrets."));
    assert_eq!(uaa.change_secret("tu", json!({"changeMode": "DELETE"})).await.0, 200);
    assert_eq!((uaa.ask_token("tu", "x").await.0.as_u16(), uaa.ask_token("tu", "y").await.0.as_u16()), (401, 200));
    assert_eq!((uaa.is_active(&old).await, uaa.is_active(&new).await), (false, true));
    assert_eq!(uaa.change_secret("tu", json!({"changeMode": "DELETE"})).await.0, 400);
}

#[tokio::test]
async fn an_update_of_the_secret_ends_both_old_ones() {
    let uaa = Server::start().await;
    uaa.make("tu", json!(["a.b"])).await;
    uaa.change_secret("tu", json!({"secret": "y", "changeMode": "ADD"})).await;
    let (_, body) = uaa.change_secret("tu", json!({"secret": "z"})).await;
    assert_eq!(body["message"], "secret updated");
    for (secret, status) in [("x", 401), ("y", 401), ("z", 200)] {
        assert_eq!(uaa.ask_token("tu", secret).await.0, status, "{secret}");
    }
    assert_eq!(uaa.change_secret("tu", json!({"secret": "z", "changeMode": "update"})).await.0, 400);
    assert_eq!(uaa.change_secret("tu", json!({"secret": ""})).await.0, 400);
    assert_eq!(uaa.change_secret("gone", json!({"secret": "z"})).await, (StatusCode::NOT_FOUND, Value::Null));
}

#[tokio::test]
async fn an_empty_list_of_authorities_changes_nothing_and_uaa_none_clears_it() {
    let uaa = Server::start().await;
    uaa.make("tu", json!(["a.b"])).await;
    let update = |authorities: Value| json!({"client_id": "tu", "authorities": authorities});
    let (status, body) = uaa.call(Method::PUT, "/oauth/clients/tu", update(json!([]))).await;
    assert_eq!((status.as_u16(), &body["authorities"]), (200, &json!(["a.b"])));
    let token = uaa.token_of("tu", "x").await;
    let (_, body) = uaa.call(Method::PUT, "/oauth/clients/tu", update(json!(["uaa.none"]))).await;
    assert_eq!(body["authorities"], json!(["uaa.none"]));
    assert!(!uaa.is_active(&token).await);
    assert_eq!(uaa.ask_token("tu", "x").await.1["scope"], "uaa.none");
}

#[tokio::test]
async fn an_update_needs_the_id_in_its_body_and_a_client_to_update() {
    let uaa = Server::start().await;
    uaa.make("tu", json!(["a.b"])).await;
    let put = |path: &'static str, body: Value| uaa.call(Method::PUT, path, body);
    assert_eq!(put("/oauth/clients/tu", json!({"authorities": ["c.d"]})).await.0, 500);
    assert_eq!(put("/oauth/clients/tu", json!({"client_id": "other"})).await.0, 500);
    assert_eq!(put("/oauth/clients/none", json!({"client_id": "none"})).await.0, 404);
    assert_eq!(put("/oauth/clients/tu", json!({"client_id": "tu", "authorities": null})).await.0, 400);
    let secret = json!({"client_id": "tu", "client_secret": "ignored"});
    assert_eq!(put("/oauth/clients/tu", secret).await.0, 200);
    assert_eq!(uaa.ask_token("tu", "x").await.0, 200);
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let uaa = Server::start().await;
    let post = || uaa.request(Method::POST, "/oauth/clients").bearer_auth(&uaa.token);
    assert_eq!(sent(post().body("{}")).await, (StatusCode::UNSUPPORTED_MEDIA_TYPE, json!({})));
    let nonsense = post().header("content-type", "application/json").body("nonsense");
    assert_eq!(sent(nonsense).await, (StatusCode::BAD_REQUEST, json!({})));
}

#[tokio::test]
async fn only_an_administrator_gives_authorities_or_changes_foreign_secrets() {
    let uaa = Server::start().await;
    uaa.make("half", json!(["clients.read", "clients.write", "clients.secret"])).await;
    uaa.make("tu", json!(["uaa.none"])).await;
    let half = uaa.token_of("half", "x").await;
    let body = json!({"client_id": "n", "client_secret": "x", "authorized_grant_types": ["client_credentials"],
        "authorities": ["a.b"]});
    let (status, body) = uaa.call_with(&half, Method::POST, "/oauth/clients", body).await;
    assert_eq!(status, 400);
    assert!(body["error_description"].as_str().unwrap().starts_with("a.b is not an allowed authority for caller=half"));
    let change = json!({"secret": "y", "changeMode": "ADD"});
    assert_eq!(uaa.call_with(&half, Method::PUT, "/oauth/clients/tu/secret", change).await.0, 400);
    let tu = uaa.token_of("tu", "x").await;
    let (status, body) = uaa.call_with(&tu, Method::GET, "/oauth/clients", Value::Null).await;
    assert_eq!((status.as_u16(), &body["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(sent(uaa.request(Method::GET, "/oauth/clients")).await.1["error"], "unauthorized");
}

#[tokio::test]
async fn lists_come_in_pages_of_a_hundred_and_at_most_five_hundred() {
    let uaa = Server::start().await;
    let client = |n: usize| {
        json!({"client_id": format!("q-{n:04}"), "client_secret": "x",
        "authorized_grant_types": ["client_credentials"], "owner": "own"})
    };
    let many: Vec<Value> = (0..520).map(client).collect();
    assert_eq!(uaa.call(Method::POST, "/oauth/clients/tx", json!(many)).await.0, 201);
    for (query, shown, page) in [("", 100, 100), ("count=600", 500, 500), ("startIndex=501&count=500", 21, 500)] {
        let (_, body) = uaa.call(Method::GET, &format!("/oauth/clients?{query}"), Value::Null).await;
        assert_eq!(body["resources"].as_array().unwrap().len(), shown, "{query}");
        assert_eq!((&body["itemsPerPage"], &body["totalResults"]), (&json!(page), &json!(521)), "{query}");
    }
    let filter = "/oauth/clients?filter=client_id%20eq%20%22Q-0001%22";
    let (_, body) = uaa.call(Method::GET, filter, Value::Null).await;
    assert_eq!((&body["resources"][0]["client_id"], &body["resources"][0]["owner"]), (&json!("q-0001"), &json!("own")));
    assert_eq!(uaa.call(Method::GET, "/oauth/clients?startIndex=0", Value::Null).await.0, 500);
    uaa.frame.settings.change(&json!({"uaaPage": 2})).unwrap();
    let (_, small) = uaa.call(Method::GET, "/oauth/clients?count=500", Value::Null).await;
    assert_eq!((small["resources"].as_array().unwrap().len(), &small["totalResults"]), (2, &json!(521)));
    assert_eq!(uaa.call(Method::GET, "/oauth/clients?count=abc", Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_batch_is_done_whole_or_not_at_all() {
    let uaa = Server::start().await;
    uaa.make("b2", json!(["a.b"])).await;
    let client = |id: &str| {
        json!({"client_id": id, "client_secret": "x",
        "authorized_grant_types": ["client_credentials"]})
    };
    let both = json!([client("b1"), client("b2")]);
    assert_eq!(uaa.call(Method::POST, "/oauth/clients/tx", both.clone()).await.0, 409);
    assert_eq!(uaa.call(Method::PUT, "/oauth/clients/tx", both.clone()).await.0, 404);
    assert_eq!(uaa.call(Method::POST, "/oauth/clients/tx/delete", both).await.0, 404);
    assert_eq!(uaa.call(Method::GET, "/oauth/clients/b1", Value::Null).await.0, 404);
    let (_, b2) = uaa.call(Method::GET, "/oauth/clients/b2", Value::Null).await;
    assert_eq!(b2["authorities"], json!(["a.b"]));
    for (method, path, status) in [
        (Method::POST, "/oauth/clients/tx", 404),
        (Method::PUT, "/oauth/clients/tx", 400),
        (Method::POST, "/oauth/clients/tx/delete", 200),
    ] {
        assert_eq!(uaa.call(method, path, json!([])).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn a_deleted_client_is_shown_once_more_and_takes_its_tokens_along() {
    let uaa = Server::start().await;
    uaa.make("tu", json!(["a.b"])).await;
    let token = uaa.token_of("tu", "x").await;
    let (status, gone) = uaa.call(Method::DELETE, "/oauth/clients/tu", Value::Null).await;
    assert_eq!((status.as_u16(), &gone["client_id"]), (200, &json!("tu")));
    assert_eq!(uaa.call(Method::DELETE, "/oauth/clients/tu", Value::Null).await, (StatusCode::NOT_FOUND, Value::Null));
    assert!(!uaa.is_active(&token).await);
}

#[tokio::test]
async fn a_new_secret_of_its_own_ends_the_callers_token() {
    let uaa = Server::start().await;
    uaa.change_secret("admin", json!({"secret": "new"})).await;
    let (status, body) = uaa.call(Method::GET, "/oauth/clients", Value::Null).await;
    assert_eq!((status.as_u16(), &body["error_description"]), (401, &json!("revocable signature mismatch")));
}

//! Neo's answers over its own routes.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Neo, mount};
use crate::frame::{self, Frame};

const MEMBERS: &str = "/authorization/v1/platform/accounts/acme/Users";
const SENDERS: &str =
    "/authorization/v1/accounts/acme/apps/abciflmap/roles/users?roleName=ESBMessaging.send&providerAccount=sapprovider";

/// A running Neo and a token of its administrator.
struct Server {
    url: String,
    frame: Arc<Frame>,
    clients: Value,
    token: String,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let frame = Frame::new(url.clone(), url.clone(), Duration::ZERO);
        frame.settings.change(&json!({"neoRequestsPerMinute": null})).unwrap();
        let mounted = mount(&Neo::new(&frame));
        let clients = mounted.platform.snapshot(true)["apiClients"].clone();
        let router = frame::assemble(&frame, vec![mounted]);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut server = Self { url, frame, clients, token: String::new() };
        server.token = server.token_of(0).await;
        server
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, format!("{}/neo{path}", self.url))
    }

    fn credential(&self, client: usize) -> (&str, &str) {
        let client = &self.clients[client];
        (client["clientid"].as_str().unwrap(), client["clientsecret"].as_str().unwrap())
    }

    fn ask_token(&self, client: usize) -> RequestBuilder {
        let (id, secret) = self.credential(client);
        let path = "/oauth2/apitoken/v1?grant_type=client_credentials";
        self.request(Method::POST, path).basic_auth(id, Some(secret))
    }

    async fn token_of(&self, client: usize) -> String {
        let (status, body) = sent(self.ask_token(client)).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&self.token).header("accept", "application/scim+json")
    }

    /// A call with a body of the type its API reads.
    fn call_with(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let kind = if path.starts_with(MEMBERS) { "application/scim+json" } else { "application/json" };
        self.call(method, path).header("content-type", kind).body(body.to_string())
    }

    async fn put(&self, path: &str, body: Value) -> u16 {
        sent(self.call_with(Method::PUT, path, &body)).await.0.as_u16()
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = sent(self.call(Method::GET, path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn delete(&self, path: &str) -> u16 {
        sent(self.call(Method::DELETE, path)).await.0.as_u16()
    }

    async fn add_member(&self, name: &str, userbase: &str, roles: &[&str]) -> (StatusCode, Value) {
        sent(self.call_with(Method::POST, MEMBERS, &member(name, userbase, roles))).await
    }
}

fn member(name: &str, userbase: &str, roles: &[&str]) -> Value {
    let extension = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt";
    let roles: Vec<Value> = roles.iter().map(|role| json!({"value": role})).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", extension],
        "userName": name, "roles": roles, extension: {"userbase": userbase},
    })
}

/// Status and body; a body that is no JSON is shown as text.
async fn sent(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn a_token_is_opaque_and_lives_twenty_five_minutes() {
    let neo = Server::start().await;
    let (_, body) = sent(neo.ask_token(0)).await;
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(1500), &json!("Bearer")));
    assert!(body["scope"].as_str().unwrap().split(' ').all(|scope| scope.starts_with("hcp.")));
    assert!(!body["access_token"].as_str().unwrap().contains('.'));
    assert_eq!(neo.get(MEMBERS).await["totalResults"], 1);
    neo.frame.clock.advance(Duration::from_mins(25));
    assert_eq!(sent(neo.call(Method::GET, MEMBERS)).await.0, 401);
}

#[tokio::test]
async fn credentials_count_in_the_header_only() {
    let neo = Server::start().await;
    let (id, secret) = neo.credential(0);
    let form = [("client_id", id), ("client_secret", secret), ("grant_type", "client_credentials")];
    let path = "/oauth2/apitoken/v1?grant_type=client_credentials";
    assert_eq!(sent(neo.request(Method::POST, path).form(&form)).await.0, 401);
    assert_eq!(sent(neo.request(Method::POST, path).basic_auth(id, Some("wrong"))).await.0, 401);
    let without_grant = neo.request(Method::POST, "/oauth2/apitoken/v1").basic_auth(id, Some(secret));
    assert_eq!(sent(without_grant).await.0, 400);
}

#[tokio::test]
async fn the_grant_type_stands_in_the_query_unless_a_switch_says_otherwise() {
    let neo = Server::start().await;
    let (id, secret) = neo.credential(0);
    let in_form = || {
        let form = [("grant_type", "client_credentials")];
        neo.request(Method::POST, "/oauth2/apitoken/v1").basic_auth(id, Some(secret)).form(&form)
    };
    assert_eq!(sent(in_form()).await.0, 400);
    assert_eq!(sent(neo.ask_token(0).form(&[("grant_type", "client_credentials")])).await.0, 200);
    neo.frame.settings.change(&json!({"neoGrantType": "query-or-form"})).unwrap();
    assert_eq!(sent(in_form()).await.0, 200);
}

#[tokio::test]
async fn a_fresh_token_is_refused_for_a_while_where_a_switch_says_so() {
    let neo = Server::start().await;
    neo.frame.settings.change(&json!({"freshTokenMillis": 5000})).unwrap();
    let token = neo.token_of(0).await;
    let call = || neo.request(Method::GET, SENDERS).bearer_auth(&token);
    assert_eq!(sent(call()).await.0, 401);
    neo.frame.clock.advance(Duration::from_secs(5));
    assert_eq!(sent(call()).await.0, 200);
}

#[tokio::test]
async fn a_missing_scope_is_400_for_the_token_and_403_for_the_call() {
    let neo = Server::start().await;
    assert_eq!(sent(neo.ask_token(2)).await.0, 400);
    let reader = neo.token_of(1).await;
    let call = |method, path| neo.request(method, path).bearer_auth(&reader).header("accept", "application/scim+json");
    assert_eq!(sent(call(Method::GET, MEMBERS)).await.0, 200);
    assert_eq!(sent(call(Method::POST, MEMBERS).json(&member("P1", "x", &["Developer"]))).await.0, 403);
    assert_eq!(sent(call(Method::GET, SENDERS)).await.0, 200);
    assert_eq!(sent(call(Method::PUT, SENDERS).json(&json!({"users": [{"name": "p1"}]}))).await.0, 403);
}

#[tokio::test]
async fn another_subaccount_or_application_or_role_is_404() {
    let neo = Server::start().await;
    for path in [
        "/authorization/v1/platform/accounts/other/Users",
        "/authorization/v1/accounts/other/apps/abctmn/roles",
        "/authorization/v1/accounts/acme/apps/abctmn/roles",
        "/authorization/v1/accounts/acme/apps/none/roles?providerAccount=sapprovider",
        "/authorization/v1/accounts/acme/apps/abctmn/roles/users?roleName=none&providerAccount=sapprovider",
    ] {
        assert_eq!(sent(neo.call(Method::GET, path)).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_member_is_a_user_name_in_a_user_base() {
    let neo = Server::start().await;
    let (status, one) = neo.add_member("P1", "accounts.sap.com", &["Developer"]).await;
    assert_eq!((status.as_u16(), &one["id"]), (201, &json!("P1")));
    let (status, two) = neo.add_member("P1", "ACME.accounts.ondemand.com", &["ReadOnly", "IntegrationAuditor"]).await;
    assert_eq!((status.as_u16(), &two["id"]), (201, &json!("P1_ACME.accounts.ondemand.com")));
    assert_eq!((&two["roles"][0]["type"], &two["roles"][1]["type"]), (&json!("Predefined"), &json!("Custom")));
    let (status, error) = neo.add_member("p1", "acme.accounts.ondemand.com", &["Developer"]).await;
    assert_eq!((status.as_u16(), &error["scimType"]), (409, &json!("uniqueness")));
    let found = neo.get(&format!("{MEMBERS}?filter=username%20eq%20%22p1%22")).await;
    assert_eq!(found["totalResults"], 2);
    let both = format!("{MEMBERS}?filter=username%20eq%20%22p1%22%20and%20userbase%20eq%20%22x%22");
    assert_eq!(sent(neo.call(Method::GET, &both)).await.0, 400);
}

#[tokio::test]
async fn the_last_role_takes_the_member_along() {
    let neo = Server::start().await;
    neo.add_member("P1", "acme.accounts.ondemand.com", &["Developer", "ReadOnly"]).await;
    let path = format!("{MEMBERS}/P1_acme.accounts.ondemand.com");
    let base = "acme.accounts.ondemand.com";
    assert_eq!(neo.put(&path, member("P1", base, &["ReadOnly"])).await, 200);
    assert_eq!(neo.get(&path).await["roles"].as_array().unwrap().len(), 1);
    assert_eq!(neo.put(&path, member("P2", base, &["ReadOnly"])).await, 400);
    assert_eq!(neo.put(&path, member("P1", "Acme.accounts.ondemand.com", &["ReadOnly"])).await, 400);
    assert_eq!(neo.put(&path, member("P1", base, &["Unknown"])).await, 400);
    assert_eq!(neo.put(&path, member("P1", base, &[])).await, 200);
    assert_eq!(sent(neo.call(Method::GET, &path)).await.0, 404);
    assert_eq!(neo.delete(&path).await, 404);
}

#[tokio::test]
async fn the_older_extension_can_be_switched_on() {
    let neo = Server::start().await;
    neo.frame.settings.change(&json!({"neoOlderUserExtension": true})).unwrap();
    neo.add_member("P1", "ACME.accounts.ondemand.com", &["Developer"]).await;
    let shown = neo.get(&format!("{MEMBERS}/P1_ACME.accounts.ondemand.com")).await;
    let extension = &shown["com:sap:cloud:security:platform:1.0:UserExt"];
    assert_eq!(extension["userbase"], "acme.accounts.ondemand.com");
    assert_eq!(shown["roles"], json!([{"value": "Developer", "primary": false}]));
    let as_shown = member("P1", "acme.accounts.ondemand.com", &["ReadOnly"]);
    assert_eq!(neo.put(&format!("{MEMBERS}/P1_ACME.accounts.ondemand.com"), as_shown).await, 200);
}

#[tokio::test]
async fn members_want_their_headers_schemas_and_fields() {
    let neo = Server::start().await;
    assert_eq!(sent(neo.request(Method::GET, MEMBERS).bearer_auth(&neo.token)).await.0, 406);
    let plain = neo.call(Method::POST, MEMBERS).header("content-type", "text/plain").body("{}");
    assert_eq!(sent(plain).await.0, 415);
    let json = || neo.call(Method::POST, MEMBERS).json(&member("P9", "x", &["Developer"]));
    assert_eq!(sent(json()).await.0, 415);
    neo.frame.settings.change(&json!({"neoMemberBodies": "scim-or-json"})).unwrap();
    assert_eq!(sent(json()).await.0, 201);
    let mut unknown = member("P1", "x", &["Developer"]);
    unknown["comment"] = json!("x");
    let mut bare = member("P1", "x", &["Developer"]);
    bare["schemas"] = json!([]);
    for body in [unknown, bare, member("P1", "x", &[]), json!({})] {
        let (status, error) = sent(neo.call_with(Method::POST, MEMBERS, &body)).await;
        assert_eq!((status.as_u16(), &error["status"]), (400, &json!("400")), "{body}");
    }
    let configuration = neo.request(Method::GET, "/authorization/v1/platform/ServiceProviderConfig");
    assert_eq!(sent(configuration).await.0, 200);
}

#[tokio::test]
async fn put_adds_users_and_asks_nobody_whether_they_exist() {
    let neo = Server::start().await;
    assert_eq!(neo.put(SENDERS, json!({"users": [{"name": "P1"}, {"name": "nobody"}]})).await, 201);
    assert_eq!(neo.put(SENDERS, json!({"users": [{"name": "oauth_client_A"}, {"name": "p1"}]})).await, 201);
    let expected = json!({"users": [{"name": "nobody"}, {"name": "oauth_client_A"}, {"name": "P1"}]});
    assert_eq!(neo.get(SENDERS).await, expected);
    neo.frame.settings.change(&json!({"neoLowerCaseUsers": true})).unwrap();
    assert_eq!(neo.get(SENDERS).await["users"][2]["name"], "p1");
    assert_eq!(neo.put(SENDERS, json!([{"name": "P2"}])).await, 400);
    assert_eq!(neo.put(SENDERS, json!({"users": [{"name": "P2", "mail": "x"}]})).await, 400);
}

#[tokio::test]
async fn deletes_take_semicolons_and_succeed_for_what_is_not_there() {
    let neo = Server::start().await;
    neo.put(SENDERS, json!({"users": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})).await;
    assert_eq!(neo.delete(&format!("{SENDERS}&users=A;c;nobody")).await, 200);
    assert_eq!(neo.get(SENDERS).await, json!({"users": [{"name": "b"}]}));
    assert_eq!(neo.delete(SENDERS).await, 400);
    let roles = "/authorization/v1/accounts/acme/apps/approvals/roles";
    let (status, _) = sent(neo.call(Method::POST, roles).json(&json!({"roles": [{"name": "Own"}]}))).await;
    assert_eq!(status, 201);
    assert_eq!(neo.get(roles).await["roles"][1]["type"], "CUSTOM");
    assert_eq!(neo.delete(&format!("{roles}?roles=Own;Never")).await, 200);
    let predefined = json!({"name": "Approver", "type": "PREDEFINED", "applicationRole": true, "shared": true});
    assert_eq!(neo.get(roles).await, json!({"roles": [predefined]}));
}

#[tokio::test]
async fn a_users_roles_are_the_same_roles_from_the_other_side() {
    let neo = Server::start().await;
    let path = "/authorization/v1/accounts/acme/users/roles?userId=P1";
    let sender = json!({"name": "ESBMessaging.send", "applicationName": "abciflmap", "providerAccount": "sapprovider"});
    assert_eq!(neo.put(path, json!({"roles": [sender]})).await, 201);
    assert_eq!(neo.get(SENDERS).await, json!({"users": [{"name": "P1"}]}));
    assert_eq!(neo.get(path).await, json!({"roles": [sender]}));
    assert_eq!(neo.put(path, json!({"roles": [{"name": "None", "applicationName": "abctmn"}]})).await, 404);
    assert_eq!(neo.delete(&format!("{path}&roles=ESBMessaging.send")).await, 400);
    assert_eq!(neo.delete(&format!("{path}&roles=*")).await, 200);
    assert_eq!(neo.get(path).await, json!({"roles": []}));
}

#[tokio::test]
async fn groups_have_no_case_and_are_seen_from_both_sides() {
    let neo = Server::start().await;
    let groups = "/authorization/v1/accounts/acme/groups";
    assert_eq!(sent(neo.call(Method::POST, groups).json(&json!({"groups": [{"name": "Ops"}]}))).await.0, 201);
    let of_user = "/authorization/v1/accounts/acme/users/groups?userId=P1";
    assert_eq!(neo.put(of_user, json!({"groups": [{"name": "ops"}]})).await, 201);
    let users = "/authorization/v1/accounts/acme/groups/users?groupName=OPS";
    assert_eq!(neo.get(users).await, json!({"users": [{"name": "P1"}]}));
    assert_eq!(neo.delete(&format!("{users}&users=p1;nobody")).await, 200);
    assert_eq!(neo.get(of_user).await, json!({"groups": []}));
    assert_eq!(neo.delete(&format!("{groups}?groups=ops;none")).await, 200);
    assert_eq!(neo.get(groups).await, json!({"groups": []}));
}

#[tokio::test]
async fn beyond_the_limit_requests_are_refused_without_a_time_to_come_back() {
    let neo = Server::start().await;
    neo.frame.settings.change(&json!({"neoRequestsPerMinute": 1})).unwrap();
    let calls = (0..22).map(|_| neo.call(Method::GET, MEMBERS).send());
    let answers = futures::future::join_all(calls).await;
    let refused: Vec<_> = answers.into_iter().map(Result::unwrap).filter(|answer| answer.status() == 429).collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].headers().get("retry-after").is_none());
    assert_eq!(sent(neo.call(Method::GET, SENDERS)).await.0, 200);
    neo.frame.clock.advance(Duration::from_mins(1));
    assert_eq!(sent(neo.call(Method::GET, MEMBERS)).await.0, 200);
}

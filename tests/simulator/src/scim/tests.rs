//! The directory over HTTP.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::testing::{Answer, World, read};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

struct Directory {
    world: World,
    url: String,
    token: String,
}

impl Directory {
    async fn start() -> Self {
        let world = World::start().await;
        let key = world.get("", "/_simulator/credentials/scim").await.body;
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        Self { url: text("url"), token: text("token"), world }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.world.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.request(method, path).header("content-type", "application/scim+json");
        read(request.body(body.to_string()).send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    async fn filtered(&self, filter: &str) -> Answer {
        read(self.request(Method::GET, "/Users").query(&[("filter", filter)]).send().await.unwrap()).await
    }

    async fn user(&self, name: &str) -> String {
        let body = json!({"schemas": [USER], "userName": name, "password": "planted-p", "active": true});
        let made = self.call(Method::POST, "/Users", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.call(Method::PATCH, path, body).await
    }
}

#[tokio::test]
async fn a_user_comes_with_its_place_and_without_its_password() {
    let directory = Directory::start().await;
    let body = json!({"schemas": [USER], "userName": "Ann", "password": "planted-p", "externalId": "e"});
    let made = directory.call(Method::POST, "/Users", body.clone()).await;
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("{}/Users/{id}", directory.url));
    assert_eq!((made.headers["etag"].to_str().unwrap(), &made.body["meta"]["version"]), ("W/\"0\"", &json!("W/\"0\"")));
    assert_eq!(made.headers["content-type"], "application/scim+json");
    let read = directory.get(&format!("/Users/{id}")).await;
    assert!(!read.body.to_string().contains("planted-p"));
    assert_eq!(read.body["meta"]["resourceType"], "User");
    let state = directory.world.get("", "/_simulator/state").await.body.to_string();
    let secrets = directory.world.get("", "/_simulator/state?secrets=true").await.body.to_string();
    assert!(!state.contains("planted-p") && secrets.contains("planted-p"));
    let twice = directory.call(Method::POST, "/Users", json!({"schemas": [USER], "userName": "aNN"})).await;
    assert_eq!((twice.status, &twice.body["scimType"]), (409, &json!("uniqueness")));
    assert_eq!(twice.body["status"], "409");
    let gone = directory.call(Method::DELETE, &format!("/Users/{id}"), Value::Null).await;
    assert_eq!((gone.status, directory.get(&format!("/Users/{id}")).await.status), (204, 404));
    assert_eq!(directory.call(Method::POST, "/Users", body).await.status, 201);
}

#[tokio::test]
async fn a_stale_tag_changes_nothing() {
    let directory = Directory::start().await;
    let path = format!("/Users/{}", directory.user("ann").await);
    let change = |tag: &'static str, method: Method, title: &str| {
        let body = json!({"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                          "userName": "ann", "title": title});
        let request = directory.request(method, &path).header("if-match", tag);
        request.header("content-type", "application/scim+json").body(body.to_string()).send()
    };
    assert_eq!(change("W/\"0\"", Method::PUT, "b").await.unwrap().headers()["etag"], "W/\"1\"");
    assert_eq!(change("W/\"0\"", Method::PUT, "c").await.unwrap().status(), 412);
    assert_eq!(change("W/\"0\"", Method::DELETE, "c").await.unwrap().status(), 412);
    assert_eq!(directory.get(&path).await.body["title"], "b");
    assert_eq!(change("*", Method::PUT, "d").await.unwrap().status(), 200);
    directory.world.set(json!({"scimEtag": "unsupported"})).await;
    let changed = change("W/\"0\"", Method::PUT, "e").await.unwrap();
    assert_eq!((changed.status().as_u16(), changed.headers().get("etag")), (200, None));
    assert_eq!(directory.get("/ServiceProviderConfig").await.body["etag"]["supported"], false);
}

#[tokio::test]
async fn a_put_keeps_the_password_and_erases_the_rest() {
    let directory = Directory::start().await;
    let path = format!("/Users/{}", directory.user("ann").await);
    let put = directory.call(Method::PUT, &path, json!({"schemas": [USER], "userName": "ann2"})).await;
    assert_eq!((put.status, &put.body["active"]), (200, &Value::Null));
    let state = directory.world.get("", "/_simulator/state?secrets=true").await.body;
    assert_eq!(state["scim"]["users"][0]["password"], "planted-p");
}

#[tokio::test]
async fn groups_show_their_members_and_users_their_groups() {
    let directory = Directory::start().await;
    let (ann, bob) = (directory.user("ann").await, directory.user("bob").await);
    let crew = json!({"schemas": [GROUP], "displayName": "crew", "members": [{"value": ann}]});
    let made = directory.call(Method::POST, "/Groups", crew).await;
    let path = format!("/Groups/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.body["members"][0]["$ref"], format!("{}/Users/{ann}", directory.url));
    directory.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": bob}]}])).await;
    assert_eq!(directory.get(&format!("/Users/{bob}")).await.body["groups"][0]["display"], "crew");
    let out = directory.patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{bob}\"]")}])).await;
    assert_eq!(out.body["members"].as_array().unwrap().len(), 1);
    directory.call(Method::DELETE, &format!("/Users/{ann}"), Value::Null).await;
    assert_eq!(directory.get(&path).await.body["members"], Value::Null);
    let stranger = directory.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": ann}]}])).await;
    assert_eq!(stranger.status, 400);
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let directory = Directory::start().await;
    for name in ["a1", "a2", "b1"] {
        directory.user(name).await;
    }
    let found = directory.filtered(r#"userName sw "A" and active eq true"#).await.body;
    assert_eq!((&found["totalResults"], &found["Resources"][1]["userName"]), (&json!(2), &json!("a2")));
    let page = directory.get("/Users?startIndex=2&count=1&attributes=userName").await.body;
    assert_eq!((&page["totalResults"], &page["itemsPerPage"], &page["startIndex"]), (&json!(3), &json!(1), &json!(2)));
    assert_eq!(page["Resources"][0]["active"], Value::Null);
    assert_eq!(directory.filtered("colour pr").await.body["scimType"], "invalidFilter");
    directory.world.set(json!({"scimFilter": "ignored", "scimPage": 2})).await;
    let all = directory.filtered(r#"userName eq "a1""#).await.body;
    assert_eq!((&all["totalResults"], all["Resources"].as_array().unwrap().len()), (&json!(3), 2));
    directory.world.set(json!({"scimFilter": "refused"})).await;
    assert_eq!(directory.filtered(r#"userName eq "a1""#).await.status, 400);
    assert_eq!(directory.get("/ServiceProviderConfig").await.body["filter"]["supported"], false);
}

#[tokio::test]
async fn without_patch_it_says_so() {
    let directory = Directory::start().await;
    let path = format!("/Users/{}", directory.user("ann").await);
    directory.world.set(json!({"scimPatch": "unsupported"})).await;
    assert_eq!(directory.patch(&path, json!([{"op": "remove", "path": "active"}])).await.status, 501);
    assert_eq!(directory.get("/ServiceProviderConfig").await.body["patch"]["supported"], false);
}

#[tokio::test]
async fn only_the_credential_of_the_switch_opens_it() {
    let directory = Directory::start().await;
    assert_eq!(directory.get("/Users").await.status, 200);
    let (http, users) = (&directory.world.http, format!("{}/Users", directory.url));
    directory.world.set(json!({"scimCredential": "basic"})).await;
    let key = directory.world.get("", "/_simulator/credentials/scim").await.body;
    let (name, secret) = (key["username"].as_str().unwrap(), key["password"].as_str().unwrap());
    assert_eq!(http.get(&users).basic_auth(name, Some(secret)).send().await.unwrap().status(), 200);
    let refused = read(http.get(&users).basic_auth(name, Some("x")).send().await.unwrap()).await;
    assert_eq!((refused.status, &refused.body["status"]), (401, &json!("401")));
    assert_eq!(directory.get("/Users").await.status, 401);
    directory.world.set(json!({"scimCredential": "client-credentials"})).await;
    assert_eq!(http.get(&users).basic_auth(name, Some(secret)).send().await.unwrap().status(), 401);
    let key = directory.world.get("", "/_simulator/credentials/scim").await.body;
    let token = directory.world.token(&key).await.body;
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(http.get(&users).bearer_auth(token).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_password_reaches_no_log_in_whatever_way_it_is_written() {
    let directory = Directory::start().await;
    let path = format!("/Users/{}", directory.user("ann").await);
    directory.patch(&path, json!([{"op": "replace", "path": "Password", "value": "planted-q"}])).await;
    directory.patch(&path, json!([{"op": "replace", "value": {"PASSWORD": "planted-r"}}])).await;
    let log = directory.world.get("", "/_simulator/log").await.body.to_string();
    assert!(log.contains("(secret)") && !log.contains("planted-"), "{log}");
}

#[tokio::test]
async fn a_search_goes_over_users_and_groups() {
    let directory = Directory::start().await;
    directory.user("ann").await;
    directory.call(Method::POST, "/Groups", json!({"schemas": [GROUP], "displayName": "crew"})).await;
    let search = |filter: &str| {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter,
                          "attributes": ["userName", "displayName"]});
        directory.call(Method::POST, "/.search", body)
    };
    let (ann, crew) = (search(r#"userName eq "ann""#).await.body, search(r#"displayName eq "crew""#).await.body);
    assert_eq!((&ann["totalResults"], &ann["Resources"][0]["userName"]), (&json!(1), &json!("ann")));
    assert_eq!((&crew["totalResults"], &crew["Resources"][0]["displayName"]), (&json!(1), &json!("crew")));
    assert_eq!(search("id pr").await.body["totalResults"], 2);
    assert_eq!(search("colour pr").await.status, 400);
}

//! Users, groups and members, each answer as it was seen from the real UAA.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::tests::{Server, sent};

fn person(name: &str) -> Value {
    json!({"userName": name, "name": {"givenName": "A"}, "emails": [{"value": "a@x.example"}], "password": "planted-1"})
}

impl Server {
    async fn user(&self, name: &str) -> String {
        let (status, made) = self.call(Method::POST, "/Users", person(name)).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// A replacement on the condition of a version.
    async fn put(&self, path: &str, version: &str, body: Value) -> (StatusCode, Value) {
        let request = self.request(Method::PUT, path).bearer_auth(&self.token).json(&body);
        sent(if version.is_empty() { request } else { request.header("if-match", version) }).await
    }

    async fn group(&self, name: &str) -> String {
        let (status, made) = self.call(Method::POST, "/Groups", json!({"displayName": name})).await;
        assert_eq!((status.as_u16(), &made["members"]), (201, &json!([])));
        made["id"].as_str().unwrap().to_owned()
    }
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["error"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_name_is_taken_at_its_origin_in_whatever_case_and_the_error_says_by_whom() {
    let uaa = Server::start().await;
    let id = uaa.user("Ann").await;
    let taken = uaa.call(Method::POST, "/Users", person("aNN")).await;
    assert_eq!(code(&taken), (409, "scim_resource_already_exists"));
    assert_eq!((&taken.1["user_id"], &taken.1["message"]), (&json!(id), &json!("Username already in use: Ann")));
    let mut elsewhere = person("Ann");
    elsewhere["origin"] = json!("ldap");
    assert_eq!(uaa.call(Method::POST, "/Users", elsewhere).await.0, 201);
}

#[tokio::test]
async fn what_a_user_lacks_is_named() {
    let uaa = Server::start().await;
    for (field, value, error) in [
        ("emails", json!([]), "invalid_scim_resource"),
        ("userName", json!(""), "invalid_scim_resource"),
        ("userName", json!("a<b"), "invalid_scim_resource"),
        ("password", json!(""), "invalid_password"),
        ("colour", json!("red"), "scim"),
    ] {
        let mut body = person("b");
        body[field] = value;
        assert_eq!(code(&uaa.call(Method::POST, "/Users", body).await), (400, error), "{field}");
    }
}

#[tokio::test]
async fn a_user_is_replaced_on_the_condition_of_its_version() {
    let uaa = Server::start().await;
    let path = format!("/Users/{}", uaa.user("ann").await);
    assert_eq!(uaa.put(&path, "", person("ann")).await.1["message"], "Missing If-Match for PUT");
    assert_eq!(code(&uaa.put(&path, "x", person("ann")).await), (400, "scim"));
    assert_eq!(code(&uaa.put(&path, "7", person("ann")).await), (409, "scim_resource_conflict"));
    let (status, changed) = uaa.put(&path, "0", person("ann")).await;
    assert_eq!((status.as_u16(), &changed["meta"]["version"]), (200, &json!(1)));
    assert_eq!(uaa.put(&path, "\"1\"", person("ann")).await.0, 200);
    assert_eq!(uaa.put(&path, "*", person("ann")).await.0, 200);
    assert_eq!(code(&uaa.put("/Users/none", "*", person("ann")).await), (404, "scim_resource_not_found"));
}

#[tokio::test]
async fn a_password_is_changed_with_a_scope_of_its_own() {
    let uaa = Server::start().await;
    let path = format!("/Users/{}/password", uaa.user("ann").await);
    let new = json!({"password": "planted-2"});
    uaa.make("people", json!(["scim.write"])).await;
    let other = uaa.token_of("people", "x").await;
    assert_eq!(code(&uaa.call_with(&other, Method::PUT, &path, new.clone()).await), (403, "access_denied"));
    uaa.make("pw", json!(["password.write", "scim.read"])).await;
    let token = uaa.token_of("pw", "x").await;
    let set = |path: &str, body: Value| {
        let path = path.to_owned();
        let (uaa, token) = (&uaa, &token);
        async move { uaa.call_with(token, Method::PUT, &path, body).await }
    };
    assert_eq!(set(&path, new.clone()).await.1, json!({"status": "ok", "message": "password updated"}));
    assert_eq!(code(&set(&path, new.clone()).await), (422, "invalid_password"));
    assert_eq!(code(&set(&path, json!({"password": ""})).await), (400, "invalid_password"));
    assert_eq!(code(&set("/Users/none/password", json!({"password": "z"})).await), (401, "bad_credentials"));
    let (status, _) = uaa.call_with(&token, Method::POST, "/Users", person("b")).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn lists_are_those_of_the_first_scim() {
    let uaa = Server::start().await;
    let (id, _) = (uaa.user("ann").await, uaa.user("bob").await);
    let listed = |filter: &str, more: &str| {
        let path = format!("/Users?filter={}{more}", filter.replace(' ', "%20").replace('"', "%22"));
        let uaa = &uaa;
        async move { uaa.call(Method::GET, &path, Value::Null).await }
    };
    let (_, found) = listed(r#"userName eq "ANN" and origin eq "uaa""#, "&attributes=id,userName").await;
    assert_eq!(
        found,
        json!({"resources": [{"id": id, "userName": "ann"}], "startIndex": 1, "itemsPerPage": 100,
                             "totalResults": 1, "schemas": ["urn:scim:schemas:core:1.0"]})
    );
    for unknown in [r#"colour eq "red""#, r#"externalId eq "x""#, r#"name.familyName eq "x""#] {
        assert_eq!(code(&listed(unknown, "").await), (400, "scim"), "{unknown}");
    }
    assert_eq!(listed(r#"familyName eq "doe""#, "").await.1["totalResults"], 2, "the two whom everybody finds");
    let (_, page) = uaa.call(Method::GET, "/Users?count=1&startIndex=4", Value::Null).await;
    assert_eq!((&page["resources"][0]["userName"], &page["totalResults"]), (&json!("bob"), &json!(4)));
    assert!(!page.to_string().contains("planted-"));
    assert_eq!(uaa.call(Method::GET, "/Users?startIndex=0", Value::Null).await.1["startIndex"], 1);
}

#[tokio::test]
async fn a_member_is_one_once() {
    let uaa = Server::start().await;
    let (user, group) = (uaa.user("ann").await, uaa.group("crew").await);
    let members = format!("/Groups/{group}/members");
    let one = json!({"origin": "uaa", "type": "USER", "value": user});
    let added = uaa.call(Method::POST, &members, one.clone()).await;
    assert_eq!((added.0.as_u16(), &added.1), (201, &one));
    assert_eq!(code(&uaa.call(Method::POST, &members, one.clone()).await), (409, "member_already_exists"));
    let nobody = json!({"value": "none"});
    assert_eq!(code(&uaa.call(Method::POST, &members, nobody).await), (404, "scim_resource_not_found"));
    assert_eq!(uaa.call(Method::GET, &members, Value::Null).await.1, json!([one]));
    let (_, shown) = uaa.call(Method::GET, &format!("/Users/{user}"), Value::Null).await;
    assert_eq!(shown["groups"], json!([{"value": group, "display": "crew", "type": "DIRECT"}]));
    let member = format!("{members}/{user}");
    assert_eq!(uaa.call(Method::DELETE, &member, Value::Null).await.0, 200);
    assert_eq!(code(&uaa.call(Method::DELETE, &member, Value::Null).await), (404, "member_not_found"));
}

#[tokio::test]
async fn groups_differ_by_case_and_a_stale_one_is_a_conflict() {
    let uaa = Server::start().await;
    let (user, group) = (uaa.user("ann").await, uaa.group("crew").await);
    uaa.group("Crew").await;
    assert_eq!(code(&uaa.call(Method::POST, "/Groups", json!({"displayName": "crew"})).await).0, 409);
    let path = format!("/Groups/{group}");
    let body = json!({"displayName": "crew", "members": [{"value": user}]});
    assert_eq!(code(&uaa.put(&path, "", body.clone()).await), (400, "scim"));
    assert_eq!(code(&uaa.put(&path, "9", body.clone()).await), (409, "scim"));
    let (_, changed) = uaa.put(&path, "0", body).await;
    assert_eq!(changed["members"], json!([{"origin": "uaa", "type": "USER", "value": user}]));
    uaa.call(Method::DELETE, &format!("/Users/{user}"), Value::Null).await;
    assert_eq!(uaa.call(Method::GET, &path, Value::Null).await.1["members"], json!([]));
    assert_eq!(uaa.call(Method::DELETE, &path, Value::Null).await.0, 200);
    assert_eq!(code(&uaa.call(Method::GET, &path, Value::Null).await), (404, "scim_resource_not_found"));
}

//! Mapped certificates over HTTP, and the calls that they open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::testing::{Answer, World, read};

const SET: &str = "/api/v1/CertificateUserMappings";

struct Tenant {
    world: World,
    key: Value,
    session: (String, String),
}

impl Tenant {
    async fn start() -> Self {
        let world = World::start().await;
        let key = world.get("", "/_simulator/credentials/cloud-integration").await.body;
        let mut tenant = Self { world, key, session: (String::new(), String::new()) };
        let fetched = tenant.request(Method::GET, "/api/v1/").header("x-csrf-token", "Fetch").send().await.unwrap();
        let header = |name: &str| fetched.headers()[name].to_str().unwrap().to_owned();
        tenant.session = (header("x-csrf-token"), header("set-cookie").split(';').next().unwrap().to_owned());
        tenant
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let text = |name: &str| self.key[name].as_str().unwrap();
        let request = self.world.http.request(method, format!("{}{path}", text("url")));
        request.basic_auth(text("clientid"), Some(text("clientsecret")))
    }

    async fn write(&self, method: Method, path: &str, body: Value) -> Answer {
        let (token, cookie) = &self.session;
        let request = self.request(method, path).header("x-csrf-token", token).header("cookie", cookie);
        read(request.json(&body).send().await.unwrap()).await
    }

    async fn map(&self, user: &str, key: &Value) -> Answer {
        let pem = key["certificate"].as_str().unwrap();
        self.write(Method::POST, SET, json!({"User": user, "Certificate": STANDARD.encode(pem)})).await
    }

    async fn list(&self, query: &str) -> Value {
        let answer = read(self.request(Method::GET, &format!("{SET}{query}")).send().await.unwrap()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["d"]["results"].clone()
    }
}

#[tokio::test]
async fn a_certificate_is_mapped_once_and_its_user_changes() {
    let tenant = Tenant::start().await;
    let key = tenant.world.get("", "/_simulator/credentials/xsuaa?type=x509").await.body;
    let made = tenant.map("u1", &key).await;
    assert_eq!((made.status, &made.body["d"]["User"]), (201, &json!("u1")));
    let id = made.body["d"]["Id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 32);
    let again = tenant.map("u2", &key).await;
    assert_eq!((again.status, &again.body["d"]["Id"]), (201, &json!(id)));
    assert_eq!(tenant.list("?$filter=User%20eq%20'u1'").await, json!([]));
    assert_eq!(tenant.list("?$filter=User%20eq%20'u2'&$select=Id,User").await, json!([{"Id": id, "User": "u2"}]));
    let one = format!("{SET}('{id}')");
    assert_eq!(read(tenant.request(Method::GET, &one).send().await.unwrap()).await.status, 200);
    assert_eq!(tenant.write(Method::DELETE, &one, Value::Null).await.status, 204);
    assert_eq!(tenant.write(Method::DELETE, &one, Value::Null).await.status, 404);
}

#[tokio::test]
async fn what_is_no_certificate_breaks_it_and_what_is_too_long_is_refused() {
    let tenant = Tenant::start().await;
    let post = |user: String, certificate: String| {
        let body = json!({"User": user, "Certificate": certificate});
        tenant.write(Method::POST, SET, body)
    };
    let broken = post("u".into(), STANDARD.encode("nothing")).await;
    assert_eq!((broken.status, &broken.body["error"]["message"]["lang"]), (500, &json!("en")));
    assert_eq!(post("u".repeat(151), STANDARD.encode("x")).await.status, 400);
    assert_eq!(post("u".into(), "A".repeat(8193)).await.status, 400);
    let filter = format!("{SET}?$filter=Id%20eq%20'x'");
    assert_eq!(tenant.request(Method::GET, &filter).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_write_needs_the_token_of_its_own_session() {
    let tenant = Tenant::start().await;
    let (token, cookie) = tenant.session.clone();
    let delete = || tenant.request(Method::DELETE, &format!("{SET}('x')"));
    for request in [
        delete(),
        delete().header("x-csrf-token", &token),
        delete().header("cookie", &cookie),
        delete().header("x-csrf-token", "forged").header("cookie", &cookie),
    ] {
        let refused = request.send().await.unwrap();
        assert_eq!((refused.status().as_u16(), refused.headers()["x-csrf-token"].to_str().unwrap()), (403, "Required"));
    }
    let right = delete().header("x-csrf-token", &token).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(right.status(), 404);
    let bearer = tenant.world.token(&tenant.key).await.body["access_token"].as_str().unwrap().to_owned();
    let path = format!("/cloud-integration{SET}('x')");
    assert_eq!(tenant.world.delete(&bearer, &path).await.status, 403);
    tenant.world.set(json!({"cloudIntegrationCsrf": "not-for-bearer"})).await;
    assert_eq!(tenant.world.delete(&bearer, &path).await.status, 404);
    assert_eq!(delete().send().await.unwrap().status(), 403);
    assert_eq!(tenant.world.delete("forged", &path).await.status, 401);
}

#[tokio::test]
async fn a_mapped_certificate_calls_as_its_user_with_the_roles_of_the_runtime_node() {
    let tenant = Tenant::start().await;
    // A certificate that no client of the subaccounts has.
    let key = tenant.world.get("", "/_simulator/credentials/identity-service?type=x509").await.body;
    let http = tenant.world.with_certificate(&key);
    let url = format!("{}/runtime/http/orders", tenant.world.frame.mtls_url);
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    tenant.map("P000001", &key).await;
    assert_eq!(http.get(&url).send().await.unwrap().status(), 403);
    let neo = tenant.world.get("", "/_simulator/credentials/neo").await.body;
    let text = |name: &str| neo[name].as_str().unwrap();
    let asked = format!("{}?grant_type=client_credentials", text("tokenurl"));
    let asked = tenant.world.http.post(asked).basic_auth(text("clientid"), Some(text("clientsecret")));
    let token = read(asked.send().await.unwrap()).await.body["access_token"].as_str().unwrap().to_owned();
    let roles = "/neo/authorization/v1/accounts/acme/apps/abciflmap/roles/users?roleName=ESBMessaging.send&providerAccount=sapprovider";
    let users = json!({"users": [{"name": "p000001"}]});
    assert_eq!(tenant.world.call(&token, Method::PUT, roles, Some(users)).await.status, 201);
    let called = read(http.get(&url).send().await.unwrap()).await;
    assert_eq!((called.status, &called.body["client"]), (200, &json!("P000001")));
}

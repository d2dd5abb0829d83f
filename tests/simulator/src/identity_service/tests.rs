//! The Identity Directory over HTTP, and what logs on with it.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::testing::{Answer, World, read};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const SAP: &str = "urn:ietf:params:scim:schemas:extension:sap:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PASSWORD: &str = "Planted-1";

struct Tenant {
    world: World,
    key: Value,
}

/// What a technical user needs to be usable at once.
fn machine(name: &str) -> Value {
    json!({"schemas": [USER, SAP], "userName": name, "displayName": name, "active": true, "userType": "employee",
           "name": {"givenName": "TU", "familyName": name}, "password": PASSWORD,
           "emails": [{"value": format!("{name}@tech.example.invalid"), "type": "work", "primary": true}],
           SAP: {"status": "active", "sendMail": false, "mailVerified": true, "passwordDetails": {"status": "enabled"}}})
}

fn without(mut body: Value, pointer: &str) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&field.replace("~1", "/"));
    body
}

impl Tenant {
    async fn start() -> Self {
        let world = World::start().await;
        let key = world.get("", "/_simulator/credentials/identity-service").await.body;
        Self { world, key }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let text = |name: &str| self.key[name].as_str().unwrap();
        let request = self.world.http.request(method, format!("{}{path}", text("url")));
        request.basic_auth(text("clientid"), Some(text("clientsecret")))
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.request(method, &format!("/scim{path}")).header("content-type", "application/scim+json");
        read(request.body(body.to_string()).send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, &format!("/scim{path}")).send().await.unwrap()).await
    }

    async fn make(&self, body: Value) -> String {
        let made = self.call(Method::POST, "/Users", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        format!("/Users/{}", made.body["id"].as_str().unwrap())
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.call(Method::PATCH, path, body).await
    }

    async fn logs_on(&self, name: &str, password: &str) -> bool {
        let url = format!("{}/logon", self.key["url"].as_str().unwrap());
        let answer = self.world.http.get(url).basic_auth(name, Some(password)).send().await.unwrap();
        assert!([200, 401].contains(&answer.status().as_u16()));
        answer.status() == 200
    }

    async fn advance(&self, seconds: u64) {
        self.world.post("", "/_simulator/clock", json!({"advanceSeconds": seconds})).await;
    }
}

#[tokio::test]
async fn a_machine_that_is_made_as_documented_logs_on() {
    let tenant = Tenant::start().await;
    let made = tenant.call(Method::POST, "/Users", machine("tu-1")).await;
    assert_eq!((made.status, &made.body[SAP]["userId"]), (201, &json!("P000001")));
    assert_eq!(made.body[SAP]["passwordDetails"]["status"], "enabled");
    assert!(!made.body.to_string().contains(PASSWORD));
    for name in ["tu-1", "TU-1@tech.example.invalid", "P000001"] {
        assert!(tenant.logs_on(name, PASSWORD).await, "{name}");
    }
    assert!(!tenant.logs_on("tu-1", "wrong").await && !tenant.logs_on("nobody", PASSWORD).await);
}

#[tokio::test]
async fn what_is_left_out_keeps_a_user_from_logging_on() {
    let tenant = Tenant::start().await;
    let status = json!({"schemas": [USER], "userName": "a", "name": {"givenName": "A", "familyName": "A"},
                        "emails": [{"value": "a@x.example", "type": "work"}]});
    let plain = tenant.call(Method::POST, "/Users", status).await.body;
    assert_eq!(
        (&plain["active"], &plain[SAP]["status"], &plain["userType"]),
        (&json!(false), &json!("inactive"), &json!("public"))
    );
    for (name, lacking) in
        [("no-status", format!("/{SAP}/passwordDetails")), ("no-mail", format!("/{SAP}/mailVerified"))]
    {
        tenant.make(without(machine(name), &lacking)).await;
        assert!(!tenant.logs_on(name, PASSWORD).await, "{name}");
    }
    let path = tenant.make(without(without(machine("idle"), "/active"), &format!("/{SAP}/status"))).await;
    assert!(!tenant.logs_on("idle", PASSWORD).await);
    assert_eq!(tenant.patch(&path, json!([{"op": "replace", "path": "active", "value": true}])).await.status, 204);
    assert!(tenant.logs_on("idle", PASSWORD).await);
    let mut over = machine("over");
    over[SAP]["validTo"] = json!("2020-01-01T00:00:00Z");
    tenant.make(over).await;
    assert!(!tenant.logs_on("over", PASSWORD).await);
}

#[tokio::test]
async fn errors_have_a_number_and_no_kind() {
    let tenant = Tenant::start().await;
    let path = tenant.make(machine("tu-1")).await;
    let mut mismatch = machine("tu-2");
    mismatch[SAP]["status"] = json!("new");
    let refused = tenant.call(Method::POST, "/Users", mismatch).await;
    assert_eq!(
        refused.body,
        json!({"status": 400, "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "detail": "Values for attribute status are not synchronized in different extensions."})
    );
    let mut same_mail = machine("tu-3");
    same_mail["emails"][0]["value"] = json!("TU-1@tech.example.invalid");
    let taken = tenant.call(Method::POST, "/Users", same_mail).await;
    assert_eq!(
        (taken.status, &taken.body["detail"]),
        (409, &json!("A user with the same primary email already exists!"))
    );
    assert_eq!(tenant.call(Method::POST, "/Users", machine("TU-1")).await.status, 409);
    assert_eq!(tenant.get("/Users/abc").await.body["detail"], "abc is not a valid identifier!");
    let gone = "/Users/00000000-0000-4000-8000-000000000000";
    assert_eq!(tenant.get(gone).await.body["status"], 404);
    for (field, value) in [
        ("/userName", json!("a:b")),
        ("/userType", json!("robot")),
        ("/emails/0/type", json!("x")),
        ("/password", json!("short")),
        ("/emails/0/value", json!("nowhere")),
    ] {
        let mut wrong = machine("tu-4");
        *wrong.pointer_mut(field).unwrap() = value;
        assert_eq!(tenant.call(Method::POST, "/Users", wrong).await.status, 400, "{field}");
    }
    assert_eq!(tenant.call(Method::POST, "/Users", without(machine("tu-5"), "/name")).await.status, 400);
    let plain = tenant.request(Method::POST, "/scim/Users").json(&machine("tu-6"));
    assert_eq!(plain.send().await.unwrap().status(), 415);
    let change = tenant.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await;
    assert_eq!((change.status, &change.body), (204, &json!("")));
    assert_eq!(tenant.get(&path).await.body[SAP]["status"], "inactive");
}

#[tokio::test]
async fn a_put_erases_and_a_new_is_initial_unless_it_is_enabled() {
    let tenant = Tenant::start().await;
    let path = tenant.make(machine("tu-1")).await;
    let set = |operations: Value| tenant.patch(&path, operations);
    let password = json!({"op": "replace", "path": "password", "value": "Planted-2"});
    assert_eq!(set(json!([password])).await.status, 204);
    assert!(!tenant.logs_on("tu-1", "Planted-2").await && !tenant.logs_on("tu-1", PASSWORD).await);
    let enabled = json!({"op": "replace", "path": format!("{SAP}:passwordDetails.status"), "value": "enabled"});
    assert_eq!(set(json!([{"op": "replace", "path": "password", "value": "Planted-3"}, enabled])).await.status, 204);
    assert!(tenant.logs_on("tu-1", "Planted-3").await);
    let mut whole = without(without(machine("tu-1"), "/displayName"), "/password");
    whole[SAP] = json!({"status": "active"});
    let put = tenant.call(Method::PUT, &path, whole.clone()).await;
    assert_eq!(
        (put.status, &put.body["displayName"], &put.body[SAP]["userId"]),
        (200, &Value::Null, &json!("P000001"))
    );
    assert!(tenant.logs_on("tu-1", "Planted-3").await);
    let idle = without(without(whole, "/active"), &format!("/{SAP}/status"));
    assert_eq!(tenant.call(Method::PUT, &path, idle).await.body["active"], false);
    assert!(!tenant.logs_on("tu-1", "Planted-3").await);
}

#[tokio::test]
async fn a_mailed_link_verifies_the_address() {
    let tenant = Tenant::start().await;
    let mut body = machine("tu-1");
    body[SAP]["sendMail"] = json!(true);
    body[SAP]["mailVerified"] = json!(false);
    tenant.make(body).await;
    assert!(!tenant.logs_on("tu-1", PASSWORD).await);
    let state = tenant.world.get("", "/_simulator/state").await.body;
    let mail = &state["identity-service"]["mails"][0];
    assert_eq!(mail["to"], "tu-1@tech.example.invalid");
    let link = mail["link"].as_str().unwrap();
    assert_eq!(tenant.world.http.get(link).send().await.unwrap().status(), 200);
    assert!(tenant.logs_on("tu-1", PASSWORD).await);
    assert_eq!(tenant.world.http.get(link).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn lists_go_on_by_the_next_id() {
    let tenant = Tenant::start().await;
    for name in ["a1", "a2", "b1"] {
        tenant.make(machine(name)).await;
    }
    let first = tenant.get("/Users?startId=initial&count=2").await.body;
    assert_eq!((&first["totalResults"], first["Resources"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!((&first["startId"], &first["startIndex"]), (&json!("initial"), &Value::Null));
    let next = first["nextId"].as_str().unwrap();
    let last = tenant.get(&format!("/Users?startId={next}&count=2")).await.body;
    assert_eq!((&last["nextId"], &last["Resources"][0]["userName"]), (&json!("<end>"), &json!("b1")));
    let index = tenant.get("/Users?startIndex=3&count=500").await.body;
    assert_eq!((&index["startIndex"], &index["itemsPerPage"]), (&json!(3), &json!(1)));
    let filtered = |filter: &str| tenant.request(Method::GET, "/scim/Users").query(&[("filter", filter)]).send();
    let found = read(filtered(r#"userName sw "A" and userType eq "employee""#).await.unwrap()).await;
    assert_eq!(found.body["totalResults"], 2);
    assert_eq!(filtered(r#"userName co "a""#).await.unwrap().status(), 400);
    let long = vec![r#"userName eq "a""#; 91].join(" or ");
    assert_eq!(filtered(&long).await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_deleted_user_may_come_back_by_its_uuid() {
    let tenant = Tenant::start().await;
    let path = tenant.make(machine("tu-1")).await;
    tenant.world.set(json!({"identityDelete": "blocks"})).await;
    let uuid = tenant.get(&path).await.body[SAP]["userUuid"].clone();
    assert_eq!(tenant.call(Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!((tenant.get(&path).await.status, tenant.get(&format!("{path}?blocked=true")).await.status), (404, 200));
    assert!(!tenant.logs_on("tu-1", PASSWORD).await);
    let mut again = machine("tu-1b");
    again[SAP]["userUuid"] = uuid;
    assert_eq!(tenant.make(again).await, path);
    assert_eq!(tenant.get(&path).await.body["userName"], "tu-1b");
    tenant.call(Method::DELETE, &path, Value::Null).await;
    let purge = format!("{path}?blocked=true");
    assert_eq!(tenant.call(Method::DELETE, &purge, Value::Null).await.status, 204);
    assert_eq!(tenant.call(Method::DELETE, &purge, Value::Null).await.status, 404);
}

#[tokio::test]
async fn groups_have_members_and_users_show_them() {
    let tenant = Tenant::start().await;
    let user = tenant.make(machine("tu-1")).await;
    let id = user.rsplit('/').next().unwrap();
    let body = json!({"schemas": [GROUP], "displayName": "Crew", "members": [{"value": id}]});
    let made = tenant.call(Method::POST, "/Groups", body).await;
    let group = format!("/Groups/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.body["members"][0]["type"], "User");
    assert_eq!(tenant.get(&user).await.body["groups"][0]["display"], "Crew");
    let out = tenant.patch(&group, json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}])).await;
    assert_eq!(out.status, 204);
    assert_eq!(tenant.get(&user).await.body["groups"], Value::Null);
    tenant.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": id}]}])).await;
    tenant.call(Method::DELETE, &user, Value::Null).await;
    assert_eq!(tenant.get(&group).await.body["members"], Value::Null);
}

#[tokio::test]
async fn five_wrong_passwords_lock_for_an_hour_and_the_enterprise_policy_waits_a_day() {
    let tenant = Tenant::start().await;
    let path = tenant.make(machine("tu-1")).await;
    for _ in 0..5 {
        assert!(!tenant.logs_on("tu-1", "wrong").await);
    }
    assert!(!tenant.logs_on("tu-1", PASSWORD).await);
    assert!(tenant.get(&path).await.body[SAP]["passwordDetails"]["passwordLockedTime"].is_string());
    tenant.advance(3601).await;
    assert!(tenant.logs_on("tu-1", PASSWORD).await);
    tenant.world.set(json!({"identityPasswordPolicy": "enterprise"})).await;
    let set = |value: &'static str| tenant.patch(&path, json!([{"op": "replace", "path": "password", "value": value}]));
    assert_eq!(set("Planted-2").await.status, 400);
    tenant.advance(86_400).await;
    assert_eq!((set(PASSWORD).await.status, set("Planted-2").await.status), (400, 204));
}

#[tokio::test]
async fn the_administrator_comes_by_secret_certificate_or_token() {
    let tenant = Tenant::start().await;
    let key = tenant.world.get("", "/_simulator/credentials/identity-service?type=x509").await.body;
    let users = format!("{}/scim/Users", key["url"].as_str().unwrap());
    let http = tenant.world.with_certificate(&key);
    assert_eq!(http.get(&users).send().await.unwrap().status(), 200);
    let plain = format!("{}/scim/Users", tenant.key["url"].as_str().unwrap());
    assert_eq!(tenant.world.http.get(&plain).send().await.unwrap().status(), 401);
    let form = [("grant_type", "client_credentials")];
    let answer = read(tenant.request(Method::POST, "/oauth2/token").form(&form).send().await.unwrap()).await.body;
    assert_eq!(answer["expires_in"], 3600);
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(tenant.world.http.get(&plain).bearer_auth(token).send().await.unwrap().status(), 200);
    tenant.world.set(json!({"identityClientLock": "supported"})).await;
    let id = tenant.key["clientid"].as_str().unwrap();
    for _ in 0..5 {
        assert_eq!(tenant.world.http.get(&plain).basic_auth(id, Some("x")).send().await.unwrap().status(), 401);
    }
    assert_eq!(tenant.get("/Users").await.status, 401);
    tenant.advance(3601).await;
    assert_eq!(tenant.get("/Users").await.status, 200);
}

#[tokio::test]
async fn requests_beyond_the_rate_come_late_and_then_not_at_all() {
    let tenant = Tenant::start().await;
    let count = |answers: &[u16], status| answers.iter().filter(|one| **one == status).count();
    let at_once = futures::future::join_all((0..280).map(|_| tenant.get("/Users?count=0"))).await;
    let answers: Vec<u16> = at_once.iter().map(|answer| answer.status).collect();
    assert_eq!(count(&answers, 200), 280);
    let refused = tenant.get("/Users?count=0").await;
    assert_eq!((refused.status, refused.headers.get("retry-after")), (429, None));
    tenant.advance(61).await;
    assert_eq!(tenant.get("/Users?count=0").await.status, 200);
}

#[tokio::test]
async fn a_sender_with_a_password_calls_where_its_role_allows() {
    let tenant = Tenant::start().await;
    tenant.make(machine("tu-1")).await;
    let url = format!("{}/runtime/http/orders", tenant.world.frame.url);
    let call = |name: &'static str, password: &'static str| {
        let request = tenant.world.http.get(&url).basic_auth(name, Some(password));
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!((call("tu-1", "wrong").await, call("tu-1", PASSWORD).await), (401, 403));
    let token = tenant.world.admin("xsuaa").await;
    let roles = "/xsuaa/sap/rest/authorization/v2/rolecollections";
    tenant.world.post(&token, roles, json!({"name": "Senders"})).await;
    let role = json!([{"roleTemplateAppId": "it-rt!b1", "roleTemplateName": "MessagingSend", "name": "MessagingSend"}]);
    tenant.world.call(&token, Method::PUT, &format!("{roles}/Senders/roles"), Some(role)).await;
    let assign = "/xsuaa/sap/rest/user/origin/sap.custom/name/tu-1@tech.example.invalid/rolecollections/Senders";
    let assigned = tenant.world.call(&token, Method::PUT, &format!("{assign}?createUserIfMissing=true"), None).await;
    assert_eq!(assigned.status, 200, "{assigned:?}");
    assert_eq!(call("tu-1", PASSWORD).await, 200);
}

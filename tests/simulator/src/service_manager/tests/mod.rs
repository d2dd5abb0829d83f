//! The Service Manager over HTTP: what its documents promise and what makes clients stumble.

mod orders;
mod requests;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{World, read, runtime_order};

const INSTANCES: &str = "/service-manager/v1/service_instances";
const BINDINGS: &str = "/service-manager/v1/service_bindings";

async fn world() -> (World, String) {
    let world = World::start().await;
    let token = world.admin("service-manager").await;
    (world, token)
}

fn binding_order(instance: &str, name: &str) -> Value {
    json!({"name": name, "service_instance_id": instance})
}

/// The path of the operation that a 202 points to.
fn location(answer: &crate::testing::Answer) -> String {
    assert_eq!((answer.status, &answer.body), (202, &json!({})));
    let location = answer.headers["location"].to_str().unwrap();
    assert!(location.starts_with("/v1/"), "{location} is not relative to the Service Manager");
    format!("/service-manager{location}")
}

#[tokio::test]
async fn last_operation_is_listed_only_when_asked_for() {
    let (world, token) = world().await;
    let id = world.runtime_instance(&token, "a", &[]).await;
    assert_eq!(world.get(&token, &format!("{INSTANCES}/{id}")).await.body["last_operation"]["state"], "succeeded");
    assert_eq!(world.get(&token, INSTANCES).await.body["items"][0]["last_operation"], Value::Null);
    let attached = world.get(&token, &format!("{INSTANCES}?attach_last_operations=true")).await;
    assert_eq!(attached.body["items"][0]["last_operation"]["type"], "create");
}

#[tokio::test]
async fn an_asynchronous_plan_answers_202_although_nobody_asked() {
    let (world, token) = world().await;
    world.set(json!({"asyncPlans": ["integration-flow"], "operationMillis": 60_000})).await;
    let operation = location(&world.post(&token, INSTANCES, runtime_order("a", &[])).await);
    assert_eq!(world.get(&token, &operation).await.body["state"], "in progress");
    let listed = world.get(&token, INSTANCES).await.body["items"][0].clone();
    let id = listed["id"].as_str().unwrap();
    assert_eq!(listed["ready"], false);
    let change = json!({"parameters": {"roles": []}});
    let busy = world.call(&token, Method::PATCH, &format!("{INSTANCES}/{id}"), Some(change)).await;
    assert_eq!((busy.status, &busy.body["error"]), (422, &json!("ConcurrentOperationInProgress")));
    let early = world.post(&token, BINDINGS, binding_order(id, "k")).await;
    assert_eq!((early.status, &early.body["error"]), (422, &json!("OperationInProgress")));
    world.frame.clock.advance(Duration::from_secs(61));
    assert_eq!(world.get(&token, &operation).await.body["state"], "succeeded");
    let operation = location(&world.post(&token, BINDINGS, binding_order(id, "k")).await);
    assert_eq!(world.get(&token, BINDINGS).await.body["items"][0]["credentials"], Value::Null);
    world.frame.clock.advance(Duration::from_secs(61));
    assert_eq!(world.get(&token, &operation).await.body["state"], "succeeded");
    assert!(world.get(&token, BINDINGS).await.body["items"][0]["credentials"]["oauth"].is_object());
}

#[tokio::test]
async fn an_instance_with_bindings_is_not_deleted_whatever_202_seems_to_say() {
    let (world, token) = world().await;
    let id = world.runtime_instance(&token, "a", &[]).await;
    let key = world.post(&token, BINDINGS, binding_order(&id, "k")).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("{INSTANCES}/{id}");
    assert_eq!(world.delete(&token, &path).await.status, 400);
    let operation = location(&world.delete(&token, &format!("{path}?async=true")).await);
    world.frame.clock.advance(Duration::from_secs(1));
    assert_eq!(world.get(&token, &operation).await.body["state"], "failed");
    assert_eq!(world.delete(&token, &format!("{BINDINGS}/{key}")).await.body, json!({}));
    assert_eq!(world.delete(&token, &path).await.status, 200);
    let again = world.delete(&token, &path).await;
    let text = json!({"error": "NotFound", "description": "could not find such /v1/service_instances"});
    assert_eq!((again.status, again.body), (404, text));
}

#[tokio::test]
async fn a_taken_name_is_refused_at_once_or_by_the_operation() {
    let (world, token) = world().await;
    let id = world.runtime_instance(&token, "a", &[]).await;
    let conflict = world.post(&token, INSTANCES, runtime_order("a", &[])).await;
    assert_eq!((conflict.status, &conflict.body["error"]), (409, &json!("Conflict")));
    let operation = location(&world.post(&token, &format!("{INSTANCES}?async=true"), runtime_order("a", &[])).await);
    world.frame.clock.advance(Duration::from_secs(1));
    let ended = world.get(&token, &operation).await.body;
    assert_eq!((&ended["state"], &ended["errors"]["error"]), (&json!("failed"), &json!("Conflict")));
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 1);
    assert_eq!(world.post(&token, BINDINGS, binding_order(&id, "k")).await.status, 201);
    let conflict = world.post(&token, BINDINGS, binding_order(&id, "k")).await;
    assert_eq!(conflict.body["description"], "found conflicting service_bindings");
}

#[tokio::test]
async fn queries_and_pages_find_every_object_once() {
    let (world, token) = world().await;
    for number in 0..5 {
        let mut order = runtime_order(&format!("i{number}"), &[]);
        order["labels"] = json!({"owner": [if number < 3 { "us" } else { "them" }]});
        assert_eq!(world.post(&token, INSTANCES, order).await.status, 201);
    }
    let ours = format!("{INSTANCES}?labelQuery=owner%20eq%20%27us%27&max_items=2");
    let first = world.get(&token, &ours).await;
    assert_eq!((&first.body["num_items"], first.body["items"].as_array().unwrap().len()), (&json!(3), 2));
    assert!(first.headers["link"].to_str().unwrap().contains("rel=\"next\""));
    let rest = world.get(&token, &format!("{ours}&token={}", first.body["token"].as_str().unwrap())).await;
    assert_eq!((&rest.body["items"][0]["name"], &rest.body["token"]), (&json!("i2"), &Value::Null));
    let named =
        world.get(&token, &format!("{INSTANCES}?fieldQuery=name%20eq%20%27i4%27%20and%20ready%20eq%20true")).await;
    assert_eq!(named.body["num_items"], 1);
    let wrong = world.get(&token, &format!("{INSTANCES}?fieldQuery=name%20is%20x")).await;
    assert_eq!((wrong.status, &wrong.body["error"]), (400, &json!("BadRequest")));
    assert!(wrong.body["description"].as_str().unwrap().contains("column"));
}

#[tokio::test]
async fn names_and_labels_of_a_binding_change_and_nothing_else() {
    let (world, token) = world().await;
    let id = world.runtime_instance(&token, "a", &[]).await;
    let made = world.post(&token, BINDINGS, binding_order(&id, "old")).await.body;
    let path = format!("{BINDINGS}/{}", made["id"].as_str().unwrap());
    let change = json!({"name": "new", "labels": [{"op": "add", "key": "k", "values": ["v"]}]});
    let changed = world.call(&token, Method::PATCH, &path, Some(change)).await;
    assert_eq!((changed.status, &changed.body["name"]), (200, &json!("new")));
    assert_eq!(changed.body["credentials"], made["credentials"]);
    assert_eq!(world.get(&token, &format!("{BINDINGS}?labelQuery=k%20eq%20%27v%27")).await.body["num_items"], 1);
    assert_eq!(world.post(&token, BINDINGS, binding_order(&id, "old")).await.status, 201);
    let refused = world.call(&token, Method::PATCH, &path, Some(json!({"parameters": {}}))).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn requests_are_read_strictly() {
    let (world, token) = world().await;
    let mut order = runtime_order("a", &[]);
    order["colour"] = json!("red");
    assert_eq!(world.post(&token, INSTANCES, order).await.body["error"], "BadRequest");
    let url = format!("{}{INSTANCES}", world.frame.url);
    let text = world.http.post(&url).bearer_auth(&token).body(runtime_order("a", &[]).to_string());
    assert_eq!(read(text.send().await.unwrap()).await.status, 415);
    let nobody = read(world.http.get(&url).send().await.unwrap()).await;
    let words = json!({"error": "Unauthorized", "description": "No authenticated user found"});
    assert_eq!((nobody.status, nobody.body), (401, words));
    assert_eq!(world.get(&world.admin("xsuaa").await, INSTANCES).await.status, 403);
    assert_eq!(world.call(&token, Method::PUT, INSTANCES, None).await.status, 405);
    assert_eq!(world.get(&token, "/service-manager/v1/no_such").await.status, 404);
}

#[tokio::test]
async fn plans_of_cloud_integration_appear_with_its_activation() {
    let (world, token) = world().await;
    let plans = "/service-manager/v1/service_plans?fieldQuery=catalog_name%20eq%20%27integration-flow%27";
    world.set(json!({"itRtActivated": false})).await;
    assert_eq!(world.get(&token, plans).await.body["num_items"], 0);
    assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 400);
    world.set(json!({"itRtActivated": true})).await;
    assert_eq!(world.get(&token, plans).await.body["num_items"], 1);
}

#[tokio::test]
async fn parameters_are_never_given_back() {
    let (world, token) = world().await;
    let id = world.runtime_instance(&token, "a", &["r"]).await;
    let answer = world.get(&token, &format!("{INSTANCES}/{id}/parameters")).await;
    assert_eq!((answer.status, &answer.body["description"]), (400, &json!("this operation is not supported.")));
    assert!(!world.get(&token, &format!("{INSTANCES}/{id}")).await.body.to_string().contains("roles"));
}

#[tokio::test]
async fn a_service_with_one_secret_per_instance_does_not_rotate() {
    let (world, token) = world().await;
    let order = json!({"name": "a", "service_offering_name": "alert-notification", "service_plan_name": "standard"});
    let id = world.post(&token, INSTANCES, order).await.body["id"].as_str().unwrap().to_owned();
    let first = world.post(&token, BINDINGS, binding_order(&id, "k1")).await.body;
    let second = world.post(&token, BINDINGS, binding_order(&id, "k2")).await.body;
    assert_eq!(first["credentials"], second["credentials"]);
    let path = format!("{BINDINGS}/{}", first["id"].as_str().unwrap());
    assert_eq!(world.delete(&token, &path).await.status, 200);
    assert_eq!(world.token(&second["credentials"]).await.status, 200);
}

#[tokio::test]
async fn a_flat_key_with_a_certificate_opens_the_token_service() {
    let (world, token) = world().await;
    let order = json!({"name": "a", "service_offering_name": "destination", "service_plan_name": "lite"});
    let id = world.post(&token, INSTANCES, order).await.body["id"].as_str().unwrap().to_owned();
    let mut order = binding_order(&id, "k");
    order["parameters"] = json!({"credential-type": "x509", "x509": {"validity": 31}});
    assert_eq!(world.post(&token, BINDINGS, order.clone()).await.status, 502);
    order["name"] = json!("k2");
    order["parameters"]["x509"] = json!({"validity": 30, "key-length": 2048});
    let key = world.post(&token, BINDINGS, order).await.body["credentials"].clone();
    let url = format!("{}/oauth/token", key["certurl"].as_str().unwrap());
    let form = [("grant_type", "client_credentials"), ("client_id", key["clientid"].as_str().unwrap())];
    let with_certificate = world.with_certificate(&key).post(&url).form(&form).send().await.unwrap();
    assert_eq!(with_certificate.status(), 200);
    world.frame.clock.advance(Duration::from_hours(24 * 31));
    let expired = world.with_certificate(&key).post(&url).form(&form).send().await.unwrap();
    assert_eq!(expired.status(), 401);
}

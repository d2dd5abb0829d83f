//! Faults, limits, log and reset, seen from outside.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{World, runtime_order};

const INSTANCES: &str = "/service-manager/v1/service_instances";
const ROUTE: &str = "service-manager.create-instance";

async fn world() -> (World, String) {
    let world = World::start().await;
    let token = world.admin("service-manager").await;
    (world, token)
}

#[tokio::test]
async fn a_fault_comes_before_the_effect_or_after_it() {
    let (world, token) = world().await;
    world.fault(ROUTE, json!({"kind": "status", "status": 500, "times": 1})).await;
    assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 500);
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 0);
    world.fault(ROUTE, json!({"kind": "html", "status": 504, "times": 1, "after": "after"})).await;
    assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 504);
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 1);
    assert_eq!(world.post(&token, INSTANCES, runtime_order("b", &[])).await.status, 201);
}

#[tokio::test]
async fn a_reset_connection_gives_no_answer_and_a_truncated_one_half_of_it() {
    let (world, token) = world().await;
    let url = format!("{}{INSTANCES}", world.frame.url);
    world.fault("*", json!({"kind": "reset", "times": 1})).await;
    assert!(world.http.get(&url).bearer_auth(&token).send().await.is_err());
    world.fault("*", json!({"kind": "truncated", "times": 1})).await;
    let half = world.http.get(&url).bearer_auth(&token).send().await.unwrap();
    assert!(half.status().is_success() && half.text().await.is_err());
    assert_eq!(world.get(&token, INSTANCES).await.status, 200);
}

#[tokio::test]
async fn the_router_says_404_in_its_own_words() {
    let (world, token) = world().await;
    world.fault("*", json!({"kind": "router-404", "times": 1})).await;
    let answer = world.get(&token, INSTANCES).await;
    assert_eq!((answer.status, answer.headers["x-cf-routererror"].to_str().unwrap()), (404, "unknown_route"));
}

#[tokio::test]
async fn too_many_requests_are_refused_in_the_platforms_dialect() {
    let (world, token) = world().await;
    let limit = json!({"perMinute": 1});
    world.call("", Method::PUT, "/_simulator/limits/service-manager.list-instances", Some(limit)).await;
    assert_eq!(world.get(&token, INSTANCES).await.status, 200);
    let refused = world.get(&token, INSTANCES).await;
    assert_eq!((refused.status, &refused.body["error"]), (429, &Value::Null));
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().is_ok());
    world.frame.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(world.get(&token, INSTANCES).await.status, 200);
}

#[tokio::test]
async fn the_log_names_who_asked_and_keeps_no_secret() {
    let (world, token) = world().await;
    world.post(&token, INSTANCES, runtime_order("a", &[])).await;
    let log = world.get("", "/_simulator/log").await.body;
    let (login, create) = (&log[0], &log[1]);
    assert_eq!((&login["route"], &login["body"]["client_secret"]), (&json!("auth.token"), &json!("(secret)")));
    assert_eq!((&create["route"], &create["status"]), (&json!(ROUTE), &json!(201)));
    assert_eq!(create["client"], login["client"]);
    assert_eq!(create["body"]["name"], "a");
    assert!(!log.to_string().contains("planted"));
    let state = world.get("", "/_simulator/state").await.body.to_string();
    assert!(!state.contains("planted") && state.contains("\"a\""));
    let later = world.get("", &format!("/_simulator/log?since={}", create["sequence"])).await.body;
    assert_eq!(later, json!([]));
    assert_eq!(world.get("", "/_simulator/metrics").await.body["routes"][ROUTE], 1);
}

#[tokio::test]
async fn secrets_of_clients_are_kept_out_of_the_log_however_deep_they_are() {
    let (world, token) = world().await;
    let client = json!({"client_id": "a", "client_secret": "planted-1"});
    let change = json!({"secret": "planted-2", "oldSecret": "planted-3", "changeMode": "ADD"});
    world.post(&token, "/uaa/oauth/clients", client.clone()).await;
    world.post(&token, "/uaa/oauth/clients/tx", json!([client])).await;
    world.call(&token, Method::PUT, "/uaa/oauth/clients/a/secret", Some(change)).await;
    let log = world.get("", "/_simulator/log").await.body;
    assert!(!log.to_string().contains("planted"), "{log}");
    assert_eq!(log[1]["body"], json!({"client_id": "a", "client_secret": "(secret)"}));
    assert_eq!(log[2]["body"][0]["client_secret"], "(secret)");
    assert_eq!(log[3]["body"], json!({"secret": "(secret)", "oldSecret": "(secret)", "changeMode": "ADD"}));
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_administrators() {
    let (world, token) = world().await;
    world.runtime_instance(&token, "a", &[]).await;
    world.set(json!({"itRtActivated": false})).await;
    assert_eq!(world.call("", Method::POST, "/_simulator/reset", None).await.status, 204);
    assert_eq!(world.get(&token, INSTANCES).await.status, 401, "tokens are forgotten too");
    let token = world.admin("service-manager").await;
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 0);
    world.runtime_instance(&token, "a", &[]).await;
    assert_eq!(world.get("", "/_simulator/credentials/xsuaa?type=x509").await.status, 200);
    assert_eq!(world.get("", "/_simulator/credentials/nobody").await.status, 404);
}

#[tokio::test]
async fn a_fault_may_spoil_the_second_page_only() {
    let (world, token) = world().await;
    world.set(json!({"serviceManagerPage": 1})).await;
    world.runtime_instance(&token, "a", &[]).await;
    world.runtime_instance(&token, "b", &[]).await;
    let list = "service-manager.list-instances";
    world.fault(list, json!({"kind": "other-object", "page": "later", "times": 1})).await;
    let first = world.get(&token, INSTANCES).await.body;
    assert_eq!(first["num_items"], 2);
    let second = format!("{INSTANCES}?token={}", first["token"].as_str().unwrap().replace('=', "%3D"));
    let other = world.get(&token, &second).await;
    assert_eq!((other.status, &other.body["status"], &other.body["items"]), (200, &json!("UP"), &Value::Null));
    assert_eq!(world.get(&token, &second).await.body["items"][0]["name"], "b");
}

#[tokio::test]
async fn a_plain_404_does_not_say_that_it_is_the_routers() {
    let (world, token) = world().await;
    world.fault("*", json!({"kind": "not-found", "times": 1})).await;
    let answer = world.get(&token, INSTANCES).await;
    assert_eq!(answer.status, 404);
    assert!(answer.headers.get("x-cf-routererror").is_none() && answer.body["error"].is_string());
}

#[tokio::test]
async fn a_long_fault_goes_on_until_it_is_used_up() {
    let (world, token) = world().await;
    world.fault(ROUTE, json!({"kind": "status", "status": 503, "times": 40})).await;
    for _ in 0..40 {
        assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 503);
    }
    assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 201);
}

#[tokio::test]
async fn apis_forget_tokens_while_the_token_service_goes_on() {
    let (world, token) = world().await;
    assert_eq!(world.call("", Method::DELETE, "/_simulator/tokens", None).await.status, 204);
    assert_eq!(world.get(&token, INSTANCES).await.status, 401);
    assert_eq!(world.get(&world.admin("service-manager").await, INSTANCES).await.status, 200);
    world.set(json!({"freshTokenMillis": 60_000})).await;
    let fresh = world.admin("service-manager").await;
    assert_eq!(world.get(&fresh, INSTANCES).await.status, 401);
    world.frame.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(world.get(&fresh, INSTANCES).await.status, 200);
}

//! Cloud Integration end to end: what a key's roles open, and when.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{World, read, runtime_order};

const INSTANCES: &str = "/service-manager/v1/service_instances";
const BINDINGS: &str = "/service-manager/v1/service_bindings";
const SENDER: &str = "/runtime/http/orders";

async fn world() -> (World, String) {
    let world = World::start().await;
    let token = world.admin("service-manager").await;
    (world, token)
}

async fn token_of(world: &World, key: &Value) -> String {
    world.token(key).await.body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn roles_of_the_instance_decide_what_a_token_opens() {
    let (world, admin) = world().await;
    let id = world.runtime_instance(&admin, "a", &[]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    let before = token_of(&world, &key).await;
    assert_eq!(world.post(&before, SENDER, json!({})).await.status, 403);
    let change = json!({"parameters": {"roles": ["ESBMessaging.send"]}});
    assert_eq!(world.call(&admin, Method::PATCH, &format!("{INSTANCES}/{id}"), Some(change)).await.status, 200);
    assert_eq!(world.post(&before, SENDER, json!({})).await.status, 403, "an old token keeps its old roles");
    let after = token_of(&world, &key).await;
    assert_eq!(world.post(&after, SENDER, json!({})).await.status, 200);
    assert_eq!(world.post("forged", SENDER, json!({})).await.status, 401);
}

#[tokio::test]
async fn a_role_change_takes_its_time_to_arrive() {
    let (world, admin) = world().await;
    world.set(json!({"propagationSeconds": 600})).await;
    let id = world.runtime_instance(&admin, "a", &["ESBMessaging.send"]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    let change = json!({"parameters": {"roles": []}});
    world.call(&admin, Method::PATCH, &format!("{INSTANCES}/{id}"), Some(change)).await;
    assert_eq!(world.post(&token_of(&world, &key).await, SENDER, json!({})).await.status, 200);
    world.frame.clock.advance(Duration::from_secs(601));
    assert_eq!(world.post(&token_of(&world, &key).await, SENDER, json!({})).await.status, 403);
}

#[tokio::test]
async fn a_new_key_may_have_to_wait_for_roles_that_an_older_one_has() {
    let (world, admin) = world().await;
    let id = world.runtime_instance(&admin, "a", &["ESBMessaging.send"]).await;
    let older = world.runtime_key(&admin, &id, "older", json!({})).await;
    world.frame.clock.advance(Duration::from_secs(601));
    world.set(json!({"newClientSeconds": 600})).await;
    let newer = world.runtime_key(&admin, &id, "newer", json!({})).await;
    assert_eq!(world.post(&token_of(&world, &older).await, SENDER, json!({})).await.status, 200);
    assert_eq!(world.post(&token_of(&world, &newer).await, SENDER, json!({})).await.status, 403);
    world.frame.clock.advance(Duration::from_secs(601));
    assert_eq!(world.post(&token_of(&world, &newer).await, SENDER, json!({})).await.status, 200);
}

#[tokio::test]
async fn a_key_ends_with_its_binding_and_a_token_with_its_time() {
    let (world, admin) = world().await;
    let id = world.runtime_instance(&admin, "a", &["ESBMessaging.send"]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    let token = token_of(&world, &key).await;
    let binding = world.get(&admin, BINDINGS).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.delete(&admin, &format!("{BINDINGS}/{binding}")).await.status, 200);
    let refused = world.token(&key).await;
    let words = json!({"error": "invalid_client", "error_description": "Bad credentials"});
    assert_eq!((refused.status, refused.body), (401, words));
    assert_eq!(world.post(&token, SENDER, json!({})).await.status, 200, "no token is called back");
    world.frame.clock.advance(Duration::from_secs(3601));
    assert_eq!(world.post(&token, SENDER, json!({})).await.status, 401);
}

#[tokio::test]
async fn the_key_looks_like_the_platform_hands_it_out() {
    let (world, admin) = world().await;
    let id = world.runtime_instance(&admin, "a", &[]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    assert!(key["clientid"].as_str().unwrap().contains("!b117912"));
    assert!(key["clientid"].as_str().unwrap().contains('|'));
    let secret = key["clientsecret"].as_str().unwrap();
    assert!(secret.contains("$planted_") && secret.ends_with('='), "{secret}");
}

#[tokio::test]
async fn a_generated_certificate_opens_sender_and_token_service() {
    let (world, admin) = world().await;
    let id = world.runtime_instance(&admin, "a", &["ESBMessaging.send"]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({"key-type": "certificate", "validity": 30})).await;
    assert!(key["certificatedetails"]["validuntil"].as_str().unwrap().contains(".000Z"));
    assert!(key["clientsecret"].is_null() && key["certificate"].as_str().unwrap().contains("-----\n"));
    let client = world.with_certificate(&key);
    let sender = format!("{}/http/orders", key["url"].as_str().unwrap());
    assert_eq!(client.post(&sender).send().await.unwrap().status(), 200);
    let form = [("grant_type", "client_credentials"), ("client_id", key["clientid"].as_str().unwrap())];
    let token = read(client.post(key["tokenurl"].as_str().unwrap()).form(&form).send().await.unwrap()).await;
    assert_eq!(token.status, 200);
    let plain = format!("{}/auth/oauth/token", world.frame.url);
    assert_eq!(world.http.post(plain).form(&form).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_own_certificate_is_used_once_across_all_instances() {
    let (world, admin) = world().await;
    let first = world.runtime_instance(&admin, "a", &[]).await;
    let second = world.runtime_instance(&admin, "b", &[]).await;
    let pem = rcgen::generate_simple_self_signed(vec!["own".to_owned()]).unwrap().cert.pem();
    let parameters = json!({"key-type": "certificate_external", "X.509": pem});
    world.runtime_key(&admin, &first, "k", parameters.clone()).await;
    let order = json!({"name": "k", "service_instance_id": second, "parameters": parameters});
    let refused = world.post(&admin, BINDINGS, order).await;
    assert_eq!((refused.status, &refused.body["error"]), (502, &json!("BrokerError")));
}

#[tokio::test]
async fn an_instance_that_names_no_grant_type_gets_no_tokens_unless_a_switch_says_so() {
    let (world, admin) = world().await;
    let made = async |name: &str| {
        let order = json!({"name": name, "service_offering_name": "it-rt", "service_plan_name": "integration-flow"});
        let made = world.post(&admin, INSTANCES, order).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().to_owned()
    };
    let key = world.runtime_key(&admin, &made("a").await, "k", json!({})).await;
    let refused = world.token(&key).await;
    assert_eq!((refused.status, &refused.body["error"]), (401, &json!("unauthorized_client")));
    world.set(json!({"missingGrantTypes": "client-credentials"})).await;
    let key = world.runtime_key(&admin, &made("b").await, "k", json!({})).await;
    assert_eq!(world.token(&key).await.status, 200);
}

#[tokio::test]
async fn no_roles_are_none_or_the_brokers_usual_one() {
    let (world, admin) = world().await;
    let opened = async |name: &str| {
        let id = world.runtime_instance(&admin, name, &[]).await;
        let key = world.runtime_key(&admin, &id, "k", json!({})).await;
        world.post(&token_of(&world, &key).await, SENDER, json!({})).await.status
    };
    assert_eq!(opened("a").await, 403);
    world.set(json!({"emptyRoles": "default"})).await;
    assert_eq!(opened("b").await, 200);
    let id = world.runtime_instance(&admin, "c", &["Other"]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    let last_goes = json!({"parameters": {"roles": []}});
    world.call(&admin, Method::PATCH, &format!("{INSTANCES}/{id}"), Some(last_goes)).await;
    assert_eq!(world.post(&token_of(&world, &key).await, SENDER, json!({})).await.status, 200, "it fails open");
}

#[tokio::test]
async fn a_new_client_may_take_a_while_to_be_known() {
    let (world, admin) = world().await;
    world.set(json!({"clientDelayMillis": 3000})).await;
    let id = world.runtime_instance(&admin, "a", &[]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    assert_eq!(world.token(&key).await.body["error"], "invalid_client");
    world.frame.clock.advance(Duration::from_secs(3));
    assert_eq!(world.token(&key).await.status, 200);
}

#[tokio::test]
async fn wrong_parameters_are_the_brokers_to_refuse() {
    let (world, admin) = world().await;
    for (number, parameters) in [
        json!({"roles": ["no spaces"]}),
        json!({"roles": "ESBMessaging.send"}),
        json!({"token-validity": 3599}),
        json!({"colour": "red"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut order = runtime_order(&format!("i{number}"), &[]);
        order["parameters"] = parameters;
        assert_eq!(world.post(&admin, INSTANCES, order).await.status, 502);
    }
    let id = world.runtime_instance(&admin, "a", &[]).await;
    let order = json!({"name": "k".repeat(33), "service_instance_id": id});
    assert_eq!(world.post(&admin, BINDINGS, order).await.status, 400);
}

#[tokio::test]
async fn a_path_can_ask_for_a_role_of_its_own() {
    let (world, admin) = world().await;
    world.set(json!({"senderRoles": {"orders": ["Orders.send"]}})).await;
    let id = world.runtime_instance(&admin, "a", &["ESBMessaging.send"]).await;
    let key = world.runtime_key(&admin, &id, "k", json!({})).await;
    let token = token_of(&world, &key).await;
    assert_eq!(world.post(&token, SENDER, json!({})).await.status, 403);
    assert_eq!(world.post(&token, "/runtime/http/other", json!({})).await.status, 200);
}

//! Orders as the open core carries them out: who waits for what, and what is left when it goes wrong.

use std::time::Duration;

use super::*;

async fn listed(world: &World, token: &str, name: &str) -> Vec<Value> {
    let path = format!("{INSTANCES}?fieldQuery=name%20eq%20%27{name}%27&attach_last_operations=true");
    world.get(token, &path).await.body["items"].as_array().unwrap().clone()
}

fn refused_order(name: &str) -> Value {
    let mut order = runtime_order(name, &[]);
    order["parameters"] = json!({"token-validity": 1});
    order
}

fn hurried() -> String {
    format!("{INSTANCES}?async=true")
}

#[tokio::test]
async fn two_orders_of_one_name_both_succeed_while_the_broker_is_asked() {
    let (world, token) = world().await;
    world.set(json!({"brokerMillis": 2000})).await;
    let first = location(&world.post(&token, &hurried(), runtime_order("a", &[])).await);
    assert!(listed(&world, &token, "a").await.is_empty(), "no row before the broker has answered");
    assert_eq!(world.get(&token, &first).await.body["state"], "in progress");
    let second = location(&world.post(&token, &hurried(), runtime_order("a", &[])).await);
    world.frame.clock.advance(Duration::from_secs(2));
    for operation in [first, second] {
        assert_eq!(world.get(&token, &operation).await.body["state"], "succeeded");
    }
    assert_eq!(listed(&world, &token, "a").await.len(), 2);
    assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 409);
}

#[tokio::test]
async fn two_bindings_of_one_name_both_succeed_too() {
    let (world, token) = world().await;
    let id = world.runtime_instance(&token, "a", &[]).await;
    world.set(json!({"brokerMillis": 200})).await;
    let order = || world.post(&token, BINDINGS, binding_order(&id, "k"));
    let (one, two) = tokio::join!(order(), order());
    assert_eq!((one.status, two.status), (201, 201));
    assert_eq!(world.get(&token, BINDINGS).await.body["num_items"], 2);
    let path = format!("{BINDINGS}/{}", one.body["id"].as_str().unwrap());
    assert_eq!(world.delete(&token, &path).await.status, 200);
    let named = format!("{BINDINGS}?fieldQuery=name%20eq%20%27k%27%20and%20service_instance_id%20eq%20%27{id}%27");
    assert_eq!(world.get(&token, &named).await.body["items"][0]["id"], two.body["id"]);
}

#[tokio::test]
async fn whoever_says_false_waits_for_an_asynchronous_broker() {
    let (world, token) = world().await;
    world.set(json!({"asyncPlans": ["integration-flow"], "operationMillis": 150})).await;
    let made = world.post(&token, &format!("{INSTANCES}?async=false"), runtime_order("a", &[])).await;
    assert_eq!((made.status, &made.body["ready"]), (201, &json!(true)));
    let path = format!("{INSTANCES}/{}?async=false", made.body["id"].as_str().unwrap());
    assert_eq!(world.delete(&token, &path).await.status, 200);
    for said in ["TRUE", "xyz", "1"] {
        let answer = world.post(&token, &format!("{INSTANCES}?async={said}"), runtime_order(said, &[])).await;
        assert_eq!(answer.status, 202, "{said}");
    }
}

#[tokio::test]
async fn a_request_that_waits_too_long_is_cut_off_and_its_object_stays_in_progress() {
    let (world, token) = world().await;
    let slow = json!({"asyncPlans": ["integration-flow"], "operationMillis": 1000, "timeoutMillis": 50});
    world.set(slow).await;
    let cut = world.post(&token, &format!("{INSTANCES}?async=false"), runtime_order("a", &[])).await;
    assert_eq!((cut.status, &cut.body["error"]), (503, &json!("Timeout")));
    world.frame.clock.advance(Duration::from_mins(10));
    assert_eq!(listed(&world, &token, "a").await[0]["last_operation"]["state"], "in progress");
    world.frame.clock.advance(Duration::from_mins(10));
    assert_eq!(listed(&world, &token, "a").await[0]["last_operation"]["state"], "succeeded");
}

#[tokio::test]
async fn nobody_polls_for_a_client_that_has_hung_up() {
    let (world, token) = world().await;
    world.set(json!({"asyncPlans": ["integration-flow"], "operationMillis": 30_000})).await;
    let path = format!("{INSTANCES}?async=false");
    let order = world.post(&token, &path, runtime_order("a", &[]));
    assert!(tokio::time::timeout(Duration::from_millis(500), order).await.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.frame.clock.advance(Duration::from_mins(5));
    assert_eq!(listed(&world, &token, "a").await[0]["last_operation"]["state"], "in progress");
}

#[tokio::test]
async fn a_synchronous_broker_goes_on_for_a_client_that_has_hung_up_but_not_beyond_the_limit() {
    let (world, token) = world().await;
    world.set(json!({"brokerMillis": 60_000})).await;
    let order = world.post(&token, INSTANCES, runtime_order("a", &[]));
    assert!(tokio::time::timeout(Duration::from_millis(500), order).await.is_err());
    world.frame.clock.advance(Duration::from_secs(61));
    assert_eq!(listed(&world, &token, "a").await.len(), 1);
    world.set(json!({"timeoutMillis": 50})).await;
    assert_eq!(world.post(&token, INSTANCES, runtime_order("b", &[])).await.body["error"], "Timeout");
    world.frame.clock.advance(Duration::from_secs(60));
    assert!(listed(&world, &token, "b").await.is_empty());
}

#[tokio::test]
async fn a_failed_creation_leaves_the_object_only_where_nobody_waited() {
    let (world, token) = world().await;
    let failed = world.post(&token, INSTANCES, refused_order("a")).await;
    assert_eq!((failed.status, &failed.body["error"]), (502, &json!("BrokerError")));
    assert!(failed.body["description"].as_str().unwrap().contains("Status: 400; ErrorMessage: <nil>"));
    assert_eq!(failed.body["broker_error"], Value::Null);
    assert!(listed(&world, &token, "a").await.is_empty());
    let operation = location(&world.post(&token, &hurried(), refused_order("a")).await);
    assert_eq!(world.get(&token, &operation).await.body["errors"]["error"], "BrokerError");
    let left = listed(&world, &token, "a").await[0].clone();
    assert_eq!((&left["ready"], &left["last_operation"]["state"]), (&json!(false), &json!("failed")));
    assert_eq!(world.post(&token, INSTANCES, runtime_order("a", &[])).await.status, 409);
    let binding = world.post(&token, BINDINGS, binding_order(left["id"].as_str().unwrap(), "k")).await;
    assert_eq!((binding.status, &binding.body["error"]), (422, &json!("OperationInProgress")));
    assert_eq!(world.delete(&token, &format!("{INSTANCES}/{}", left["id"].as_str().unwrap())).await.status, 200);
}

#[tokio::test]
async fn a_broker_may_fail_in_the_end() {
    let (world, token) = world().await;
    let broken =
        json!({"asyncPlans": ["integration-flow"], "failingPlans": ["integration-flow"], "operationMillis": 60_000});
    world.set(broken).await;
    let operation = location(&world.post(&token, INSTANCES, runtime_order("a", &[])).await);
    assert_eq!(world.get(&token, &operation).await.body["state"], "in progress");
    world.frame.clock.advance(Duration::from_secs(60));
    assert_eq!(world.get(&token, &operation).await.body["state"], "failed");
    assert_eq!(listed(&world, &token, "a").await.len(), 1);
    world.set(json!({"operationMillis": 100})).await;
    let waited = world.post(&token, &format!("{INSTANCES}?async=false"), runtime_order("b", &[])).await;
    assert_eq!((waited.status, &waited.body["error"]), (502, &json!("BrokerError")));
    assert!(listed(&world, &token, "b").await.is_empty());
}

#[tokio::test]
async fn errors_are_written_as_the_switches_say() {
    let (world, token) = world().await;
    world.set(json!({"brokerErrorMember": "present", "operationErrors": "list"})).await;
    let failed = world.post(&token, INSTANCES, refused_order("a")).await;
    assert_eq!(failed.body["broker_error"]["StatusCode"], 400);
    let operation = location(&world.post(&token, &hurried(), refused_order("a")).await);
    assert_eq!(world.get(&token, &operation).await.body["errors"][0]["broker_error"]["StatusCode"], 400);
}

#[tokio::test]
async fn an_instance_may_be_deleted_while_it_is_made_and_not_bound_while_it_goes() {
    let (world, token) = world().await;
    world.set(json!({"asyncPlans": ["integration-flow"], "operationMillis": 60_000})).await;
    let creation = location(&world.post(&token, INSTANCES, runtime_order("a", &[])).await);
    let path = format!("{INSTANCES}/{}", listed(&world, &token, "a").await[0]["id"].as_str().unwrap());
    let deletion = location(&world.delete(&token, &path).await);
    let again = world.delete(&token, &path).await;
    assert_eq!((again.status, &again.body["error"]), (422, &json!("ConcurrentOperationInProgress")));
    world.frame.clock.advance(Duration::from_secs(61));
    assert_eq!(world.get(&token, &creation).await.body["state"], "succeeded");
    assert_eq!(world.get(&token, &deletion).await.body["state"], "succeeded");
    assert_eq!(world.get(&token, &path).await.status, 404);
    world.set(json!({"asyncPlans": []})).await;
    let id = world.runtime_instance(&token, "b", &[]).await;
    world.set(json!({"brokerMillis": 60_000})).await;
    location(&world.delete(&token, &format!("{INSTANCES}/{id}?async=true")).await);
    let binding = world.post(&token, BINDINGS, binding_order(&id, "k")).await;
    assert_eq!((binding.status, &binding.body["error"]), (422, &json!("OperationInProgress")));
}

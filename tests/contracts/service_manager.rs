//! A story that touches every route of the Service Manager, its good ends and its bad ones.

use reqwest::Method;
use serde_json::{Value, json};

use crate::recording::Recording;

const INSTANCES: &str = "/v1/service_instances";
const BINDINGS: &str = "/v1/service_bindings";

/// Drives the Service Manager.
pub(crate) async fn story(recording: &mut Recording<'_>) {
    marketplace(recording).await;
    let instance = instances(recording).await;
    bindings(recording, &instance).await;
    asynchronous(recording).await;
    refusals(recording, &instance).await;
}

fn id(shown: &Value) -> String {
    shown["id"].as_str().unwrap_or_else(|| panic!("no id in {shown}")).to_owned()
}

async fn marketplace(recording: &mut Recording<'_>) {
    let offerings = recording.get("/v1/service_offerings?fieldQuery=name%20eq%20%27it-rt%27").await;
    recording.get(&format!("/v1/service_offerings/{}", id(&offerings["items"][0]))).await;
    let plans = recording.get("/v1/service_plans?max_items=2").await;
    recording.get(&format!("/v1/service_plans?token={}", plans["token"].as_str().expect("a second page"))).await;
    recording.get(&format!("/v1/service_plans/{}", id(&plans["items"][0]))).await;
    recording.get("/v1/service_plans/none").await;
    recording.get("/v1/service_offerings/none").await;
    recording.get("/v1/service_offerings?fieldQuery=catalog_name%20eq%20%27hana%27").await;
    recording.wrong(Method::GET, "/v1/service_offerings?max_items=many", None).await;
    recording.expect_status(400);
}

async fn instances(recording: &mut Recording<'_>) -> String {
    let order = json!({"name": "a", "service_offering_name": "it-rt", "service_plan_name": "integration-flow",
                       "labels": {"owner": ["us"], "_clusterid": ["c"]}, "parameters": {"roles": ["ESBMessaging.send"]}});
    let made = recording.post(INSTANCES, order.clone()).await;
    recording.expect_status(201);
    recording.post(INSTANCES, order).await;
    recording.expect_status(409);
    recording.post(INSTANCES, json!({"name": "b", "service_plan_id": made["service_plan_id"]})).await;
    recording.get(&format!("{INSTANCES}?labelQuery=owner%20eq%20%27us%27&attach_last_operations=true")).await;
    let path = format!("{INSTANCES}/{}", id(&made));
    recording.get(&path).await;
    recording.get(&format!("{path}/parameters")).await;
    let labels = json!([{"op": "add", "key": "more", "values": ["1"]}]);
    recording.patch(&path, json!({"parameters": {"roles": []}, "labels": labels})).await;
    recording.expect_status(200);
    id(&made)
}

async fn bindings(recording: &mut Recording<'_>, instance: &str) {
    let order = json!({"name": "k", "service_instance_id": instance, "labels": {"owner": ["us"]}});
    let made = recording.post(BINDINGS, order.clone()).await;
    recording.expect_status(201);
    recording.post(BINDINGS, order).await;
    let parameters = json!({"key-type": "certificate", "validity": 30});
    let order = json!({"name": "certified", "service_instance_id": instance, "parameters": parameters});
    recording.post(BINDINGS, order).await;
    recording.get(&format!("{BINDINGS}?fieldQuery=service_instance_id%20eq%20%27{instance}%27")).await;
    let path = format!("{BINDINGS}/{}", id(&made));
    recording.get(&path).await;
    recording.get(&format!("{path}/parameters")).await;
    recording.patch(&path, json!({"name": "renamed"})).await;
    recording.delete(&format!("{INSTANCES}/{instance}"), None).await;
    recording.expect_status(400);
    recording.delete(&path, None).await;
    recording.delete(&path, None).await;
    recording.expect_status(404);
}

async fn asynchronous(recording: &mut Recording<'_>) {
    recording.simulator.set("settings", &json!({"asyncPlans": ["lite"], "operationMillis": 0})).await;
    let order = json!({"name": "c", "service_offering_name": "destination", "service_plan_name": "lite"});
    assert_eq!(recording.post(INSTANCES, order).await, json!({}));
    recording.expect_status(202);
    let listed =
        recording.get(&format!("{INSTANCES}?fieldQuery=name%20eq%20%27c%27&attach_last_operations=true")).await;
    let (made, operation) = (id(&listed["items"][0]), id(&listed["items"][0]["last_operation"]));
    let ended = recording.get(&format!("{INSTANCES}/{made}/operations/{operation}")).await;
    assert_eq!(ended["state"], "succeeded");
    recording.patch(&format!("{INSTANCES}/{made}?async=true"), json!({"name": "d"})).await;
    recording.post(&format!("{BINDINGS}?async=true"), json!({"name": "k", "service_instance_id": made})).await;
    recording.delete(&format!("{INSTANCES}/{made}?async=true"), None).await;
    recording.expect_status(202);
    for errors in ["object", "list"] {
        recording.simulator.set("settings", &json!({"operationErrors": errors, "brokerErrorMember": "present"})).await;
        let failed = recording.get(&format!("{INSTANCES}/{made}")).await;
        assert_eq!(failed["last_operation"]["state"], "failed");
    }
}

async fn refusals(recording: &mut Recording<'_>, instance: &str) {
    let refused = json!({"name": "e", "service_offering_name": "it-rt", "service_plan_name": "api",
                         "parameters": {"token-validity": 1}});
    recording.post(INSTANCES, refused).await;
    recording.expect_status(502);
    recording.wrong(Method::POST, INSTANCES, Some(json!({"colour": "red"}))).await;
    recording.expect_status(400);
    recording.post(INSTANCES, json!({"name": "e", "service_plan_id": "none"})).await;
    recording.expect_status(404);
    recording.post(BINDINGS, json!({"name": "k", "service_instance_id": "none"})).await;
    recording.expect_status(404);
    cut_off(recording).await;
    recording.get(&format!("{INSTANCES}/{instance}/operations/none")).await;
    let fault = json!({"kind": "throttle", "times": 1, "retryAfter": "go-time"});
    recording.simulator.set("faults/service-manager.list-bindings", &fault).await;
    recording.get(BINDINGS).await;
    recording.expect_status(429);
    let stranger = recording.simulator.token("xsuaa").await;
    let own = recording.with_token(&stranger);
    recording.get(INSTANCES).await;
    recording.expect_status(403);
    recording.with_token("");
    recording.get(INSTANCES).await;
    recording.expect_status(401);
    recording.with_token(&own);
}

async fn cut_off(recording: &mut Recording<'_>) {
    let slow = json!({"asyncPlans": ["lite"], "operationMillis": 60_000, "timeoutMillis": 10});
    recording.simulator.set("settings", &slow).await;
    let order = json!({"name": "f", "service_offering_name": "destination", "service_plan_name": "lite"});
    recording.post(&format!("{INSTANCES}?async=false"), order).await;
    recording.expect_status(503);
    let listed = recording.get(&format!("{INSTANCES}?fieldQuery=name%20eq%20%27f%27")).await;
    recording.post(BINDINGS, json!({"name": "k", "service_instance_id": id(&listed["items"][0])})).await;
    recording.expect_status(422);
}

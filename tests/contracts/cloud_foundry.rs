//! A story that touches every route of Cloud Foundry's API, its good ends and its bad ones.

use reqwest::Method;
use serde_json::{Value, json};

use crate::recording::Recording;

const ROLES: &str = "/v3/roles";
const INSTANCES: &str = "/v3/service_instances";
const KEYS: &str = "/v3/service_credential_bindings";

/// Drives Cloud Foundry.
pub(crate) async fn story(recording: &mut Recording<'_>) {
    recording.simulator.set("settings", &json!({"jobMillis": 0})).await;
    for root in ["", "/", "/v3", "/v3/info"] {
        recording.get(root).await;
        recording.expect_status(200);
    }
    let organization = found(recording, "/v3/organizations?names=acme&order_by=name").await;
    let space = found(recording, "/v3/spaces?names=integration&include=organization").await;
    recording.get(&format!("/v3/organizations/{organization}")).await;
    recording.get(&format!("/v3/spaces/{space}")).await;
    roles(recording, &organization, &space).await;
    let instance = instances(recording, &space).await;
    keys(recording, &instance).await;
    failures(recording, &instance).await;
    recording.delete(&format!("{INSTANCES}/{instance}"), None).await;
    ended(recording, "COMPLETE").await;
    refusals(recording, &organization).await;
}

/// The guid of the first thing that a list shows.
async fn found(recording: &mut Recording<'_>, list: &str) -> String {
    let listed = recording.get(list).await;
    recording.expect_status(200);
    listed["resources"][0]["guid"].as_str().unwrap_or_else(|| panic!("nothing in {list}")).to_owned()
}

/// The job of the last answer, when it has ended.
async fn ended(recording: &mut Recording<'_>, state: &str) -> Value {
    recording.expect_status(202);
    let location = recording.location.clone().expect("a job");
    let job = location.rsplit('/').next().expect("a guid").to_owned();
    for _ in 0..500 {
        let shown = recording.get(&format!("/v3/jobs/{job}")).await;
        if shown["state"] != "PROCESSING" && shown["state"] != "POLLING" {
            assert_eq!(shown["state"], state, "{shown}");
            return shown;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the job does not end");
}

fn role(kind: &str, user: Value, place: &str, guid: &str) -> Value {
    json!({"type": kind, "relationships": {"user": {"data": user}, place: {"data": {"guid": guid}}}})
}

async fn roles(recording: &mut Recording<'_>, organization: &str, space: &str) {
    let joe = json!({"username": "joe@acme.example", "origin": "acme-platform"});
    recording.post(ROLES, role("space_developer", joe.clone(), "space", space)).await;
    recording.expect_status(422);
    let given = recording.post(ROLES, role("organization_user", joe.clone(), "organization", organization)).await;
    recording.expect_status(201);
    let guid = given["relationships"]["user"]["data"]["guid"].clone();
    let in_space = recording.post(ROLES, role("space_developer", json!({"guid": guid}), "space", space)).await;
    recording.expect_status(201);
    recording.post(ROLES, role("organization_user", joe, "organization", organization)).await;
    recording.expect_status(422);
    let guid = guid.as_str().unwrap_or_default();
    recording.get(&format!("{ROLES}?user_guids={guid}&types=organization_user,space_developer&include=user")).await;
    recording.get(&format!("{ROLES}?include=user,organization,space&per_page=2&page=2")).await;
    recording.get("/v3/users?usernames=joe@acme.example&origins=acme-platform").await;
    recording.get(&format!("/v3/users/{guid}")).await;
    let path = format!("{ROLES}/{}", in_space["guid"].as_str().unwrap_or_default());
    recording.get(&format!("{path}?include=user")).await;
    recording.delete(&path, None).await;
    ended(recording, "COMPLETE").await;
    recording.delete(&path, None).await;
    recording.expect_status(404);
    recording.post("/v3/users", json!({"guid": "somebody"})).await;
    recording.expect_status(403);
    recording.simulator.set("settings", &json!({"cloudFoundryUnknownUsers": "created"})).await;
    recording.post("/v3/users", json!({"username": "new@acme.example", "origin": "acme-platform"})).await;
    recording.expect_status(201);
}

async fn instances(recording: &mut Recording<'_>, space: &str) -> String {
    let offering = found(recording, "/v3/service_offerings?names=it-rt").await;
    recording.get(&format!("/v3/service_offerings/{offering}")).await;
    let plans = "/v3/service_plans?names=integration-flow&service_offering_names=it-rt&include=service_offering";
    let plan = found(recording, plans).await;
    recording.get(&format!("/v3/service_plans/{plan}")).await;
    let order = json!({"type": "managed", "name": "a", "parameters": {"grant-types": ["client_credentials"]},
                       "metadata": {"labels": {"acme.example/owner": "us"}},
                       "relationships": {"space": {"data": {"guid": space}}, "service_plan": {"data": {"guid": plan}}}});
    recording.post(INSTANCES, order.clone()).await;
    let job = ended(recording, "COMPLETE").await;
    assert!(job["links"]["service_instance"]["href"].is_string(), "{job}");
    recording.post(INSTANCES, order).await;
    recording.expect_status(422);
    let instance =
        found(recording, &format!("{INSTANCES}?names=a&space_guids={space}&label_selector=acme.example%2Fowner")).await;
    recording.get(&format!("{INSTANCES}?fields[service_plan]=name,guid")).await;
    let path = format!("{INSTANCES}/{instance}");
    recording.get(&path).await;
    recording.get(&format!("{path}/parameters")).await;
    recording.expect_status(400);
    recording.patch(&path, json!({"metadata": {"labels": {"more": "1"}}})).await;
    recording.expect_status(200);
    recording.patch(&path, json!({"parameters": {"roles": ["ESBMessaging.send"]}})).await;
    ended(recording, "COMPLETE").await;
    instance
}

fn key(instance: &str, name: &str, parameters: Value) -> Value {
    json!({"type": "key", "name": name, "parameters": parameters,
           "relationships": {"service_instance": {"data": {"guid": instance}}}})
}

async fn keys(recording: &mut Recording<'_>, instance: &str) {
    recording.post(KEYS, key(instance, "k", json!({}))).await;
    ended(recording, "COMPLETE").await;
    recording.post(KEYS, key(instance, "k", json!({}))).await;
    recording.expect_status(422);
    let path = format!("{KEYS}?type=key&service_instance_guids={instance}&include=service_instance");
    let path = format!("{KEYS}/{}", found(recording, &path).await);
    recording.get(&path).await;
    let details = recording.get(&format!("{path}/details")).await;
    assert!(details["credentials"]["oauth"]["clientid"].is_string());
    recording.get(&format!("{path}/parameters")).await;
    recording.expect_status(400);
    recording.patch(&path, json!({"metadata": {"annotations": {"note": "a text"}}})).await;
    recording.delete(&path, None).await;
    ended(recording, "COMPLETE").await;
}

async fn failures(recording: &mut Recording<'_>, instance: &str) {
    recording.post(KEYS, key(instance, "f", json!({"key-type": "none"}))).await;
    let job = ended(recording, "FAILED").await;
    assert_eq!(job["errors"][0]["code"], 10009);
    let failed = found(recording, &format!("{KEYS}?names=f")).await;
    recording.get(&format!("{KEYS}/{failed}/details")).await;
    recording.expect_status(404);
    recording.simulator.set("settings", &json!({"jobMillis": 60_000})).await;
    recording.patch(&format!("{INSTANCES}/{instance}"), json!({"parameters": {}})).await;
    recording.expect_status(202);
    recording.patch(&format!("{INSTANCES}/{instance}"), json!({"parameters": {}})).await;
    recording.expect_status(409);
    let client = recording.simulator.http.post(format!("{}/_simulator/clock", recording.simulator.url));
    assert!(client.json(&json!({"advanceSeconds": 60})).send().await.expect("an answer").status().is_success());
    recording.simulator.set("settings", &json!({"jobMillis": 0})).await;
}

async fn refusals(recording: &mut Recording<'_>, organization: &str) {
    recording.wrong(Method::GET, "/v3/spaces?colour=red", None).await;
    recording.expect_status(400);
    recording.wrong(Method::POST, ROLES, Some(json!({"colour": "red"}))).await;
    recording.expect_status(422);
    recording.wrong(Method::GET, "/v3/nothing", None).await;
    recording.expect_status(404);
    recording.get("/v3/jobs/none").await;
    recording.expect_status(404);
    let unknown =
        role("organization_user", json!({"username": "nobody", "origin": "uaa"}), "organization", organization);
    recording.post(ROLES, unknown).await;
    recording.expect_status(422);
    recording.simulator.set("settings", &json!({"cloudFoundryRequestsPerHour": 1})).await;
    recording.get("/v3/spaces").await;
    recording.expect_status(429);
    recording.get(INSTANCES).await;
    recording.expect_status(429);
    recording.simulator.set("settings", &json!({"cloudFoundryRequestsPerHour": null})).await;
    let own = recording.with_token("");
    recording.get(ROLES).await;
    recording.expect_status(401);
    recording.with_token("forged");
    recording.get(ROLES).await;
    recording.expect_status(401);
    recording.with_token(&own);
}

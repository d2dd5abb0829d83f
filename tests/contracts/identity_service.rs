//! A story that touches every route of the Identity Directory that the simulator has.

use reqwest::Method;
use serde_json::{Value, json};

use crate::recording::Recording;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const SAP: &str = "urn:ietf:params:scim:schemas:extension:sap:2.0:User";
const CUSTOM: &str = "urn:sap:cloud:scim:schemas:extension:custom:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const NOBODY: &str = "/Users/00000000-0000-4000-8000-000000000000";

/// Drives the directory.
pub(crate) async fn story(recording: &mut Recording<'_>) {
    let made = recording.post("/Users", user("tu-1")).await;
    recording.expect_status(201);
    let id = made["id"].as_str().expect("an id").to_owned();
    recording.post("/Users", user("tu-2")).await;
    lists(recording).await;
    changes(recording, &format!("/Users/{id}")).await;
    groups(recording, &id).await;
    refusals(recording).await;
    recording.delete(&format!("/Users/{id}"), None).await;
    recording.expect_status(204);
}

fn user(name: &str) -> Value {
    json!({"schemas": [USER, SAP, CUSTOM], "userName": name, "displayName": name, "externalId": "a/b/c", "active": true,
           "userType": "employee", "password": "Planted-1", "name": {"givenName": "TU", "familyName": name},
           "emails": [{"value": format!("{name}@tech.example.invalid"), "primary": true, "type": "work"}],
           CUSTOM: {"attributes": [{"name": "customAttribute1", "value": "ours"}]},
           SAP: {"status": "active", "sendMail": false, "mailVerified": true, "passwordDetails": {"status": "enabled"},
                 "validFrom": "2026-01-01T00:00:00Z", "validTo": "2036-01-01T00:00:00Z"}})
}

async fn lists(recording: &mut Recording<'_>) {
    let first = recording.get("/Users?startId=initial&count=1").await;
    let next = first["nextId"].as_str().expect("a next page").to_owned();
    let last = recording.get(&format!("/Users?startId={next}&count=1&attributes=userName,emails,name")).await;
    assert_eq!(last["nextId"], "<end>");
    recording.get("/Users?filter=userName%20eq%20%22tu-1%22%20and%20externalId%20eq%20%22a%2Fb%2Fc%22").await;
    recording.expect_status(200);
}

async fn changes(recording: &mut Recording<'_>, path: &str) {
    recording.get(&format!("{path}?excludedAttributes=groups")).await;
    recording.expect_status(200);
    let enabled = format!("{SAP}:passwordDetails.status");
    let operations = json!([{"op": "replace", "path": "password", "value": "Planted-2"},
                            {"op": "replace", "path": enabled, "value": "enabled"}]);
    recording.patch(path, patch(operations)).await;
    recording.expect_status(204);
    recording.put(path, Some(user("tu-1b"))).await;
    recording.expect_status(200);
}

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

async fn groups(recording: &mut Recording<'_>, member: &str) {
    let body = json!({"schemas": [GROUP], "displayName": "crew", "members": [{"value": member, "type": "User"}]});
    let made = recording.post("/Groups", body).await;
    recording.expect_status(201);
    let path = format!("/Groups/{}", made["id"].as_str().expect("an id"));
    recording.get("/Groups?startId=initial&filter=displayName%20eq%20%22crew%22").await;
    recording.get(&path).await;
    let out = json!([{"op": "remove", "path": format!("members[value eq \"{member}\"]")}]);
    recording.patch(&path, patch(out)).await;
    recording.expect_status(204);
    recording.put(&path, Some(json!({"schemas": [GROUP], "displayName": "crew 2"}))).await;
    recording.expect_status(200);
    recording.delete(&path, None).await;
    recording.expect_status(204);
}

async fn refusals(recording: &mut Recording<'_>) {
    recording.get(NOBODY).await;
    recording.expect_status(404);
    recording.get("/Users/nobody").await;
    recording.expect_status(400);
    recording.post("/Users", user("tu-2")).await;
    recording.expect_status(409);
    recording.wrong(Method::POST, "/Users", Some(json!({"schemas": [USER], "userName": "a"}))).await;
    recording.expect_status(400);
    let own = recording.with_token("");
    recording.get("/Users").await;
    recording.expect_status(401);
    recording.with_token(&own);
}

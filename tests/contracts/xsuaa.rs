//! A story that touches every route of the XSUAA API that the simulator has.

use reqwest::Method;
use serde_json::{Value, json};

use crate::recording::Recording;

const USERS: &str = "/sap/rest/user/origin/sap.default/name";
const COLLECTIONS: &str = "/sap/rest/authorization/v2/rolecollections";
const PROVIDER: &str = "/sap/rest/authorization/v2/identity-providers/sap.custom";

/// Drives the XSUAA API.
pub(crate) async fn story(recording: &mut Recording<'_>) {
    users(recording).await;
    assignments(recording).await;
    collections(recording).await;
    mappings(recording).await;
    refusals(recording).await;
}

fn id(shown: &Value) -> &str {
    shown["id"].as_str().unwrap_or_else(|| panic!("no id in {shown}"))
}

async fn users(recording: &mut Recording<'_>) {
    let made = recording.post("/sap/rest/user", json!({"username": "a@acme.example", "givenName": "A"})).await;
    recording.expect_status(200);
    recording
        .post("/sap/rest/user/bulk", json!([{"username": "b@acme.example"}, {"username": "c@acme.example"}]))
        .await;
    recording.get("/sap/rest/user/origin").await;
    recording.get(&format!("{USERS}?details=true")).await;
    recording.get(USERS).await;
    recording.get(&format!("{USERS}/a%40acme.example")).await;
    recording.get(&format!("/sap/rest/user/id/{}", id(&made))).await;
    change_and_delete(recording, &made).await;
    recording.get(&format!("{USERS}/b%40acme.example")).await;
    recording.expect_status(404);
}

async fn change_and_delete(recording: &mut Recording<'_>, made: &Value) {
    let change = json!({"id": id(made), "username": "a@acme.example", "roleCollections": ["PI_Read_Only"]});
    let changed = recording.put("/sap/rest/user?onlyRoleCollections=true", Some(change)).await;
    assert_eq!(changed["roleCollections"], json!(["PI_Read_Only"]));
    recording.get(&format!("/sap/rest/authorization/v2/users/{}/rolecollections", id(made))).await;
    recording.delete(&format!("/sap/rest/user/id/{}", id(made)), None).await;
    recording.delete(&format!("{USERS}/b%40acme.example"), None).await;
}

async fn assignments(recording: &mut Recording<'_>) {
    let path = "/sap/rest/user/origin/ldap/name/j%40acme.example/rolecollections/Order%20Intake%20Support";
    recording.put(path, None).await;
    recording.expect_status(404);
    let assigned = recording.put(&format!("{path}?createUserIfMissing=true"), None).await;
    recording.expect_status(200);
    assert_eq!(assigned["origin"], "sap.default");
    recording.delete(path, None).await;
    recording.expect_status(200);
}

async fn collections(recording: &mut Recording<'_>) {
    recording.get(&format!("{COLLECTIONS}?showRoles=true&showUsers=true&showGroups=true&top=500&skip=0")).await;
    recording.get(&format!("{COLLECTIONS}/pages?showUsers=true")).await;
    recording.get(&format!("{COLLECTIONS}/pages/1")).await;
    recording.post(COLLECTIONS, json!({"name": "Mine", "description": "d"})).await;
    recording.expect_status(201);
    recording.get(&format!("{COLLECTIONS}/Mine?withUsers=true&withGroups=true")).await;
    recording.put(&format!("{COLLECTIONS}/Mine"), Some(json!({"description": "e"}))).await;
    let roles = json!([{"roleTemplateAppId": "it!b117912", "roleTemplateName": "T", "name": "R"}]);
    recording.put(&format!("{COLLECTIONS}/Mine/roles"), Some(roles.clone())).await;
    recording.delete(&format!("{COLLECTIONS}/Mine/roles"), Some(roles)).await;
    recording.delete(&format!("{COLLECTIONS}/Mine"), None).await;
    recording.get(&format!("{COLLECTIONS}/Mine")).await;
    recording.expect_status(404);
}

async fn mappings(recording: &mut Recording<'_>) {
    recording.get("/sap/rest/identity-providers").await;
    let mapping = json!({"roleCollectionName": "PI_Read_Only", "attributeName": "Groups",
                         "attributeValue": "g", "operator": "equals"});
    recording.post(&format!("{PROVIDER}/attributes"), mapping).await;
    recording.expect_status(201);
    recording.get(&format!("{COLLECTIONS}/PI_Read_Only?withGroups=true")).await;
    recording.get(&format!("{PROVIDER}/attributes/rolecollections")).await;
    recording.get(&format!("{PROVIDER}/attributes/Groups/rolecollections/PI_Read_Only")).await;
    recording.get(&format!("{PROVIDER}/rolecollections/PI_Read_Only")).await;
    recording.delete(&format!("{PROVIDER}/attributes/Groups/equals/g/rolecollections/PI_Read_Only"), None).await;
    recording.expect_status(200);
}

async fn refusals(recording: &mut Recording<'_>) {
    recording.wrong(Method::POST, "/sap/rest/user", Some(json!({"colour": "red"}))).await;
    recording.expect_status(400);
    let own = recording.with_token("");
    recording.get(COLLECTIONS).await;
    recording.expect_status(401);
    recording.with_token(&own);
}

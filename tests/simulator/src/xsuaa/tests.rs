//! The XSUAA API over HTTP, with the peculiarities of its recorded answers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::World;

const USER: &str = "/xsuaa/sap/rest/user/origin/sap.default/name/jane%40acme.example";
const COLLECTIONS: &str = "/xsuaa/sap/rest/authorization/v2/rolecollections";

async fn world() -> (World, String) {
    let world = World::start().await;
    let token = world.admin("xsuaa").await;
    (world, token)
}

fn assignment(origin: &str, collection: &str) -> String {
    format!("/xsuaa/sap/rest/user/origin/{origin}/name/jane%40acme.example/rolecollections/{collection}")
}

#[tokio::test]
async fn the_legacy_origin_goes_in_and_the_real_one_comes_out() {
    let (world, token) = world().await;
    let path = assignment("ldap", "Order%20Intake%20Support") + "?createUserIfMissing=true";
    let first = world.call(&token, Method::PUT, &path, None).await;
    assert_eq!((first.status, &first.body["origin"]), (200, &json!("sap.default")));
    assert_eq!(first.body["roleCollections"], json!(["Order Intake Support"]));
    let again = world.call(&token, Method::PUT, &path, None).await;
    assert_eq!(again.body["version"].as_u64(), first.body["version"].as_u64().map(|version| version + 1));
    assert_eq!(again.body["roleCollections"], first.body["roleCollections"]);
    assert_eq!(world.get(&token, USER).await.body["id"], first.body["id"]);
}

#[tokio::test]
async fn what_is_missing_is_said_in_the_platforms_words() {
    let (world, token) = world().await;
    let put = |path: String| {
        let (world, token) = (&world, token.as_str());
        async move { world.call(token, Method::PUT, &path, None).await }
    };
    let unknown_user = put(assignment("sap.default", "PI_Read_Only")).await;
    assert_eq!(unknown_user.status, 404);
    let unknown_collection = put(assignment("sap.default", "None") + "?createUserIfMissing=true").await;
    assert_eq!(unknown_collection.status, 404);
    assert!(unknown_collection.body["error"].as_str().unwrap().starts_with("No entity found with values = [["));
    let unknown_origin = put(assignment("nowhere", "PI_Read_Only") + "?createUserIfMissing=true").await;
    assert!(unknown_origin.body["error"].as_str().unwrap().contains("IDP does not exist with origin_key"));
    let names = world.get(&token, "/xsuaa/sap/rest/user/origin/nowhere/name").await;
    assert_eq!(names.body, json!({"error": "Could not get user names: didn't find idp"}));
}

#[tokio::test]
async fn a_user_made_anew_has_a_new_id_and_no_roles() {
    let (world, token) = world().await;
    let made = world.post(&token, "/xsuaa/sap/rest/user", json!({"username": "jane@acme.example"})).await;
    assert_eq!((made.status, &made.body["origin"]), (200, &json!("sap.default")));
    world.call(&token, Method::PUT, &assignment("sap.default", "PI_Read_Only"), None).await;
    assert_eq!(world.delete(&token, USER).await.status, 200);
    assert_eq!(world.get(&token, USER).await.status, 404);
    let again = world.post(&token, "/xsuaa/sap/rest/user", json!({"username": "jane@acme.example"})).await.body;
    assert_ne!(again["id"], made.body["id"]);
    assert_eq!(again["roleCollections"], json!([]));
}

#[tokio::test]
async fn role_collections_come_in_pages_with_their_users() {
    let (world, token) = world().await;
    world
        .call(&token, Method::PUT, &(assignment("sap.custom", "PI_Read_Only") + "?createUserIfMissing=true"), None)
        .await;
    let all = world.get(&token, COLLECTIONS).await.body;
    assert_eq!(all[0]["userReferences"], Value::Null);
    let page = world.get(&token, &format!("{COLLECTIONS}?showUsers=true&skip=4&top=1")).await.body;
    assert_eq!((page.as_array().unwrap().len(), &page[0]["name"]), (1, &json!("PI_Read_Only")));
    assert_eq!(page[0]["userReferences"][0]["origin"], "sap.custom");
    let unassigned = world.delete(&token, &assignment("sap.custom", "PI_Read_Only")).await;
    assert_eq!((unassigned.status, &unassigned.body["roleCollections"]), (200, &json!([])));
}

#[tokio::test]
async fn shipped_role_collections_stay_as_they_are() {
    let (world, token) = world().await;
    assert_eq!(world.delete(&token, &format!("{COLLECTIONS}/PI_Administrator")).await.status, 403);
    assert_eq!(world.post(&token, COLLECTIONS, json!({"name": "Mine"})).await.status, 201);
    let mine = format!("{COLLECTIONS}/Mine");
    let described = world.call(&token, Method::PUT, &mine, Some(json!({"description": "d"}))).await;
    assert_eq!(described.body["description"], "d");
    assert_eq!(world.delete(&token, &mine).await.status, 200);
    assert_eq!(world.delete(&token, &mine).await.status, 404);
}

#[tokio::test]
async fn a_mapping_is_spelled_in_three_ways() {
    let (world, token) = world().await;
    let attributes = "/xsuaa/sap/rest/authorization/v2/identity-providers/sap.custom/attributes";
    let mapping = json!({"roleCollectionName": "PI_Read_Only", "attributeName": "Groups",
                         "attributeValue": "my group", "operator": "equals"});
    assert_eq!(world.post(&token, attributes, mapping).await.status, 201);
    let of = format!("{attributes}/Groups/rolecollections/PI_Read_Only");
    let read = world.get(&token, &of).await.body[0].clone();
    assert_eq!((&read["samlAttributeValue"], &read["attributeValue"]), (&json!("my group"), &json!("my group")));
    assert_eq!(read["idpDisplayName"], "sap.custom");
    world.set(json!({"idpDisplayName": "host"})).await;
    assert_eq!(world.get(&token, &of).await.body[0]["idpDisplayName"], "acme.accounts400.ondemand.com");
    let removed =
        world.delete(&token, &format!("{attributes}/Groups/equals/my%20group/rolecollections/PI_Read_Only")).await;
    assert_eq!((removed.status, &removed.body["samlAttrValue"]), (200, &json!("my group")));
    assert_eq!(world.get(&token, &of).await.body, json!([]));
}

#[tokio::test]
async fn requests_are_read_strictly() {
    let (world, token) = world().await;
    let unknown_field = json!({"username": "x", "colour": "red"});
    assert_eq!(world.post(&token, "/xsuaa/sap/rest/user", unknown_field).await.status, 400);
    assert_eq!(world.get("", COLLECTIONS).await.status, 401);
    let forbidden = world.get(&world.admin("service-manager").await, COLLECTIONS).await;
    assert_eq!((forbidden.status, &forbidden.body["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(world.call(&token, Method::PATCH, COLLECTIONS, None).await.status, 405);
}

#[tokio::test]
async fn a_new_assignment_may_be_missing_in_lists_and_not_at_its_user() {
    let (world, token) = world().await;
    world.set(json!({"listDelayMillis": 5000})).await;
    let path = assignment("sap.default", "Order%20Intake%20Support") + "?createUserIfMissing=true";
    assert_eq!(world.call(&token, Method::PUT, &path, None).await.status, 200);
    let list = format!("{COLLECTIONS}?showUsers=true&name=Order");
    let users = async || world.get(&token, &list).await.body[0]["userReferences"].as_array().unwrap().len();
    assert_eq!(users().await, 0);
    assert_eq!(world.get(&token, USER).await.body["roleCollections"], json!(["Order Intake Support"]));
    world.frame.clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(users().await, 1);
}

#[tokio::test]
async fn a_page_has_no_more_than_the_largest() {
    let (world, token) = world().await;
    world.set(json!({"xsuaaPage": 2})).await;
    let page = async |query: &str| world.get(&token, &format!("{COLLECTIONS}{query}")).await.body;
    assert_eq!(page("?top=500").await.as_array().unwrap().len(), 2);
    assert_eq!(page("?top=500&skip=4").await.as_array().unwrap().len(), 2);
    assert_eq!(page("?top=500&skip=6").await, json!([]));
    assert_eq!(page("/pages/2").await.as_array().unwrap().len(), 2);
    assert_eq!(page("").await.as_array().unwrap().len(), 6, "without top it is all of them");
}

#[tokio::test]
async fn more_requests_than_documented_wait_and_then_are_refused() {
    let (world, token) = world().await;
    let calls = || futures::future::join_all((0..200).map(|_| world.get(&token, USER)));
    let refused = calls().await.into_iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.headers["retry-after"], "1");
    world.set(json!({"rates": "lifted"})).await;
    assert!(calls().await.iter().all(|answer| answer.status == 404));
}

//! How requests are read, and the look-ups of clients that nobody here wrote.

use super::*;

#[tokio::test]
async fn what_the_open_core_refuses_is_refused_in_its_words() {
    let (world, token) = world().await;
    let unknown_plan = json!({"name": "a", "service_plan_id": "none"});
    let mut nameless = runtime_order("", &[]);
    nameless["name"].take();
    nameless.as_object_mut().unwrap().remove("name");
    for order in [unknown_plan, nameless] {
        let refused = world.post(&token, INSTANCES, order).await;
        assert_eq!((refused.status, &refused.body["error"]), (404, &json!("NotFound")));
    }
    let mut two_lines = runtime_order("a", &[]);
    two_lines["labels"] = json!({"a": ["1\n2"]});
    assert_eq!(world.post(&token, INSTANCES, two_lines).await.status, 400);
    let mut empty = runtime_order("b", &[]);
    empty["labels"] = json!({"a": []});
    assert_eq!(world.post(&token, INSTANCES, empty).await.status, 201);
    let long = world.post(&token, INSTANCES, runtime_order(&"x".repeat(300), &[])).await;
    assert_eq!((long.status, &long.body["error"]), (500, &json!("InternalError")));
    assert_eq!(world.get(&token, &format!("{INSTANCES}?max_items=0")).await.body, json!({"num_items": 1}));
}

#[tokio::test]
async fn unknown_fields_are_read_over_where_a_switch_says_so() {
    let (world, token) = world().await;
    let mut order = runtime_order("a", &[]);
    order["ready"] = json!(false);
    order["usable"] = json!(false);
    order["labels"] = Value::Null;
    assert_eq!(world.post(&token, INSTANCES, order.clone()).await.status, 400);
    world.set(json!({"unknownFields": "ignored"})).await;
    let made = world.post(&token, INSTANCES, order).await;
    assert_eq!((made.status, &made.body["ready"]), (201, &json!(true)));
    let binding = json!({"name": "k", "service_instance_id": made.body["id"], "ready": false});
    assert_eq!(world.post(&token, BINDINGS, binding).await.status, 201);
}

#[tokio::test]
async fn saps_own_operator_finds_its_objects() {
    let (world, token) = world().await;
    let labels = json!({"_clusterid": ["c1"], "_namespace": ["n1"], "_k8sname": ["k1"]});
    let mut order = runtime_order("a", &[]);
    order["labels"] = labels.clone();
    let made = world.post(&token, INSTANCES, order).await.body;
    assert_eq!(made["context"]["clusterid"], "c1");
    let mut binding = binding_order(made["id"].as_str().unwrap(), "a");
    binding["labels"] = labels;
    assert_eq!(world.post(&token, BINDINGS, binding).await.status, 201);
    let query = |cluster: &str| {
        let fields = format!("name eq 'a' and context/clusterid eq '{cluster}' and context/namespace eq 'n1'");
        let encoded = percent_encoding::utf8_percent_encode(&fields, percent_encoding::NON_ALPHANUMERIC).to_string();
        format!("?fieldQuery={encoded}&labelQuery=_k8sname%20eq%20%27k1%27")
    };
    for kind in [INSTANCES, BINDINGS] {
        assert_eq!(world.get(&token, &format!("{kind}{}", query("c1"))).await.body["num_items"], 1, "{kind}");
        assert_eq!(world.get(&token, &format!("{kind}{}", query("c2"))).await.body["num_items"], 0, "{kind}");
    }
}

#[tokio::test]
async fn an_offering_may_be_there_once_in_each_data_centre() {
    let (world, token) = world().await;
    let offerings = "/service-manager/v1/service_offerings?fieldQuery=catalog_name%20eq%20%27hana%27";
    let both = world.get(&token, offerings).await.body;
    assert_eq!(both["num_items"], 2);
    let near = world.get(&token, &format!("{offerings}%20and%20data_center%20eq%20%27cf-eu12%27")).await.body;
    assert_eq!((&near["num_items"], &near["items"][0]["data_center"]), (&json!(1), &json!("cf-eu12")));
    let usual = "/service-manager/v1/service_offerings?fieldQuery=catalog_name%20eq%20%27it-rt%27%20and%20data_center";
    assert_eq!(world.get(&token, &format!("{usual}%20eq%20%27%27")).await.body["num_items"], 1);
    let ids: Vec<String> =
        both["items"].as_array().unwrap().iter().map(|one| format!("%27{}%27", one["id"].as_str().unwrap())).collect();
    let of = format!("catalog_name%20eq%20%27hdi-shared%27%20and%20service_offering_id%20in%20({})", ids.join(",%20"));
    let plans = world.get(&token, &format!("/service-manager/v1/service_plans?fieldQuery={of}")).await.body;
    assert_eq!(plans["num_items"], 2);
    let by_name = json!({"name": "a", "service_offering_name": "hana", "service_plan_name": "hdi-shared"});
    let refused = world.post(&token, INSTANCES, by_name).await;
    assert!(refused.body["description"].as_str().unwrap().starts_with("ambiguity error"), "{refused:?}");
    let by_id = json!({"name": "a", "service_plan_id": plans["items"][1]["id"]});
    assert_eq!(world.post(&token, INSTANCES, by_id).await.status, 201);
}

#[tokio::test]
async fn a_key_may_point_to_an_api_and_to_no_token_service() {
    let (world, token) = world().await;
    let order = json!({"name": "a", "service_offering_name": "document-store", "service_plan_name": "standard"});
    let id = world.post(&token, INSTANCES, order).await.body["id"].as_str().unwrap().to_owned();
    let key = world.post(&token, BINDINGS, binding_order(&id, "k")).await.body["credentials"].clone();
    let url = format!("{}/oauth/token", key["url"].as_str().unwrap());
    let form = [("grant_type", "client_credentials"), ("client_id", key["clientid"].as_str().unwrap())];
    assert_eq!(world.http.post(url).form(&form).send().await.unwrap().status(), 401);
    assert_eq!(world.token(&key).await.status, 200, "the real token service knows the client");
}

#[tokio::test]
async fn new_objects_may_be_missing_in_lists_and_not_where_they_are_looked_up() {
    let (world, token) = world().await;
    world.set(json!({"listDelayMillis": 5000})).await;
    let id = world.runtime_instance(&token, "a", &[]).await;
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 0);
    assert_eq!(world.get(&token, &format!("{INSTANCES}?fieldQuery=name%20eq%20%27a%27")).await.body["num_items"], 1);
    assert_eq!(world.get(&token, &format!("{INSTANCES}/{id}")).await.status, 200);
    world.frame.clock.advance(Duration::from_secs(5));
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 1);
}

#[tokio::test]
async fn pages_can_be_made_as_small_as_a_test_needs() {
    let (world, token) = world().await;
    world.runtime_instance(&token, "a", &[]).await;
    world.runtime_instance(&token, "b", &[]).await;
    world.set(json!({"serviceManagerPage": 1})).await;
    let first = world.get(&token, &format!("{INSTANCES}?max_items=200")).await.body;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["num_items"]), (1, &json!(2)));
    assert!(first["token"].is_string());
}

#[tokio::test]
async fn orders_above_the_documented_rate_are_refused_and_nothing_else_is() {
    let (world, token) = world().await;
    for number in 0..50 {
        world.runtime_instance(&token, &format!("i{number}"), &[]).await;
    }
    let refused = world.post(&token, INSTANCES, runtime_order("one-more", &[])).await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers["retry-after"].to_str().unwrap().ends_with(" +0000 UTC"));
    assert_eq!(world.get(&token, INSTANCES).await.status, 200);
    world.set(json!({"rates": "lifted"})).await;
    assert_eq!(world.post(&token, INSTANCES, runtime_order("one-more", &[])).await.status, 201);
    world.set(json!({"rates": "documented"})).await;
    assert_eq!(world.post(&token, INSTANCES, runtime_order("too-many", &[])).await.status, 429);
    world.frame.clock.advance(Duration::from_mins(1));
    assert_eq!(world.post(&token, INSTANCES, runtime_order("too-many", &[])).await.status, 201);
}

#[tokio::test]
async fn the_other_subaccount_knows_nothing_of_the_first() {
    let (world, token) = world().await;
    world.runtime_instance(&token, "a", &[]).await;
    let key = world.get("", "/_simulator/credentials/service-manager?subaccount=other").await.body;
    assert!(key["clientsecret"].as_str().unwrap().starts_with("planted-"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", key["clientid"].as_str().unwrap()),
        ("client_secret", key["clientsecret"].as_str().unwrap()),
    ];
    let url = format!("{}/oauth/token", key["url"].as_str().unwrap());
    let other = read(world.http.post(url).form(&form).send().await.unwrap()).await.body;
    let other = other["access_token"].as_str().unwrap();
    assert_eq!(zone(other), key["subaccount_id"]);
    assert_ne!(zone(other), zone(&token));
    assert_eq!(world.get(other, INSTANCES).await.body["num_items"], 0);
    let made = world.post(other, INSTANCES, runtime_order("a", &[])).await;
    assert_eq!((made.status, &made.body["labels"]["subaccount_id"][0]), (201, &key["subaccount_id"]));
    assert_eq!(world.get(&token, INSTANCES).await.body["num_items"], 1);
    assert_eq!(world.token(&key).await.status, 401, "the first one's token service does not know the client");
    let state = world.get("", "/_simulator/state?subaccount=other").await.body;
    assert_eq!(state["service-manager"]["instances"].as_array().unwrap().len(), 1);
    let sent = world.get("", "/_simulator/credentials/xsuaa?subaccount=other&type=x509").await;
    assert_eq!((sent.status, &sent.body["subaccountid"]), (200, &key["subaccount_id"]));
}

#[tokio::test]
async fn simulators_of_one_process_are_different_subaccounts() {
    let ((_one, token), (_another, elsewhere)) = (world().await, world().await);
    assert_ne!(zone(&token), zone(&elsewhere));
}

/// The subaccount a token is for, as its claims say.
fn zone(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["zid"], claims["ext_attr"]["subaccountid"]);
    claims["zid"].clone()
}

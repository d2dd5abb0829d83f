//! Service instances and keys.

use reqwest::Method;
use serde_json::{Value, json};

use super::{API, Landscape};
use crate::testing::Answer;

impl Landscape {
    async fn plan(&self, offering: &str, plan: &str) -> String {
        self.guid(&format!("/v3/service_plans?names={plan}&service_offering_names={offering}")).await
    }

    async fn order(&self, name: &str, offering: &str, plan: &str, parameters: Value) -> Answer {
        let (space, plan) = (self.space("integration").await, self.plan(offering, plan).await);
        let relationships = json!({"space": {"data": {"guid": space}}, "service_plan": {"data": {"guid": plan}}});
        let order = json!({"type": "managed", "name": name, "parameters": parameters, "relationships": relationships,
                           "metadata": {"labels": {"acme.example/owner": name}}});
        self.post("/v3/service_instances", order).await
    }

    /// An instance of `it-rt` that stands; its guid.
    async fn runtime(&self, name: &str) -> String {
        let parameters = json!({"grant-types": ["client_credentials"], "roles": ["ESBMessaging.send"]});
        let accepted = self.order(name, "it-rt", "integration-flow", parameters).await;
        assert_eq!(self.ended(&accepted).await["state"], "COMPLETE");
        self.guid(&format!("/v3/service_instances?names={name}")).await
    }

    async fn key(&self, instance: &str, name: &str, parameters: Value) -> Answer {
        let relationships = json!({"service_instance": {"data": {"guid": instance}}});
        let order = json!({"type": "key", "name": name, "relationships": relationships, "parameters": parameters,
                           "metadata": {"labels": {"acme.example/owner": name}}});
        self.post("/v3/service_credential_bindings", order).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.world.call(&self.token, Method::PATCH, &format!("{API}{path}"), Some(body)).await
    }
}

const KEYS: &str = "/v3/service_credential_bindings";

#[tokio::test]
async fn a_key_of_it_rt_opens_the_sender_until_it_is_deleted() {
    let landscape = Landscape::start().await;
    let instance = landscape.runtime("a").await;
    let job = landscape.ended(&landscape.key(&instance, "k", json!({})).await).await;
    assert_eq!((&job["state"], &job["operation"]), (&json!("COMPLETE"), &json!("service_bindings.create")));
    let key = landscape.guid(&format!("{KEYS}?service_instance_guids={instance}&names=k&type=key")).await;
    let shown = landscape.get(&format!("{KEYS}/{key}")).await.body;
    assert_eq!((&shown["last_operation"]["state"], &shown["credentials"]), (&json!("succeeded"), &Value::Null));
    let credentials = landscape.get(&format!("{KEYS}/{key}/details")).await.body["credentials"].clone();
    let token = landscape.world.token(&credentials["oauth"]).await;
    assert_eq!((token.status, &token.body["scope"]), (200, &json!("ESBMessaging.send")));
    let parameters = landscape.get(&format!("{KEYS}/{key}/parameters")).await;
    let text = "This service does not support fetching service binding parameters.";
    assert_eq!((parameters.status, &parameters.body["errors"][0]["code"]), (400, &json!(90007)));
    assert_eq!(parameters.body["errors"][0]["detail"], text);
    let job = landscape.ended(&landscape.delete(&format!("{KEYS}/{key}")).await).await;
    assert_eq!(job["state"], "COMPLETE");
    assert_eq!(landscape.get(&format!("{KEYS}/{key}")).await.status, 404);
    assert_eq!(landscape.world.token(&credentials["oauth"]).await.status, 401);
}

#[tokio::test]
async fn a_key_with_a_certificate_is_made_while_the_job_goes_on() {
    let landscape = Landscape::start().await;
    let instance = landscape.runtime("a").await;
    let parameters = json!({"key-type": "certificate", "validity": 30});
    assert_eq!(landscape.ended(&landscape.key(&instance, "k", parameters).await).await["state"], "COMPLETE");
    let key = landscape.guid(KEYS).await;
    let details = landscape.get(&format!("{KEYS}/{key}/details")).await.body;
    assert!(details["credentials"]["oauth"]["certificatedetails"]["validuntil"].is_string(), "{details}");
}

#[tokio::test]
async fn a_name_is_taken_unless_what_had_it_was_never_made() {
    let landscape = Landscape::start().await;
    let instance = landscape.runtime("a").await;
    let taken = landscape.order("a", "it-rt", "api", json!({})).await;
    assert_eq!(
        (taken.status, &taken.body["errors"][0]["detail"]),
        (422, &json!("The service instance name is taken: a."))
    );
    let failed = landscape.ended(&landscape.key(&instance, "k", json!({"key-type": "colour"})).await).await;
    assert_eq!((&failed["state"], &failed["errors"][0]["code"]), (&json!("FAILED"), &json!(10009)));
    assert!(
        failed["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .starts_with("bind could not be completed: Service broker error: ")
    );
    let key = landscape.get(KEYS).await.body["resources"][0].clone();
    assert_eq!(key["last_operation"]["state"], "failed");
    let details = format!("{KEYS}/{}/details", key["guid"].as_str().unwrap());
    assert_eq!(landscape.get(&details).await.status, 404);
    assert_eq!(landscape.ended(&landscape.key(&instance, "k", json!({})).await).await["state"], "COMPLETE");
    assert_ne!(landscape.guid(KEYS).await, key["guid"], "the failed one is replaced");
    let twice = landscape.key(&instance, "k", json!({})).await;
    let text = "The binding name is invalid. Key binding names must be unique. The service instance already has a key \
                binding with name 'k'.";
    assert_eq!((twice.status, &twice.body["errors"][0]["detail"]), (422, &json!(text)));
    let long = landscape.key(&instance, &"k".repeat(33), json!({})).await;
    assert_eq!(landscape.ended(&long).await["state"], "FAILED");
}

#[tokio::test]
async fn an_asynchronous_broker_is_polled_and_may_fail_in_the_end() {
    let landscape = Landscape::start().await;
    let slow = json!({"asyncPlans": ["lite"], "operationMillis": 60_000, "jobMillis": 1000});
    landscape.world.set(slow).await;
    let accepted = landscape.order("a", "destination", "lite", json!({})).await;
    let instance = landscape.guid("/v3/service_instances?names=a").await;
    let state = async || {
        let shown = landscape.get(&format!("/v3/service_instances/{instance}")).await.body;
        shown["last_operation"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (landscape.job(&accepted).await["state"].as_str(), state().await.as_str()),
        (Some("PROCESSING"), "initial")
    );
    let early = landscape.key(&instance, "k", json!({})).await;
    assert_eq!(early.body["errors"][0]["detail"], "There is an operation in progress for the service instance.");
    landscape.world.frame.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        (landscape.job(&accepted).await["state"].as_str(), state().await.as_str()),
        (Some("POLLING"), "in progress")
    );
    landscape.world.frame.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(
        (landscape.job(&accepted).await["state"].as_str(), state().await.as_str()),
        (Some("COMPLETE"), "succeeded")
    );
    landscape.world.set(json!({"failingPlans": ["lite"], "operationMillis": 0, "jobMillis": 0})).await;
    let failed = landscape.ended(&landscape.delete(&format!("/v3/service_instances/{instance}")).await).await;
    assert_eq!(failed["errors"][0]["detail"], "delete could not be completed: the broker is out of order");
    assert_eq!(state().await, "failed");
}

#[tokio::test]
async fn an_instance_changes_by_a_job_only_where_the_broker_is_asked_and_takes_its_keys_along() {
    let landscape = Landscape::start().await;
    let instance = landscape.runtime("a").await;
    landscape.ended(&landscape.key(&instance, "k", json!({})).await).await;
    let path = format!("/v3/service_instances/{instance}");
    let renamed =
        landscape.patch(&path, json!({"name": "b", "metadata": {"labels": {"acme.example/owner": null}}})).await;
    assert_eq!((renamed.status, &renamed.body["name"]), (200, &json!("b")));
    assert_eq!(renamed.body["metadata"]["labels"], json!({}));
    landscape.world.set(json!({"jobMillis": 60_000})).await;
    let roles = json!({"parameters": {"grant-types": ["client_credentials"], "roles": ["Another"]}});
    let accepted = landscape.patch(&path, roles.clone()).await;
    let busy = landscape.patch(&path, roles).await;
    assert_eq!((busy.status, &busy.body["errors"][0]["code"]), (409, &json!(60016)));
    landscape.world.frame.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(landscape.job(&accepted).await["state"], "COMPLETE");
    landscape.world.set(json!({"jobMillis": 0})).await;
    let key = landscape.guid(KEYS).await;
    let oauth = landscape.get(&format!("{KEYS}/{key}/details")).await.body["credentials"]["oauth"].clone();
    assert_eq!(landscape.world.token(&oauth).await.body["scope"], "Another");
    assert_eq!(landscape.ended(&landscape.delete(&path).await).await["state"], "COMPLETE");
    assert_eq!(landscape.get(KEYS).await.body["pagination"]["total_results"], 0);
    assert_eq!(landscape.world.token(&oauth).await.status, 401);
}

#[tokio::test]
async fn objects_are_found_by_their_labels() {
    let landscape = Landscape::start().await;
    let (first, _) = (landscape.runtime("a").await, landscape.runtime("b").await);
    let selected = landscape.guid("/v3/service_instances?label_selector=acme.example%2Fowner%3Da").await;
    assert_eq!(selected, first);
    landscape.ended(&landscape.key(&first, "k", json!({})).await).await;
    landscape.guid(&format!("{KEYS}?label_selector=acme.example%2Fowner%20in%20(k,l)")).await;
    let key = landscape.guid(&format!("{KEYS}?service_instance_names=a")).await;
    let changed =
        landscape.patch(&format!("{KEYS}/{key}"), json!({"metadata": {"labels": {"acme.example/owner": "x"}}})).await;
    assert_eq!(changed.body["metadata"]["labels"]["acme.example/owner"], "x");
    let spaces = landscape.key(&first, "l", json!({})).await;
    assert_eq!(spaces.status, 202);
    let wrong = json!({"type": "key", "name": "m", "metadata": {"labels": {"a": "not allowed"}},
                       "relationships": {"service_instance": {"data": {"guid": first}}}});
    assert_eq!(landscape.post(KEYS, wrong).await.status, 422);
}

#[tokio::test]
async fn only_developers_order_and_plans_appear_when_they_are_activated() {
    let landscape = Landscape::start().await;
    let (shared, plan) = (landscape.space("shared").await, landscape.plan("destination", "lite").await);
    let relationships = json!({"space": {"data": {"guid": shared}}, "service_plan": {"data": {"guid": plan}}});
    let order = json!({"type": "managed", "name": "a", "relationships": relationships});
    assert_eq!(landscape.post("/v3/service_instances", order).await.status, 403);
    let path = "/v3/service_plans?service_offering_names=it-rt&include=service_offering";
    let plans = landscape.get(path).await.body;
    assert_eq!(plans["pagination"]["total_results"], 2);
    assert_eq!(plans["included"]["service_offerings"][0]["name"], "it-rt");
    landscape.world.set(json!({"itRtActivated": false})).await;
    assert_eq!(landscape.get(path).await.body["pagination"]["total_results"], 0);
    assert_eq!(landscape.get("/v3/service_offerings?names=it-rt").await.body["pagination"]["total_results"], 0);
}

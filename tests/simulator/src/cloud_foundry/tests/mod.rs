//! Cloud Foundry as a client sees it: logging on, organizations and spaces, lists, rates.

mod roles;
mod services;

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Answer, World, read};

const API: &str = "/cloud-foundry";

/// A landscape, and a token of the technical user.
struct Landscape {
    world: World,
    token: String,
}

impl Landscape {
    async fn start() -> Self {
        let world = World::start().await;
        let token = log_on(&world, &[]).await.body["access_token"].as_str().unwrap().to_owned();
        Self { world, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.get(&self.token, &format!("{API}{path}")).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.world.post(&self.token, &format!("{API}{path}"), body).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.world.delete(&self.token, &format!("{API}{path}")).await
    }

    /// The guid of the one thing that a list shows.
    async fn guid(&self, list: &str) -> String {
        let listed = self.get(list).await.body;
        assert_eq!(listed["pagination"]["total_results"], 1, "{list}: {listed}");
        listed["resources"][0]["guid"].as_str().unwrap().to_owned()
    }

    async fn organization(&self, name: &str) -> String {
        self.guid(&format!("/v3/organizations?names={name}")).await
    }

    async fn space(&self, name: &str) -> String {
        self.guid(&format!("/v3/spaces?names={name}")).await
    }

    /// The job that an answer names, as it is now.
    async fn job(&self, accepted: &Answer) -> Value {
        assert_eq!(accepted.status, 202, "{accepted:?}");
        let location = accepted.headers["location"].to_str().unwrap();
        let path = location.strip_prefix(&self.world.frame.url).unwrap().to_owned();
        self.world.get(&self.token, &path).await.body
    }

    /// The job that an answer names, when it has ended.
    async fn ended(&self, accepted: &Answer) -> Value {
        for _ in 0..500 {
            let job = self.job(accepted).await;
            if job["state"] == "COMPLETE" || job["state"] == "FAILED" {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the job does not end");
    }
}

/// Logs the technical user on; `form` goes over the usual fields.
async fn log_on(world: &World, form: &[(&str, &str)]) -> Answer {
    let credential = world.get("", "/_simulator/credentials/cloud-foundry").await.body;
    let field = |name: &str| credential[name].as_str().unwrap().to_owned();
    let hint = json!({"origin": field("origin")}).to_string();
    let mut fields = std::collections::BTreeMap::from([
        ("grant_type", "password".to_owned()),
        ("username", field("username")),
        ("password", field("password")),
        ("login_hint", hint),
    ]);
    fields.extend(form.iter().map(|(name, value)| (*name, (*value).to_owned())));
    ask(world, &fields).await
}

async fn ask<F: serde::Serialize>(world: &World, form: &F) -> Answer {
    let request = world.http.post(format!("{}/cf-uaa/oauth/token", world.frame.url)).basic_auth("cf", Some(""));
    read(request.form(form).send().await.unwrap()).await
}

#[tokio::test]
async fn the_root_says_where_the_uaa_is_and_asks_for_no_token() {
    let world = World::start().await;
    let root = world.http.get(format!("{}{API}/", world.frame.url)).send().await.unwrap();
    let root = read(root).await;
    assert_eq!((root.status, root.headers.get("x-ratelimit-limit")), (200, None));
    let uaa = root.body["links"]["uaa"]["href"].as_str().unwrap();
    assert_eq!(read(world.http.get(format!("{uaa}/info")).send().await.unwrap()).await.status, 200);
    assert!(root.body["links"]["cloud_controller_v3"]["meta"]["version"].is_string());
}

#[tokio::test]
async fn a_password_counts_in_its_origin_only_and_five_wrong_ones_lock_the_account() {
    let world = World::start().await;
    assert_eq!(log_on(&world, &[]).await.status, 200);
    let elsewhere = log_on(&world, &[("login_hint", r#"{"origin":"sap.ids"}"#)]).await;
    assert_eq!((elsewhere.status, &elsewhere.body["error"]), (401, &json!("unauthorized")));
    let nowhere = log_on(&world, &[("login_hint", r#"{"origin":"nowhere"}"#)]).await;
    assert!(nowhere.body["error_description"].as_str().unwrap().contains("active Identity Provider"));
    for _ in 0..5 {
        assert_eq!(log_on(&world, &[("password", "wrong")]).await.body["error_description"], "Bad credentials");
    }
    let locked = log_on(&world, &[]).await;
    assert!(locked.body["error_description"].as_str().unwrap().contains("locked"), "{locked:?}");
}

#[tokio::test]
async fn tokens_end_and_are_had_again_by_the_refresh_token_or_a_client() {
    let landscape = Landscape::start().await;
    let world = &landscape.world;
    let first = log_on(world, &[]).await.body;
    world.frame.clock.advance(std::time::Duration::from_mins(10));
    let refused = landscape.get("/v3/organizations").await;
    assert_eq!((refused.status, &refused.body["errors"][0]["title"]), (401, &json!("CF-InvalidAuthToken")));
    let form = [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    let again = ask(world, &form).await.body;
    let again = again["access_token"].as_str().unwrap();
    assert_eq!(world.get(again, "/cloud-foundry/v3/organizations").await.status, 200);
    let client = world.get("", "/_simulator/credentials/cloud-foundry?type=client").await.body;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client["clientid"].as_str().unwrap()),
        ("client_secret", client["clientsecret"].as_str().unwrap()),
    ];
    let request = world.http.post(format!("{}/cf-uaa/oauth/token", world.frame.url)).form(&form);
    let token = read(request.send().await.unwrap()).await.body;
    let listed = world.get(token["access_token"].as_str().unwrap(), "/cloud-foundry/v3/organizations").await;
    assert_eq!(listed.body["pagination"]["total_results"], 2);
    let none = read(world.http.get(format!("{}{API}/v3/roles", world.frame.url)).send().await.unwrap()).await;
    assert_eq!((none.status, &none.body["errors"][0]["code"]), (401, &json!(10002)));
    assert_eq!(world.get("", "/_simulator/credentials/neo?type=client").await.status, 404);
}

#[tokio::test]
async fn one_sees_the_organizations_and_spaces_one_has_a_role_in() {
    let landscape = Landscape::start().await;
    let listed = landscape.get("/v3/organizations?order_by=-name").await.body;
    let names: Vec<&str> =
        listed["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["partners", "acme"]);
    let acme = landscape.organization("acme").await;
    let spaces = landscape.get(&format!("/v3/spaces?organization_guids={acme}&include=organization")).await.body;
    assert_eq!(spaces["pagination"]["total_results"], 2);
    assert_eq!(spaces["included"]["organizations"][0]["name"], "acme");
    assert_eq!(landscape.get("/v3/organizations/none").await.body["errors"][0]["code"], 10010);
    let wrong = landscape.get("/v3/spaces?colour=red").await;
    assert_eq!((wrong.status, &wrong.body["errors"][0]["title"]), (400, &json!("CF-BadQueryParameter")));
    assert_eq!(landscape.get("/v3/roles?per_page=5001").await.status, 422, "lists of roles refuse in another way");
}

#[tokio::test]
async fn pages_are_as_long_as_the_platform_likes_and_lead_to_each_other() {
    let landscape = Landscape::start().await;
    landscape.world.set(json!({"cloudFoundryPage": 1})).await;
    let mut path = "/v3/organizations?per_page=5000".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = landscape.get(&path).await.body;
        seen.extend(page["resources"].as_array().unwrap().iter().map(|one| one["name"].clone()));
        assert_eq!(page["pagination"]["total_results"], 2);
        let Some(next) = page["pagination"]["next"]["href"].as_str() else { break };
        let base = format!("{}{API}", landscape.world.frame.url);
        path = next.strip_prefix(&base).unwrap().to_owned();
    }
    assert_eq!(seen, [json!("acme"), json!("partners")]);
    landscape.world.fault("cloud-foundry.list-organizations", json!({"kind": "status", "page": "later"})).await;
    assert_eq!(landscape.get("/v3/organizations").await.status, 200);
    assert_eq!(landscape.get(&path).await.status, 503);
}

#[tokio::test]
async fn every_answer_tells_what_is_left_and_the_last_one_is_json_that_says_it_is_text() {
    let landscape = Landscape::start().await;
    landscape.world.set(json!({"cloudFoundryRequestsPerHour": 2})).await;
    let header = |answer: &Answer, name: &str| answer.headers[name].to_str().unwrap().to_owned();
    let first = landscape.get("/v3/organizations").await;
    assert_eq!(
        (header(&first, "x-ratelimit-limit"), header(&first, "x-ratelimit-remaining")),
        ("2".into(), "1".into())
    );
    landscape.get("/v3/organizations").await;
    let refused = landscape.get("/v3/organizations").await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (429, &json!(10013)));
    assert_eq!(header(&refused, "content-type"), "text/plain; charset=utf-8");
    assert!((3590..=3600).contains(&header(&refused, "retry-after").parse::<u64>().unwrap()));
    landscape.world.set(json!({"cloudFoundryRetryAfter": "epoch"})).await;
    let older = landscape.get("/v3/organizations").await;
    assert_eq!(header(&older, "retry-after"), header(&older, "x-ratelimit-reset"));
    landscape.world.set(json!({"rates": "lifted"})).await;
    assert_eq!(landscape.get("/v3/organizations").await.status, 200);
    landscape.world.fault("*", json!({"kind": "throttle", "times": 1, "retryAfter": "seconds"})).await;
    let thrown = landscape.get("/v3/organizations").await;
    assert_eq!((thrown.status, header(&thrown, "retry-after").as_str()), (429, "1"));
}

#[tokio::test]
async fn a_reset_brings_the_landscape_back_and_the_log_keeps_no_secret() {
    let landscape = Landscape::start().await;
    let acme = landscape.organization("acme").await;
    let client = json!({"type": "organization_user", "relationships": {
        "user": {"data": {"guid": "somebody"}}, "organization": {"data": {"guid": acme}}}});
    assert_eq!(landscape.post("/v3/roles", client).await.status, 201);
    let state = landscape.world.get("", "/_simulator/state").await.body["cloud-foundry"].clone();
    assert!(state["users"].to_string().contains("somebody") && !state.to_string().contains("planted"));
    assert!(!landscape.world.get("", "/_simulator/log").await.body.to_string().contains("planted"));
    landscape.world.call("", Method::POST, "/_simulator/reset", None).await;
    let state = landscape.world.get("", "/_simulator/state").await.body["cloud-foundry"].clone();
    assert!(!state["users"].to_string().contains("somebody"));
    assert_eq!(log_on(&landscape.world, &[]).await.status, 200, "the technical user stays who it is");
    assert_eq!(landscape.get("/v3/organizations").await.status, 401);
}

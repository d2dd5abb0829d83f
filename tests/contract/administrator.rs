//! An administrator's own way to a directory that speaks SCIM, past the driver: what somebody else makes and changes there.

use serde_json::{Value, json};

use crate::harness::runtime;
use crate::harness::simulator::Simulator;

/// A group, and one whose name wants quoting. Bob is in both.
pub(crate) const GROUPS: [&str; 2] = ["Orders", "Orders \"and\" more; \\all"];

/// The administrator's own way to the directory, past the driver.
pub(crate) struct Administrator {
    url: String,
    credential: Value,
}

impl Administrator {
    pub(crate) fn of(simulator: &Simulator) -> Self {
        Self { url: format!("{}/scim/v2", simulator.url()), credential: simulator.credential("scim", "secret") }
    }

    pub(crate) fn with(url: &str, credential: Value) -> Self {
        Self { url: url.to_owned(), credential }
    }

    /// Jane, O'Neil and Bob, and the groups, whose one member is Bob.
    pub(crate) fn people(&self) {
        let ids = ["jane@acme.example", "o'\"neil\"", "bob"].map(|name| self.user(name, "4711"));
        for group in GROUPS {
            self.group(group, &ids[2]);
        }
    }

    pub(crate) fn user(&self, name: &str, external_id: &str) -> String {
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
        self.post("Users", &json!({"schemas": schemas, "userName": name, "externalId": external_id, "active": true}))
    }

    pub(crate) fn group(&self, name: &str, member: &str) -> String {
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
        self.post("Groups", &json!({"schemas": schemas, "displayName": name, "members": [{"value": member}]}))
    }

    fn post(&self, path: &str, body: &Value) -> String {
        let client = reqwest::Client::new();
        let request = self.shown(client.post(format!("{}/{path}", self.url)).json(body));
        let made: Value = runtime().block_on(async {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 201, "{body}");
            answer.json().await.expect("JSON")
        });
        made["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn delete(&self, path: &str) {
        let request = self.shown(reqwest::Client::new().delete(format!("{}/{path}", self.url)));
        assert_eq!(runtime().block_on(request.send()).expect("an answer").status(), 204);
    }

    pub(crate) fn put(&self, path: &str, body: &Value) {
        let request = self.shown(reqwest::Client::new().put(format!("{}/{path}", self.url)).json(body));
        assert_eq!(runtime().block_on(request.send()).expect("an answer").status(), 200);
    }

    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let request = self.shown(reqwest::Client::new().get(format!("{}/{path}?count=500", self.url)));
        let page: Value =
            runtime().block_on(async { request.send().await.expect("an answer").json().await.expect("JSON") });
        page["Resources"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn members(&self, group: &str) -> usize {
        let group = self.all("Groups").into_iter().find(|one| one["displayName"] == group).expect("the group");
        group["members"].as_array().map_or(0, Vec::len)
    }

    fn shown(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let text = |name: &str| self.credential[name].as_str();
        match (text("token"), text("username").zip(text("password")), text("tokenurl")) {
            (Some(token), ..) => request.bearer_auth(token),
            (_, Some((name, password)), _) => request.basic_auth(name, Some(password)),
            (_, _, Some(token_url)) => {
                let form = [("grant_type", "client_credentials")];
                let asked = reqwest::Client::new().post(token_url).form(&form);
                let asked = asked.basic_auth(text("clientid").expect("an id"), text("clientsecret"));
                let token: Value =
                    runtime().block_on(async { asked.send().await.expect("an answer").json().await.expect("a token") });
                request.bearer_auth(token["access_token"].as_str().expect("a token"))
            }
            _ => request,
        }
    }
}

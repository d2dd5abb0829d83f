//! The API server as the stories read and write it: over HTTP as the administrator or whom a story plays, because a story that polls looks
//! many times and a process for each look would be most of its work. What users type goes through kubectl.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{ControlPlane, http, runtime};

/// Field manager of everything the stories write; events about meddling name it.
pub(crate) const FIELD_MANAGER: &str = "a-person";

/// The administrator's connection.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    server: String,
    token: String,
    /// On whose behalf, if it is somebody else's.
    user: Option<String>,
}

impl Api {
    pub(crate) fn new(plane: &ControlPlane) -> Self {
        let client = http::client(Some(plane.ca_file()));
        Self { client, server: plane.server().to_owned(), token: plane.admin_token().to_owned(), user: None }
    }

    /// The same API server as it answers this user.
    pub(crate) fn acting_as(&self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..self.clone() }
    }

    /// One object, or `None` when there is no such object.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let (status, answer) = self.send(Method::GET, path, "application/json", None);
        match status {
            200 => Some(answer),
            404 => None,
            _ => panic!("GET {path}: {status} {answer}"),
        }
    }

    /// The items of a list.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let mut list = self.get(path).unwrap_or_else(|| panic!("no list at {path}"));
        serde_json::from_value(list["items"].take()).expect("a list")
    }

    /// Server-side apply: the object as stored, or the API server's own words of refusal.
    pub(crate) fn apply(&self, manifest: &Value) -> Result<Value, String> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}&force=true", path_of(manifest));
        self.answered(Method::PATCH, &path, "application/apply-patch+yaml", Some(manifest))
    }

    /// Whether the API server would take a new object.
    pub(crate) fn try_create(&self, manifest: &Value) -> Result<Value, String> {
        let path = path_of(manifest);
        let (collection, _) = path.rsplit_once('/').expect("a path");
        self.answered(Method::POST, &format!("{collection}?dryRun=All"), "application/json", Some(manifest))
    }

    /// A JSON merge patch.
    pub(crate) fn patch(&self, path: &str, part: &Value) -> Result<Value, String> {
        let path = format!("{path}?fieldManager={FIELD_MANAGER}");
        self.answered(Method::PATCH, &path, "application/merge-patch+json", Some(part))
    }

    /// Deletes an object, or asks it to go where something holds it. No such object is no failure.
    pub(crate) fn delete(&self, path: &str) {
        let (status, answer) = self.send(Method::DELETE, path, "application/json", Some(&json!({})));
        assert!([200, 202, 404].contains(&status), "DELETE {path}: {status} {answer}");
    }

    fn answered(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> Result<Value, String> {
        let (status, mut answer) = self.send(method, path, kind, body);
        if status < 300 {
            Ok(answer)
        } else {
            Err(answer["message"].take().as_str().unwrap_or("no message").to_owned())
        }
    }

    fn send(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> (u16, Value) {
        runtime().block_on(async {
            let mut request = self.client.request(method, format!("{}{path}", self.server)).bearer_auth(&self.token);
            if let Some(user) = &self.user {
                request = request.header("impersonate-user", user);
            }
            if let Some(body) = body {
                request = request.header("content-type", kind).body(body.to_string());
            }
            let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"));
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_else(|error| panic!("{path}: {error}"));
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        })
    }
}

/// Where an object of this manifest lives.
fn path_of(manifest: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let resource = format!("{}s", text(&manifest["kind"]).to_lowercase());
    path(&resource, &text(&manifest["metadata"]["namespace"]), &text(&manifest["metadata"]["name"]))
}

/// Where an object lives; without a name, where all of them live. `resource` is the plural.
pub(crate) fn path(resource: &str, namespace: &str, name: &str) -> String {
    let group = match resource {
        "platforms" | "technicalusers" | "rolebindings" => "/apis/technicaluser.dev/v1alpha1",
        "leases" => "/apis/coordination.k8s.io/v1",
        "customresourcedefinitions" => "/apis/apiextensions.k8s.io/v1",
        "deployments" | "statefulsets" | "daemonsets" | "replicasets" => "/apis/apps/v1",
        "jobs" | "cronjobs" => "/apis/batch/v1",
        "poddisruptionbudgets" => "/apis/policy/v1",
        _ => "/api/v1",
    };
    let within = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    format!("{group}{within}/{resource}/{name}").trim_end_matches('/').to_owned()
}

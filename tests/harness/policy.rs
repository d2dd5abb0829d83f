//! The chart's admission policies. An API server enforces a policy a moment after it has learned of it, and a story that
//! came before that moment would prove nothing.

use std::time::Duration;

use serde_json::json;

use super::api::{Api, path};
use super::eventually;
use super::team::manifest;

const LIMIT: Duration = Duration::from_secs(30);

/// Waits until a status is refused to the administrator, who may do everything that RBAC knows. No operator must be
/// running yet: it would take the Platform that is tried for one to connect to.
pub(crate) fn in_force(api: &Api) {
    let name = "is-the-policy-in-force";
    let nowhere = json!({ "url": "https://uaa.invalid", "credentialsSecretRef": { "name": "none" } });
    let platform = manifest("Platform", "", name, &json!({ "environment": { "uaa": nowhere } }));
    // The API server begins to serve a kind some moments after it has learned of it.
    eventually("Platforms are served", LIMIT, || api.apply(&platform).ok());
    let status = json!({ "status": { "observedGeneration": 1 } });
    eventually("the admission policy is in force", LIMIT, || {
        let answer = api.patch(&format!("{}/status", path("platforms", "", name)), &status);
        answer.err().filter(|refusal| refusal.contains("ValidatingAdmissionPolicy"))
    });
    api.delete(&path("platforms", "", name));
}

//! People who are not the administrator. What one may do is what RBAC gives them, and nothing else.

use serde_json::{Value, json};

use super::api::Api;
use super::{Kubectl, Stage};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Somebody, and what they work with.
pub(crate) struct Person {
    /// Their kubectl.
    pub(crate) kubectl: Kubectl,
    /// Their way to the API server without a process for each call.
    pub(crate) api: Api,
}

impl Person {
    /// Somebody with every right to everything in one namespace, and no other right.
    pub(crate) fn with_everything_in(stage: &Stage, namespace: &str) -> Self {
        let name = format!("everything-in-{namespace}");
        let rule = json!({ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] });
        let metadata = json!({ "name": name, "namespace": namespace });
        Self::bound(stage, &name, ["Role", "RoleBinding"], &metadata, &json!([rule]))
    }

    /// Somebody who answers for a Platform: may change it, and the TechnicalUsers and RoleBindings of all namespaces.
    pub(crate) fn who_answers_for(stage: &Stage, platform: &str) -> Self {
        let name = format!("answers-for-{platform}");
        let verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
        let own = json!({
            "apiGroups": ["technicaluser.dev"], "resources": ["platforms"], "resourceNames": [platform], "verbs": verbs,
        });
        let theirs = json!({
            "apiGroups": ["technicaluser.dev"], "resources": ["technicalusers", "rolebindings"], "verbs": verbs,
        });
        Self::bound(
            stage,
            &name,
            ["ClusterRole", "ClusterRoleBinding"],
            &json!({ "name": name }),
            &json!([own, theirs]),
        )
    }

    /// A user of this name, and the role that is all they have.
    fn bound(stage: &Stage, name: &str, [role, binding]: [&str; 2], metadata: &Value, rules: &Value) -> Self {
        let version = format!("{RBAC}/v1");
        let role_ref = json!({ "apiGroup": RBAC, "kind": role, "name": name });
        let subject = json!({ "apiGroup": RBAC, "kind": "User", "name": name });
        let role = json!({ "apiVersion": version, "kind": role, "metadata": metadata, "rules": rules });
        let binding = json!({
            "apiVersion": version, "kind": binding, "metadata": metadata, "roleRef": role_ref, "subjects": [subject],
        });
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [role, binding] });
        stage.kubectl().apply(&list.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { kubectl: stage.kubectl().acting_as(name), api: stage.api().acting_as(name) }
    }
}

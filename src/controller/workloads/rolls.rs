//! What a Deployment, StatefulSet or DaemonSet tells of its rollout. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;
use kube::core::SelectorExt as _;

use crate::plan::restart::Rollout;

/// What is asked of each of the three kinds.
pub trait Rolls {
    /// The template of its pods.
    fn template(&self) -> Option<&PodTemplateSpec>;
    /// Whether somebody has paused it, or lets only a part of it roll.
    fn is_paused(&self) -> bool;
    /// Whether its pods are replaced only when somebody deletes them.
    fn is_on_delete(&self) -> bool;
    /// Whether its last rollout has come to its end, with all pods available.
    fn has_rolled_out(&self) -> bool;

    /// How its pods become new ones.
    fn rollout(&self) -> Rollout {
        if self.is_on_delete() {
            Rollout::OnDelete
        } else if self.is_paused() {
            Rollout::Paused
        } else if self.has_rolled_out() {
            Rollout::Settled
        } else {
            Rollout::Rolling
        }
    }
}

impl Rolls for Deployment {
    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref().map(|spec| &spec.template)
    }

    fn is_paused(&self) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.paused == Some(true))
    }

    fn is_on_delete(&self) -> bool {
        false
    }

    fn has_rolled_out(&self) -> bool {
        let (Some(spec), Some(status)) = (&self.spec, &self.status) else { return false };
        let counts = [status.replicas, status.updated_replicas, status.available_replicas];
        is_observed(self.metadata.generation, status.observed_generation) && are_all(counts, spec.replicas.unwrap_or(1))
    }
}

impl Rolls for StatefulSet {
    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref().map(|spec| &spec.template)
    }

    fn is_paused(&self) -> bool {
        let strategy = self.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
        let partition =
            strategy.and_then(|strategy| strategy.rolling_update.as_ref()).and_then(|update| update.partition);
        partition.is_some_and(|partition| partition > 0)
    }

    fn is_on_delete(&self) -> bool {
        let strategy = self.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
        strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("OnDelete"))
    }

    fn has_rolled_out(&self) -> bool {
        let (Some(spec), Some(status)) = (&self.spec, &self.status) else { return false };
        let counts = [Some(status.replicas), status.updated_replicas, status.available_replicas];
        // With a partition only a part of the pods is ever updated; one that rolls in part is paused to us.
        is_observed(self.metadata.generation, status.observed_generation) && are_all(counts, spec.replicas.unwrap_or(1))
    }
}

impl Rolls for DaemonSet {
    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref().map(|spec| &spec.template)
    }

    fn is_paused(&self) -> bool {
        false
    }

    fn is_on_delete(&self) -> bool {
        let strategy = self.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
        strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("OnDelete"))
    }

    fn has_rolled_out(&self) -> bool {
        let Some(status) = &self.status else { return false };
        let counts = [Some(status.current_number_scheduled), status.updated_number_scheduled, status.number_available];
        is_observed(self.metadata.generation, status.observed_generation)
            && are_all(counts, status.desired_number_scheduled)
    }
}

/// Whether the controller has seen the object as it is.
fn is_observed(generation: Option<i64>, observed: Option<i64>) -> bool {
    observed >= generation && generation.is_some()
}

/// A count that is not there is zero.
fn are_all<const N: usize>(counts: [Option<i32>; N], wanted: i32) -> bool {
    counts.iter().all(|count| count.unwrap_or(0) == wanted)
}

/// The first disruption budget that is for pods of this template and allows none.
pub fn budget_that_forbids(budgets: &[PodDisruptionBudget], template: &PodTemplateSpec) -> Option<String> {
    let none = BTreeMap::new();
    let labels = template.metadata.as_ref().and_then(|metadata| metadata.labels.as_ref()).unwrap_or(&none);
    let forbids = |budget: &&PodDisruptionBudget| {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let allowed = budget.status.as_ref().map_or(0, |status| status.disruptions_allowed);
        allowed == 0 && selector.is_some_and(|selector| selects(selector, labels))
    };
    budgets.iter().find(forbids).map(ResourceExt::name_any)
}

/// Whether a selector chooses these labels. One that cannot be read is taken to choose them.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    kube::core::Selector::try_from(selector.clone()).map_or(true, |selector| selector.matches(labels))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn deployment(spec: &Value, status: Value) -> Deployment {
        let mut whole = json!({ "selector": {}, "template": {} });
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        read(json!({ "metadata": { "generation": 2 }, "spec": whole, "status": status }))
    }

    #[test]
    fn a_deployment_has_rolled_out_when_all_its_pods_are_new_and_available() {
        let two = json!({ "replicas": 2 });
        let status = |generation, all, updated, available| {
            json!({ "observedGeneration": generation, "replicas": all, "updatedReplicas": updated,
                "availableReplicas": available })
        };
        assert!(deployment(&two, status(2, 2, 2, 2)).has_rolled_out());
        assert!(!deployment(&two, status(1, 2, 2, 2)).has_rolled_out(), "the controller has yet to look");
        assert!(!deployment(&two, status(2, 3, 2, 2)).has_rolled_out(), "an old pod is there");
        assert!(!deployment(&two, status(2, 2, 1, 2)).has_rolled_out());
        assert!(!deployment(&two, status(2, 2, 2, 1)).has_rolled_out());
        assert!(deployment(&json!({ "replicas": 0 }), json!({ "observedGeneration": 2 })).has_rolled_out());
        assert!(!deployment(&json!({}), json!({ "observedGeneration": 2 })).has_rolled_out(), "one is wanted");
        assert!(deployment(&json!({ "paused": true }), json!({})).is_paused());
        assert!(!deployment(&json!({ "paused": false }), json!({})).is_paused());
    }

    #[test]
    fn a_stateful_set_that_rolls_in_part_is_paused() {
        let set = |strategy: Value| {
            let spec = json!({ "selector": {}, "template": {}, "serviceName": "s", "updateStrategy": strategy });
            let counts =
                json!({ "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 });
            read::<StatefulSet>(json!({ "metadata": { "generation": 1 }, "spec": spec, "status": counts }))
        };
        let plain = set(json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } }));
        assert!(!plain.is_paused() && !plain.is_on_delete() && plain.has_rolled_out());
        assert!(set(json!({ "rollingUpdate": { "partition": 1 } })).is_paused());
        assert!(set(json!({ "type": "OnDelete" })).is_on_delete());
    }

    #[test]
    fn a_daemon_set_is_where_it_is_wanted() {
        let set = |available| {
            let spec = json!({ "selector": {}, "template": {}, "updateStrategy": { "type": "OnDelete" } });
            let status = json!({ "observedGeneration": 1, "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
                "updatedNumberScheduled": 3, "numberAvailable": available, "numberMisscheduled": 0, "numberReady": 3 });
            read::<DaemonSet>(json!({ "metadata": { "generation": 1 }, "spec": spec, "status": status }))
        };
        assert!(set(3).has_rolled_out() && !set(2).has_rolled_out() && set(3).is_on_delete());
    }

    #[test]
    fn a_budget_counts_where_it_is_for_these_pods_and_allows_none() {
        let budget = |selector: Value, status: Value| {
            let metadata = json!({ "name": "b" });
            read::<PodDisruptionBudget>(
                json!({ "metadata": metadata, "spec": { "selector": selector }, "status": status }),
            )
        };
        let allows =
            |count| json!({ "disruptionsAllowed": count, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1 });
        let template: PodTemplateSpec = read(json!({ "metadata": { "labels": { "app": "orders" } } }));
        let forbids = |selector, status| budget_that_forbids(&[budget(selector, status)], &template);
        let ours = || json!({ "matchLabels": { "app": "orders" } });
        assert_eq!(forbids(ours(), allows(0)).as_deref(), Some("b"));
        assert_eq!(forbids(ours(), allows(1)), None);
        assert_eq!(forbids(ours(), Value::Null).as_deref(), Some("b"), "nobody has counted yet");
        assert_eq!(forbids(json!({ "matchLabels": { "app": "billing" } }), allows(0)), None);
        assert_eq!(forbids(json!({}), allows(0)).as_deref(), Some("b"), "an empty one chooses all pods");
        assert_eq!(forbids(Value::Null, allows(0)), None, "without one it chooses none");
        let expression = json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["orders"] }] });
        assert_eq!(forbids(expression, allows(0)).as_deref(), Some("b"));
    }
}

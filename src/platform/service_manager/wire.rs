//! What the Service Manager's JSON looks like, as far as we read and write it. Types only.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mark::Labels;
use crate::platform::Health;

/// One page of a list.
#[derive(Deserialize)]
pub struct Page<T> {
    /// `null` instead of an empty list is seen in the wild.
    pub items: Option<Vec<T>>,
    /// The token of the next page; absent on the last.
    pub token: Option<String>,
}

/// A service offering.
#[derive(Deserialize)]
pub struct Offering {
    pub id: String,
    pub catalog_name: String,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

/// A plan of an offering.
#[derive(Deserialize)]
pub struct Plan {
    pub id: String,
    pub catalog_name: String,
    pub service_offering_id: String,
}

/// A service instance.
#[derive(Deserialize)]
pub struct Instance {
    pub id: String,
    pub name: String,
    pub service_plan_id: String,
    #[serde(default)]
    pub ready: Option<bool>,
    #[serde(default)]
    pub usable: Option<bool>,
    #[serde(default)]
    pub labels: Option<Labels>,
    #[serde(default)]
    pub last_operation: Option<LastOperation>,
}

/// A service binding without its value.
#[derive(Deserialize)]
pub struct Binding {
    pub id: String,
    pub name: String,
    pub service_instance_id: String,
    #[serde(default)]
    pub ready: Option<bool>,
    #[serde(default)]
    pub labels: Option<Labels>,
    #[serde(default)]
    pub last_operation: Option<LastOperation>,
}

/// A service binding with its value. It has no `Debug`.
#[derive(Deserialize)]
pub struct RevealedBinding {
    #[serde(flatten)]
    pub binding: Binding,
    #[serde(default)]
    pub credentials: Option<Map<String, Value>>,
}

/// An operation: of its own, or as the last one of a resource.
#[derive(Deserialize)]
pub struct LastOperation {
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    pub state: String,
    #[serde(default)]
    pub errors: Option<Value>,
}

/// An instance to be made.
#[derive(Serialize)]
pub struct NewInstance<'a> {
    pub name: &'a str,
    pub service_plan_id: &'a str,
    pub parameters: Map<String, Value>,
    pub labels: Labels,
}

/// A change to an instance.
#[derive(Serialize)]
pub struct InstanceChange {
    pub parameters: Map<String, Value>,
}

/// A binding to be made.
#[derive(Serialize)]
pub struct NewBinding<'a> {
    pub name: &'a str,
    pub service_instance_id: &'a str,
    pub labels: Labels,
}

impl LastOperation {
    /// Whether it still runs.
    pub fn in_progress(&self) -> bool {
        matches!(self.state.as_str(), "in progress" | "pending")
    }

    /// Whether it was the creation, and failed.
    fn failed_to_create(&self) -> bool {
        self.state == "failed" && self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("create"))
    }
}

/// Whether a resource can be used, by its last operation and its flags.
pub fn health(last: Option<&LastOperation>, ready: Option<bool>, usable: Option<bool>) -> Health {
    match last {
        Some(last) if last.in_progress() => Health::InProgress,
        Some(last) if last.failed_to_create() => Health::Failed,
        None if usable == Some(false) => Health::Failed,
        None if ready == Some(false) => Health::InProgress,
        // A change or a removal that failed leaves the resource as it was.
        Some(_) | None => Health::Usable,
    }
}

/// Instance parameters with the roles in the place that the offering wants them.
pub fn parameters(
    given: Option<&Map<String, Value>>,
    roles_parameter: Option<&str>,
    roles: &BTreeSet<String>,
) -> Map<String, Value> {
    let mut parameters = given.cloned().unwrap_or_default();
    if let Some(name) = roles_parameter {
        parameters.insert(name.to_owned(), roles.iter().cloned().collect());
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(kind: &str, state: &str) -> LastOperation {
        LastOperation { kind: Some(kind.into()), state: state.into(), errors: None }
    }

    #[test]
    fn only_a_failed_creation_is_a_failed_resource() {
        let of = |kind, state| health(Some(&last(kind, state)), Some(true), Some(true));
        assert_eq!(of("create", "failed"), Health::Failed);
        assert_eq!(of("delete", "failed"), Health::Usable);
        assert_eq!(of("update", "failed"), Health::Usable);
        assert_eq!(of("delete", "in progress"), Health::InProgress);
        assert_eq!(of("create", "succeeded"), Health::Usable);
        assert_eq!(health(None, Some(true), Some(false)), Health::Failed);
        assert_eq!(health(None, Some(false), None), Health::InProgress);
        assert_eq!(health(None, None, None), Health::Usable);
    }

    #[test]
    fn roles_join_the_other_parameters() {
        let given: Map<String, Value> = serde_json::from_str(r#"{"token-validity":3600,"roles":["x"]}"#).unwrap();
        let merged = parameters(Some(&given), Some("roles"), &BTreeSet::from(["b".to_owned(), "a".to_owned()]));
        assert_eq!(Value::from(merged), serde_json::json!({"token-validity": 3600, "roles": ["a", "b"]}));
        assert_eq!(parameters(Some(&given), None, &BTreeSet::new()), given);
    }
}

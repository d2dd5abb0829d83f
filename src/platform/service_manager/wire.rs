//! What the Service Manager's JSON looks like, as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mark::{self, Labels};
use crate::plan::owner::Owner;
use crate::platform::Health;
use crate::platform::broker::instances::Seen;
use crate::platform::broker::mark::Listed;

/// One page of a list.
#[derive(Deserialize)]
pub struct Page<T> {
    /// `null` instead of an empty list is seen in the wild.
    pub items: Option<Vec<T>>,
    /// How many there are on all pages.
    pub num_items: Option<usize>,
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
    #[serde(default)]
    data_center: Option<String>,
}

impl Offering {
    /// The name of its data centre, if it has one that can be shown.
    pub fn data_centre(&self) -> &str {
        let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        self.data_center.as_deref().filter(|name| name.len() < 64).filter(plain).unwrap_or("one without a name")
    }
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

impl Instance {
    /// What is kept in mind of it.
    pub fn seen(&self) -> Seen {
        Seen { name: self.name.clone(), plan: self.service_plan_id.clone() }
    }
}

impl Listed for Instance {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_of(&self, owner: &Owner) -> bool {
        self.labels.as_ref().is_some_and(|labels| mark::is_of(labels, owner))
    }
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

impl Listed for Binding {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_of(&self, owner: &Owner) -> bool {
        self.labels.as_ref().is_some_and(|labels| mark::is_of(labels, owner))
    }
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
    #[serde(default)]
    pub id: Option<String>,
    /// What it works on.
    #[serde(default)]
    pub resource_id: Option<String>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
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
        // Nothing is on its way that could make it usable: it is half made, or half removed.
        _ if usable == Some(false) => Health::Failed,
        None if ready == Some(false) => Health::InProgress,
        // A change that failed leaves the resource as it was, and so does a removal that did not take it out of use.
        Some(_) | None => Health::Usable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(kind: &str, state: &str) -> LastOperation {
        LastOperation { id: None, resource_id: None, kind: Some(kind.into()), state: state.into(), errors: None }
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
        assert_eq!(health(Some(&last("delete", "failed")), Some(true), Some(false)), Health::Failed, "half removed");
        assert_eq!(health(Some(&last("create", "in progress")), Some(false), Some(false)), Health::InProgress);
        assert_eq!(health(None, Some(false), None), Health::InProgress);
        assert_eq!(health(None, None, None), Health::Usable);
    }
}

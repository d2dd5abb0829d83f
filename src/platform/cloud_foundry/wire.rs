//! What the JSON of the API v3 looks like, as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::mark::{self, Labels};
use crate::plan::owner::Owner;
use crate::platform::Health;
use crate::platform::broker::instances::Seen;
use crate::platform::broker::mark::Listed;

/// One page of a list.
#[derive(Deserialize)]
pub struct Page<T> {
    pub pagination: Pagination,
    pub resources: Vec<T>,
    #[serde(default)]
    pub included: Option<Included>,
}

/// Which page of how many.
#[derive(Deserialize)]
pub struct Pagination {
    pub total_results: usize,
    pub total_pages: usize,
}

/// What a list shows beside.
#[derive(Deserialize, Default)]
pub struct Included {
    #[serde(default)]
    pub users: Vec<User>,
    #[serde(default)]
    pub service_offerings: Vec<Offering>,
}

/// A user. Clients, and users that the UAA does not know any more, have no name.
#[derive(Deserialize)]
pub struct User {
    pub guid: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub origin: Option<String>,
}

/// Something of which no more is asked than its name and guid.
#[derive(Deserialize)]
pub struct Named {
    pub guid: String,
    pub name: String,
    #[serde(default)]
    pub relationships: Relationships,
}

/// What something is related to.
#[derive(Deserialize, Serialize, Default)]
pub struct Relationships {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Related>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Related>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<Related>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_plan: Option<Related>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_offering: Option<Related>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_instance: Option<Related>,
}

/// A relationship to one object, or to none.
#[derive(Deserialize, Serialize)]
pub struct Related {
    data: Option<Guid>,
}

#[derive(Deserialize, Serialize)]
struct Guid {
    guid: String,
}

impl Related {
    /// To the object of this guid.
    pub fn to(guid: &str) -> Self {
        Self { data: Some(Guid { guid: guid.to_owned() }) }
    }
}

/// The guid that a relationship leads to; empty where it leads nowhere.
pub fn guid(related: Option<&Related>) -> &str {
    related.and_then(|related| related.data.as_ref()).map(|data| data.guid.as_str()).unwrap_or_default()
}

/// A role of a user.
#[derive(Deserialize)]
pub struct Role {
    pub guid: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub relationships: Relationships,
}

impl Role {
    /// The guid of its organization, or of its space.
    pub fn place(&self) -> &str {
        let in_space = guid(self.relationships.space.as_ref());
        if in_space.is_empty() { guid(self.relationships.organization.as_ref()) } else { in_space }
    }
}

/// A role that is to be given to a user by name, in the organization or the space of this guid.
pub fn new_role(kind: &str, (name, origin): (&str, &str), (place, place_guid): (&str, &str)) -> Value {
    let user = json!({"data": {"username": name, "origin": origin}});
    json!({"type": kind, "relationships": {"user": user, place: {"data": {"guid": place_guid}}}})
}

/// A plan of an offering.
#[derive(Deserialize)]
pub struct Plan {
    pub guid: String,
    pub name: String,
    pub relationships: Relationships,
}

/// A service offering.
#[derive(Deserialize)]
pub struct Offering {
    pub guid: String,
    pub name: String,
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Labels of an object.
#[derive(Deserialize, Serialize, Default)]
pub struct Metadata {
    #[serde(default)]
    pub labels: Labels,
}

/// A service instance.
#[derive(Deserialize)]
pub struct Instance {
    pub guid: String,
    pub name: String,
    pub relationships: Relationships,
    #[serde(default)]
    pub last_operation: Option<LastOperation>,
    #[serde(default)]
    pub metadata: Metadata,
}

impl Instance {
    /// The guid of its plan.
    pub fn plan(&self) -> &str {
        guid(self.relationships.service_plan.as_ref())
    }

    /// The guid of its space.
    pub fn space(&self) -> &str {
        guid(self.relationships.space.as_ref())
    }

    /// What is kept in mind of it.
    pub fn seen(&self) -> Seen {
        Seen { name: self.name.clone(), plan: self.plan().to_owned() }
    }
}

impl Listed for Instance {
    fn id(&self) -> &str {
        &self.guid
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn is_of(&self, owner: &Owner) -> bool {
        mark::is_of(&self.metadata.labels, owner)
    }
}

/// A service key, without its value.
#[derive(Deserialize)]
pub struct Key {
    pub guid: String,
    pub name: Option<String>,
    pub relationships: Relationships,
    #[serde(default)]
    pub last_operation: Option<LastOperation>,
    #[serde(default)]
    pub metadata: Metadata,
}

impl Key {
    /// The guid of its instance.
    pub fn instance(&self) -> &str {
        guid(self.relationships.service_instance.as_ref())
    }
}

impl Listed for Key {
    fn id(&self) -> &str {
        &self.guid
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn is_of(&self, owner: &Owner) -> bool {
        mark::is_of(&self.metadata.labels, owner)
    }
}

/// The value of a key. It has no `Debug`.
#[derive(Deserialize)]
pub struct Details {
    pub credentials: Map<String, Value>,
}

/// The last operation of an instance or a key.
#[derive(Deserialize)]
pub struct LastOperation {
    #[serde(rename = "type")]
    pub kind: String,
    pub state: String,
}

/// A job.
#[derive(Deserialize)]
pub struct Job {
    pub guid: String,
    pub state: String,
    #[serde(default)]
    pub errors: Option<Value>,
}

/// An instance or a key to be made.
#[derive(Serialize)]
pub struct Order<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    pub relationships: Relationships,
    pub metadata: Metadata,
}

/// A change to an instance.
#[derive(Serialize)]
pub struct InstanceChange {
    pub parameters: Map<String, Value>,
}

/// Whether an instance or a key can be used, by its last operation. A change that failed leaves it as it was, and so does
/// a removal.
pub fn health(last: Option<&LastOperation>) -> Health {
    match last {
        Some(last) if matches!(last.state.as_str(), "initial" | "in progress") => Health::InProgress,
        Some(last) if last.kind == "create" && last.state == "failed" => Health::Failed,
        Some(_) | None => Health::Usable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_creation_is_a_failed_object() {
        let of = |kind: &str, state: &str| health(Some(&LastOperation { kind: kind.into(), state: state.into() }));
        assert_eq!(of("create", "initial"), Health::InProgress);
        assert_eq!(of("create", "in progress"), Health::InProgress);
        assert_eq!(of("create", "failed"), Health::Failed);
        assert_eq!(of("create", "succeeded"), Health::Usable);
        assert_eq!(of("update", "failed"), Health::Usable);
        assert_eq!(of("delete", "in progress"), Health::InProgress);
        assert_eq!(of("delete", "failed"), Health::Usable);
        assert_eq!(health(None), Health::Usable);
    }
}

//! What SCIM's JSON looks like (RFC 7643, RFC 7644), as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::mark::ExternalId;
use crate::api::Principal;
use crate::platform::http::Answer;
use crate::platform::reading::Listed;
use crate::platform::{Health, Mark, ObservedIdentity};

/// Media type of bodies (RFC 7644 §3.1).
pub const SCIM: &str = "application/scim+json";
/// The schema of a user.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// What a directory can do, as its `ServiceProviderConfig` says (RFC 7643 §5).
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Abilities {
    pub patch: Ability,
    pub filter: Ability,
    #[serde(default)]
    pub etag: Ability,
}

/// Whether it can do one thing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Ability {
    pub supported: bool,
}

/// A page of a list (RFC 7644 §3.4.2). Without results there need be no `Resources`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub total_results: usize,
    #[serde(rename = "Resources", default = "Vec::new")]
    pub resources: Vec<T>,
    /// The id of the first resource of the next page, where lists go on by ids.
    next_id: Option<String>,
}

impl<T> Page<T> {
    /// Where the list goes on. That it does not is written in several ways.
    pub fn next(&self) -> Option<&str> {
        self.next_id.as_deref().filter(|next| !["", "end", "<end>"].contains(next))
    }
}

/// A user as lists show it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: String,
    #[serde(rename = "userName")]
    pub name: String,
    pub external_id: Option<String>,
    /// For people, `namespace/name`.
    pub display_name: Option<String>,
    #[serde(default)]
    emails: Vec<Address>,
    #[serde(rename = "urn:ietf:params:scim:schemas:extension:sap:2.0:User")]
    sap: Option<SapUser>,
}

/// What only Cloud Identity Services tells of a user.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SapUser {
    user_id: Option<String>,
}

/// An e-mail address of a user.
#[derive(Clone, Debug, Deserialize)]
struct Address {
    value: String,
    #[serde(default)]
    primary: bool,
}

impl Listed for User {
    fn id(&self) -> &str {
        &self.id
    }
}

impl User {
    /// Our mark, if it carries one.
    pub fn mark(&self) -> Option<ExternalId> {
        ExternalId::read(self.external_id.as_deref()?)
    }

    /// Its e-mail address: the one marked as primary, or the first. One without is known by its name.
    pub fn mail(&self) -> &str {
        let primary = self.emails.iter().find(|mail| mail.primary).or_else(|| self.emails.first());
        primary.map_or(&self.name, |mail| &mail.value)
    }

    /// The id that a tenant of Cloud Identity Services gives it, such as `P000123`: nobody chooses it.
    pub fn user_id(&self) -> Option<&str> {
        self.sap.as_ref()?.user_id.as_deref().filter(|id| !id.is_empty())
    }

    /// The identity that it is, if it carries a mark. `origin` is how others name this directory, and `known_as` the user.
    pub fn observed(self, origin: &str, known_as: fn(&Self) -> Option<&str>) -> Option<ObservedIdentity> {
        let mark = self.mark()?;
        let user = known_as(&self).map(|name| Principal { name: name.to_owned(), origin: Some(origin.to_owned()) });
        let shown = self.display_name.unwrap_or_default();
        let (namespace, name) = shown.split_once('/').unwrap_or_default();
        Some(ObservedIdentity {
            name: mark.identity_name(),
            id: self.id,
            health: Health::Usable,
            roles: None,
            credential: mark.credential(),
            mark: Some(Mark { uid: mark.uid, namespace: namespace.to_owned(), name: name.to_owned() }),
            user,
        })
    }
}

/// A group as lists show it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub id: String,
    pub display_name: String,
}

impl Listed for Group {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A resource with all that the directory shows of it, to be written back, and its version. It has no `Debug`: some
/// directories show passwords.
pub struct Whole {
    pub fields: Map<String, Value>,
    pub tag: Option<String>,
}

/// What only the directory writes, and what nobody shall see.
const NOT_WRITTEN_BACK: [&str; 3] = ["meta", "groups", "password"];

impl Whole {
    /// The resource of this id, if an answer shows that one.
    pub fn read(answer: &Answer, id: &str, operation: &'static str) -> Option<Self> {
        let mut fields: Map<String, Value> = answer.json(operation).ok()?;
        if fields.get("id")?.as_str()? != id {
            return None;
        }
        let version = fields.get("meta").and_then(|meta| meta.get("version")?.as_str());
        let tag = answer.header("etag").or(version).map(str::to_owned);
        fields.retain(|name, _| !NOT_WRITTEN_BACK.contains(&name.as_str()));
        Some(Self { fields, tag })
    }

    /// Our mark, if it carries one.
    pub fn mark(&self) -> Option<ExternalId> {
        ExternalId::read(self.fields.get("externalId")?.as_str()?)
    }

    /// The name that a user logs on with.
    pub fn name(&self) -> &str {
        self.fields.get("userName").and_then(Value::as_str).unwrap_or_default()
    }

    /// The ids of a group's members; `None` where they are not what the RFC says.
    pub fn members(&self) -> Option<Vec<String>> {
        let Some(members) = self.fields.get("members") else { return Some(Vec::new()) };
        let id = |member: &Value| member.get("value").and_then(Value::as_str).map(str::to_owned);
        members.as_array()?.iter().map(id).collect()
    }

    /// The whole of it after a change.
    pub fn with(&self, fields: &[(&str, Value)]) -> Value {
        let changed = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Value::Object(self.fields.clone().into_iter().chain(changed).collect())
    }
}

/// A user to be made. Directories differ in which of these they want, and none minds the rest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewUser<'a> {
    pub schemas: Vec<&'a str>,
    pub user_name: &'a str,
    pub external_id: &'a str,
    pub display_name: &'a str,
    pub name: Name<'a>,
    pub emails: [Email<'a>; 1],
    pub active: bool,
}

/// The name of a person, which this is not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Name<'a> {
    pub given_name: &'a str,
    pub family_name: &'a str,
}

/// An e-mail address.
#[derive(Serialize)]
pub struct Email<'a> {
    pub value: &'a str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub primary: bool,
}

/// A change of parts (RFC 7644 §3.5.2): all of them are made, or none.
pub fn patch(operations: Vec<Value>) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

/// The operations that give these attributes these values.
pub fn replacing(fields: &[(&str, Value)]) -> Vec<Value> {
    fields.iter().map(|(name, value)| json!({ "op": "replace", "path": name, "value": value })).collect()
}

/// Whether an answer is a refusal in SCIM's own form (RFC 7644 §3.12), and not one of anybody in between.
pub fn is_own_refusal(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Refusal {
        schemas: Vec<String>,
    }
    let refusal = answer.json::<Refusal>("read refusal");
    refusal.is_ok_and(|refusal| refusal.schemas.iter().any(|schema| schema.eq_ignore_ascii_case(ERROR)))
}

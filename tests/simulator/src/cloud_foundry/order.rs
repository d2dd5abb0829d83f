//! The order of a new service instance (cloud_controller_ng, `app/messages/service_instance_create_managed_message.rb`).

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::service_manager::Parameters;

use super::refusal::{self, Refusal};

/// Fields of an order. The last three are those of instances that users provide, which are not simulated.
const FIELDS: [&str; 9] = [
    "type",
    "name",
    "parameters",
    "tags",
    "relationships",
    "metadata",
    "credentials",
    "syslog_drain_url",
    "route_service_url",
];

/// A service instance that is ordered.
pub(super) struct InstanceOrder {
    pub(super) name: String,
    pub(super) space: String,
    pub(super) plan: String,
    pub(super) parameters: Parameters,
    pub(super) tags: Vec<String>,
    pub(super) metadata: Option<Value>,
}

impl InstanceOrder {
    /// Reads a request.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let fields = refusal::body(headers, body, &FIELDS)?;
        match fields.get("type").and_then(Value::as_str) {
            Some("managed") => refusal::only_known(&fields, &FIELDS[..6])?,
            Some("user-provided") => return Err(Refusal::unprocessable("User-provided instances are not simulated")),
            _ => return Err(Refusal::unprocessable("Type must be one of 'managed', 'user-provided'")),
        }
        let name = fields.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let blank = |what: &str| Refusal::unprocessable(format!("{what} can't be blank"));
        let space = refusal::related(&fields, "space");
        Ok(Self {
            name: name.map(str::to_owned).ok_or_else(|| blank("Name"))?,
            space: space.ok_or_else(|| blank("Relationships Space"))?,
            plan: refusal::related(&fields, "service_plan").ok_or_else(|| blank("Relationships Service plan"))?,
            parameters: parameters(&fields)?.unwrap_or_default(),
            tags: tags(&fields)?.unwrap_or_default(),
            metadata: fields.get("metadata").cloned(),
        })
    }
}

/// The parameters of a request, if there are any.
pub(super) fn parameters(fields: &Map<String, Value>) -> Result<Option<Parameters>, Refusal> {
    match fields.get("parameters") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(parameters)) => Ok(Some(parameters.clone())),
        Some(_) => Err(Refusal::unprocessable("Parameters must be an object")),
    }
}

/// The tags of a request, if there are any.
pub(super) fn tags(fields: &Map<String, Value>) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = |_| Refusal::unprocessable("Tags must be a list of strings");
    fields.get("tags").cloned().map(serde_json::from_value).transpose().map_err(wrong)
}

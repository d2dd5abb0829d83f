//! What a request for a role says: whom it is for, and where (cloud_controller_ng, `app/messages/role_create_message.rb`).

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::refusal::{self, Refusal};
use super::role_type::RoleType;

/// Whom a role is for.
pub(super) enum Wanted {
    /// The user, or the client, with this guid.
    Guid(String),
    /// The person with this name, in this origin or in any.
    Name(String, Option<String>),
}

/// A role that is to be given.
pub(super) struct RoleOrder {
    pub(super) kind: RoleType,
    pub(super) user: Wanted,
    /// Guid of the organization or the space, as the type says.
    pub(super) place: String,
}

impl RoleOrder {
    /// Reads a request.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let fields = refusal::body(headers, body, &["type", "relationships"])?;
        let name = fields.get("type").and_then(Value::as_str).unwrap_or_default();
        let kind = RoleType::named(name).ok_or_else(|| {
            Refusal::unprocessable(format!("Type must be one of the allowed types {}", RoleType::names()))
        })?;
        let none = Map::new();
        let related = fields.get("relationships").and_then(Value::as_object).unwrap_or(&none);
        refusal::only_known(related, &["space", "user", "organization"])?;
        let user = user(related.get("user"))?;
        Ok(Self { kind, user, place: place(&fields, kind)? })
    }
}

fn user(user: Option<&Value>) -> Result<Wanted, Refusal> {
    let field = |name: &str| user.and_then(|user| user["data"][name].as_str()).map(str::to_owned);
    match (field("guid"), field("username"), field("origin")) {
        (Some(guid), None, None) => Ok(Wanted::Guid(guid)),
        (None, Some(username), origin) => Ok(Wanted::Name(username, origin)),
        (Some(_), ..) => Err(Refusal::unprocessable("Username cannot be specified when identifying user by guid")),
        (None, None, Some(_)) => {
            Err(Refusal::unprocessable("User origin cannot be specified without specifying the username"))
        }
        (None, None, None) => Err(Refusal::unprocessable("User must have a username or guid specified")),
    }
}

fn place(fields: &Map<String, Value>, kind: RoleType) -> Result<String, Refusal> {
    let name = kind.name();
    match (refusal::related(fields, "organization"), refusal::related(fields, "space")) {
        (None, None) => Err(Refusal::unprocessable("Must specify either a space or an organization.")),
        (Some(_), Some(_)) => Err(Refusal::unprocessable("Cannot specify both an organization and a space.")),
        (Some(_), None) if kind.is_of_space() => {
            let text = format!("Organization cannot be provided with the space role type: '{name}'.");
            Err(Refusal::unprocessable(text))
        }
        (None, Some(_)) if !kind.is_of_space() => {
            let text = format!("Space cannot be provided with the organization role type: '{name}'.");
            Err(Refusal::unprocessable(text))
        }
        (Some(guid), None) | (None, Some(guid)) => Ok(guid),
    }
}

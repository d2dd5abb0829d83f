//! A member as a request describes it. Strict: the schemas must be named, and unknown fields are refused.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::account::Member;
use super::super::body::content_type;
use super::super::refusal::{Refusal, scim_bad_request};
use super::scim::{CORE, PREDEFINED_ROLES, Shown};
use crate::frame::NeoMemberBodies;

/// The user base of SAP ID service, for members whose request names none.
pub(super) const DEFAULT_USERBASE: &str = "accounts.sap.com";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleInput {
    value: String,
    #[serde(rename = "primary")]
    _primary: Option<bool>,
    #[serde(rename = "type")]
    _type: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    userbase: String,
}

/// The body of `POST` and `PUT`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserInput {
    schemas: Vec<String>,
    id: Option<String>,
    pub(super) user_name: String,
    #[serde(default)]
    roles: Vec<RoleInput>,
    #[serde(rename = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt")]
    extension: Option<Extension>,
    #[serde(rename = "com:sap:cloud:security:platform:1.0:UserExt")]
    older_extension: Option<Extension>,
    #[serde(rename = "meta")]
    _meta: Option<IgnoredAny>,
    #[serde(rename = "name")]
    _name: Option<IgnoredAny>,
    #[serde(rename = "emails")]
    _emails: Option<IgnoredAny>,
}

impl UserInput {
    /// Reads a request that says it is SCIM, or at least JSON where a switch lets that pass.
    pub(super) fn read(headers: &HeaderMap, body: &Bytes, bodies: NeoMemberBodies) -> Result<Self, Refusal> {
        let said = content_type(headers);
        let plain = bodies == NeoMemberBodies::ScimOrJson && said == "application/json";
        if said != "application/scim+json" && !plain {
            return Err(Refusal::UnsupportedMediaType);
        }
        let input: Self = serde_json::from_slice(body)
            .map_err(|_| scim_bad_request("invalidSyntax", "The request body is not a valid user"))?;
        if !input.schemas.iter().any(|schema| schema == CORE) {
            return Err(scim_bad_request("invalidSyntax", format!("The schema {CORE} is missing")));
        }
        if input.user_name.is_empty() {
            return Err(scim_bad_request("invalidValue", "userName is empty"));
        }
        Ok(input)
    }

    /// The user base, if the request names one in either spelling of the extension.
    pub(super) fn userbase(&self) -> Option<&str> {
        self.extension.as_ref().or(self.older_extension.as_ref()).map(|extension| extension.userbase.as_str())
    }

    /// The role names, each once; one that is neither predefined nor custom is refused.
    pub(super) fn known_roles(&self, custom: &[String]) -> Result<Vec<String>, Refusal> {
        let mut roles: Vec<String> = Vec::new();
        for role in &self.roles {
            if !PREDEFINED_ROLES.contains(&role.value.as_str()) && !custom.contains(&role.value) {
                return Err(scim_bad_request("invalidValue", format!("Role {} does not exist", role.value)));
            }
            if !roles.contains(&role.value) {
                roles.push(role.value.clone());
            }
        }
        Ok(roles)
    }

    /// Refuses an update that is about another user than its path, or spells it in another way than it is `shown`.
    pub(super) fn names(&self, member: &Member, shown: &Shown) -> Result<(), Refusal> {
        let same_id = self.id.as_ref().is_none_or(|id| *id == super::scim::id(member));
        let same_name = self.user_name == member.user_name;
        let same_base = self.userbase().is_none_or(|base| base == shown.userbase(member));
        if same_id && same_name && same_base {
            return Ok(());
        }
        Err(scim_bad_request("mutability", "id, userName and userbase cannot change"))
    }
}

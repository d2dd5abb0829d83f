//! Members as answers show them (RFC 7643, RFC 7644), in the present schema extension or the older one.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::account::Member;
use super::read::DEFAULT_USERBASE;
use crate::frame::clock;

/// The schema every user names.
pub(super) const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const EXTENSION: &str = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt";
const OLDER_EXTENSION: &str = "com:sap:cloud:security:platform:1.0:UserExt";

/// Roles the platform defines. In the cockpit they have other names, such as *Administrator* and *Support User*.
pub(super) const PREDEFINED_ROLES: [&str; 5] =
    ["AccountAdministrator", "Developer", "CloudConnectorAdministrator", "ApplicationUserAdministrator", "ReadOnly"];

/// The id of a member: the user name alone in SAP ID service, else with the user base behind it.
pub(super) fn id(member: &Member) -> String {
    if member.userbase.eq_ignore_ascii_case(DEFAULT_USERBASE) {
        return member.user_name.clone();
    }
    format!("{}_{}", member.user_name, member.userbase)
}

/// Whether two members are one: the same user name in the same user base, in whatever case.
pub(super) fn same_user(one: &Member, other: &Member) -> bool {
    one.user_name.eq_ignore_ascii_case(&other.user_name) && one.userbase.eq_ignore_ascii_case(&other.userbase)
}

/// How members are shown at present.
pub(super) struct Shown {
    /// URL of the collection.
    pub(super) base: String,
    /// In the older extension: user base in lower case, roles without their type.
    pub(super) older: bool,
}

impl Shown {
    /// URL of a member.
    pub(super) fn location(&self, member: &Member) -> String {
        format!("{}/{}", self.base, id(member))
    }

    /// A member.
    pub(super) fn member(&self, member: &Member) -> Value {
        let extension = if self.older { OLDER_EXTENSION } else { EXTENSION };
        let userbase = self.userbase(member);
        json!({
            "id": id(member),
            "userName": member.user_name,
            "schemas": [extension, CORE],
            "meta": {
                "created": stamp(member.created),
                "lastModified": stamp(member.last_modified),
                "location": self.location(member),
            },
            "roles": member.roles.iter().map(|role| self.role(role)).collect::<Vec<_>>(),
            extension: {"userbase": userbase},
        })
    }

    /// The user base of a member, as it is spelled at present.
    pub(super) fn userbase(&self, member: &Member) -> String {
        if self.older { member.userbase.to_lowercase() } else { member.userbase.clone() }
    }

    fn role(&self, name: &str) -> Value {
        if self.older {
            return json!({"value": name, "primary": false});
        }
        let kind = if PREDEFINED_ROLES.contains(&name) { "Predefined" } else { "Custom" };
        json!({"value": name, "primary": false, "type": kind})
    }
}

fn stamp(moment: Duration) -> String {
    clock::format(moment, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// What the service can do, readable without a token.
pub(super) fn configuration() -> Value {
    let no = json!({"supported": false});
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": no, "sort": no, "etag": no, "changePassword": no,
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": 0},
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "OAuth 2.0"}],
    })
}

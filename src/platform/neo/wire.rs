//! What the JSON of Neo's two authorization APIs looks like, as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};

/// The content type that the members API asks for (RFC 7644 §8.1).
pub const SCIM: &str = "application/scim+json";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const EXTENSION: &str = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt";

/// A list of members. Both spellings of its key have been seen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberList {
    #[serde(default, alias = "resources", rename = "Resources")]
    pub resources: Vec<Member>,
    pub total_results: Option<usize>,
}

/// A member with its platform roles. Older subaccounts show the extension under its older name.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub id: String,
    pub user_name: String,
    #[serde(default)]
    pub roles: Vec<MemberRole>,
    #[serde(rename = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt")]
    extension: Option<Extension>,
    #[serde(rename = "com:sap:cloud:security:platform:1.0:UserExt")]
    older_extension: Option<Extension>,
}

impl Member {
    /// The user base, where it is told, in the case in which we compare.
    pub fn user_base(&self) -> Option<String> {
        let extension = self.extension.as_ref().or(self.older_extension.as_ref())?;
        extension.userbase.as_ref().map(|base| base.to_lowercase())
    }
}

/// A platform role of a member.
#[derive(Clone, Deserialize, Serialize)]
pub struct MemberRole {
    pub value: String,
}

#[derive(Clone, Deserialize, Serialize)]
struct Extension {
    userbase: Option<String>,
}

/// A member as it shall be, in the form that SAP's Identity Provisioning writes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedMember<'a> {
    schemas: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    user_name: &'a str,
    roles: Vec<MemberRole>,
    #[serde(rename = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt")]
    extension: Extension,
}

impl<'a> WantedMember<'a> {
    /// A member with exactly these roles; `id` if it is one already.
    pub fn new(id: Option<&'a str>, user_name: &'a str, user_base: &str, roles: impl Iterator<Item = String>) -> Self {
        Self {
            schemas: [CORE, EXTENSION],
            id,
            user_name,
            roles: roles.map(|value| MemberRole { value }).collect(),
            extension: Extension { userbase: Some(user_base.to_owned()) },
        }
    }
}

/// Users of an application role.
#[derive(Deserialize, Serialize)]
pub struct Users {
    #[serde(default)]
    pub users: Vec<User>,
}

/// A user of an application role: a name and nothing else.
#[derive(Deserialize, Serialize)]
pub struct User {
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_of_the_list_are_read() {
        let newer = r#"{"totalResults":1,"Resources":[{"id":"P1_A","userName":"P1","roles":[{"value":"Developer","primary":false,
            "type":"Predefined"}],"urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt":{"userbase":"ACCOUNTS400.SAP.COM"}}]}"#;
        let older = r#"{"resources":[{"id":"P1","userName":"P1","name":{"familyName":"X"},"roles":[{"value":"Developer"}],
            "com:sap:cloud:security:platform:1.0:UserExt":{"userbase":"accounts400.sap.com"}}]}"#;
        for text in [newer, older] {
            let list: MemberList = serde_json::from_str(text).unwrap();
            assert_eq!(list.resources[0].user_base().as_deref(), Some("accounts400.sap.com"));
            assert_eq!(list.resources[0].roles[0].value, "Developer");
        }
        let bare: Member = serde_json::from_str(r#"{"id":"P1","userName":"P1"}"#).unwrap();
        assert!(bare.user_base().is_none() && bare.roles.is_empty());
    }
}

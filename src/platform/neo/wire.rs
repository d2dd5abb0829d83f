//! What the JSON of Neo's two authorization APIs looks like, as far as we read and write it. Types only.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The content type that the members API asks for (RFC 7644 §8.1).
pub const SCIM: &str = "application/scim+json";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const EXTENSION: &str = "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt";

/// A list of members. Both spellings of its key have been seen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberList {
    #[serde(alias = "resources", rename = "Resources")]
    resources: Option<Vec<Member>>,
    pub total_results: Option<usize>,
}

impl MemberList {
    /// The members of this page. A list may leave them out where it says that there are none (RFC 7644 §3.4.2).
    pub fn members(self) -> Option<Vec<Member>> {
        if self.total_results == Some(0) { Some(self.resources.unwrap_or_default()) } else { self.resources }
    }
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
    /// The user base as the platform spells it, where it is told.
    pub fn user_base(&self) -> Option<&str> {
        self.extension.as_ref().or(self.older_extension.as_ref())?.userbase.as_deref()
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
    pub fn new(id: Option<&'a str>, user_name: &'a str, user_base: &str, roles: &BTreeSet<&str>) -> Self {
        Self {
            schemas: [CORE, EXTENSION],
            id,
            user_name,
            roles: roles.iter().map(|&value| MemberRole { value: value.to_owned() }).collect(),
            extension: Extension { userbase: Some(user_base.to_owned()) },
        }
    }
}

/// Users of an application role. An answer without the list is none.
#[derive(Deserialize, Serialize)]
pub struct Users {
    pub users: Vec<User>,
}

/// A user of an application role: a name and nothing else.
#[derive(Deserialize, Serialize)]
pub struct User {
    pub name: String,
}

/// Application roles of a user.
#[derive(Deserialize)]
pub struct HeldRoles {
    pub roles: Vec<HeldRole>,
}

/// An application role of a user.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRole {
    pub name: String,
    pub application_name: String,
    pub provider_account: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Option<Vec<Member>> {
        serde_json::from_str::<MemberList>(text).unwrap().members()
    }

    #[test]
    fn a_list_without_members_says_that_there_are_none_or_is_no_list() {
        assert!(members(r#"{"totalResults":0}"#).unwrap().is_empty());
        assert!(members("{}").is_none());
        assert!(members(r#"{"totalResults":3}"#).is_none());
        assert!(serde_json::from_str::<Users>("{}").is_err());
        assert!(serde_json::from_str::<HeldRoles>("{}").is_err());
    }

    #[test]
    fn both_dialects_of_the_list_are_read() {
        let newer = r#"{"totalResults":1,"Resources":[{"id":"P1_A","userName":"P1","roles":[{"value":"Developer","primary":false,
            "type":"Predefined"}],"urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt":{"userbase":"ACCOUNTS400.SAP.COM"}}]}"#;
        let older = r#"{"resources":[{"id":"P1","userName":"P1","name":{"familyName":"X"},"roles":[{"value":"Developer"}],
            "com:sap:cloud:security:platform:1.0:UserExt":{"userbase":"accounts400.sap.com"}}]}"#;
        for text in [newer, older] {
            let members = members(text).unwrap();
            assert_eq!(members[0].user_base().map(str::to_lowercase).as_deref(), Some("accounts400.sap.com"));
            assert_eq!(members[0].roles[0].value, "Developer");
        }
        let bare: Member = serde_json::from_str(r#"{"id":"P1","userName":"P1"}"#).unwrap();
        assert!(bare.user_base().is_none() && bare.roles.is_empty());
    }
}

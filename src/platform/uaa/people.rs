//! What the JSON of the UAA's users and groups looks like (SCIM 1), as far as we read and write it, and where our mark
//! stands in a user.
//!
//! The UAA shows a user's `externalId` and cannot search by it; it can search by `familyName`. So the latter is the name
//! that we give to identities, by which ours are found, and the former says exactly whose a user is and which credential
//! its password is.

use serde::{Deserialize, Serialize};

use crate::plan::owner::Owner;
use crate::platform::Mark;
use crate::platform::reading::Listed;

/// The attributes of a user that we read.
pub const OF_USER: &str = "id,externalId,userName,name,emails,active,origin,meta";
/// The attributes of a user that name it.
pub const NAMES: &str = "id,userName,origin";

/// A user as lists show it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub id: String,
    pub user_name: String,
    #[serde(default)]
    pub origin: String,
    external_id: Option<String>,
    #[serde(default)]
    pub name: Name,
    #[serde(default)]
    pub emails: Vec<Email>,
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub meta: Meta,
}

/// The names of a person, of which we make others.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    /// [`Owner::identity_name`].
    #[serde(default)]
    pub family_name: String,
    /// For people who look at the UAA: `namespace/name`.
    #[serde(default)]
    pub given_name: String,
}

/// An e-mail address.
#[derive(Clone, Deserialize, Serialize)]
pub struct Email {
    pub value: String,
}

/// The version, which a change names.
#[derive(Default, Deserialize)]
pub struct Meta {
    #[serde(default)]
    pub version: u64,
}

/// A user to be made, or what becomes of one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInput<'a> {
    pub user_name: &'a str,
    pub external_id: String,
    pub name: Name,
    pub emails: Vec<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<&'a str>,
    pub origin: &'a str,
    pub active: bool,
    /// No mail is sent, and nobody has to confirm the address.
    pub verified: bool,
}

/// A new password.
#[derive(Serialize)]
pub struct PasswordChange<'a> {
    pub password: &'a str,
}

/// A group as lists show it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub id: String,
    pub display_name: String,
}

/// A member of a group, by its id.
#[derive(Clone, Deserialize, Serialize)]
pub struct Member {
    pub value: String,
    pub r#type: String,
    pub origin: String,
}

impl Listed for Person {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Group {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The text of our mark: whose a user is, and the number of the credential that its password is; 0 where nobody holds it.
pub fn mark(owner: &Owner, sequence: i64) -> String {
    format!("{}/{}/{sequence}", owner.cluster, owner.uid)
}

impl Person {
    /// The owner that the mark names, as far as it does, and the number of the credential.
    fn marked(&self) -> Option<(Owner, i64)> {
        let (rest, sequence) = self.external_id.as_deref()?.rsplit_once('/')?;
        let (cluster, uid) = rest.split_once('/')?;
        let owner = Owner { cluster: cluster.to_owned(), uid: uid.to_owned(), ..Owner::default() };
        Some((owner, sequence.parse().ok()?))
    }

    /// Whether it carries the mark of a cluster.
    pub fn is_of_cluster(&self, cluster: &str) -> bool {
        self.marked().is_some_and(|(owner, _)| owner.cluster == cluster)
    }

    /// Whether it was made for this owner.
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.marked().is_some_and(|(marked, _)| (&marked.cluster, &marked.uid) == (&owner.cluster, &owner.uid))
    }

    /// For whom it was made.
    pub fn mark(&self) -> Option<Mark> {
        let (Owner { uid, .. }, _) = self.marked()?;
        let (namespace, name) = self.name.given_name.split_once('/').unwrap_or_default();
        Some(Mark { uid, namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The name of the credential that its password is; `None` where nobody holds it.
    pub fn credential(&self) -> Option<String> {
        self.marked().filter(|(_, sequence)| *sequence > 0).map(|(owner, sequence)| owner.credential_name(sequence))
    }

    /// The same user with another mark.
    pub fn marked_with(&self, external_id: String) -> UserInput<'_> {
        UserInput {
            user_name: &self.user_name,
            external_id,
            name: self.name.clone(),
            emails: self.emails.clone(),
            password: None,
            origin: &self.origin,
            active: self.active,
            verified: true,
        }
    }

    /// Whether this is its mark.
    pub fn is_marked(&self, mark: &str) -> bool {
        self.external_id.as_deref() == Some(mark)
    }

    /// The owner, if the password is the credential of this name.
    pub fn owner_of(&self, credential: &str) -> Option<Owner> {
        let (owner, sequence) = self.marked()?;
        (owner.credential_name(sequence) == credential).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(external_id: &str) -> Person {
        let text = format!(r#"{{"id":"i","userName":"tu","externalId":"{external_id}"}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_mark_tells_whose_a_user_is_and_which_credential_its_password_is() {
        let owner = Owner { cluster: "c".into(), uid: "u".into(), ..Owner::default() };
        let marked = user(&mark(&owner, 3));
        assert!(marked.is_of(&owner) && marked.is_of_cluster("c") && !marked.is_of_cluster("d"));
        assert_eq!(marked.credential(), Some(owner.credential_name(3)));
        assert!(marked.owner_of(&owner.credential_name(3)).is_some());
        assert!(marked.owner_of(&owner.credential_name(2)).is_none());
        assert_eq!(user(&mark(&owner, 0)).credential(), None, "nobody holds it");
        for foreign in ["", "c", "c/u", "c/u/x", "P0001"] {
            assert!(user(foreign).mark().is_none(), "{foreign}");
        }
    }
}

//! The rules of a directory that speaks SCIM 2.0.

use super::Rules;
use crate::api::environment::Scim;
use crate::api::{Identity, IdentityKind, PlatformSpec, Principal, RoleKind};
use crate::plan::capability::{Held, IdentityCell, Recall, RoleCell, Table, Unsupported};
use crate::plan::grant::{Holder, HolderKind};

/// What it can do.
pub static TABLE: Table = Table {
    identities: &[
        IdentityCell {
            kind: IdentityKind::DirectoryUser,
            api: None,
            recall: Recall::LastOnly,
            how: "a user of the directory",
        },
        IdentityCell {
            kind: IdentityKind::Existing,
            api: None,
            recall: Recall::LastOnly,
            how: "a user of the directory",
        },
    ],
    roles: &[RoleCell {
        kind: RoleKind::GroupMembership,
        api: None,
        held: Held::ByHolder {
            identities: &[IdentityKind::DirectoryUser, IdentityKind::Existing],
            users: true,
            groups: false,
        },
    }],
};

/// The one identity provider that a directory knows: itself.
pub const ITSELF: &str = "scim";

impl Rules for Scim {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn default_origin(&self) -> &'static str {
        ITSELF
    }

    /// A directory has users of its own alone, whatever origin somebody names.
    fn holder(&self, kind: HolderKind, principal: &Principal) -> Holder {
        Holder::named(kind, &principal.name, ITSELF)
    }

    fn check(&self, _: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
        match identity {
            Identity::DirectoryUser(user) if user.valid_to.is_some() => Err(Unsupported(
                "SCIM knows no day on which a user ends; remove identity.directoryUser.validTo".to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// A Platform's environment, with every API that it can name.
#[cfg(test)]
pub fn sample() -> serde_json::Value {
    serde_json::json!({ "scim": { "url": "https://d", "credentialsSecretRef": { "name": "s" } } })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::capability::identity;

    fn directory() -> PlatformSpec {
        let scim = json!({"url": "https://directory.example/scim", "credentialsSecretRef": {"name": "s"}});
        serde_json::from_value(json!({"environment": {"scim": scim}})).unwrap()
    }

    fn refusal(user: Value) -> Option<String> {
        let user: Identity = serde_json::from_value(json!({"directoryUser": user})).unwrap();
        identity(&directory(), &user).err().map(|refusal| refusal.0)
    }

    #[test]
    fn a_day_that_the_directory_would_not_keep_is_refused() {
        assert_eq!(refusal(json!({"userName": "tu"})), None);
        let refused = refusal(json!({"userName": "tu", "validTo": "2027-01-01T00:00:00Z"})).unwrap();
        assert!(refused.contains("validTo"), "{refused}");
    }

    #[test]
    fn every_user_is_one_of_the_directory() {
        let spec = directory();
        let rules = super::super::rules(&spec.environment);
        let jane = |name: &str, origin: Option<&str>| {
            let principal = Principal { name: name.to_owned(), origin: origin.map(str::to_owned) };
            rules.holder(HolderKind::User, &principal)
        };
        assert_eq!(jane("Jane", Some("elsewhere")), jane("jane", None));
    }
}

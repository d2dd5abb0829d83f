//! The rules of a UAA that one runs oneself.

use super::Rules;
use crate::api::environment::Uaa;
use crate::api::{Identity, IdentityKind, PlatformSpec, Role, RoleKind};
use crate::plan::admin_credential::rights::{Right, Use};
use crate::plan::capability::{Held, IdentityCell, OwnRoles, Recall, RoleCell, Table, Unsupported};

/// What it can do.
pub static TABLE: Table = Table {
    identities: &[
        IdentityCell { kind: IdentityKind::OauthClient, api: None, recall: Recall::Listed, how: "a client" },
        IdentityCell {
            kind: IdentityKind::DirectoryUser,
            api: None,
            recall: Recall::LastOnly,
            how: "a user of the UAA's own, with a password",
        },
    ],
    roles: &[
        RoleCell { kind: RoleKind::Authority, api: None, held: Held::ByIdentity(&[IdentityKind::OauthClient]) },
        RoleCell {
            kind: RoleKind::GroupMembership,
            api: None,
            held: Held::ByHolder { identities: &[IdentityKind::DirectoryUser], users: true, groups: false },
        },
    ],
};

/// What administers clients, users and passwords (UAA documentation, and seen on UAA 4.30).
static RIGHTS: [Right; 4] = [
    Right { api: API, scope: "clients.admin", or: &[ADMIN, "zones.uaa.admin"], opens: CLIENTS },
    Right { api: API, scope: "scim.read", or: &[ADMIN], opens: USERS },
    Right { api: API, scope: "scim.write", or: &[ADMIN], opens: USERS },
    Right { api: API, scope: "password.write", or: &[], opens: &[Use::Identity(IdentityKind::DirectoryUser)] },
];
const API: &str = "uaa";
const ADMIN: &str = "uaa.admin";
const CLIENTS: &[Use] = &[Use::Identity(IdentityKind::OauthClient), Use::Role(RoleKind::Authority)];
const USERS: &[Use] = &[Use::Identity(IdentityKind::DirectoryUser), Use::Role(RoleKind::GroupMembership)];

/// The origin of users whose passwords the UAA itself keeps.
pub const ORIGIN: &str = "uaa";

/// Authorities of clients, and groups of users, that administer a UAA (UAA documentation, "Scopes authorized by the UAA"), beside those of its zones.
const ADMINISTERING: [&str; 11] = [
    "uaa.admin",
    "clients.admin",
    "clients.read",
    "clients.write",
    "clients.secret",
    "scim.write",
    "scim.create",
    "scim.userids",
    "groups.update",
    "idps.write",
    "password.write",
];
const OF_ZONES: &str = "zones.";

impl Rules for Uaa {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn default_origin(&self) -> &'static str {
        ORIGIN
    }

    /// Of a name the UAA takes letters, digits and a few signs (seen on UAA 4.30), and it knows no day on which a user ends.
    fn check(&self, _: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
        let Identity::DirectoryUser(user) = identity else { return Ok(()) };
        let is_taken = |one: char| one.is_alphabetic() || one.is_ascii_digit() || "+-_.@'!".contains(one);
        if !user.user_name.chars().all(is_taken) {
            let text = "the userName of a directoryUser of a UAA is made of letters, digits and + - _ . @ ' !";
            return Err(Unsupported(text.to_owned()));
        }
        if user.valid_to.is_some() {
            let text = "a UAA knows no day on which a user ends; leave validTo out of identity.directoryUser";
            return Err(Unsupported(text.to_owned()));
        }
        Ok(())
    }

    fn own_roles(&self, _: &PlatformSpec, identity: &Identity) -> OwnRoles {
        if identity.kind() == IdentityKind::OauthClient { OwnRoles::Authorities } else { OwnRoles::None }
    }

    fn rights(&self) -> &'static [Right] {
        &RIGHTS
    }

    fn is_administering_role(&self, role: &Role) -> bool {
        let is_named = |name: &&str| name.eq_ignore_ascii_case(role.name());
        let is_given_here = matches!(role.kind(), RoleKind::Authority | RoleKind::GroupMembership);
        is_given_here && (ADMINISTERING.iter().any(is_named) || role.name().starts_with(OF_ZONES))
    }
}

/// A Platform's environment, with every API that it can name.
#[cfg(test)]
pub fn sample() -> serde_json::Value {
    serde_json::json!({ "uaa": { "url": "https://uaa", "credentialsSecretRef": { "name": "s" } } })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::SecretRef;

    fn uaa() -> Uaa {
        Uaa { url: "https://uaa.example".into(), credentials_secret_ref: SecretRef { name: "uaa".into() } }
    }

    fn refusal(user: Value) -> Option<String> {
        let platform = json!({"environment": {"uaa": uaa()}});
        let identity = serde_json::from_value(json!({"directoryUser": user})).unwrap();
        uaa().check(&serde_json::from_value(platform).unwrap(), &identity).err().map(|refusal| refusal.0)
    }

    #[test]
    fn what_the_uaa_would_refuse_of_a_user_is_refused_before() {
        assert_eq!(refusal(json!({"userName": "tu-Bestellungen.ä@acme"})), None);
        assert!(refusal(json!({"userName": "tu orders"})).unwrap().contains("userName"));
        let ends = json!({"userName": "tu", "validTo": "2027-01-01T00:00:00Z"});
        assert!(refusal(ends).unwrap().contains("validTo"));
    }

    #[test]
    fn a_group_that_administers_is_one_for_users_as_an_authority_is_for_clients() {
        let role = |role: Value| uaa().is_administering_role(&serde_json::from_value(role).unwrap());
        for name in ["uaa.admin", "UAA.Admin", "clients.admin", "scim.write", "password.write", "zones.x.admin"] {
            assert!(role(json!({"groupMembership": {"group": name}})), "{name}");
            assert!(role(json!({"authority": {"name": name}})), "{name}");
        }
        assert!(!role(json!({"groupMembership": {"group": "orders.read"}})));
        assert!(!role(json!({"roleCollection": {"name": "uaa.admin"}})));
    }
}

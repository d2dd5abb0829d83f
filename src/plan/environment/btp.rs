//! The rules of the multi-environment.

use super::{Rules, USER_OF_A_TENANT};
use crate::api::environment::Btp;
use crate::api::{Identity, IdentityKind, PlatformSpec, Principal, Role, RoleKind};
use crate::plan::admin_credential::rights::{Right, Use};
use crate::plan::capability::{Held, IdentityCell, OwnRoles, Recall, RoleCell, Table, Unsupported};
use crate::plan::grant::{Holder, HolderKind};
use crate::plan::service_key;

/// What it can do.
pub static TABLE: Table = Table {
    identities: &[
        IdentityCell {
            kind: IdentityKind::ServiceKey,
            api: Some("serviceManager"),
            recall: Recall::Revealed,
            how: "a service instance and a service key of the Service Manager",
        },
        USER_OF_A_TENANT,
        IdentityCell {
            kind: IdentityKind::Existing,
            api: None,
            recall: Recall::LastOnly,
            how: "a user of an identity provider",
        },
    ],
    roles: &[
        RoleCell {
            kind: RoleKind::RoleCollection,
            api: Some("authorization"),
            held: Held::ByHolder { identities: USERS, users: true, groups: true },
        },
        RoleCell { kind: RoleKind::InstanceRole, api: None, held: Held::ByIdentity(&[IdentityKind::ServiceKey]) },
        RoleCell {
            kind: RoleKind::GroupMembership,
            api: Some("identityService"),
            held: Held::ByHolder { identities: USERS, users: true, groups: false },
        },
    ],
};

/// What reads and gives role collections at the Authorization API (its OpenAPI document). A credential that is read-only has
/// neither of the scopes that write. What the Service Manager wants of its plans is documented nowhere.
static RIGHTS: [Right; 2] = [
    Right { api: "xsuaa", scope: "xs_authorization.read", or: &[], opens: COLLECTIONS },
    Right { api: "xsuaa", scope: "xs_authorization.write", or: &["xs_user.write"], opens: COLLECTIONS },
];
const COLLECTIONS: &[Use] = &[Use::Role(RoleKind::RoleCollection)];

/// The technical users that are users of an identity provider.
const USERS: &[IdentityKind] = &[IdentityKind::DirectoryUser, IdentityKind::Existing];

/// The origin key of SAP ID service for business users.
const SAP_ID: &str = "sap.default";
/// Its name in former times. XSUAA answers [`SAP_ID`] to whoever asks for it.
const LEGACY_SAP_ID: &str = "ldap";

/// Role collections that administer a subaccount, directory or global account (SAP BTP documentation, "Role Collections
/// and Roles in Global Accounts, Directories, and Subaccounts").
const ADMINISTERING: [&str; 5] = [
    "Subaccount Administrator",
    "Subaccount Service Administrator",
    "Global Account Administrator",
    "Directory Administrator",
    "User and Role Administrator",
];

impl Rules for Btp {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn default_origin(&self) -> &'static str {
        SAP_ID
    }

    fn holder(&self, kind: HolderKind, principal: &Principal) -> Holder {
        let origin = principal.origin.as_deref().filter(|origin| *origin != LEGACY_SAP_ID);
        Holder::named(kind, &principal.name, origin.unwrap_or(SAP_ID))
    }

    fn check(&self, platform: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
        service_key::is_in_no_space("btp", identity)?;
        service_key::carries_no_roles(platform, identity)
    }

    fn own_roles(&self, platform: &PlatformSpec, identity: &Identity) -> OwnRoles {
        service_key::own_roles(platform, identity)
    }

    fn rights(&self) -> &'static [Right] {
        &RIGHTS
    }

    fn is_administering_role(&self, role: &Role) -> bool {
        let is_named = |name: &&str| name.eq_ignore_ascii_case(role.name());
        role.kind() == RoleKind::RoleCollection && ADMINISTERING.iter().any(is_named)
    }
}

/// A Platform's environment, with every API that it can name.
#[cfg(test)]
pub fn sample() -> serde_json::Value {
    let access = serde_json::json!({ "credentialsSecretRef": { "name": "s" } });
    let tenant = serde_json::json!({ "url": "https://t", "origin": "o", "credentialsSecretRef": { "name": "s" } });
    serde_json::json!({ "btp": { "authorization": access, "serviceManager": access, "identityService": tenant } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::role::RoleName;

    fn btp() -> Btp {
        Btp { authorization: None, service_manager: None, identity_service: None }
    }

    #[test]
    fn two_names_of_sap_id_service_are_one_holder() {
        let holder = |name: &str, origin: Option<&str>, kind| {
            let principal = Principal { name: name.to_owned(), origin: origin.map(str::to_owned) };
            btp().holder(kind, &principal)
        };
        let user = |name, origin| holder(name, origin, HolderKind::User);
        assert_eq!(user("Jane@x.org", Some("ldap")), user("jane@x.org", None));
        assert_ne!(user("jane", Some("sap.custom")), user("jane", None));
        assert_ne!(holder("Dev", None, HolderKind::Group), holder("dev", None, HolderKind::Group));
    }

    #[test]
    fn whoever_can_give_itself_the_rest_administers() {
        let collection = |name: &str| Role::RoleCollection(RoleName { name: name.into() });
        assert!(btp().is_administering_role(&collection("subaccount administrator")));
        assert!(!btp().is_administering_role(&collection("PI_Read_Only")));
    }
}

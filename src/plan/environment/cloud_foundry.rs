//! The rules of Cloud Foundry.

use super::Rules;
use crate::api::environment::CloudFoundry;
use crate::api::role::{OrganizationRole, OrganizationRoleType, SpaceRoleType};
use crate::api::{Identity, IdentityKind, PlatformSpec, Role, RoleKind};
use crate::plan::admin_credential::rights::{Right, Use};
use crate::plan::capability::{Held, IdentityCell, OwnRoles, Recall, RoleCell, Table, Unsupported};
use crate::plan::grant::Grant;
use crate::plan::service_key;

/// What it can do.
pub static TABLE: Table = Table {
    identities: &[
        IdentityCell {
            kind: IdentityKind::ServiceKey,
            api: None,
            recall: Recall::Revealed,
            how: "a service instance and a service key in a space",
        },
        IdentityCell {
            kind: IdentityKind::Existing,
            api: None,
            recall: Recall::LastOnly,
            how: "a user of an identity provider",
        },
    ],
    roles: &[
        RoleCell { kind: RoleKind::OrganizationRole, api: None, held: BY_USERS },
        RoleCell { kind: RoleKind::SpaceRole, api: None, held: BY_USERS },
        RoleCell { kind: RoleKind::InstanceRole, api: None, held: Held::ByIdentity(&[IdentityKind::ServiceKey]) },
    ],
};

const BY_USERS: Held = Held::ByHolder { identities: &[IdentityKind::Existing], users: true, groups: false };

/// The origin key of SAP ID service for platform users.
const SAP_ID: &str = "sap.ids";

/// What the Cloud Controller wants of a token before it looks at roles (cloud_controller_ng, "Authentication"). Roles in
/// organizations and spaces stand in no token.
static RIGHTS: [Right; 2] = [
    Right { api: "cloud-foundry", scope: "cloud_controller.read", or: &[ADMIN], opens: EVERYTHING },
    Right { api: "cloud-foundry", scope: "cloud_controller.write", or: &[ADMIN], opens: EVERYTHING },
];
const ADMIN: &str = "cloud_controller.admin";
const EVERYTHING: &[Use] =
    &[Use::Identity(IdentityKind::ServiceKey), Use::Role(RoleKind::OrganizationRole), Use::Role(RoleKind::SpaceRole)];

impl Rules for CloudFoundry {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn default_origin(&self) -> &'static str {
        SAP_ID
    }

    fn check(&self, platform: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
        service_key::is_in_a_space("cloudFoundry", identity)?;
        service_key::carries_no_roles(platform, identity)
    }

    fn own_roles(&self, platform: &PlatformSpec, identity: &Identity) -> OwnRoles {
        service_key::own_roles(platform, identity)
    }

    /// Managers give roles. Developers read every credential of their space, and can order a key of an offering that
    /// administers the subaccount ("Roles" in the Cloud Foundry documentation).
    fn rights(&self) -> &'static [Right] {
        &RIGHTS
    }

    fn is_administering_role(&self, role: &Role) -> bool {
        match role {
            Role::OrganizationRole(role) => role.kind == OrganizationRoleType::OrganizationManager,
            Role::SpaceRole(role) => matches!(role.kind, SpaceRoleType::SpaceManager | SpaceRoleType::SpaceDeveloper),
            _ => false,
        }
    }

    /// Nobody has a role in a space without one in its organization.
    fn implied(&self, grant: &Grant) -> Option<Grant> {
        let Role::SpaceRole(role) = &grant.role else { return None };
        let kind = OrganizationRoleType::OrganizationUser;
        let member = Role::OrganizationRole(OrganizationRole { organization: role.organization.clone(), kind });
        Some(Grant::new(grant.holder.clone(), member))
    }
}

/// A Platform's environment, with every API that it can name.
#[cfg(test)]
pub fn sample() -> serde_json::Value {
    serde_json::json!({ "cloudFoundry": { "apiUrl": "https://api.c", "credentialsSecretRef": { "name": "s" } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::role::SpaceRole;
    use crate::api::{Principal, SecretRef};
    use crate::plan::grant::{Holder, HolderKind};

    fn cloud_foundry() -> CloudFoundry {
        CloudFoundry {
            api_url: "https://api.cf.eu10.hana.ondemand.com".into(),
            credentials_secret_ref: SecretRef { name: "cf".into() },
        }
    }

    fn of_organization(kind: OrganizationRoleType) -> Role {
        Role::OrganizationRole(OrganizationRole { organization: "acme".into(), kind })
    }

    fn of_space(kind: SpaceRoleType) -> Role {
        Role::SpaceRole(SpaceRole { organization: "acme".into(), space: "integration".into(), kind })
    }

    #[test]
    fn users_compare_in_any_case_and_are_platform_users_where_nothing_is_said() {
        let holder = |name: &str, origin: Option<&str>| {
            let principal = Principal { name: name.into(), origin: origin.map(str::to_owned) };
            cloud_foundry().holder(HolderKind::User, &principal)
        };
        assert_eq!(holder("Jane@x.org", None), holder("jane@x.org", Some("sap.ids")));
        assert_ne!(holder("jane@x.org", None), holder("jane@x.org", Some("acme-platform")));
    }

    #[test]
    fn a_role_in_a_space_brings_its_holder_into_the_organization() {
        let jane = Holder::named(HolderKind::User, "jane", SAP_ID);
        let member = Grant::new(jane.clone(), of_organization(OrganizationRoleType::OrganizationUser));
        let auditor = Grant::new(jane, of_space(SpaceRoleType::SpaceAuditor));
        assert_eq!(cloud_foundry().implied(&auditor), Some(member.clone()));
        assert_eq!(cloud_foundry().implied(&member), None);
    }

    #[test]
    fn whoever_can_give_itself_the_rest_administers() {
        let administers = |role: Role| cloud_foundry().is_administering_role(&role);
        assert!(administers(of_organization(OrganizationRoleType::OrganizationManager)));
        assert!(administers(of_space(SpaceRoleType::SpaceManager)));
        assert!(administers(of_space(SpaceRoleType::SpaceDeveloper)));
        assert!(!administers(of_organization(OrganizationRoleType::OrganizationAuditor)));
        assert!(!administers(of_space(SpaceRoleType::SpaceSupporter)));
    }
}

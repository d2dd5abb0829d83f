//! The rules of the Neo environment.

use super::{Rules, USER_OF_A_TENANT};
use crate::api::environment::Neo;
use crate::api::{IdentityKind, Principal, Role, RoleKind};
use crate::plan::admin_credential::rights::{Right, Use};
use crate::plan::capability::{Held, IdentityCell, Recall, RoleCell, Table};
use crate::plan::grant::{Holder, HolderKind};

/// What it can do.
pub static TABLE: Table = Table {
    identities: &[
        USER_OF_A_TENANT,
        IdentityCell {
            kind: IdentityKind::CertificateUser,
            api: Some("cloudIntegration"),
            recall: Recall::Brought,
            how: "a user that a certificate is mapped to",
        },
        IdentityCell {
            kind: IdentityKind::Existing,
            api: None,
            recall: Recall::LastOnly,
            how: "a member, or a user of an application",
        },
    ],
    roles: &[
        RoleCell { kind: RoleKind::MemberRole, api: None, held: BY_USERS },
        RoleCell { kind: RoleKind::ApplicationRole, api: None, held: BY_CALLERS },
        RoleCell { kind: RoleKind::GroupMembership, api: Some("identityService"), held: BY_USERS },
    ],
};

/// The scopes of a platform API client (Neo documentation, "Platform Scopes"), which tokens spell with a prefix.
static RIGHTS: [Right; 4] = [
    Right { api: MEMBERS, scope: "readAccountMembers", or: &["hcp.readAccountMembers"], opens: OF_MEMBERS },
    Right { api: MEMBERS, scope: "manageAccountMembers", or: &["hcp.manageAccountMembers"], opens: OF_MEMBERS },
    Right {
        api: AUTHORIZATION,
        scope: "readAuthorizationSettings",
        or: &["hcp.readAuthorizationSettings"],
        opens: OF_APPLICATIONS,
    },
    Right {
        api: AUTHORIZATION,
        scope: "manageAuthorizationSettings",
        or: &["hcp.manageAuthorizationSettings"],
        opens: OF_APPLICATIONS,
    },
];
const MEMBERS: &str = "neo-members";
const AUTHORIZATION: &str = "neo-authorization";
const OF_MEMBERS: &[Use] = &[Use::Role(RoleKind::MemberRole)];
const OF_APPLICATIONS: &[Use] = &[Use::Role(RoleKind::ApplicationRole)];

const BY_USERS: Held =
    Held::ByHolder { identities: &[IdentityKind::DirectoryUser, IdentityKind::Existing], users: true, groups: false };

/// Whoever calls an application, with whatever credential.
const BY_CALLERS: Held = Held::ByHolder {
    identities: &[IdentityKind::DirectoryUser, IdentityKind::CertificateUser, IdentityKind::Existing],
    users: true,
    groups: false,
};

/// The user base of SAP ID service: the default of SAP's own Neo provisioning.
pub const USER_BASE: &str = "accounts.sap.com";
/// How Neo names the user that an OAuth client is. Client ids differ by case, so these names do too (Neo documentation,
/// "OAuth 2.0 Client Credentials Grant").
const CLIENT: &str = "oauth_client_";

/// Platform roles that administer a Neo subaccount ("Managing Member Authorizations in the Neo Environment").
const ADMINISTERING: [&str; 3] = ["AccountAdministrator", "Administrator", "ApplicationUserAdministrator"];

impl Rules for Neo {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn default_origin(&self) -> &'static str {
        USER_BASE
    }

    fn holder(&self, kind: HolderKind, principal: &Principal) -> Holder {
        let user_base = principal.origin.as_deref().unwrap_or(USER_BASE);
        as_member(Holder::named(kind, &principal.name, &user_base.to_lowercase()))
    }

    fn rights(&self) -> &'static [Right] {
        &RIGHTS
    }

    fn is_administering_role(&self, role: &Role) -> bool {
        let is_named = |name: &&str| name.eq_ignore_ascii_case(role.name());
        role.kind() == RoleKind::MemberRole && ADMINISTERING.iter().any(is_named)
    }
}

/// A holder under the rules for names on Neo.
pub fn as_member(holder: Holder) -> Holder {
    if holder.name().starts_with(CLIENT) { holder.exactly() } else { holder }
}

/// A holder of a role of an application: Neo keeps those users by their names alone, so the user base makes no
/// difference.
pub fn as_application_user(holder: Holder) -> Holder {
    as_member(holder.at(USER_BASE))
}

/// A Platform's environment, with every API that it can name.
#[cfg(test)]
pub fn sample() -> serde_json::Value {
    let secret = serde_json::json!({ "name": "s" });
    serde_json::json!({ "neo": {
        "host": "h", "subaccount": "s", "credentialsSecretRef": secret,
        "identityService": { "url": "https://t", "origin": "o", "credentialsSecretRef": secret },
        "cloudIntegration": { "url": "https://tmn", "credentialsSecretRef": secret },
    } })
}

#[cfg(test)]
mod tests {
    use super::HolderKind::User;
    use super::*;
    use crate::api::SecretRef;
    use crate::api::role::{ApplicationRole, GroupName, RoleName};
    use crate::plan::grant::Grant;

    fn neo() -> Neo {
        Neo {
            host: "hana.ondemand.com".into(),
            subaccount: "acme".into(),
            credentials_secret_ref: SecretRef { name: "neo".into() },
            cloud_integration: None,
            identity_service: None,
        }
    }

    fn principal(name: &str, origin: Option<&str>) -> Principal {
        Principal { name: name.to_owned(), origin: origin.map(str::to_owned) }
    }

    fn member_role() -> Role {
        Role::MemberRole(RoleName { name: "Developer".into() })
    }

    #[test]
    fn application_roles_know_no_user_base() {
        let holder = |origin: &str| Holder::named(User, "P1", origin);
        let application = ApplicationRole { application: "a".into(), provider: None, name: "r".into() };
        let [application, member] = [Role::ApplicationRole(application), member_role()];
        let grant = |origin, role: &Role| Grant::new(holder(origin), role.clone());
        assert_eq!(grant("acme.accounts.ondemand.com", &application), grant(USER_BASE, &application));
        assert_ne!(grant("acme.accounts.ondemand.com", &member), grant(USER_BASE, &member));
    }

    #[test]
    fn user_bases_and_users_compare_in_any_case() {
        let holder = |name, origin| neo().holder(User, &principal(name, origin));
        assert_eq!(holder("P1", Some("ACCOUNTS.SAP.COM")), holder("p1", None));
        assert_eq!(holder("P1", None).origin(), USER_BASE);
    }

    #[test]
    fn oauth_clients_differ_by_case_and_nobody_else_does() {
        let grant = |name: &str, role: Role| Grant::new(Holder::named(User, name, USER_BASE), role);
        assert_ne!(grant("oauth_client_Ab", member_role()), grant("oauth_client_ab", member_role()));
        assert!(grant("oauth_client_ab", member_role()).holder.is_case_sensitive());
        assert_eq!(grant("P1", member_role()), grant("p1", member_role()));
        let collection = || Role::RoleCollection(RoleName { name: "PI_Read_Only".into() });
        assert_eq!(grant("oauth_client_Ab", collection()), grant("oauth_client_ab", collection()));
    }

    #[test]
    fn a_recorded_holder_is_the_one_that_was_resolved() {
        for name in ["P1", "oauth_client_Ab"] {
            let resolved = neo().holder(User, &principal(name, Some("ACME.accounts.ondemand.com")));
            let recorded = Holder::named(User, resolved.name(), resolved.origin());
            for role in [member_role(), Role::GroupMembership(GroupName { group: "Senders".into() })] {
                assert_eq!(Grant::new(recorded.clone(), role.clone()), Grant::new(resolved.clone(), role));
            }
        }
    }
}

//! What administers a platform: identities and roles that no wildcard of an access rule means, because whoever has one
//! can give itself all the rest.

use crate::api::Role;

/// Offerings and plans whose keys administer a subaccount. No plan: every plan of the offering.
///
/// SAP BTP documentation: "Get Access to the APIs" (`xsuaa`, plan `apiaccess`; an `xsuaa` instance of any plan brings
/// scopes of its own making), "Access the Service Manager" (every plan of `service-manager`), "Account Administration
/// Using APIs" (`cis`), "Reference Information for the Identity Service" (applications of an identity tenant).
const OFFERINGS: [(&str, Option<&str>); 6] = [
    ("xsuaa", None),
    ("service-manager", None),
    ("cis", None),
    ("cis-central", None),
    ("identity", None),
    ("authorization", Some("apiaccess")),
];

/// Role collections that administer a subaccount, directory or global account (SAP BTP documentation, "Role Collections
/// and Roles in Global Accounts, Directories, and Subaccounts").
const ROLE_COLLECTIONS: [&str; 5] = [
    "Subaccount Administrator",
    "Subaccount Service Administrator",
    "Global Account Administrator",
    "Directory Administrator",
    "User and Role Administrator",
];

/// Platform roles that administer a Neo subaccount ("Managing Member Authorizations in the Neo Environment").
const MEMBER_ROLES: [&str; 3] = ["AccountAdministrator", "Administrator", "ApplicationUserAdministrator"];

/// Authorities that administer a UAA (UAA documentation, "Scopes authorized by the UAA").
const AUTHORITIES: [&str; 10] = [
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
];

/// Whether keys of this plan administer a platform.
pub fn is_plan(offering: &str, plan: &str) -> bool {
    let is_plan = |only: &&str| only.eq_ignore_ascii_case(plan);
    OFFERINGS.iter().any(|(name, only)| name.eq_ignore_ascii_case(offering) && only.as_ref().is_none_or(is_plan))
}

/// Whether this role administers a platform.
pub fn is_role(role: &Role) -> bool {
    let listed = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(role.name()));
    match role {
        Role::RoleCollection(_) => listed(&ROLE_COLLECTIONS),
        Role::MemberRole(_) => listed(&MEMBER_ROLES),
        Role::Authority(_) => listed(&AUTHORITIES) || role.name().starts_with("zones."),
        Role::InstanceRole(_) | Role::ApplicationRole(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::role_binding::RoleName;

    #[test]
    fn whoever_can_give_itself_the_rest_administers() {
        assert!(is_plan("xsuaa", "apiaccess") && is_plan("Service-Manager", "container"));
        assert!(!is_plan("it-rt", "integration-flow") && !is_plan("authorization", "standard"));
        let collection = |name: &str| Role::RoleCollection(RoleName { name: name.into() });
        assert!(is_role(&collection("subaccount administrator")) && !is_role(&collection("PI_Read_Only")));
    }
}

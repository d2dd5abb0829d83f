//! The rules of a UAA that one runs oneself.

use super::Rules;
use crate::api::environment::Uaa;
use crate::api::{Identity, IdentityKind, PlatformSpec, Role, RoleKind};
use crate::plan::capability::{Held, IdentityCell, OwnRoles, Recall, RoleCell, Table};

/// What it can do.
pub static TABLE: Table = Table {
    identities: &[IdentityCell {
        kind: IdentityKind::OauthClient,
        api: None,
        recall: Recall::LastOnly,
        how: "a client",
    }],
    roles: &[RoleCell { kind: RoleKind::Authority, api: None, held: Held::ByIdentity(&[IdentityKind::OauthClient]) }],
};

/// Authorities that administer a UAA (UAA documentation, "Scopes authorized by the UAA"), beside those of its zones.
const ADMINISTERING: [&str; 10] = [
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
const OF_ZONES: &str = "zones.";

impl Rules for Uaa {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn default_origin(&self) -> &'static str {
        "uaa"
    }

    fn own_roles(&self, _: &PlatformSpec, identity: &Identity) -> OwnRoles {
        if identity.kind() == IdentityKind::OauthClient { OwnRoles::Authorities } else { OwnRoles::None }
    }

    fn is_administering_role(&self, role: &Role) -> bool {
        let is_named = |name: &&str| name.eq_ignore_ascii_case(role.name());
        role.kind() == RoleKind::Authority && (ADMINISTERING.iter().any(is_named) || role.name().starts_with(OF_ZONES))
    }
}

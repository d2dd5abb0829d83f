//! The pure rules of each environment, in a file of its own: which identity, role and holder it knows, how names compare,
//! what a grant brings along, what administers it, how a credential can be had again.
//!
//! Another environment is another file and a line in each list here. Nobody else asks which environment it is.

use super::admin_credential::rights::Right;
use super::capability::{IdentityCell, OwnRoles, Recall, Table, Unsupported};
use super::grant::{Grant, Holder, HolderKind};
use super::service_key;
use crate::api::{Environment, Identity, IdentityKind, PlatformSpec, Principal, Role, RoleKind};

pub mod btp;
pub mod cloud_foundry;
pub mod neo;
pub mod scim;
pub mod uaa;

/// What an environment answers to what the rest of the plan asks.
///
/// ```
/// use technical_user_operator::api::{Environment, Principal};
/// use technical_user_operator::plan::environment::rules;
/// use technical_user_operator::plan::grant::HolderKind;
///
/// let environment: Environment = serde_json::from_str(r#"{ "btp": {} }"#)?;
/// let jane = |origin: Option<&str>| Principal { name: "Jane@acme.example".into(), origin: origin.map(str::to_owned) };
/// let holder = |origin| rules(&environment).holder(HolderKind::User, &jane(origin));
/// assert_eq!(holder(Some("ldap")), holder(None), "two names of SAP ID service");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Rules: Sync {
    /// What it can do.
    fn table(&self) -> &'static Table;

    /// The identity provider of a principal that names none.
    fn default_origin(&self) -> &'static str;

    /// The holder that a principal means: defaults filled in, aliases resolved.
    fn holder(&self, kind: HolderKind, principal: &Principal) -> Holder {
        Holder::named(kind, &principal.name, principal.origin.as_deref().unwrap_or_else(|| self.default_origin()))
    }

    /// What of an identity can never be, beyond what the table says.
    fn check(&self, _: &PlatformSpec, _: &Identity) -> Result<(), Unsupported> {
        Ok(())
    }

    /// How the roles that an identity itself carries reach the platform.
    fn own_roles(&self, _: &PlatformSpec, _: &Identity) -> OwnRoles {
        OwnRoles::None
    }

    /// Whether whoever is this identity can give itself all the rest: no wildcard of an access rule means it.
    fn is_administering(&self, identity: &Identity) -> bool {
        service_key::is_administering(identity)
    }

    /// Whether whoever has this role can give itself all the rest: no wildcard of an access rule means it.
    fn is_administering_role(&self, _: &Role) -> bool {
        false
    }

    /// What its APIs want of the admin credential, where access tokens tell what that has.
    fn rights(&self) -> &'static [Right] {
        &[]
    }

    /// The grant that another one does not stand without. It is made before and goes after, if nobody else needs it.
    fn implied(&self, _: &Grant) -> Option<Grant> {
        None
    }
}

/// The rules of an environment.
pub fn rules(environment: &Environment) -> &dyn Rules {
    match environment {
        Environment::Btp(btp) => btp,
        Environment::Neo(neo) => neo,
        Environment::Uaa(uaa) => uaa,
        Environment::CloudFoundry(cloud_foundry) => cloud_foundry,
        Environment::Scim(scim) => scim,
    }
}

/// A technical user of Cloud Identity Services, in every environment that trusts a tenant.
const USER_OF_A_TENANT: IdentityCell = IdentityCell {
    kind: IdentityKind::DirectoryUser,
    api: Some("identityService"),
    recall: Recall::LastOnly,
    how: "a user of Cloud Identity Services",
};

/// What every environment can do, by the name of its field.
pub static TABLES: [(&str, &Table); 5] = [
    ("btp", &btp::TABLE),
    ("neo", &neo::TABLE),
    ("uaa", &uaa::TABLE),
    ("cloudFoundry", &cloud_foundry::TABLE),
    ("scim", &scim::TABLE),
];

/// A sample of every environment, in the order of [`TABLES`], for tests of what all of them must do.
#[cfg(test)]
pub fn samples() -> [serde_json::Value; TABLES.len()] {
    [btp::sample(), neo::sample(), uaa::sample(), cloud_foundry::sample(), scim::sample()]
}

/// A holder in the form in which grants of a role compare, which is a matter of those whose role it is.
pub fn as_granted(holder: Holder, role: &Role) -> Holder {
    match role.kind() {
        RoleKind::MemberRole => neo::as_member(holder),
        RoleKind::ApplicationRole => neo::as_application_user(holder),
        // Directories know no names that differ by case.
        RoleKind::GroupMembership => Holder::named(holder.kind(), holder.name(), holder.origin()),
        RoleKind::RoleCollection
        | RoleKind::InstanceRole
        | RoleKind::Authority
        | RoleKind::OrganizationRole
        | RoleKind::SpaceRole => holder,
    }
}

//! The natural key of a grant: who holds which role. By this key worlds are compared.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

pub use crate::api::role_binding::HolderKind;
use crate::api::{Environment, Principal, Role};

/// The user base of SAP ID service: the default of SAP's own Neo provisioning.
pub const NEO_USER_BASE: &str = "accounts.sap.com";

/// Who holds a role on the platform: a name at an identity provider.
///
/// Names of users compare without regard to case, as every platform we speak to compares them; the spelling is kept
/// for the calls. Names of groups compare exactly.
#[derive(Clone, Debug)]
pub struct Holder {
    /// User or group.
    pub kind: HolderKind,
    /// The name as it was written.
    pub name: String,
    /// The identity provider: an origin key on `btp`, a user base on `neo`; aliases and defaults resolved.
    pub origin: String,
}

impl Holder {
    /// The holder that a principal means in an environment: defaults filled in, aliases resolved.
    pub fn new(kind: HolderKind, principal: &Principal, environment: &Environment) -> Self {
        let origin = match (environment, principal.origin.as_deref()) {
            // XSUAA answers `sap.default` to whoever asked for its legacy alias `ldap`.
            (Environment::Btp(_), None | Some("ldap")) => "sap.default".to_owned(),
            (Environment::Neo(_), None) => NEO_USER_BASE.to_owned(),
            (Environment::Neo(_), Some(user_base)) => user_base.to_lowercase(),
            (Environment::Uaa(_), None) => "uaa".to_owned(),
            (_, Some(origin)) => origin.to_owned(),
        };
        Self { kind, name: principal.name.clone(), origin }
    }

    /// The principal as status lines record it.
    pub fn principal(&self) -> Principal {
        Principal { name: self.name.clone(), origin: Some(self.origin.clone()) }
    }

    /// Whether names that differ in case only mean different holders.
    pub fn compares_exactly(&self) -> bool {
        self.kind == HolderKind::Group
    }

    fn key(&self) -> (HolderKind, String, &str) {
        let name = match self.kind {
            HolderKind::User => self.name.to_lowercase(),
            HolderKind::Group => self.name.clone(),
        };
        (self.kind, name, &self.origin)
    }
}

impl PartialEq for Holder {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Holder {}

impl Hash for Holder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Holder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Holder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// One holder, one role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Who.
    pub holder: Holder,
    /// What.
    pub role: Role,
}

impl Grant {
    /// The grant of a role to a holder, in the form in which grants compare: Neo keeps the users of an application role
    /// by their names alone, so the user base makes no difference there.
    pub fn new(mut holder: Holder, role: Role) -> Self {
        if matches!(role, Role::ApplicationRole(_)) {
            NEO_USER_BASE.clone_into(&mut holder.origin);
        }
        Self { holder, role }
    }
}

#[cfg(test)]
mod tests {
    use super::HolderKind::{Group, User};
    use super::*;
    use crate::api::SecretRef;
    use crate::api::platform::{Btp, Neo};
    use crate::api::role_binding::{ApplicationRole, RoleName};

    fn principal(name: &str, origin: Option<&str>) -> Principal {
        Principal { name: name.to_owned(), origin: origin.map(str::to_owned) }
    }

    #[test]
    fn application_roles_know_no_user_base() {
        let holder = |origin: &str| Holder { kind: HolderKind::User, name: "P1".into(), origin: origin.into() };
        let application = ApplicationRole { application: "a".into(), provider: None, name: "r".into() };
        let [application, member] =
            [Role::ApplicationRole(application), Role::MemberRole(RoleName { name: "r".into() })];
        let grant = |origin, role: &Role| Grant::new(holder(origin), role.clone());
        assert_eq!(grant("acme.accounts.ondemand.com", &application), grant(NEO_USER_BASE, &application));
        assert_ne!(grant("acme.accounts.ondemand.com", &member), grant(NEO_USER_BASE, &member));
    }

    #[test]
    fn aliases_defaults_and_case_of_users_do_not_make_a_difference() {
        let btp = Environment::Btp(Btp { authorization: None, service_manager: None });
        let neo = Environment::Neo(Neo {
            host: "hana.ondemand.com".into(),
            subaccount: "acme".into(),
            credentials_secret_ref: SecretRef { name: "neo".into() },
        });
        let holder = |kind, name, origin, environment| Holder::new(kind, &principal(name, origin), environment);
        assert_eq!(holder(User, "Jane@x.org", Some("ldap"), &btp), holder(User, "jane@x.org", None, &btp));
        assert_ne!(holder(User, "jane", Some("sap.custom"), &btp), holder(User, "jane", None, &btp));
        assert_eq!(holder(User, "P1", Some("ACCOUNTS.SAP.COM"), &neo), holder(User, "p1", None, &neo));
        assert_ne!(holder(Group, "Dev", None, &btp), holder(Group, "dev", None, &btp));
    }
}

//! The natural key of a grant: who holds which role. By this key worlds are compared.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use crate::api::role_binding::HolderKind;
use crate::api::{Environment, Principal, Role};

/// The user base of SAP ID service: the default of SAP's own Neo provisioning.
pub const NEO_USER_BASE: &str = "accounts.sap.com";
/// How Neo names the user that an OAuth client is. Client ids differ by case, so these names do too (Neo
/// documentation, "OAuth 2.0 Client Credentials Grant").
const NEO_CLIENT: &str = "oauth_client_";
/// The origin key of SAP ID service for business users.
const SAP_ID: &str = "sap.default";
/// Its name in former times. XSUAA answers [`SAP_ID`] to whoever asks for it.
const LEGACY_SAP_ID: &str = "ldap";

/// The identity provider of a principal that names none.
pub const fn default_origin(environment: &Environment) -> &'static str {
    match environment {
        Environment::Btp(_) => SAP_ID,
        Environment::Neo(_) => NEO_USER_BASE,
        Environment::Uaa(_) => "uaa",
    }
}

/// Who holds a role on the platform: a name at an identity provider.
///
/// Names of users compare without regard to case, as the platforms compare them, but for OAuth clients on Neo; the
/// spelling is kept for the calls. Names of groups compare exactly. The form that compares is made once: a comparison
/// allocates nothing. A clone costs no copy of a text.
#[derive(Clone, Debug)]
pub struct Holder {
    kind: HolderKind,
    name: Arc<str>,
    origin: Arc<str>,
    /// The name in the form that compares.
    key: Arc<str>,
    is_case_sensitive: bool,
}

impl Holder {
    /// The holder that a principal means in an environment: defaults filled in, aliases resolved.
    pub fn new(kind: HolderKind, principal: &Principal, environment: &Environment) -> Self {
        let origin = principal.origin.as_deref().unwrap_or_else(|| default_origin(environment));
        let holder = |origin| Self::named(kind, &principal.name, origin);
        match (environment, origin) {
            (Environment::Btp(_), LEGACY_SAP_ID) => holder(SAP_ID),
            (Environment::Neo(_), user_base) => holder(&user_base.to_lowercase()).on_neo(),
            (_, origin) => holder(origin),
        }
    }

    /// The holder of a name at an identity provider whose defaults and aliases are resolved: as a platform shows it, or
    /// as it was recorded.
    pub fn named(kind: HolderKind, name: &str, origin: &str) -> Self {
        let name: Arc<str> = name.into();
        let holder = Self { kind, key: Arc::clone(&name), name, origin: origin.into(), is_case_sensitive: true };
        match kind {
            HolderKind::User => holder.in_any_case(),
            HolderKind::Group => holder,
        }
    }

    /// User or group.
    pub const fn kind(&self) -> HolderKind {
        self.kind
    }

    /// The name as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity provider: an origin key on `btp`, a user base on `neo`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether names that differ in nothing but case are two holders.
    pub const fn is_case_sensitive(&self) -> bool {
        self.is_case_sensitive
    }

    /// The principal as status lines record it.
    pub fn principal(&self) -> Principal {
        Principal { name: self.name.to_string(), origin: Some(self.origin.to_string()) }
    }

    /// The same, under the rules for names on Neo.
    #[must_use]
    pub fn on_neo(self) -> Self {
        if self.name.starts_with(NEO_CLIENT) {
            return Self { key: Arc::clone(&self.name), is_case_sensitive: true, ..self };
        }
        self
    }

    fn in_any_case(self) -> Self {
        let lower = self.name.to_lowercase();
        // Most names are in lower case already, and are kept once.
        let key = if lower == *self.name { Arc::clone(&self.name) } else { lower.into() };
        Self { key, is_case_sensitive: false, ..self }
    }

    fn key(&self) -> (HolderKind, &str, &str) {
        (self.kind, &self.key, &self.origin)
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

/// One holder, one role. Made by [`Grant::new`] alone, or two of one meaning may differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Who.
    pub holder: Holder,
    /// What.
    pub role: Role,
}

impl Grant {
    /// The grant of a role to a holder, in the form in which grants compare, which depends on the role: names on Neo
    /// have rules of their own, and Neo keeps the users of an application role by their names alone, so the user base
    /// makes no difference there.
    pub fn new(holder: Holder, role: Role) -> Self {
        let holder = match &role {
            Role::ApplicationRole(_) => Holder { origin: NEO_USER_BASE.into(), ..holder }.on_neo(),
            Role::MemberRole(_) => holder.on_neo(),
            Role::RoleCollection(_) | Role::InstanceRole(_) | Role::Authority(_) => holder,
        };
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

    fn neo() -> Environment {
        Environment::Neo(Neo {
            host: "hana.ondemand.com".into(),
            subaccount: "acme".into(),
            credentials_secret_ref: SecretRef { name: "neo".into() },
        })
    }

    #[test]
    fn application_roles_know_no_user_base() {
        let holder = |origin: &str| Holder::named(User, "P1", origin);
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
        let neo = neo();
        let holder = |kind, name, origin, environment| Holder::new(kind, &principal(name, origin), environment);
        assert_eq!(holder(User, "Jane@x.org", Some("ldap"), &btp), holder(User, "jane@x.org", None, &btp));
        assert_ne!(holder(User, "jane", Some("sap.custom"), &btp), holder(User, "jane", None, &btp));
        assert_eq!(holder(User, "P1", Some("ACCOUNTS.SAP.COM"), &neo), holder(User, "p1", None, &neo));
        assert_ne!(holder(Group, "Dev", None, &btp), holder(Group, "dev", None, &btp));
    }

    #[test]
    fn oauth_clients_on_neo_differ_by_case_and_nobody_else_does() {
        let role = |name: &str| RoleName { name: name.into() };
        let grant = |name: &str, role: Role| Grant::new(Holder::named(User, name, NEO_USER_BASE), role);
        let member = || Role::MemberRole(role("Developer"));
        assert_ne!(grant("oauth_client_Ab", member()), grant("oauth_client_ab", member()));
        assert!(grant("oauth_client_ab", member()).holder.is_case_sensitive());
        assert_eq!(grant("P1", member()), grant("p1", member()));
        let collection = || Role::RoleCollection(role("PI_Read_Only"));
        assert_eq!(grant("oauth_client_Ab", collection()), grant("oauth_client_ab", collection()));
    }

    #[test]
    fn a_recorded_holder_is_the_one_that_was_resolved() {
        let neo = neo();
        let role = || Role::MemberRole(RoleName { name: "Developer".into() });
        for name in ["P1", "oauth_client_Ab"] {
            let resolved = Holder::new(User, &principal(name, Some("ACME.accounts.ondemand.com")), &neo);
            let recorded = Holder::named(User, resolved.name(), resolved.origin());
            assert_eq!(Grant::new(recorded, role()), Grant::new(resolved, role()));
        }
        assert_eq!(Holder::new(User, &principal("P1", None), &neo).origin(), default_origin(&neo));
    }
}

//! The natural key of a grant: who holds which role. By this key worlds are compared.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::environment::as_granted;
pub use crate::api::role_binding::HolderKind;
use crate::api::{Principal, Role};

/// Who holds a role on the platform: a name at an identity provider.
///
/// Names of users compare without regard to case, as the platforms compare them, unless their environment says
/// otherwise; the spelling is kept for the calls. Names of groups compare exactly. The form that compares is made once: a comparison
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

    /// The same, of a name that compares exactly.
    #[must_use]
    pub fn exactly(self) -> Self {
        Self { key: Arc::clone(&self.name), is_case_sensitive: true, ..self }
    }

    /// The same name at another identity provider.
    #[must_use]
    pub fn at(self, origin: &str) -> Self {
        Self { origin: origin.into(), ..self }
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
///
/// ```
/// use technical_user_operator::api::Role;
/// use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};
///
/// let role: Role = serde_json::from_str(r#"{ "roleCollection": { "name": "PI_Read_Only" } }"#)?;
/// let grant = |name| Grant::new(Holder::named(HolderKind::User, name, "sap.default"), role.clone());
/// assert_eq!(grant("Jane@acme.example"), grant("jane@acme.example"), "one user in two spellings");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// Who.
    pub holder: Holder,
    /// What.
    pub role: Role,
}

impl Grant {
    /// The grant of a role to a holder, in the form in which grants compare, which depends on the role.
    pub fn new(holder: Holder, role: Role) -> Self {
        Self { holder: as_granted(holder, &role), role }
    }
}

#[cfg(test)]
mod tests {
    use super::HolderKind::{Group, User};
    use super::*;

    #[test]
    fn users_compare_in_any_case_and_groups_do_not() {
        let named = |kind, name| Holder::named(kind, name, "o");
        assert_eq!(named(User, "Jane"), named(User, "jane"));
        assert_ne!(named(User, "Jane").exactly(), named(User, "jane").exactly());
        assert_ne!(named(Group, "Dev"), named(Group, "dev"));
        assert_ne!(named(User, "jane"), named(User, "jane").at("p"));
    }
}

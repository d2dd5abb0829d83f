//! What each environment can do: which identities, and which roles for which holders. One table; from it come the refusals,
//! which are made before any call, and the page that tells what works where.

use super::environment::rules;
use crate::api::{Environment, Identity, IdentityKind, PlatformSpec, Role, RoleKind, Subject};

/// Why a request can never be carried out as it is written. The text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(pub String);

/// How the roles of an identity reach the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OwnRoles {
    /// As an instance parameter of this name. Without any role there is nothing to make yet.
    Parameter(String),
    /// As authorities of the client, which can be none.
    Authorities,
    /// Not at all.
    #[default]
    None,
}

/// How a credential that was issued can be had again. Who decides by it asks one of its questions and matches on none of
/// its names, so another way is a line in each answer here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recall {
    /// The platform keeps credentials under our names, and shows their values again.
    #[default]
    Revealed,
    /// The platform keeps credentials under our names, and shows a value once.
    Listed,
    /// The platform keeps the one that was issued last, and shows its value once.
    LastOnly,
    /// The value is brought along, so it can be had again from where it came. The platform keeps it under an id that follows
    /// from the value, and no name of ours: which are ours stands in our record alone.
    Brought,
}

impl Recall {
    /// Whether the platform shows a value once, and nobody else has it.
    pub const fn is_shown_once(self) -> bool {
        matches!(self, Self::Listed | Self::LastOnly)
    }

    /// Whether the platform lists credentials, so that several can be in force. Where it does not, the identity says which
    /// one its only secret is.
    pub const fn is_listed(self) -> bool {
        matches!(self, Self::Revealed | Self::Listed | Self::Brought)
    }

    /// Whether the value is brought along: whoever keeps it decides which it is and when there is another, and the platform
    /// keeps no name of ours.
    pub const fn is_brought(self) -> bool {
        matches!(self, Self::Brought)
    }
}

/// An identity that an environment can have.
#[derive(Debug)]
pub struct IdentityCell {
    /// Which.
    pub kind: IdentityKind,
    /// The optional API of the environment that it needs.
    pub api: Option<&'static str>,
    /// How its credential can be had again.
    pub recall: Recall,
    /// What it is on the platform, for people.
    pub how: &'static str,
}

/// A kind of role that an environment knows.
#[derive(Debug)]
pub struct RoleCell {
    /// Which.
    pub kind: RoleKind,
    /// The optional API of the environment that it needs.
    pub api: Option<&'static str>,
    /// Who can have it.
    pub held: Held,
}

/// Who can have a role, and how.
#[derive(Debug)]
pub enum Held {
    /// It is a property of a technical user of these kinds.
    ByIdentity(&'static [IdentityKind]),
    /// It is granted to a user or a group.
    ByHolder {
        /// The technical users that are users of the platform.
        identities: &'static [IdentityKind],
        /// Whether users that a RoleBinding names can have it.
        users: bool,
        /// Whether groups that a RoleBinding names can have it.
        groups: bool,
    },
}

/// What an environment can do.
#[derive(Debug)]
pub struct Table {
    /// The identities that TechnicalUsers can be.
    pub identities: &'static [IdentityCell],
    /// The roles that RoleBindings can give.
    pub roles: &'static [RoleCell],
}

impl Table {
    /// The cell of an identity, if the environment can have it.
    pub fn identity(&self, kind: IdentityKind) -> Option<&'static IdentityCell> {
        self.identities.iter().find(|cell| cell.kind == kind)
    }

    /// How the credential of an identity can be had again.
    pub fn recall(&self, kind: IdentityKind) -> Recall {
        self.identity(kind).map(|cell| cell.recall).unwrap_or_default()
    }

    /// The cell of a role, if the environment knows it.
    pub fn role(&self, kind: RoleKind) -> Option<&'static RoleCell> {
        self.roles.iter().find(|cell| cell.kind == kind)
    }
}

/// Whether a Platform can have such an identity.
pub fn identity(platform: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
    let environment = &platform.environment;
    let rules = rules(environment);
    let Some(cell) = rules.table().identity(identity.kind()) else {
        let instead = either(rules.table().identities.iter().map(|cell| cell.kind.name()));
        let name = environment.name();
        return Err(Unsupported(format!(
            "environment {name} has no such identity; use {instead}, or another Platform"
        )));
    };
    needs(environment, cell.api, cell.kind.name())?;
    rules.check(platform, identity)
}

/// How roles of this identity reach the platform.
pub fn own_roles(platform: &PlatformSpec, identity: &Identity) -> OwnRoles {
    rules(&platform.environment).own_roles(platform, identity)
}

/// Whether a role is a property of the technical user that has it, rather than granted to a user.
pub fn is_carried(environment: &Environment, role: &Role) -> bool {
    rules(environment).table().role(role.kind()).is_some_and(|cell| matches!(cell.held, Held::ByIdentity(_)))
}

/// Whether this role can be given to this subject. `technical_user` is the identity of a TechnicalUser subject.
pub fn role(
    platform: &PlatformSpec,
    subject: &Subject,
    technical_user: Option<&Identity>,
    role: &Role,
) -> Result<(), Unsupported> {
    let environment = &platform.environment;
    let table = rules(environment).table();
    let Some(cell) = table.role(role.kind()) else {
        let (name, possible) = (environment.name(), all(table.roles.iter().map(|cell| cell.kind.name())));
        return Err(Unsupported(format!("environment {name} has no {}; it has {possible}", role.kind())));
    };
    needs(environment, cell.api, cell.kind.name())?;
    if !cell.held.by(subject, technical_user) {
        return Err(Unsupported(format!("{} can only be given to {}", role.kind(), cell.held.holders())));
    }
    match (&cell.held, technical_user) {
        (Held::ByIdentity(_), Some(identity)) => takes_roles(platform, identity),
        _ => Ok(()),
    }
}

fn takes_roles(platform: &PlatformSpec, identity: &Identity) -> Result<(), Unsupported> {
    match (own_roles(platform, identity), identity) {
        (OwnRoles::None, Identity::ServiceKey(key)) => Err(Unsupported(format!(
            "offering {} is not known to take roles; the Platform's spec.offerings must name the parameter that takes them",
            key.offering
        ))),
        _ => Ok(()),
    }
}

/// What needs an API that the Platform does not name is refused with the name of the field.
fn needs(environment: &Environment, api: Option<&str>, what: &str) -> Result<(), Unsupported> {
    let Some(api) = api.filter(|api| !environment.has(api)) else { return Ok(()) };
    let name = environment.name();
    Err(Unsupported(format!("the Platform names no {api}, which {what} needs; add environment.{name}.{api}")))
}

impl Held {
    fn by(&self, subject: &Subject, technical_user: Option<&Identity>) -> bool {
        let is_one_of = |kinds: &[IdentityKind]| technical_user.is_some_and(|one| kinds.contains(&one.kind()));
        match (self, subject) {
            (Self::ByIdentity(kinds), Subject::TechnicalUser(_)) => is_one_of(kinds),
            (Self::ByIdentity(_), _) => false,
            (Self::ByHolder { identities, .. }, Subject::TechnicalUser(_)) => is_one_of(identities),
            (Self::ByHolder { users, .. }, Subject::User(_)) => *users,
            (Self::ByHolder { groups, .. }, Subject::Group(_)) => *groups,
        }
    }

    /// Who can have it, in words.
    pub fn holders(&self) -> String {
        let technical = |kinds: &[IdentityKind]| {
            let kinds = either(kinds.iter().map(|kind| kind.name()));
            format!("a technicalUser whose identity is {kinds}")
        };
        match self {
            Self::ByIdentity(kinds) => technical(kinds),
            Self::ByHolder { identities, users, groups } => {
                let named = [(*users, "a user"), (*groups, "a group")].into_iter().filter(|(can, _)| *can);
                let technical = Some(technical(identities)).filter(|_| !identities.is_empty());
                either(named.map(|(_, name)| name.to_owned()).chain(technical))
            }
        }
    }
}

fn either(words: impl IntoIterator<Item = impl Into<String>>) -> String {
    listed(words, "or")
}

pub(super) fn all(words: impl IntoIterator<Item = impl Into<String>>) -> String {
    listed(words, "and")
}

fn listed(words: impl IntoIterator<Item = impl Into<String>>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().map(Into::into).collect();
    match words.split_last() {
        Some((word, [])) => word.clone(),
        Some((word, before)) => format!("{} {last} {word}", before.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
#[path = "capability_tests.rs"]
mod tests;

//! Which object, or which list, a URL speaks of.

use std::fmt;

/// The kinds that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Namespace,
    Platform,
    TechnicalUser,
    RoleBinding,
    Secret,
    Pod,
    Event,
}

/// An object, or with an empty name all of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    pub kind: Kind,
    /// Empty for kinds that live in none, and for lists over all.
    pub namespace: String,
    pub name: String,
}

impl Kind {
    const ALL: [(&'static str, Self); 7] = [
        ("namespaces", Self::Namespace),
        ("platforms", Self::Platform),
        ("technicalusers", Self::TechnicalUser),
        ("rolebindings", Self::RoleBinding),
        ("secrets", Self::Secret),
        ("pods", Self::Pod),
        ("events", Self::Event),
    ];

    /// Whether it is one of ours: with a status of its own, and a generation.
    pub const fn is_custom(self) -> bool {
        matches!(self, Self::Platform | Self::TechnicalUser | Self::RoleBinding)
    }

    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Namespace | Self::Secret | Self::Pod => "v1",
            Self::Event => "events.k8s.io/v1",
            _ => "technicaluser.dev/v1alpha1",
        }
    }

    fn of(plural: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == plural).map(|(_, kind)| *kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "{self:?}")
    }
}

impl Address {
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Reads a path such as `/apis/<group>/<version>/namespaces/<namespace>/<plural>/<name>/status`. Says too whether
    /// it is the status that is spoken of.
    pub fn parse(path: &str) -> Option<(Self, bool)> {
        let mut parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let before = if parts.first() == Some(&"api") { 2 } else { 3 };
        let is_status = parts.last() == Some(&"status");
        if is_status {
            parts.pop();
        }
        let address = match parts.get(before..)? {
            ["namespaces", namespace, plural] => Self::new(Kind::of(plural)?, namespace, ""),
            ["namespaces", namespace, plural, name] => Self::new(Kind::of(plural)?, namespace, name),
            [plural] => Self::new(Kind::of(plural)?, "", ""),
            [plural, name] => Self::new(Kind::of(plural)?, "", name),
            _ => return None,
        };
        Some((address, is_status))
    }

    /// Whether this list has that object.
    pub fn covers(&self, other: &Self) -> bool {
        self.kind == other.kind && (self.namespace.is_empty() || self.namespace == other.namespace)
    }
}

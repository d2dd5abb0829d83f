//! The mark by which we find on a platform what is ours, and the names derived from it.
//!
//! Names are functions of the owner and the number of the issue, so an answer that was lost is found again by name,
//! and a Kubernetes object that is deleted and made anew never inherits its predecessor's identity.

use super::digest;

/// The Kubernetes object on whose behalf something exists on a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The cluster: the uid of its `kube-system` namespace.
    pub cluster: String,
    /// The uid of the TechnicalUser.
    pub uid: String,
    /// Its namespace, for people who look at the platform.
    pub namespace: String,
    /// Its name, for the same people.
    pub name: String,
}

impl Owner {
    /// The platform's name for this owner's identity: 20 characters of `[a-z0-9-]`.
    pub fn identity_name(&self) -> String {
        format!("tuo-{}", digest::of([self.cluster.as_bytes(), self.uid.as_bytes()], 8))
    }

    /// An e-mail address for whom a directory wants one: nobody receives anything below `invalid` (RFC 2606 §2).
    pub fn address_of_nobody(&self) -> String {
        format!("{}@technical-user.invalid", self.identity_name())
    }

    /// The platform's name for the credential of this issue. Service keys of `it-rt` take at most 32 characters.
    pub fn credential_name(&self, sequence: i64) -> String {
        format!("{}-{sequence}", self.identity_name())
    }

    /// The number of the issue that a credential name of this owner carries.
    pub fn sequence_of(&self, credential_name: &str) -> Option<i64> {
        credential_name.strip_prefix(&self.identity_name())?.strip_prefix('-')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str) -> Owner {
        Owner { cluster: "c".into(), uid: uid.into(), namespace: "n".into(), name: "x".into() }
    }

    #[test]
    fn names_are_stable_short_and_carry_the_sequence() {
        let one = owner("11111111-2222-3333-4444-555555555555");
        assert_eq!(one.identity_name(), owner(&one.uid).identity_name());
        assert_ne!(one.identity_name(), owner("other").identity_name());
        assert!(one.credential_name(99_999_999).len() <= 32);
        assert_eq!(one.sequence_of(&one.credential_name(7)), Some(7));
        assert_eq!(one.sequence_of(&owner("other").credential_name(7)), None);
    }
}

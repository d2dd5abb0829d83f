//! The picture of identities and credentials. Pure.
//!
//! An identity stands under the name of the owner that its mark names, whatever it is called: names are not unique on
//! every platform, and can be changed by others. Several may stand under one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::part::Picture;
use crate::plan::owner::Owner;
use crate::platform::{ObservedCredential, ObservedIdentity};

/// Every identity of a cluster, and every credential.
pub(super) struct Known {
    cluster: Arc<str>,
    /// By the name of their owner, then by their id.
    identities: BTreeMap<String, BTreeMap<String, ObservedIdentity>>,
    /// By the id of their identity, then by their own.
    credentials: BTreeMap<String, BTreeMap<String, ObservedCredential>>,
}

/// What we did to one of them, or saw of one alone.
pub(super) enum Write {
    Identity(ObservedIdentity),
    IdentityGone(ObservedIdentity),
    Credential(ObservedCredential),
    CredentialGone(ObservedCredential),
    /// All that stand under an owner's name.
    Identities(String, Vec<ObservedIdentity>),
    /// All of the identity of this id.
    Credentials(String, Vec<ObservedCredential>),
}

/// An identity with its credentials, to be compared.
type Whole<'a> = (&'a ObservedIdentity, Option<&'a BTreeMap<String, ObservedCredential>>);

impl Known {
    pub(super) fn new(
        cluster: Arc<str>,
        identities: Vec<ObservedIdentity>,
        credentials: Vec<ObservedCredential>,
    ) -> Self {
        let mut known = Self { cluster, identities: BTreeMap::new(), credentials: BTreeMap::new() };
        for identity in identities {
            known.show(identity);
        }
        for credential in credentials {
            known.show_credential(credential);
        }
        known
    }

    pub(super) fn identities(&self, name: &str) -> Vec<ObservedIdentity> {
        self.identities.get(name).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    pub(super) fn credentials_of(&self, identity_id: &str) -> Vec<ObservedCredential> {
        self.credentials.get(identity_id).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    pub(super) fn everything(&self) -> Vec<ObservedIdentity> {
        self.identities.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The name that an identity stands under.
    pub(super) fn name_of(&self, identity: &ObservedIdentity) -> String {
        let Some(mark) = &identity.mark else { return identity.name.clone() };
        let owner = Owner {
            cluster: self.cluster.as_ref().to_owned(),
            uid: mark.uid.clone(),
            namespace: mark.namespace.clone(),
            name: mark.name.clone(),
        };
        owner.identity_name()
    }

    fn show(&mut self, identity: ObservedIdentity) -> bool {
        let of_name = self.identities.entry(self.name_of(&identity)).or_default();
        of_name.insert(identity.id.clone(), identity.clone()).is_none_or(|before| before != identity)
    }

    fn show_credential(&mut self, credential: ObservedCredential) -> bool {
        let of_identity = self.credentials.entry(credential.identity.clone()).or_default();
        of_identity.insert(credential.id.clone(), credential.clone()).is_none_or(|before| before != credential)
    }

    fn remove(&mut self, name: &str, id: &str) -> bool {
        self.credentials.remove(id);
        let Some(of_name) = self.identities.get_mut(name) else { return false };
        let was_there = of_name.remove(id).is_some();
        if of_name.is_empty() {
            self.identities.remove(name);
        }
        was_there
    }

    fn remove_credential(&mut self, credential: &ObservedCredential) -> bool {
        let of_identity = self.credentials.get_mut(&credential.identity);
        of_identity.is_some_and(|of_identity| of_identity.remove(&credential.id).is_some())
    }

    /// All that stand under a name are exactly these.
    fn replace(&mut self, name: &str, identities: &[ObservedIdentity]) -> bool {
        let now: BTreeSet<&String> = identities.iter().map(|identity| &identity.id).collect();
        let before: Vec<String> = self.identities.get(name).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        let gone: Vec<String> = before.into_iter().filter(|id| !now.contains(id)).collect();
        let mut changed = false;
        for id in gone {
            changed |= self.remove(name, &id);
        }
        for identity in identities {
            changed |= self.show(identity.clone());
        }
        changed
    }

    /// The credentials of the identity of this id are exactly these.
    fn replace_credentials(&mut self, identity_id: &str, credentials: &[ObservedCredential]) -> bool {
        let now: BTreeMap<_, _> = credentials.iter().map(|one| (one.id.clone(), one.clone())).collect();
        if now.is_empty() {
            return self.credentials.remove(identity_id).is_some_and(|before| !before.is_empty());
        }
        self.credentials.insert(identity_id.to_owned(), now.clone()).unwrap_or_default() != now
    }

    /// All that can be told of what stands under a name.
    fn all_of(&self, name: &str) -> Vec<Whole<'_>> {
        let identities = self.identities.get(name).into_iter().flat_map(BTreeMap::values);
        let credentials_of = |identity: &ObservedIdentity| {
            self.credentials.get(&identity.id).filter(|credentials| !credentials.is_empty())
        };
        identities.map(|identity| (identity, credentials_of(identity))).collect()
    }

    /// The credentials of an identity that is but a name, and so is shown by nothing else.
    fn of_name(&self, name: &str) -> Option<&BTreeMap<String, ObservedCredential>> {
        self.credentials.get(name).filter(|credentials| !credentials.is_empty())
    }

    /// Every name that something stands under: those of identities, and those that credentials alone show.
    fn names(&self) -> impl Iterator<Item = &String> {
        let ids: BTreeSet<&String> = self.identities.values().flat_map(BTreeMap::keys).collect();
        let names = self.credentials.keys().filter(move |id| !ids.contains(*id));
        self.identities.keys().chain(names)
    }

    fn is_touched(&self, name: &str, touched: &BTreeSet<String>) -> bool {
        self.identities.get(name).is_some_and(|of_name| of_name.keys().any(|id| touched.contains(id)))
    }
}

impl Picture for Known {
    /// Names of owners' identities; in what is touched, seen or doubted also ids, since a credential knows no other.
    type Key = String;
    type Write = Write;

    fn fold(&mut self, write: &Write) -> bool {
        match write {
            Write::Identity(identity) => self.show(identity.clone()),
            Write::IdentityGone(identity) => self.remove(&self.name_of(identity), &identity.id),
            Write::Credential(credential) => self.show_credential(credential.clone()),
            Write::CredentialGone(credential) => self.remove_credential(credential),
            Write::Identities(name, identities) => self.replace(name, identities),
            Write::Credentials(identity_id, credentials) => self.replace_credentials(identity_id, credentials),
        }
    }

    fn differences(&self, newer: &Self, touched: &BTreeSet<String>) -> BTreeSet<String> {
        let names: BTreeSet<&String> = self.names().chain(newer.names()).collect();
        let changed = names.into_iter().filter(|name| {
            let ours = touched.contains(*name) || self.is_touched(name, touched) || newer.is_touched(name, touched);
            !ours && (self.all_of(name), self.of_name(name)) != (newer.all_of(name), newer.of_name(name))
        });
        changed.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Health;

    fn credential(id: &str, identity: &str) -> ObservedCredential {
        ObservedCredential { name: id.into(), id: id.into(), identity: identity.into(), health: Health::Usable }
    }

    fn known(identities: &[&str], credentials: &[(&str, &str)]) -> Known {
        let identities = identities.iter().map(|name| ObservedIdentity { id: format!("id of {name}"), ..named(name) });
        let credentials = credentials.iter().map(|(id, identity)| credential(id, identity));
        Known::new("c".into(), identities.collect(), credentials.collect())
    }

    fn named(name: &str) -> ObservedIdentity {
        ObservedIdentity::named(name)
    }

    #[test]
    fn what_changes_is_told_by_name_also_of_what_is_but_a_name() {
        let before = known(&["made"], &[("b1", "id of made"), ("m1", "tu-a"), ("m2", "tu-b")]);
        let after = known(&["made"], &[("b2", "id of made"), ("m1", "tu-a")]);
        let none = BTreeSet::new();
        assert_eq!(before.differences(&after, &none), ["made".to_owned(), "tu-b".to_owned()].into());
        assert_eq!(before.differences(&before, &none), none);
        let ours = BTreeSet::from(["tu-b".to_owned(), "made".to_owned()]);
        assert_eq!(before.differences(&after, &ours), none);
    }
}

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
    /// By the name of their owner and their id.
    identities: Pairs<ObservedIdentity>,
    /// By the id of their identity and their own.
    credentials: Pairs<ObservedCredential>,
}

/// One map for all, since most of what stands under a name stands there alone.
type Pairs<T> = BTreeMap<(String, String), T>;

/// What stands under a name, by id.
fn under<'a, T>(pairs: &'a Pairs<T>, name: &'a str) -> impl Iterator<Item = (&'a str, &'a T)> {
    let from = pairs.range((name.to_owned(), String::new())..);
    from.take_while(move |((one, _), _)| one == name).map(|((_, id), what)| (id.as_str(), what))
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
type Whole<'a> = (&'a ObservedIdentity, Vec<&'a ObservedCredential>);

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
        under(&self.identities, name).map(|(_, identity)| identity.clone()).collect()
    }

    pub(super) fn credentials_of(&self, identity_id: &str) -> Vec<ObservedCredential> {
        under(&self.credentials, identity_id).map(|(_, credential)| credential.clone()).collect()
    }

    pub(super) fn everything(&self) -> Vec<ObservedIdentity> {
        self.identities.values().cloned().collect()
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
        let place = (self.name_of(&identity), identity.id.clone());
        self.identities.insert(place, identity.clone()).is_none_or(|before| before != identity)
    }

    fn show_credential(&mut self, credential: ObservedCredential) -> bool {
        let place = (credential.identity.clone(), credential.id.clone());
        self.credentials.insert(place, credential.clone()).is_none_or(|before| before != credential)
    }

    fn remove(&mut self, name: &str, id: &str) -> bool {
        self.replace_credentials(id, &[]);
        self.identities.remove(&(name.to_owned(), id.to_owned())).is_some()
    }

    fn remove_credential(&mut self, credential: &ObservedCredential) -> bool {
        self.credentials.remove(&(credential.identity.clone(), credential.id.clone())).is_some()
    }

    /// All that stand under a name are exactly these.
    fn replace(&mut self, name: &str, identities: &[ObservedIdentity]) -> bool {
        let is_gone = |id: &&str| identities.iter().all(|identity| identity.id != **id);
        let gone: Vec<String> =
            under(&self.identities, name).map(|(id, _)| id).filter(is_gone).map(str::to_owned).collect();
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
        let is_gone = |credential: &&ObservedCredential| credentials.iter().all(|one| one.id != credential.id);
        let all = under(&self.credentials, identity_id).map(|(_, credential)| credential);
        let gone: Vec<ObservedCredential> = all.filter(is_gone).cloned().collect();
        let mut changed = false;
        for credential in &gone {
            changed |= self.remove_credential(credential);
        }
        for credential in credentials {
            changed |= self.show_credential(credential.clone());
        }
        changed
    }

    /// All that can be told of what stands under a name.
    fn all_of<'a>(&'a self, name: &'a str) -> Vec<Whole<'a>> {
        let credentials_of =
            |identity: &'a ObservedIdentity| under(&self.credentials, &identity.id).map(|(_, one)| one).collect();
        under(&self.identities, name).map(|(_, identity)| (identity, credentials_of(identity))).collect()
    }

    /// The credentials of an identity that is but a name, and so is shown by nothing else.
    fn of_name<'a>(&'a self, name: &'a str) -> Vec<&'a ObservedCredential> {
        under(&self.credentials, name).map(|(_, credential)| credential).collect()
    }

    /// Every name that something stands under: those of identities, and those that credentials alone show.
    fn names(&self) -> impl Iterator<Item = &String> {
        let ids: BTreeSet<&String> = self.identities.keys().map(|(_, id)| id).collect();
        let names = self.credentials.keys().map(|(id, _)| id).filter(move |id| !ids.contains(*id));
        self.identities.keys().map(|(name, _)| name).chain(names)
    }

    fn is_touched(&self, name: &str, touched: &BTreeSet<String>) -> bool {
        under(&self.identities, name).any(|(id, _)| touched.contains(id))
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
        ObservedCredential {
            name: id.into(),
            id: id.into(),
            identity: identity.into(),
            health: Health::Usable,
            material: None,
        }
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

//! Who uses what, kept up to date from the watches: which RoleBindings name a TechnicalUser, hold or want a grant.
//!
//! It answers "who is concerned?" in the time of a look-up. It is as old as the watch: what it says wakes objects and
//! spares shared grants; it never proves that something may be done.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::role_binding::RoleLine;
use crate::api::{RoleBinding, Subject};
use crate::plan::grant::{Grant, Holder, HolderKind};

/// Names a RoleBinding or a TechnicalUser: namespace and name.
pub type Key = (String, String);

/// The index.
#[derive(Default)]
pub struct Index {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    bindings: HashMap<Key, Arc<Entry>>,
    by_user: HashMap<Key, BTreeSet<Key>>,
    by_grant: HashMap<(String, Grant), BTreeSet<Key>>,
}

/// What is known of one RoleBinding.
#[derive(Default)]
struct Entry {
    platform: String,
    generation: Option<i64>,
    deleting: bool,
    users: BTreeSet<Key>,
    /// The grants of its status; the value says whether it made the grant.
    grants: HashMap<Grant, bool>,
    /// Those of them that its spec still wants.
    wanted: BTreeSet<Grant>,
}

/// Who must look again because a RoleBinding changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    /// TechnicalUsers, as the roles that they carry themselves may have changed.
    pub users: BTreeSet<Key>,
    /// Other RoleBindings that share a grant with it.
    pub bindings: BTreeSet<Key>,
}

impl Index {
    /// A RoleBinding came or changed.
    pub fn applied(&self, binding: &RoleBinding) -> Concerned {
        self.replace(&key(binding), Some(Arc::new(entry(binding))))
    }

    /// A RoleBinding is gone.
    pub fn deleted(&self, binding: &RoleBinding) -> Concerned {
        self.replace(&key(binding), None)
    }

    /// The RoleBindings that name this TechnicalUser.
    pub fn naming(&self, namespace: &str, name: &str) -> Vec<ObjectRef<RoleBinding>> {
        let inner = self.inner();
        let found = inner.by_user.get(&(namespace.to_owned(), name.to_owned()));
        found.into_iter().flatten().map(reference).collect()
    }

    /// The RoleBindings whose status speaks of this grant.
    pub fn holding(&self, platform: &str, grant: &Grant) -> Vec<ObjectRef<RoleBinding>> {
        let inner = self.inner();
        let found = inner.by_grant.get(&(platform.to_owned(), grant.clone()));
        found.into_iter().flatten().map(reference).collect()
    }

    /// Of these grants, those that another RoleBinding made, and those that another live RoleBinding wants.
    pub fn elsewhere<'a>(
        &self,
        me: &Key,
        platform: &str,
        grants: impl Iterator<Item = &'a Grant>,
    ) -> (BTreeSet<Grant>, BTreeSet<Grant>) {
        let inner = self.inner();
        let (mut owned, mut wanted) = (BTreeSet::new(), BTreeSet::new());
        for grant in grants {
            for entry in inner.others(me, platform, grant) {
                if entry.grants.get(grant) == Some(&true) {
                    owned.insert(grant.clone());
                }
                if !entry.deleting && entry.wanted.contains(grant) {
                    wanted.insert(grant.clone());
                }
            }
        }
        (owned, wanted)
    }

    /// Whether the watch has told of this RoleBinding as it was read live.
    pub fn has_seen(&self, key: &Key, live: &RoleBinding) -> bool {
        let deleting = live.metadata.deletion_timestamp.is_some();
        let inner = self.inner();
        inner
            .bindings
            .get(key)
            .is_some_and(|seen| seen.generation >= live.metadata.generation && seen.deleting == deleting)
    }

    fn replace(&self, key: &Key, entry: Option<Arc<Entry>>) -> Concerned {
        let mut inner = self.inner();
        let before = inner.bindings.get(key).cloned();
        let edited = before.as_ref().map(|old| (old.generation, old.deleting))
            != entry.as_ref().map(|new| (new.generation, new.deleting));
        let mut concerned = Concerned::default();
        for entry in before.iter().chain(&entry) {
            if edited {
                concerned.users.extend(entry.users.iter().cloned());
            }
            for grant in entry.grants.keys() {
                let sharing = inner.by_grant.get(&(entry.platform.clone(), grant.clone()));
                concerned.bindings.extend(sharing.into_iter().flatten().filter(|other| *other != key).cloned());
            }
        }
        inner.remove(key);
        if let Some(entry) = entry {
            inner.insert(key, entry);
        }
        concerned
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn others<'a>(&'a self, me: &'a Key, platform: &str, grant: &Grant) -> impl Iterator<Item = &'a Arc<Entry>> {
        let sharing = self.by_grant.get(&(platform.to_owned(), grant.clone()));
        sharing.into_iter().flatten().filter(move |key| *key != me).filter_map(|key| self.bindings.get(key))
    }

    fn insert(&mut self, key: &Key, entry: Arc<Entry>) {
        for user in &entry.users {
            self.by_user.entry(user.clone()).or_default().insert(key.clone());
        }
        for grant in entry.grants.keys() {
            self.by_grant.entry((entry.platform.clone(), grant.clone())).or_default().insert(key.clone());
        }
        self.bindings.insert(key.clone(), entry);
    }

    fn remove(&mut self, key: &Key) {
        let Some(entry) = self.bindings.remove(key) else {
            return;
        };
        for user in &entry.users {
            drop_from(&mut self.by_user, user, key);
        }
        for grant in entry.grants.keys() {
            drop_from(&mut self.by_grant, &(entry.platform.clone(), grant.clone()), key);
        }
    }
}

fn drop_from<K: std::hash::Hash + Eq>(map: &mut HashMap<K, BTreeSet<Key>>, at: &K, key: &Key) {
    if let Some(keys) = map.get_mut(at) {
        keys.remove(key);
        if keys.is_empty() {
            map.remove(at);
        }
    }
}

fn key(binding: &RoleBinding) -> Key {
    (binding.namespace().unwrap_or_default(), binding.name_any())
}

fn reference(key: &Key) -> ObjectRef<RoleBinding> {
    ObjectRef::new(&key.1).within(&key.0)
}

fn entry(binding: &RoleBinding) -> Entry {
    let namespace = binding.namespace().unwrap_or_default();
    let users = binding.spec.subjects.iter().filter_map(|subject| match subject {
        Subject::TechnicalUser(user) => Some((namespace.clone(), user.name.clone())),
        _ => None,
    });
    let lines = binding.status.iter().flat_map(|status| &status.roles);
    let mut entry = Entry {
        platform: binding.spec.platform_ref.name.clone(),
        generation: binding.metadata.generation,
        deleting: binding.metadata.deletion_timestamp.is_some(),
        users: users.collect(),
        ..Entry::default()
    };
    for (line, grant) in lines.filter_map(|line| Some((line, grant_of(line)?))) {
        if binding.spec.subjects.contains(&line.subject) && binding.spec.roles.contains(&line.role) {
            entry.wanted.insert(grant.clone());
        }
        *entry.grants.entry(grant).or_default() |= line.owned;
    }
    entry
}

/// The grant that a status line speaks of, once its holder is known. Its origin was resolved when it was written.
pub fn grant_of(line: &RoleLine) -> Option<Grant> {
    let principal = line.principal.as_ref()?;
    let kind = match line.subject {
        Subject::Group(_) => HolderKind::Group,
        Subject::User(_) | Subject::TechnicalUser(_) => HolderKind::User,
    };
    let holder = Holder::named(kind, &principal.name, principal.origin.as_deref().unwrap_or_default());
    Some(Grant::new(holder, line.role.clone()))
}

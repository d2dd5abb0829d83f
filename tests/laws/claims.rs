//! Who asks for what, and who may: from the manifests alone, now or at any moment since a reconcile began.
//!
//! An operator cannot act on what changes while it acts: what was allowed when it looked counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::plan::owner::Owner;

use crate::kubernetes::{Address, Kind, Store};
use crate::outside::Outside;
use crate::rules::{Principal, Rules, Whom};

/// Every version that objects had in some span of time.
pub struct Span {
    versions: BTreeMap<Address, Vec<Arc<Value>>>,
}

impl Span {
    /// From so many news ago until now.
    pub fn since(store: &Store, since: usize) -> Self {
        let mut versions = Self::at(store, since).versions;
        for news in store.news[since..].iter().filter(|news| !news.gone) {
            versions.entry(news.address.clone()).or_default().push(Arc::clone(&news.object));
        }
        Self { versions }
    }

    /// What is now.
    pub fn now(store: &Store) -> Self {
        Self::since(store, store.news.len())
    }

    /// What was when there was so much news.
    pub fn at(store: &Store, when: usize) -> Self {
        let mut versions: BTreeMap<Address, Vec<Arc<Value>>> = BTreeMap::new();
        for news in &store.news[..when] {
            let now = if news.gone { vec![] } else { vec![Arc::clone(&news.object)] };
            versions.insert(news.address.clone(), now);
        }
        Self { versions }
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = (&Address, &Value)> {
        let kinds = self.versions.iter().filter(move |(address, _)| address.kind == kind);
        kinds.flat_map(|(address, all)| all.iter().map(move |one| (address, one.as_ref())))
    }

    /// The rules of every version of a Platform at this place for every version of a namespace, with its name.
    fn rules<'a>(
        &'a self,
        outside: &'a Outside,
        at: usize,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a str, Rules<'a>)> {
        let is_there = move |one: &Value| {
            // What its Secret held before stays in use while the new one leads elsewhere.
            let pinned = one["status"]["place"].as_str().is_some_and(|place| place == format!("subaccount {at}"));
            pinned || outside.place(&one["spec"]["environment"]) == at
        };
        let platforms = self.of(Kind::Platform).filter(move |(_, one)| is_there(one));
        platforms.flat_map(move |(address, platform)| {
            let namespaces = self.of(Kind::Namespace).filter(move |(one, _)| one.name == namespace);
            namespaces.map(move |(_, namespace)| (address.name.as_str(), Rules::of(&platform["spec"], namespace)))
        })
    }

    /// Whether an owner may have an identity of its own, carrying this role too if one is named.
    pub fn allows(&self, outside: &Outside, at: usize, owner: &Owner, role: Option<&str>) -> bool {
        let users = self.of(Kind::TechnicalUser).filter(|(_, user)| user["metadata"]["uid"] == owner.uid);
        users.into_iter().any(|(_, user)| {
            let identity = &user["spec"]["identity"];
            self.rules(outside, at, &owner.namespace).any(|(platform, rules)| {
                user["spec"]["platformRef"]["name"] == platform
                    && rules.may_be(identity)
                    && role.is_none_or(|role| self.gives(owner, platform, &rules, identity, role))
            })
        })
    }

    /// Whether a RoleBinding gives a technical user this role of its own, and may.
    fn gives(&self, owner: &Owner, platform: &str, rules: &Rules<'_>, identity: &Value, name: &str) -> bool {
        let mut bindings = self.of(Kind::RoleBinding).filter(|(one, binding)| {
            one.namespace == owner.namespace && lives(binding) && binding["spec"]["platformRef"]["name"] == platform
        });
        bindings.any(|(_, binding)| {
            let named =
                all(&binding["spec"]["subjects"]).any(|one| one["technicalUser"]["name"] == owner.name.as_str());
            let mut roles = all(&binding["spec"]["roles"]);
            named
                && roles
                    .any(|role| own_role(role) == Some(name) && rules.may_grant(role, Whom::TechnicalUser(identity)))
        })
    }

    /// The living RoleBindings that ask for a grant, and may.
    pub fn wanting(&self, outside: &Outside, at: usize, grant: &Grant) -> BTreeSet<Address> {
        let role = serde_json::to_value(&grant.role).unwrap();
        let asks = |(address, binding): &(&Address, &Value)| {
            let spec = &binding["spec"];
            lives(binding)
                && all(&spec["roles"]).any(|one| *one == role)
                && self.rules(outside, at, &address.namespace).any(|(platform, rules)| {
                    spec["platformRef"]["name"] == platform
                        && all(&spec["subjects"]).any(|one| self.may_hold(address, &rules, one, &role, grant))
                })
        };
        self.of(Kind::RoleBinding).filter(asks).map(|(address, _)| address.clone()).collect()
    }

    /// Whether a subject is the holder of a grant, and may have the role.
    fn may_hold(&self, binding: &Address, rules: &Rules<'_>, subject: &Value, role: &Value, grant: &Grant) -> bool {
        for (field, is_group) in [("user", false), ("group", true)] {
            if let Some(named) = subject.get(field) {
                let principal = rules.principal(is_group, named);
                return is_holder(&principal, grant) && rules.may_grant(role, Whom::Principal(&principal));
            }
        }
        let name = &subject["technicalUser"]["name"];
        let mut users = self
            .of(Kind::TechnicalUser)
            .filter(|(one, _)| one.namespace == binding.namespace && *name == one.name.as_str());
        users.any(|(_, user)| {
            let identity = &user["spec"]["identity"];
            let existing = identity.get("existing").map(|user| rules.principal(false, user));
            existing.is_some_and(|one| is_holder(&one, grant)) && rules.may_grant(role, Whom::TechnicalUser(identity))
        })
    }
}

/// Whether a principal is the holder of a grant.
fn is_holder(principal: &Principal, grant: &Grant) -> bool {
    let holder = &grant.holder;
    let same_name = if principal.is_group {
        principal.name == holder.name()
    } else {
        principal.name.eq_ignore_ascii_case(holder.name())
    };
    principal.is_group == (holder.kind() == HolderKind::Group) && same_name && principal.origin == holder.origin()
}

/// The name of a role that belongs to an identity itself.
fn own_role(role: &Value) -> Option<&str> {
    role.get("instanceRole").or(role.get("authority"))?["name"].as_str()
}

pub fn lives(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_null()
}

pub fn all(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

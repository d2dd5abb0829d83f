//! SAP Authorization and Trust Management (XSUAA): role collections of users and groups.
//!
//! Only role collections that are asked about are read, and nothing is kept of those who are not. The API has no call
//! for many assignments at once, so a batch goes out side by side, but never two changes of one user, of whatever
//! batches: they would race for the user's record. No user is ever deleted here.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard};

use super::budget::Urgency;
use super::error::{Error, Kind, Result};
use super::http::Answer;
use super::session::Session;
use super::side_by_side::side_by_side;
use super::{Grants, Scope};
use crate::api::Role;
use crate::plan::grant::{Grant, Holder, HolderKind};

mod mappings;
mod sift;
mod users;
mod wire;

/// The scope of the users of one role collection; its name follows.
const USERS: &str = "users/";
/// The scope of the groups of one identity provider that get one role collection; origin key and name follow.
const GROUPS: &str = "groups/";
/// The scope of what there is not.
const UNSUPPORTED: &str = "unsupported";
/// Calls of one batch that are on their way at once.
const SIDE_BY_SIDE: usize = 16;
/// Changes that go out together. At the documented rate they take two seconds at most, and a revocation that comes
/// meanwhile waits no longer.
const BATCH: usize = 50;

/// The driver for one subaccount.
pub struct Xsuaa {
    session: Session,
    endless: Endless,
    turns: Turns,
}

/// Role collections with more users than fit into an answer.
#[derive(Default)]
struct Endless(RwLock<BTreeSet<String>>);

/// Lets one change of a holder at a time pass. Some holders share a place and wait for each other without need.
#[derive(Default)]
struct Turns {
    places: [Mutex<()>; 32],
    hasher: RandomState,
}

/// Gives or takes.
#[derive(Clone, Copy)]
enum Change {
    Grant,
    Revoke,
}

impl Xsuaa {
    /// A driver that works with this admin credential.
    pub fn new(session: Session) -> Self {
        Self { session, endless: Endless::default(), turns: Turns::default() }
    }

    async fn batch(&self, grants: &[Grant], change: Change) -> Vec<Result<()>> {
        let one_after_another = |grants| self.one_after_another(grants, change);
        side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.holder, one_after_another).await
    }

    async fn one_after_another(&self, grants: Vec<&Grant>, change: Change) -> Vec<Result<()>> {
        let mut results = Vec::with_capacity(grants.len());
        for grant in grants {
            let turn = self.turns.take(&grant.holder).await;
            results.push(self.apply(grant, change).await);
            drop(turn);
        }
        results
    }

    async fn apply(&self, grant: &Grant, change: Change) -> Result<()> {
        check(grant, "assign role collection")?;
        match (grant.holder.kind(), change) {
            (HolderKind::User, Change::Grant) => self.assign(grant).await,
            (HolderKind::User, Change::Revoke) => self.unassign(grant).await,
            (HolderKind::Group, Change::Grant) => self.map(grant).await,
            (HolderKind::Group, Change::Revoke) => self.unmap(grant).await,
        }
    }

    /// Looks at each holder for itself.
    async fn look_up(&self, grants: &[Grant], urgency: Urgency) -> Vec<Result<bool>> {
        let look = |grants| self.look_up_one(grants, urgency);
        side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.holder, look).await
    }

    async fn look_up_one(&self, grants: Vec<&Grant>, urgency: Urgency) -> Vec<Result<bool>> {
        match grants.first().map(|grant| grant.holder.kind()) {
            Some(HolderKind::User) => self.held_by_user(&grants, urgency).await,
            Some(HolderKind::Group) => self.held_by_group(&grants, urgency).await,
            None => Vec::new(),
        }
    }
}

#[async_trait]
impl Grants for Xsuaa {
    fn scope(&self, grant: &Grant) -> Scope {
        let (holder, role) = (&grant.holder, grant.role.name());
        Scope(match (&grant.role, holder.kind()) {
            (Role::RoleCollection(_), HolderKind::User) => format!("{USERS}{role}"),
            (Role::RoleCollection(_), HolderKind::Group) => format!("{GROUPS}{}/{role}", holder.origin()),
            _ => UNSUPPORTED.to_owned(),
        })
    }

    fn batch_size(&self, _: &Scope) -> usize {
        BATCH
    }

    async fn read(&self, scope: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        if let Some(collection) = scope.0.strip_prefix(USERS) {
            return self.users_of(collection, of).await;
        }
        // An origin key has no slash in it.
        let Some((origin, collection)) = scope.0.strip_prefix(GROUPS).and_then(|rest| rest.split_once('/')) else {
            return Err(unsupported("look up grants"));
        };
        let groups = self.groups_of(origin, collection, Urgency::Last).await?;
        Ok(of.intersection(&groups).cloned().collect())
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        self.look_up(grants, Urgency::Normal).await
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch(grants, Change::Grant).await
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch(grants, Change::Revoke).await
    }
}

impl Endless {
    fn contains(&self, collection: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(collection)
    }

    fn insert(&self, collection: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(collection.to_owned());
    }
}

impl Turns {
    async fn take(&self, holder: &Holder) -> Option<MutexGuard<'_, ()>> {
        let place = usize::try_from(self.hasher.hash_one(holder)).unwrap_or_default() % self.places.len();
        Some(self.places.get(place)?.lock().await)
    }
}

fn check(grant: &Grant, operation: &'static str) -> Result<()> {
    match grant.role {
        Role::RoleCollection(_) => Ok(()),
        _ => Err(unsupported(operation).about(grant.role.kind())),
    }
}

fn unsupported(operation: &'static str) -> Error {
    Error::new(Kind::Invalid, operation)
        .detail("in a subaccount, users and groups hold roleCollection and nothing else")
}

/// Whether a 404 is the API's own, which its document explains. One of anybody in between, a router or a proxy, says
/// nothing of users and role collections, and is no answer.
fn is_unknown(answer: &Answer, operation: &'static str) -> Result<bool> {
    if answer.status() != 404 {
        return Ok(false);
    }
    let own: Result<wire::Refusal> = answer.json(operation);
    own.map(|_| true).map_err(|_| Error::new(Kind::Unavailable, operation).detail("a 404 that is not the API's"))
}

/// The origin key that the API means. It answers `sap.default` to whoever asked for the legacy alias `ldap`.
fn normalized(origin: &str) -> &str {
    if origin == "ldap" { "sap.default" } else { origin }
}

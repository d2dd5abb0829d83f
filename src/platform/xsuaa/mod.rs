//! SAP Authorization and Trust Management (XSUAA): role collections of users and groups.
//!
//! Reads cost pages; the API has no call for many assignments at once, so a batch goes out side by side, but never
//! two calls for one user: they would race for the user's record. No user is ever deleted here.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::error::{Error, Kind, Result};
use super::session::Session;
use super::{Grants, Scope};
use crate::api::Role;
use crate::plan::grant::{Grant, Holder, HolderKind};

mod mappings;
mod users;
mod wire;

/// The scope of everything that users hold.
const USERS: &str = "users";
/// The scope of what groups of one identity provider hold; the origin key follows.
const GROUPS: &str = "groups/";
/// Calls of one batch that are on their way at once.
const SIDE_BY_SIDE: usize = 16;

/// The driver for one subaccount.
pub struct Xsuaa {
    session: Session,
}

/// Gives or takes.
#[derive(Clone, Copy)]
enum Change {
    Grant,
    Revoke,
}

impl Xsuaa {
    /// A driver that works with this admin credential.
    pub const fn new(session: Session) -> Self {
        Self { session }
    }

    async fn batch(&self, grants: &[Grant], change: Change) -> Vec<Result<()>> {
        let mut by_holder: BTreeMap<&Holder, Vec<usize>> = BTreeMap::new();
        for (place, grant) in grants.iter().enumerate() {
            by_holder.entry(&grant.holder).or_default().push(place);
        }
        let results = stream::iter(by_holder.into_values())
            .map(|places| self.one_after_another(grants, places, change))
            .buffer_unordered(SIDE_BY_SIDE);
        let mut results: Vec<(usize, Result<()>)> = results.flat_map(stream::iter).collect().await;
        results.sort_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    async fn one_after_another(
        &self,
        grants: &[Grant],
        places: Vec<usize>,
        change: Change,
    ) -> Vec<(usize, Result<()>)> {
        let mut results = Vec::with_capacity(places.len());
        for place in places {
            let result = match grants.get(place) {
                Some(grant) => self.apply(grant, change).await,
                None => Ok(()),
            };
            results.push((place, result));
        }
        results
    }

    async fn apply(&self, grant: &Grant, change: Change) -> Result<()> {
        if !matches!(grant.role, Role::RoleCollection(_)) {
            let detail = format!("the platform has no {}", grant.role.kind());
            return Err(Error::new(Kind::Invalid, "assign role collection").detail(detail));
        }
        match (grant.holder.kind, change) {
            (HolderKind::User, Change::Grant) => self.assign(grant).await,
            (HolderKind::User, Change::Revoke) => self.unassign(grant).await,
            (HolderKind::Group, Change::Grant) => self.map(grant).await,
            (HolderKind::Group, Change::Revoke) => self.unmap(grant).await,
        }
    }
}

#[async_trait]
impl Grants for Xsuaa {
    fn scope(&self, grant: &Grant) -> Scope {
        Scope(match grant.holder.kind {
            HolderKind::User => USERS.to_owned(),
            HolderKind::Group => format!("{GROUPS}{}", grant.holder.origin),
        })
    }

    async fn read(&self, scope: &Scope) -> Result<BTreeSet<Grant>> {
        match scope.0.strip_prefix(GROUPS) {
            Some(origin) => self.groups(origin).await,
            None => self.users().await,
        }
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        let mut held = Vec::with_capacity(grants.len());
        for grant in grants {
            held.push(self.read(&self.scope(grant)).await.map(|all| all.contains(grant)));
        }
        held
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch(grants, Change::Grant).await
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch(grants, Change::Revoke).await
    }
}

/// The origin key that the API means. It answers `sap.default` to whoever asked for the legacy alias `ldap`.
fn normalized(origin: String) -> String {
    if origin == "ldap" { "sap.default".to_owned() } else { origin }
}

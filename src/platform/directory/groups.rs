//! Membership in groups: a group's members are read whole, and changed many at once.
//!
//! Members are users by their ids, so each holder's name is looked up. Whether somebody is a member, and whom to add or
//! remove, is decided on what the directory says now; a bulk read may go by ids that were seen before.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::change::{Change, Target};
use super::pages::{GROUPS, Search};
use super::wire::{Group, Whole};
use super::{Directory, another};
use crate::api::Role;
use crate::plan::grant::{Grant, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::reading::quoted;
use crate::platform::side_by_side::side_by_side;
use crate::platform::{Grants, Scope};

const READ: &str = "list members of group";
const ADD: &str = "add members to group";
const REMOVE: &str = "remove members from group";

/// Groups that are read at once. The rate of the calls is the budget's business.
const SIDE_BY_SIDE: usize = 8;
/// Members that are changed together. They cost one write, and before it a look-up for each few of them: a revocation that
/// comes meanwhile waits for seconds even where a directory takes two calls a second.
const BATCH: usize = 200;

/// Gives or takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    Membership,
    Leave,
}

#[async_trait]
impl Grants for Directory {
    fn scope(&self, grant: &Grant) -> Scope {
        Scope(grant.role.name().to_owned())
    }

    fn batch_size(&self, _: &Scope) -> usize {
        BATCH
    }

    async fn read(&self, scope: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        let Some(group) = self.group(READ, &scope.0, Urgency::Last).await? else { return Ok(BTreeSet::new()) };
        let members = self.members(&group, Urgency::Last).await?;
        let unknown: BTreeSet<&str> = of.iter().map(|grant| grant.holder.name()).collect();
        let unknown: Vec<&str> = unknown.into_iter().filter(|name| self.remembered_id(name).is_none()).collect();
        for looked_up in self.ids_of(READ, unknown, Urgency::Last).await.into_values() {
            looked_up?;
        }
        let is_member = |grant: &&Grant| {
            let id = self.remembered_id(grant.holder.name());
            self.is_ours(grant) && grant.role.name() == scope.0 && id.is_some_and(|id| members.contains(&id))
        };
        Ok(of.iter().filter(is_member).cloned().collect())
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        side_by_side(grants, SIDE_BY_SIDE, |grant| grant.role.name(), |grants| self.hold(grants)).await
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.change_members(grants, Gives::Membership).await
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.change_members(grants, Gives::Leave).await
    }
}

impl Directory {
    fn is_ours(&self, grant: &Grant) -> bool {
        let (holder, is_membership) = (&grant.holder, matches!(grant.role, Role::GroupMembership(_)));
        is_membership && holder.kind() == HolderKind::User && holder.origin() == self.origin
    }

    fn unsupported(&self, operation: &'static str) -> Error {
        let detail = format!("only users of origin `{}` can be members of the directory's groups", self.origin);
        Error::new(Kind::Invalid, operation).detail(detail)
    }

    /// Who of these is a member, all of one group.
    async fn hold(&self, grants: Vec<&Grant>) -> Vec<Result<bool>> {
        let members = match self.members_of_named(&grants).await {
            Ok(members) => members,
            Err(error) => return grants.iter().map(|_| Err(error.share())).collect(),
        };
        let ids = self.ids_of(READ, grants.iter().map(|grant| grant.holder.name()), Urgency::Normal).await;
        let is_member = |grant: &&Grant| match ids.get(grant.holder.name()) {
            Some(Ok(id)) => Ok(self.is_ours(grant) && id.as_ref().is_some_and(|id| members.contains(id))),
            Some(Err(error)) => Err(error.share()),
            None => Ok(false),
        };
        grants.iter().map(is_member).collect()
    }

    async fn members_of_named(&self, grants: &[&Grant]) -> Result<BTreeSet<String>> {
        let Some(first) = grants.first() else { return Ok(BTreeSet::new()) };
        match self.group(READ, first.role.name(), Urgency::Normal).await? {
            Some(group) => self.members(&group, Urgency::Normal).await,
            None => Ok(BTreeSet::new()),
        }
    }

    /// Changes the members of the one group that the grants name. One result for each, in their order.
    async fn change_members(&self, grants: &[Grant], gives: Gives) -> Vec<Result<()>> {
        let Some(first) = grants.first() else { return Vec::new() };
        let (operation, urgency) = gives.call();
        let group = match self.group(operation, first.role.name(), urgency).await {
            Ok(Some(group)) => group,
            Ok(None) => {
                return grants.iter().map(|grant| gives.to_nobody(&format!("group `{}`", grant.role.name()))).collect();
            }
            Err(error) => return grants.iter().map(|_| Err(error.share())).collect(),
        };
        let named = grants.iter().filter(|grant| self.is_ours(grant)).map(|grant| grant.holder.name());
        let ids = self.ids_of(operation, named, urgency).await;
        let known: Vec<&str> = ids.values().filter_map(|id| id.as_ref().ok()?.as_deref()).collect();
        let changed = self.change_in_parts(&group, &known, gives).await;
        let result = |grant: &Grant| match ids.get(grant.holder.name()) {
            _ if !self.is_ours(grant) => gives.to_nobody("").map_err(|_| self.unsupported(operation)),
            Some(Err(error)) => Err(error.share()),
            Some(Ok(Some(id))) => {
                changed.get(id.as_str()).map_or(Ok(()), |one| one.as_ref().map_err(Error::share).copied())
            }
            Some(Ok(None)) | None => gives.to_nobody(&format!("user `{}`", grant.holder.name())),
        };
        grants.iter().map(result).collect()
    }

    /// Changes all of these at once, or where that is refused each half by itself: one that the directory does not take
    /// must not keep back the others, and some directories take no more than a hundred.
    async fn change_in_parts<'a>(
        &self,
        group: &Group,
        ids: &'a [&'a str],
        gives: Gives,
    ) -> BTreeMap<&'a str, Result<()>> {
        let (mut results, mut left) = (BTreeMap::new(), vec![ids]);
        while let Some(now) = left.pop() {
            match self.change_group(group, now, gives).await {
                Err(error) if is_refused(&error) && now.len() > 1 => {
                    let (one, other) = now.split_at(now.len() / 2);
                    left.extend([other, one]);
                }
                Ok(true) => results.extend(now.iter().map(|id| (*id, Ok(())))),
                Ok(false) => {
                    let gone = || gives.to_nobody(&format!("group `{}`", group.display_name));
                    results.extend(now.iter().map(|id| (*id, gone())));
                }
                Err(error) => results.extend(now.iter().map(|id| (*id, Err(error.share())))),
            }
        }
        results
    }

    /// Whether the group is there to be changed.
    async fn change_group(&self, group: &Group, ids: &[&str], gives: Gives) -> Result<bool> {
        if ids.is_empty() {
            return Ok(true);
        }
        let (operation, urgency) = gives.call();
        let target = Target { path: "Groups", id: &group.id, operation, urgency };
        let changed = self.change(target, |whole| member_change(whole, ids, gives, operation)).await?;
        Ok(changed.is_some())
    }

    /// The group of this name. Names of groups need not be unique, and then nobody knows which is meant.
    async fn group(&self, operation: &'static str, name: &str, urgency: Urgency) -> Result<Option<Group>> {
        let filter = format!("displayName eq {}", quoted(name));
        let search = Search { shelf: &GROUPS, filter, operation, urgency };
        let (mut found, is_whole) = self.search(&search, |group: &Group| group.display_name == name).await?;
        if found.len() > 1 {
            return Err(Error::new(Kind::Invalid, operation).detail(format!("several groups are called `{name}`")));
        }
        match found.pop() {
            None if !is_whole => {
                Err(Error::new(Kind::Unavailable, operation).detail("the list changes while it is read"))
            }
            group => Ok(group),
        }
    }

    async fn members(&self, group: &Group, urgency: Urgency) -> Result<BTreeSet<String>> {
        let target = Target { path: "Groups", id: &group.id, operation: READ, urgency };
        let Some(whole) = self.whole(target).await? else { return Ok(BTreeSet::new()) };
        whole.members().map(BTreeSet::from_iter).ok_or_else(|| another(READ))
    }
}

impl Gives {
    const fn call(self) -> (&'static str, Urgency) {
        match self {
            Self::Membership => (ADD, Urgency::Normal),
            Self::Leave => (REMOVE, Urgency::First),
        }
    }

    /// What is not there has no members and is none.
    fn to_nobody(self, what: &str) -> Result<()> {
        match self {
            Self::Membership => Err(Error::new(Kind::NotFound, ADD).detail(what)),
            Self::Leave => Ok(()),
        }
    }
}

fn member_change(whole: &Whole, ids: &[&str], gives: Gives, operation: &'static str) -> Result<Option<Change>> {
    let before = whole.members().ok_or_else(|| another(operation))?;
    let is_member = |id: &str| before.iter().any(|member| member == id);
    let to_change: Vec<&str> = ids.iter().copied().filter(|id| is_member(id) != (gives == Gives::Membership)).collect();
    if to_change.is_empty() {
        return Ok(None);
    }
    let listed = |ids: &mut dyn Iterator<Item = &str>| ids.map(|id| json!({ "value": id })).collect::<Vec<Value>>();
    let stays = |id: &&str| !to_change.contains(id);
    let others = &mut before.iter().map(String::as_str).filter(stays);
    let (operations, after) = match gives {
        Gives::Membership => {
            let new = listed(&mut to_change.iter().copied());
            let after = listed(&mut others.chain(to_change.iter().copied()));
            (vec![json!({ "op": "add", "path": "members", "value": new })], after)
        }
        Gives::Leave => {
            let leave = |id: &&str| json!({ "op": "remove", "path": format!("members[value eq {}]", quoted(id)) });
            (to_change.iter().map(leave).collect(), listed(others))
        }
    };
    Ok(Some(Change { operations, whole: whole.with(&[("members", Value::Array(after))]), is_repeatable: true }))
}

/// Whether it may be for one of many that a request was refused.
fn is_refused(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::NotFound | Kind::Conflict)
}

//! Membership in groups. The UAA knows members by their ids, and tells all of a group's at once; users are looked up by
//! their names, many in one call. It has no call for many members, so a batch goes out side by side.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::another;
use super::pages::List;
use super::people::{Group, Member, NAMES, Person};
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::reading::quoted;
use crate::platform::session::Session;
use crate::platform::side_by_side::side_by_side;
use crate::platform::{Grants, Scope};

const READ: &str = "read group";
const LOOK: &str = "look up member of group";
const GRANT: &str = "add member to group";
const REVOKE: &str = "remove member from group";

/// What a member is to the UAA.
const USER: &str = "USER";
/// Calls of one batch that are on their way at once.
const SIDE_BY_SIDE: usize = 8;
/// Changes that go out together, so that a revocation that comes meanwhile waits no longer than a few seconds.
const BATCH: usize = 50;
/// Users that are looked up in one call, whose names fit into an address.
const AT_ONCE: usize = 12;

/// The groups of one UAA.
pub struct Groups {
    session: Session,
}

/// A group, and the ids of the users who were asked about and are there.
struct Roll {
    group: String,
    ids: BTreeMap<Holder, String>,
}

/// Gives or takes.
#[derive(Clone, Copy)]
enum Change {
    Grant,
    Revoke,
}

#[async_trait]
impl Grants for Groups {
    fn scope(&self, grant: &Grant) -> Scope {
        Scope(grant.role.name().to_owned())
    }

    fn batch_size(&self, _: &Scope) -> usize {
        BATCH
    }

    async fn read(&self, Scope(group): &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        let of: Vec<&Grant> = of.iter().collect();
        let held = self.held(READ, group, &of, Urgency::Last).await?;
        Ok(of.into_iter().zip(held).filter(|(_, held)| *held).map(|(grant, _)| grant.clone()).collect())
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        side_by_side(grants, SIDE_BY_SIDE, |grant| grant.role.name(), |of_one| self.look_up(of_one)).await
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        match self.roll(GRANT, grants, Urgency::Normal).await {
            Ok(Some(roll)) => self.change(&roll, grants, Change::Grant).await,
            Ok(None) => grants.iter().map(|grant| Err(no_such_group(grant))).collect(),
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        match self.roll(REVOKE, grants, Urgency::First).await {
            Ok(Some(roll)) => self.change(&roll, grants, Change::Revoke).await,
            // Nobody is a member of what is not there.
            Ok(None) => grants.iter().map(|_| Ok(())).collect(),
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }
}

impl Groups {
    /// The groups of the UAA that this session works with.
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    async fn change(&self, roll: &Roll, grants: &[Grant], change: Change) -> Vec<Result<()>> {
        let one_by_one = |of_one| self.change_all(roll, of_one, change);
        side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.holder, one_by_one).await
    }

    async fn change_all(&self, roll: &Roll, grants: Vec<&Grant>, change: Change) -> Vec<Result<()>> {
        let mut results = Vec::with_capacity(grants.len());
        for grant in grants {
            results.push(match (change, roll.ids.get(&grant.holder)) {
                (Change::Grant, Some(id)) => self.add(&roll.group, id, &grant.holder).await,
                (Change::Grant, None) => Err(no_such_user(grant)),
                (Change::Revoke, Some(id)) => self.remove(&roll.group, id).await,
                (Change::Revoke, None) => Ok(()),
            });
        }
        results
    }

    /// One that is a member already is refused, which is as good: a lost answer costs nothing.
    async fn add(&self, group: &str, id: &str, holder: &Holder) -> Result<()> {
        let member = Member { value: id.to_owned(), r#type: USER.to_owned(), origin: holder.origin().to_owned() };
        let call = self.session.post(GRANT, &["Groups", group, "members"]).json(&member).repeatable();
        let answer = call.accept(&[409]).send().await?;
        let says_so = answer.status() != 409 && answer.json::<Member>(GRANT).is_ok_and(|added| added.value == id);
        if says_so || self.ids_in(GRANT, group, Urgency::Normal).await?.contains(id) {
            return Ok(());
        }
        Err(another(GRANT))
    }

    /// The UAA shows whom it has removed. A 404 may be anybody's.
    async fn remove(&self, group: &str, id: &str) -> Result<()> {
        let call = self.session.delete(REVOKE, &["Groups", group, "members", id]).urgency(Urgency::First);
        let answer = call.accept(&[404]).send().await?;
        let says_so = answer.status() != 404 && answer.json::<Member>(REVOKE).is_ok_and(|gone| gone.value == id);
        if !says_so && self.ids_in(REVOKE, group, Urgency::First).await?.contains(id) {
            return Err(another(REVOKE));
        }
        Ok(())
    }

    async fn look_up(&self, grants: Vec<&Grant>) -> Vec<Result<bool>> {
        let Some(group) = grants.first().map(|grant| grant.role.name()) else { return Vec::new() };
        match self.held(LOOK, group, &grants, Urgency::Normal).await {
            Ok(held) => held.into_iter().map(Ok).collect(),
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    /// Which of these, all of one group, are in force. Of the members nothing is kept but whether they are those.
    async fn held(&self, operation: &'static str, group: &str, of: &[&Grant], urgency: Urgency) -> Result<Vec<bool>> {
        let Some(group) = self.group(operation, group, urgency).await? else { return Ok(vec![false; of.len()]) };
        let members = self.ids_in(operation, &group, urgency).await?;
        // Nobody has to be looked up to know that they are not among none.
        let asked: Vec<&Holder> = of.iter().map(|grant| &grant.holder).filter(|_| !members.is_empty()).collect();
        let ids = self.ids_of(operation, &asked, urgency).await?;
        Ok(of.iter().map(|grant| ids.get(&grant.holder).is_some_and(|id| members.contains(id))).collect())
    }

    /// The group that these grants, all of one scope, are about, and their users; `None` if there is no such group.
    async fn roll(&self, operation: &'static str, grants: &[Grant], urgency: Urgency) -> Result<Option<Roll>> {
        let Some(name) = grants.first().map(|grant| grant.role.name()) else { return Ok(None) };
        let Some(group) = self.group(operation, name, urgency).await? else { return Ok(None) };
        let holders: Vec<&Holder> = grants.iter().map(|grant| &grant.holder).collect();
        Ok(Some(Roll { group, ids: self.ids_of(operation, &holders, urgency).await? }))
    }

    /// The id of a group. The UAA searches without regard to case, and has groups that differ by nothing else.
    async fn group(&self, operation: &'static str, name: &str, urgency: Urgency) -> Result<Option<String>> {
        let filter = format!("displayName eq {}", quoted(name));
        let list = List { operation, path: &["Groups"], filter: &filter, attributes: "id,displayName", urgency };
        let is_meant = |group: &Group| group.display_name.to_lowercase() == name.to_lowercase();
        let found = list.few(&self.session, is_meant).await?;
        Ok(found.into_iter().find(|group| group.display_name == name).map(|group| group.id))
    }

    /// The ids of all members of a group.
    async fn ids_in(&self, operation: &'static str, group: &str, urgency: Urgency) -> Result<BTreeSet<String>> {
        let call = self.session.get(operation, &["Groups", group, "members"]).urgency(urgency);
        let members: Vec<Member> = call.send_json().await?;
        Ok(members.into_iter().map(|member| member.value).collect())
    }

    /// The ids of those of these users who are there.
    async fn ids_of(
        &self,
        operation: &'static str,
        holders: &[&Holder],
        urgency: Urgency,
    ) -> Result<BTreeMap<Holder, String>> {
        let mut ids = BTreeMap::new();
        for some in holders.chunks(AT_ONCE) {
            let names: Vec<String> = some.iter().map(|one| format!("userName eq {}", quoted(one.name()))).collect();
            let filter = names.join(" or ");
            let list = List { operation, path: &["Users"], filter: &filter, attributes: NAMES, urgency };
            // The same name may be taken at several identity providers.
            let is_meant = |user: &Person| some.iter().any(|one| **one == holder(user).at(one.origin()));
            let found = list.few(&self.session, is_meant).await?;
            ids.extend(found.into_iter().map(|user| (holder(&user), user.id)));
        }
        Ok(ids)
    }
}

fn holder(user: &Person) -> Holder {
    Holder::named(HolderKind::User, &user.user_name, &user.origin)
}

fn no_such_group(grant: &Grant) -> Error {
    Error::new(Kind::NotFound, GRANT).detail(format!("there is no group `{}`", grant.role.name()))
}

fn no_such_user(Grant { holder, .. }: &Grant) -> Error {
    let detail = format!("there is no user `{}` of origin `{}`", holder.name(), holder.origin());
    Error::new(Kind::NotFound, GRANT).detail(detail)
}

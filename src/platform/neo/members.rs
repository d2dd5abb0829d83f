//! Platform roles of subaccount members (Platform Authorization Management API, SCIM 2.0).
//!
//! A member's roles can only be written as a whole list, so a batch reads all members once and then writes each member
//! once. The member goes with its last role: the platform knows none without.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use super::wire::{Member, MemberList, SCIM, WantedMember};
use super::{Change, Neo};
use crate::api::Role;
use crate::api::role_binding::RoleName;
use crate::plan::grant::{Grant, Holder, HolderKind, NEO_USER_BASE};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Call;

const READ: &str = "list members";
const ADD: &str = "add member";
const WRITE: &str = "set roles of member";
const REMOVE: &str = "remove member";

/// Members that are written at once. The rate of the calls is the budget's business.
const SIDE_BY_SIDE: usize = 8;

impl Neo {
    /// Who has which platform role, in one read.
    pub(super) async fn all_members(&self) -> Result<BTreeSet<Grant>> {
        Ok(self.list_members(None, Urgency::Last).await?.iter().flat_map(grants_of).collect())
    }

    /// Changes the roles of every member that the grants name. One result for each grant, in their order.
    pub(super) async fn change_members(&self, grants: &[Grant], change: Change) -> Vec<Result<()>> {
        let members = match self.list_members(None, urgency(change)).await {
            Ok(members) => members,
            Err(error) => return grants.iter().map(|_| Err(error.share())).collect(),
        };
        let mut by_holder: BTreeMap<&Holder, Vec<usize>> = BTreeMap::new();
        for (place, grant) in grants.iter().enumerate() {
            by_holder.entry(&grant.holder).or_default().push(place);
        }
        let writes: Vec<_> =
            by_holder.into_values().map(|places| self.change_holder(grants, places, &members, change)).collect();
        let outcomes = stream::iter(writes).buffer_unordered(SIDE_BY_SIDE).flat_map(stream::iter);
        let mut outcomes: Vec<(usize, Result<()>)> = outcomes.collect().await;
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Changes all that a batch says of one holder, in one write. If the platform refuses that, one by one: a role that
    /// does not exist must not keep back the others.
    async fn change_holder(
        &self,
        grants: &[Grant],
        places: Vec<usize>,
        members: &[Member],
        change: Change,
    ) -> Vec<(usize, Result<()>)> {
        let roles: BTreeSet<&str> = places.iter().map(|&place| grants[place].role.name()).collect();
        let Some(holder) = places.first().map(|&place| &grants[place].holder) else { return Vec::new() };
        let outcome = self.change_member(holder, find(members, holder), &roles, change).await;
        let mut outcomes = Vec::with_capacity(places.len());
        for place in places {
            let of_one = match &outcome {
                Ok(()) => Ok(()),
                Err(error) if error.kind() == Kind::Invalid && roles.len() > 1 => {
                    self.change_one(&grants[place], change).await
                }
                Err(error) => Err(error.share()),
            };
            outcomes.push((place, of_one));
        }
        outcomes
    }

    async fn change_one(&self, grant: &Grant, change: Change) -> Result<()> {
        let members = self.list_members(Some(&grant.holder.name), urgency(change)).await?;
        let member = find(&members, &grant.holder);
        self.change_member(&grant.holder, member, &BTreeSet::from([grant.role.name()]), change).await
    }

    async fn change_member(
        &self,
        holder: &Holder,
        member: Option<&Member>,
        roles: &BTreeSet<&str>,
        change: Change,
    ) -> Result<()> {
        match (member, change) {
            (None, Change::Revoke) => Ok(()),
            (None, Change::Grant) => self.add_member(holder, roles).await,
            (Some(member), _) => self.write_member(holder, member, roles, change).await,
        }
    }

    /// Adds a member. One that came into being meanwhile is read again and gets the roles on top.
    async fn add_member(&self, holder: &Holder, roles: &BTreeSet<&str>) -> Result<()> {
        let wanted = WantedMember::new(None, &holder.name, &holder.origin, roles.iter().copied().map(str::to_owned));
        let call = scim(self.members.post(ADD, &self.members_path(None))).json(&wanted);
        let answer = call.accept(&[409]).send().await.map_err(|error| refused(error, roles))?;
        if answer.status() != 409 {
            return Ok(());
        }
        let members = self.list_members(Some(&holder.name), Urgency::Normal).await?;
        match find(&members, holder) {
            Some(member) => self.write_member(holder, member, roles, Change::Grant).await,
            None => Err(Error::new(Kind::UnexpectedAnswer, ADD).detail("the member exists and is not listed")),
        }
    }

    /// Writes the roles of a member, if they are not as they shall be already.
    async fn write_member(
        &self,
        holder: &Holder,
        member: &Member,
        roles: &BTreeSet<&str>,
        change: Change,
    ) -> Result<()> {
        let held: BTreeSet<&str> = member.roles.iter().map(|role| role.value.as_str()).collect();
        let wanted = match change {
            Change::Grant => &held | roles,
            Change::Revoke => &held - roles,
        };
        if wanted == held {
            return Ok(());
        }
        let path = self.members_path(Some(&member.id));
        if wanted.is_empty() {
            let call = self.members.delete(REMOVE, &path).urgency(Urgency::First);
            return call.accept(&[404]).send().await.map(drop);
        }
        let body = WantedMember::new(
            Some(&member.id),
            &member.user_name,
            &holder.origin,
            wanted.iter().copied().map(str::to_owned),
        );
        let call = scim(self.members.put(WRITE, &path)).json(&body).urgency(urgency(change));
        call.send().await.map(drop).map_err(|error| refused(error, roles))
    }

    /// All members, or those of a user name in any user base.
    async fn list_members(&self, user_name: Option<&str>, urgency: Urgency) -> Result<Vec<Member>> {
        let call = scim(self.members.get(READ, &self.members_path(None))).urgency(urgency);
        let call = match user_name {
            Some(name) => call.query("filter", &format!("username eq {}", quoted(name))),
            None => call,
        };
        let list: MemberList = call.send_json().await?;
        // The documentation knows no pages. Half a list, taken for the whole, would make us write over members' roles.
        if list.total_results.is_some_and(|total| total > list.resources.len()) {
            return Err(Error::new(Kind::UnexpectedAnswer, READ).detail("the list is not complete"));
        }
        Ok(list.resources)
    }

    fn members_path<'a>(&'a self, id: Option<&'a str>) -> Vec<&'a str> {
        let list = ["authorization", "v1", "platform", "accounts", &self.subaccount, "Users"];
        list.into_iter().chain(id).collect()
    }
}

/// A value of a SCIM filter is written as a JSON string (RFC 7644 §3.4.2.2).
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn scim(call: Call) -> Call {
    call.header("accept", SCIM)
}

const fn urgency(change: Change) -> Urgency {
    match change {
        Change::Grant => Urgency::Normal,
        Change::Revoke => Urgency::First,
    }
}

fn find<'a>(members: &'a [Member], holder: &Holder) -> Option<&'a Member> {
    members.iter().find(|member| holder_of(member) == *holder)
}

fn holder_of(member: &Member) -> Holder {
    let origin = member.user_base().unwrap_or_else(|| NEO_USER_BASE.to_owned());
    Holder { kind: HolderKind::User, name: member.user_name.clone(), origin }
}

fn grants_of(member: &Member) -> Vec<Grant> {
    let role = |name: &String| Role::MemberRole(RoleName { name: name.clone() });
    member.roles.iter().map(|held| Grant::new(holder_of(member), role(&held.value))).collect()
}

/// The platform checks nothing of a member but its roles.
fn refused(error: Error, roles: &BTreeSet<&str>) -> Error {
    if error.kind() != Kind::Invalid {
        return error;
    }
    let roles = roles.iter().copied().collect::<Vec<_>>().join("`, `");
    Error::new(Kind::Invalid, error.operation()).detail(format!("is there a platform role `{roles}`?"))
}

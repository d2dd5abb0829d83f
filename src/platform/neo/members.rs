//! Platform roles of subaccount members (Platform Authorization Management API, SCIM 2.0).
//!
//! A member's roles can only be written as a whole list, so a member is read by name right before it is written: what
//! somebody else gave it meanwhile stays. The member goes with its last role: the platform knows none without. What is
//! in force after a write is believed of an answer that shows it, or read again.

use std::collections::BTreeSet;

use super::wire::{Member, MemberList, SCIM, WantedMember};
use super::{Change, Neo};
use crate::api::Role;
use crate::api::role::RoleName;
use crate::plan::environment::neo::{USER_BASE, as_member};
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::session::Call;
use crate::platform::side_by_side::side_by_side;

const READ: &str = "list members";
const ADD: &str = "add member";
const WRITE: &str = "set roles of member";
const REMOVE: &str = "remove member";

/// Members that are written at once. The rate of the calls is the budget's business.
pub(super) const SIDE_BY_SIDE: usize = 8;

impl Neo {
    /// Which of these platform roles members have, in one read of all.
    pub(super) async fn roles_of_members(&self, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        let members = self.list_members(None, Urgency::Last).await?;
        Ok(members.iter().flat_map(grants_of).filter(|grant| of.contains(grant)).collect())
    }

    /// Which of these platform roles one user has, read for that user alone.
    pub(super) async fn hold_member_roles(&self, grants: &[&Grant]) -> Vec<Result<bool>> {
        let Some(first) = grants.first() else { return Vec::new() };
        match self.member(&first.holder, Urgency::Normal).await {
            Ok(member) => {
                let held: BTreeSet<Grant> = member.iter().flat_map(grants_of).collect();
                grants.iter().map(|grant| Ok(held.contains(grant))).collect()
            }
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    /// Changes the roles of every member that the grants name. One result for each grant, in their order.
    pub(super) async fn change_members(&self, grants: &[Grant], change: Change) -> Vec<Result<()>> {
        let change_one = |grants| self.change_holder(grants, change);
        side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.holder, change_one).await
    }

    /// Changes all that a batch says of one holder, in one write. If the platform refuses that, one by one: a role that
    /// does not exist must not keep back the others.
    async fn change_holder(&self, grants: Vec<&Grant>, change: Change) -> Vec<Result<()>> {
        let Some(holder) = grants.first().map(|grant| &grant.holder) else { return Vec::new() };
        let roles: BTreeSet<&str> = grants.iter().map(|grant| grant.role.name()).collect();
        let outcome = self.change_member(holder, &roles, change).await;
        let mut outcomes = Vec::with_capacity(grants.len());
        for grant in &grants {
            outcomes.push(match &outcome {
                Ok(()) => Ok(()),
                Err(error) if error.kind() == Kind::Invalid && roles.len() > 1 => {
                    self.change_member(holder, &BTreeSet::from([grant.role.name()]), change).await
                }
                Err(error) => Err(error.share()),
            });
        }
        outcomes
    }

    async fn change_member(&self, holder: &Holder, roles: &BTreeSet<&str>, change: Change) -> Result<()> {
        let member = self.member(holder, urgency(change)).await?;
        match (member, change) {
            (Some(member), _) => self.write_member(holder, &member, roles, change).await,
            (None, Change::Grant) => self.add_member(holder, roles).await,
            // Whether the filter looks at case is not documented, and what shall be gone must be.
            (None, Change::Revoke) => match self.listed_member(holder, Urgency::First).await? {
                Some(member) => self.write_member(holder, &member, roles, change).await,
                None => Ok(()),
            },
        }
    }

    /// Adds a member. One that is there all the same, since it came meanwhile or is spelled otherwise, gets the roles on
    /// top.
    async fn add_member(&self, holder: &Holder, roles: &BTreeSet<&str>) -> Result<()> {
        let wanted = WantedMember::new(None, holder.name(), holder.origin(), roles);
        let call = with_member(self.members.post(ADD, &self.members_path(None)), &wanted);
        let answer = call.accept(&[409]).send().await.map_err(|error| refused(error, roles))?;
        if answer.status() != 409 {
            return self.check(ADD, &answer, holder, roles, Change::Grant).await;
        }
        match self.listed_member(holder, Urgency::Normal).await? {
            Some(member) => self.write_member(holder, &member, roles, Change::Grant).await,
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
        let held = roles_of(member);
        let wanted = match change {
            Change::Grant => &held | roles,
            Change::Revoke => &held - roles,
        };
        if wanted == held {
            return Ok(());
        }
        if wanted.is_empty() {
            return self.remove_member(holder, member).await;
        }
        let body = with_roles(member, holder, &wanted);
        let path = self.members_path(Some(&member.id));
        let call = with_member(self.members.put(WRITE, &path), &body).urgency(urgency(change));
        let answer = call.send().await.map_err(|error| refused(error, roles))?;
        self.check(WRITE, &answer, holder, roles, change).await
    }

    /// A removal is answered with nothing. What else is said, of a member that is not there above all, is not
    /// documented, so whether it is gone is looked up then.
    async fn remove_member(&self, holder: &Holder, member: &Member) -> Result<()> {
        let call = self.members.delete(REMOVE, &self.members_path(Some(&member.id))).urgency(Urgency::First);
        let answer = call.accept(&[404]).send().await?;
        if answer.status() == 404 || !answer.body().is_empty() {
            return self.check(REMOVE, &answer, holder, &roles_of(member), Change::Revoke).await;
        }
        Ok(())
    }

    /// Whether a write has done what it should: the answer shows it, or the member does.
    async fn check(
        &self,
        operation: &'static str,
        answer: &Answer,
        holder: &Holder,
        roles: &BTreeSet<&str>,
        change: Change,
    ) -> Result<()> {
        let shown = answer.json::<Member>(operation).ok().filter(|member| holder_of(member) == *holder);
        if shown.is_some_and(|member| is_done(Some(&member), roles, change)) {
            return Ok(());
        }
        if is_done(self.listed_member(holder, urgency(change)).await?.as_ref(), roles, change) {
            return Ok(());
        }
        Err(Error::new(Kind::UnexpectedAnswer, operation).detail("the member shows other roles after it"))
    }

    /// The member, asked for by its name.
    async fn member(&self, holder: &Holder, urgency: Urgency) -> Result<Option<Member>> {
        Ok(find(self.list_members(Some(holder.name()), urgency).await?, holder))
    }

    /// The member, looked for among all.
    async fn listed_member(&self, holder: &Holder, urgency: Urgency) -> Result<Option<Member>> {
        Ok(find(self.list_members(None, urgency).await?, holder))
    }

    /// All members, or those of a user name in any user base. The documentation knows no pages, but each answer tells a
    /// total, as SCIM has it; half a list, taken for the whole, would make us write over members' roles.
    async fn list_members(&self, user_name: Option<&str>, urgency: Urgency) -> Result<Vec<Member>> {
        let mut members: Vec<Member> = Vec::new();
        let mut ids = BTreeSet::new();
        loop {
            let list = self.page(user_name, members.len(), urgency).await?;
            let total = list.total_results.unwrap_or_default();
            let page = list.members().ok_or_else(|| incomplete("an answer without members"))?;
            let before = members.len();
            members.extend(page.into_iter().filter(|member| ids.insert(member.id.clone())));
            if members.len() >= total {
                return Ok(members);
            }
            if members.len() == before {
                return Err(incomplete("the list is not complete"));
            }
        }
    }

    async fn page(&self, user_name: Option<&str>, behind: usize, urgency: Urgency) -> Result<MemberList> {
        let mut call = scim(self.members.get(READ, &self.members_path(None))).urgency(urgency);
        if let Some(name) = user_name {
            call = call.query("filter", &format!("username eq {}", quoted(name)));
        }
        if behind > 0 {
            call = call.query("startIndex", &(behind + 1).to_string());
        }
        call.send_json().await
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

/// A body in SCIM's own media type, which is what servers must read (RFC 7644 §3.1).
fn with_member(call: Call, member: &WantedMember<'_>) -> Call {
    scim(call).json(member).header("content-type", SCIM)
}

const fn urgency(change: Change) -> Urgency {
    match change {
        Change::Grant => Urgency::Normal,
        Change::Revoke => Urgency::First,
    }
}

fn incomplete(detail: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, READ).detail(detail)
}

fn find(members: Vec<Member>, holder: &Holder) -> Option<Member> {
    members.into_iter().find(|member| holder_of(member) == *holder)
}

/// A member as it was read, in the platform's own spelling, with these roles.
fn with_roles<'a>(member: &'a Member, holder: &Holder, roles: &BTreeSet<&str>) -> WantedMember<'a> {
    let user_base = member.user_base().unwrap_or_else(|| holder.origin());
    WantedMember::new(Some(&member.id), &member.user_name, user_base, roles)
}

fn roles_of(member: &Member) -> BTreeSet<&str> {
    member.roles.iter().map(|role| role.value.as_str()).collect()
}

/// Whether a member, who may be gone, has or is rid of these roles.
fn is_done(member: Option<&Member>, roles: &BTreeSet<&str>, change: Change) -> bool {
    let held = member.map(roles_of).unwrap_or_default();
    match change {
        Change::Grant => held.is_superset(roles),
        Change::Revoke => held.is_disjoint(roles),
    }
}

fn holder_of(member: &Member) -> Holder {
    let user_base = member.user_base().unwrap_or(USER_BASE).to_lowercase();
    as_member(Holder::named(HolderKind::User, &member.user_name, &user_base))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_written_back_in_the_spelling_in_which_it_was_read() {
        let text = r#"{"id":"P1_ACME.ondemand.com","userName":"P1","roles":[{"value":"Developer"}],
            "urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt":{"userbase":"ACME.ondemand.com"}}"#;
        let member: Member = serde_json::from_str(text).unwrap();
        let holder = as_member(Holder::named(HolderKind::User, "p1", "acme.ondemand.com"));
        assert_eq!(holder_of(&member), holder);
        let body = serde_json::to_value(with_roles(&member, &holder, &BTreeSet::from(["ReadOnly"]))).unwrap();
        assert_eq!((&body["id"], &body["userName"]), (&"P1_ACME.ondemand.com".into(), &"P1".into()));
        let extension = &body["urn:sap:cloud:scim:schemas:extension:custom:2.0:UserExt"];
        assert_eq!(extension["userbase"], "ACME.ondemand.com");
    }
}

//! Roles of applications and subscriptions (Authorization Management API v1).
//!
//! One call grants or revokes a role for many users. The API keeps users by name alone and adds to those who are there.
//! What it says of an application or a role that it does not know is not documented, so a 404 is no answer: the roles of
//! the user tell then.

use std::collections::BTreeSet;

use super::wire::{HeldRoles, User, Users};
use super::{Change, Neo};
use crate::api::Role;
use crate::api::role::ApplicationRole;
use crate::plan::environment::neo::USER_BASE;
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Call;

const READ: &str = "list users of application role";
const LOOK: &str = "list application roles of user";
const GRANT: &str = "assign application role";
const REVOKE: &str = "unassign application role";

/// Users in one body. Keeps a request well below a megabyte.
pub(super) const MOST_USERS: usize = 1000;
/// Users who are asked for their roles one by one where a role is not known. A minute takes a hundred calls.
const FEW: usize = 25;
/// Characters of the user list in one address, before they are encoded. Servers take 8 KiB of request line at most.
const LONGEST_LIST: usize = 2000;

impl Neo {
    /// Who of these holds a role, in one read. Where the role is not known, the users tell, as long as they are few.
    pub(super) async fn users_of(&self, role: &ApplicationRole, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        if let Some(held) = self.list_users(role, |grant| of.contains(grant), Urgency::Last).await? {
            return Ok(held);
        }
        if of.len() > FEW {
            return Err(missing(Error::new(Kind::NotFound, READ), role));
        }
        let grants: Vec<&Grant> = of.iter().collect();
        let held = self.hold_by_themselves(&grants).await.into_iter().collect::<Result<Vec<bool>>>()?;
        Ok(grants.into_iter().zip(held).filter(|(_, held)| *held).map(|(grant, _)| grant.clone()).collect())
    }

    /// Who of these holds a role, in one read, or in one for each where the role is not known.
    pub(super) async fn hold_application_role(&self, role: &ApplicationRole, grants: &[&Grant]) -> Vec<Result<bool>> {
        let users = match self.list_users(role, |held| grants.contains(&held), Urgency::Normal).await {
            Ok(Some(users)) => users,
            Ok(None) => return self.hold_by_themselves(grants).await,
            Err(error) => return grants.iter().map(|_| Err(error.share())).collect(),
        };
        grants.iter().map(|grant| Ok(users.contains(grant))).collect()
    }

    /// Those users of a role that are `wanted`, or nothing where the role is not known.
    async fn list_users(
        &self,
        role: &ApplicationRole,
        wanted: impl Fn(&Grant) -> bool,
        urgency: Urgency,
    ) -> Result<Option<BTreeSet<Grant>>> {
        let path = self.users_path(role);
        let call = with_role(self.applications.get(READ, &path), role).urgency(urgency);
        let answer = call.accept(&[404]).send().await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let held: Users = answer.json(READ)?;
        Ok(Some(held.users.into_iter().map(|user| held_by(&user.name, role)).filter(wanted).collect()))
    }

    async fn hold_by_themselves(&self, grants: &[&Grant]) -> Vec<Result<bool>> {
        let mut held = Vec::with_capacity(grants.len());
        for grant in grants {
            held.push(self.holds_by_itself(grant).await);
        }
        held
    }

    /// Whether a user holds a role, read from the roles of the user.
    async fn holds_by_itself(&self, grant: &Grant) -> Result<bool> {
        let path = ["authorization", "v1", "accounts", &self.subaccount, "users", "roles"];
        let call = self.applications.get(LOOK, &path).query("userId", grant.holder.name());
        let held: HeldRoles = call.send_json().await?;
        let Role::ApplicationRole(role) = &grant.role else { return Ok(false) };
        let owner = |provider: Option<&String>| provider.unwrap_or(&self.subaccount).clone();
        Ok(held.roles.iter().any(|one| {
            (&one.name, &one.application_name) == (&role.name, &role.application)
                && owner(one.provider_account.as_ref()) == owner(role.provider.as_ref())
        }))
    }

    /// Grants or revokes one role for many users. One result for each grant, in their order.
    pub(super) async fn change_users(
        &self,
        role: &ApplicationRole,
        grants: &[Grant],
        change: Change,
    ) -> Vec<Result<()>> {
        let mut outcomes = Vec::with_capacity(grants.len());
        let mut left = grants;
        while !left.is_empty() {
            let (now, later) = left.split_at(fitting(left, change));
            outcomes.extend(match change {
                Change::Grant => self.add_users(role, now).await,
                Change::Revoke => self.remove_users(role, now).await,
            });
            left = later;
        }
        outcomes
    }

    async fn add_users(&self, role: &ApplicationRole, grants: &[Grant]) -> Vec<Result<()>> {
        let users = grants.iter().map(|grant| User { name: grant.holder.name().to_owned() });
        let path = self.users_path(role);
        let call = with_role(self.applications.put(GRANT, &path), role).json(&Users { users: users.collect() });
        match call.send().await.map_err(|error| missing(error, role)) {
            Ok(answer) if answer.body().is_empty() => grants.iter().map(|_| Ok(())).collect(),
            Ok(_) => self.checked(GRANT, role, grants, Change::Grant).await,
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    async fn remove_users(&self, role: &ApplicationRole, grants: &[Grant]) -> Vec<Result<()>> {
        let names: Vec<&str> = grants.iter().map(|grant| grant.holder.name()).collect();
        let path = self.users_path(role);
        let call = with_role(self.applications.delete(REVOKE, &path), role).query("users", &names.join(";"));
        match call.urgency(Urgency::First).send().await {
            Ok(answer) if answer.body().is_empty() => grants.iter().map(|_| Ok(())).collect(),
            Ok(_) => self.checked(REVOKE, role, grants, Change::Revoke).await,
            Err(error) if error.kind() == Kind::NotFound => self.gone(role, error, grants).await,
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    /// What a change answers is not documented. One that says something might be of somebody else: the users tell then.
    async fn checked(
        &self,
        operation: &'static str,
        role: &ApplicationRole,
        grants: &[Grant],
        change: Change,
    ) -> Vec<Result<()>> {
        let held = self.hold_application_role(role, &grants.iter().collect::<Vec<_>>()).await;
        let done = |held: bool| held == (change == Change::Grant);
        let differs = || Error::new(Kind::UnexpectedAnswer, operation).detail("the users of the role show otherwise");
        held.into_iter().map(|held| if done(held?) { Ok(()) } else { Err(differs()) }).collect()
    }

    /// After a 404 only those are rid of the role who show so themselves.
    async fn gone(&self, role: &ApplicationRole, error: Error, grants: &[Grant]) -> Vec<Result<()>> {
        let error = missing(error, role);
        let held = self.hold_by_themselves(&grants.iter().collect::<Vec<_>>()).await;
        held.into_iter().map(|held| if held? { Err(error.share()) } else { Ok(()) }).collect()
    }

    fn users_path<'a>(&'a self, role: &'a ApplicationRole) -> [&'a str; 8] {
        ["authorization", "v1", "accounts", &self.subaccount, "apps", &role.application, "roles", "users"]
    }
}

/// The account that owns the application is named for subscriptions only.
fn with_role(call: Call, role: &ApplicationRole) -> Call {
    let call = call.query("roleName", &role.name);
    match &role.provider {
        Some(provider) => call.query("providerAccount", provider),
        None => call,
    }
}

/// How many of these go into one call; at least one. A body takes a number of users, an address a length of text.
fn fitting(grants: &[Grant], change: Change) -> usize {
    match change {
        Change::Grant => grants.len().min(MOST_USERS),
        Change::Revoke => {
            let mut length = 0;
            let fits = |grant: &&Grant| {
                length += grant.holder.name().len() + 1;
                length <= LONGEST_LIST
            };
            grants.iter().take_while(fits).count().max(1)
        }
    }
}

fn held_by(name: &str, role: &ApplicationRole) -> Grant {
    Grant::new(Holder::named(HolderKind::User, name, USER_BASE), Role::ApplicationRole(role.clone()))
}

fn missing(error: Error, role: &ApplicationRole) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let provider = role.provider.as_deref().map_or_else(String::new, |provider| format!(" of `{provider}`"));
    let detail = format!("application `{}`{provider} has no role `{}`, or is not there", role.application, role.name);
    Error::new(Kind::NotFound, error.operation()).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_short_and_bodies_small() {
        let role = ApplicationRole { application: "a".into(), provider: None, name: "r".into() };
        let grants = vec![held_by(&"n".repeat(255), &role); 1500];
        assert_eq!(fitting(&grants, Change::Grant), MOST_USERS);
        assert_eq!(fitting(&grants, Change::Revoke), 7);
        assert_eq!(fitting(&[held_by(&"n".repeat(3000), &role)], Change::Revoke), 1);
    }
}

//! Roles of applications and subscriptions (Authorization Management API v1).
//!
//! One call grants or revokes a role for many users. The API keeps users by name alone and adds to those who are there.

use std::collections::BTreeSet;

use super::wire::{User, Users};
use super::{Change, Neo};
use crate::api::Role;
use crate::api::role_binding::ApplicationRole;
use crate::plan::grant::{Grant, Holder, HolderKind, NEO_USER_BASE};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Call;

const READ: &str = "list users of application role";
const GRANT: &str = "assign application role";
const REVOKE: &str = "unassign application role";

/// Users in one body. Keeps a request well below a megabyte.
const MOST_USERS: usize = 1000;
/// Characters of the user list in one address, before they are encoded. Servers take 8 KiB of request line at most.
const LONGEST_LIST: usize = 2000;

impl Neo {
    /// Who holds a role, in one read. A role that does not exist is held by nobody.
    pub(super) async fn users_of(&self, role: &ApplicationRole) -> Result<BTreeSet<Grant>> {
        let path = self.users_path(role);
        let call = with_role(self.applications.get(READ, &path), role).urgency(Urgency::Last);
        let answer = call.accept(&[404]).send().await?;
        let held: Users = if answer.status() == 404 { Users { users: Vec::new() } } else { answer.json(READ)? };
        Ok(held.users.into_iter().map(|user| held_by(user.name, role)).collect())
    }

    /// Grants or revokes one role for many users. One result for each grant, in their order.
    pub(super) async fn change_users(
        &self,
        role: &ApplicationRole,
        grants: &[Grant],
        change: Change,
    ) -> Vec<Result<()>> {
        let names: Vec<&str> = grants.iter().map(|grant| grant.holder.name.as_str()).collect();
        let mut outcomes = Vec::with_capacity(names.len());
        let mut left = names.as_slice();
        while !left.is_empty() {
            let (now, later) = left.split_at(fitting(left, change));
            let outcome = match change {
                Change::Grant => self.add_users(role, now).await,
                Change::Revoke => self.remove_users(role, now).await,
            };
            outcomes.extend(now.iter().map(|_| outcome.as_ref().map(|&()| ()).map_err(Error::share)));
            left = later;
        }
        outcomes
    }

    async fn add_users(&self, role: &ApplicationRole, names: &[&str]) -> Result<()> {
        let users = Users { users: names.iter().map(|&name| User { name: name.to_owned() }).collect() };
        let path = self.users_path(role);
        let call = with_role(self.applications.put(GRANT, &path), role).json(&users);
        call.send().await.map(drop).map_err(|error| missing(error, role))
    }

    async fn remove_users(&self, role: &ApplicationRole, names: &[&str]) -> Result<()> {
        let path = self.users_path(role);
        let call = with_role(self.applications.delete(REVOKE, &path), role).query("users", &names.join(";"));
        call.urgency(Urgency::First).accept(&[404]).send().await.map(drop)
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
fn fitting(names: &[&str], change: Change) -> usize {
    match change {
        Change::Grant => names.len().min(MOST_USERS),
        Change::Revoke => {
            let mut length = 0;
            let fits = |name: &&&str| {
                length += name.len() + 1;
                length <= LONGEST_LIST
            };
            names.iter().take_while(fits).count().max(1)
        }
    }
}

fn held_by(name: String, role: &ApplicationRole) -> Grant {
    let holder = Holder { kind: HolderKind::User, name, origin: NEO_USER_BASE.to_owned() };
    Grant::new(holder, Role::ApplicationRole(role.clone()))
}

fn missing(error: Error, role: &ApplicationRole) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let provider = role.provider.as_deref().map_or_else(String::new, |provider| format!(" of `{provider}`"));
    let detail = format!("application `{}`{provider} has no role `{}`, or is not there", role.application, role.name);
    Error::new(Kind::NotFound, GRANT).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_short_and_bodies_small() {
        let name = "n".repeat(255);
        let names = vec![name.as_str(); 1500];
        assert_eq!(fitting(&names, Change::Grant), MOST_USERS);
        assert_eq!(fitting(&names, Change::Revoke), 7);
        let enormous = "n".repeat(3000);
        assert_eq!(fitting(&[enormous.as_str()], Change::Revoke), 1);
    }
}

//! SAP BTP, Neo environment: platform roles of subaccount members, and roles of applications.
//!
//! Two APIs with a budget each and one token. Neither checks whether a user exists. No identity is made here: Neo has no
//! API for OAuth clients, and its users live in their identity providers. Only Cloud Integration takes certificates for users,
//! at a tenant of its own with an admin credential of its own.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::error::{Error, Kind, Result};
use super::session::Session;
use super::side_by_side::side_by_side;
use super::{Grants, Scope};
use crate::api::Role;
use crate::api::role::ApplicationRole;
use crate::plan::grant::{Grant, Holder, HolderKind};

mod application_roles;
mod certificates;
mod cloud_integration;
mod connect;
mod forgery;
mod mapping;
mod members;
mod wire;

/// The scope of all platform roles of all members.
const MEMBERS: &str = "members";
/// The scope of one role of one application; application, provider and role follow.
const APPLICATION: &str = "application/";
/// The scope of what there is not.
const UNSUPPORTED: &str = "unsupported";

/// The driver for one subaccount.
pub struct Neo {
    /// The technical name of the subaccount.
    subaccount: String,
    /// At the Platform Authorization Management API.
    members: Session,
    /// At the Authorization Management API.
    applications: Session,
}

/// Gives or takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Grant,
    Revoke,
}

/// What a scope stands for.
enum Meaning {
    Members,
    Application(ApplicationRole),
    Unsupported,
}

impl Neo {
    /// A driver for a subaccount. The two sessions are at the same address; each has the budget of one API.
    pub const fn new(subaccount: String, members: Session, applications: Session) -> Self {
        Self { subaccount, members, applications }
    }

    async fn batch(&self, grants: &[Grant], change: Change) -> Vec<Result<()>> {
        let Some(first) = grants.first() else { return Vec::new() };
        match meaning(&self.scope(first)) {
            Meaning::Members => self.change_members(grants, change).await,
            Meaning::Application(role) => self.change_users(&role, grants, change).await,
            Meaning::Unsupported => grants.iter().map(|_| Err(unsupported("change a grant"))).collect(),
        }
    }

    async fn look_up(&self, grants: Vec<&Grant>) -> Vec<Result<bool>> {
        let Some(first) = grants.first() else { return Vec::new() };
        match meaning(&self.scope(first)) {
            Meaning::Members => self.hold_member_roles(&grants).await,
            Meaning::Application(role) => self.hold_application_role(&role, &grants).await,
            Meaning::Unsupported => grants.iter().map(|_| Err(unsupported("look up grants"))).collect(),
        }
    }

    /// What one look-up answers for: all roles of a member, or all users of an application role.
    fn looked_up_with<'a>(&self, grant: &'a Grant) -> (Scope, Option<&'a Holder>) {
        let scope = self.scope(grant);
        let member = (scope.0 == MEMBERS).then_some(&grant.holder);
        (scope, member)
    }
}

#[async_trait]
impl Grants for Neo {
    fn scope(&self, grant: &Grant) -> Scope {
        Scope(match (grant.holder.kind(), &grant.role) {
            (HolderKind::User, Role::MemberRole(_)) => MEMBERS.to_owned(),
            (HolderKind::User, Role::ApplicationRole(ApplicationRole { application, provider, name })) => {
                format!("{APPLICATION}{application}/{}/{name}", provider.as_deref().unwrap_or_default())
            }
            _ => UNSUPPORTED.to_owned(),
        })
    }

    /// A member takes two calls of a minute's hundred, an application role one for all its users. A revocation that
    /// comes meanwhile shall not wait longer than some seconds.
    fn batch_size(&self, scope: &Scope) -> usize {
        if scope.0 == MEMBERS { members::SIDE_BY_SIDE } else { application_roles::MOST_USERS }
    }

    async fn read(&self, scope: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        match meaning(scope) {
            Meaning::Members => self.roles_of_members(of).await,
            Meaning::Application(role) => self.users_of(&role, of).await,
            Meaning::Unsupported => Err(unsupported("look up grants")),
        }
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        let look = |grants| self.look_up(grants);
        side_by_side(grants, members::SIDE_BY_SIDE, |grant| self.looked_up_with(grant), look).await
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch(grants, Change::Grant).await
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch(grants, Change::Revoke).await
    }
}

/// Reads a scope back. Names of applications and accounts have no slash in them.
fn meaning(scope: &Scope) -> Meaning {
    if scope.0 == MEMBERS {
        return Meaning::Members;
    }
    let mut parts = scope.0.strip_prefix(APPLICATION).unwrap_or_default().splitn(3, '/').map(str::to_owned);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(application), Some(provider), Some(name)) => {
            let provider = Some(provider).filter(|provider| !provider.is_empty());
            Meaning::Application(ApplicationRole { application, provider, name })
        }
        _ => Meaning::Unsupported,
    }
}

fn unsupported(operation: &'static str) -> Error {
    Error::new(Kind::Invalid, operation)
        .detail("on Neo, users hold memberRole and applicationRole, and nobody else does")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_back_as_it_was_written() {
        for (provider, name) in [(None, "ESBMessaging.send"), (Some("sapprovider"), "a/b c")] {
            let role = ApplicationRole {
                application: "abciflmap".into(),
                provider: provider.map(str::to_owned),
                name: name.into(),
            };
            let written = format!("{APPLICATION}abciflmap/{}/{name}", provider.unwrap_or_default());
            assert!(matches!(meaning(&Scope(written)), Meaning::Application(read) if read == role));
        }
        assert!(matches!(meaning(&Scope(MEMBERS.into())), Meaning::Members));
        assert!(matches!(meaning(&Scope(UNSUPPORTED.into())), Meaning::Unsupported));
    }
}

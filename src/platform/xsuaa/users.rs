//! Role collections of users.

use std::collections::BTreeSet;

use super::{Xsuaa, normalized, wire};
use crate::api::Role;
use crate::api::role_binding::RoleName;
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};

const READ: &str = "list role collections";
const GRANT: &str = "assign role collection";
const REVOKE: &str = "unassign role collection";

/// The largest page that the API gives.
const PAGE: usize = 500;
/// More pages than the 5000 role collections of a subaccount fill.
const MOST_PAGES: usize = 100;

impl Xsuaa {
    /// Who holds which role collection, page by page.
    pub(super) async fn users(&self) -> Result<BTreeSet<Grant>> {
        let mut grants = BTreeSet::new();
        let mut skip = 0;
        for _ in 0..MOST_PAGES {
            let call = self.session.get(READ, &["sap", "rest", "authorization", "v2", "rolecollections"]);
            let call = call.query("showUsers", "true").query("skip", &skip.to_string()).query("top", &PAGE.to_string());
            let answer = call.urgency(Urgency::Last).accept(&[404]).send().await?;
            // A subaccount without any role collection says 404.
            let page: Vec<wire::RoleCollection> =
                if answer.status() == 404 { Vec::new() } else { answer.json(READ)? };
            let count = page.len();
            grants.extend(page.into_iter().flat_map(held_by_users));
            if count < PAGE {
                return Ok(grants);
            }
            skip += count;
        }
        Err(Error::new(Kind::UnexpectedAnswer, READ).detail("the list does not end"))
    }

    /// Assigns. A user that the subaccount does not know is made known: it exists in its identity provider or not, and
    /// nothing here can tell.
    pub(super) async fn assign(&self, grant: &Grant) -> Result<()> {
        let Grant { holder, role } = grant;
        let call = self.session.put(GRANT, &path(grant)).query("createUserIfMissing", "true");
        let answer = call.send().await.map_err(|error| missing(error, grant))?;
        let user: wire::User = answer.json(GRANT)?;
        if user.holds(role.name()) == Some(false) {
            let detail = format!("`{}` does not hold `{}` after the assignment", holder.name, role.name());
            return Err(Error::new(Kind::UnexpectedAnswer, GRANT).detail(detail));
        }
        Ok(())
    }

    /// Unassigns. The user itself stays: other assignments may hang on it. Like an assignment it is answered with the
    /// user; an answer that shows no user, or one that still holds the role collection, has taken nothing away.
    pub(super) async fn unassign(&self, grant: &Grant) -> Result<()> {
        let Grant { holder, role } = grant;
        let call = self.session.delete(REVOKE, &path(grant)).urgency(Urgency::First);
        let answer = call.accept(&[404]).send().await?;
        if answer.status() == 404 {
            return Ok(());
        }
        let user: wire::User = answer.json(REVOKE)?;
        if user.holds(role.name()) == Some(true) {
            let detail = format!("`{}` still holds `{}`", holder.name, role.name());
            return Err(Error::new(Kind::UnexpectedAnswer, REVOKE).detail(detail));
        }
        Ok(())
    }
}

fn path(grant: &Grant) -> [&str; 9] {
    let Grant { holder, role } = grant;
    ["sap", "rest", "user", "origin", &holder.origin, "name", &holder.name, "rolecollections", role.name()]
}

fn missing(error: Error, Grant { holder, role }: &Grant) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let detail = format!("there is no role collection `{}`, or no identity provider `{}`", role.name(), holder.origin);
    Error::new(Kind::NotFound, GRANT).detail(detail)
}

fn held_by_users(collection: wire::RoleCollection) -> Vec<Grant> {
    let wire::RoleCollection { name, user_references } = collection;
    let grant = |user: wire::UserReference| Grant {
        holder: Holder { kind: HolderKind::User, name: user.username, origin: normalized(user.origin) },
        role: Role::RoleCollection(RoleName { name: name.clone() }),
    };
    user_references.unwrap_or_default().into_iter().map(grant).collect()
}

//! Role collections of users.

use std::collections::BTreeSet;
use std::error::Error as _;

use super::sift::UsersOf;
use super::{Xsuaa, check, is_unknown, normalized, wire};
use crate::api::Role;
use crate::api::role::RoleName;
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Cause;

const READ: &str = "read role collection";
const LOOK: &str = "look up user";
const GRANT: &str = "assign role collection";
const REVOKE: &str = "unassign role collection";

impl Xsuaa {
    /// Who of these users holds a role collection. The API has no pages within a role collection: where one does not fit
    /// into an answer, the users are read one by one from then on.
    pub(super) async fn users_of(&self, collection: &str, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        if self.endless.contains(collection) {
            return self.one_by_one(of).await;
        }
        match self.list_users(collection, of).await {
            Err(error) if is_too_large(&error) => {
                self.endless.insert(collection);
                self.one_by_one(of).await
            }
            outcome => outcome,
        }
    }

    async fn list_users(&self, collection: &str, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        let call = self.session.get(READ, &["sap", "rest", "authorization", "v2", "rolecollections", collection]);
        let call = call.query("withUsers", "true").query("withRoles", "false").query("withGroups", "false");
        let answer = call.urgency(Urgency::Last).accept(&[404]).send().await?;
        let mut held = BTreeSet::new();
        // The document: "No role collection could be found". Nobody holds what is not there.
        if !is_unknown(&answer, READ)? {
            let each = |user| held.extend(of.get(&held_by(&user, collection)).cloned());
            answer.read(READ, UsersOf { name: collection, each })?;
        }
        Ok(held)
    }

    async fn one_by_one(&self, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        let grants: Vec<Grant> = of.iter().cloned().collect();
        let held = self.look_up(&grants, Urgency::Last).await.into_iter().collect::<Result<Vec<bool>>>()?;
        Ok(grants.into_iter().zip(held).filter(|(_, held)| *held).map(|(grant, _)| grant).collect())
    }

    /// Which of these role collections a user holds, read from the user itself.
    pub(super) async fn held_by_user(&self, grants: &[&Grant], urgency: Urgency) -> Vec<Result<bool>> {
        let Some(first) = grants.first() else { return Vec::new() };
        match self.user(&first.holder, urgency).await {
            Ok(user) => {
                let holds = |grant: &Grant| user.as_ref().is_some_and(|user| user.holds(grant.role.name()));
                grants.iter().map(|grant| check(grant, LOOK).map(|()| holds(grant))).collect()
            }
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    /// The user, if the subaccount knows it. The document: 404 says that "the user cannot be found".
    async fn user(&self, holder: &Holder, urgency: Urgency) -> Result<Option<wire::User>> {
        let path = ["sap", "rest", "user", "origin", holder.origin(), "name", holder.name()];
        let answer = self.session.get(LOOK, &path).urgency(urgency).accept(&[404]).send().await?;
        if is_unknown(&answer, LOOK)? {
            return Ok(None);
        }
        let user: wire::User = answer.json(LOOK)?;
        speaks_of(&user, holder, LOOK).map(|()| Some(user))
    }

    /// Assigns. A user that the subaccount does not know is made known: it exists in its identity provider or not, and
    /// nothing here can tell. What counts is the user in the answer.
    pub(super) async fn assign(&self, grant: &Grant) -> Result<()> {
        let Grant { holder, role } = grant;
        let call = self.session.put(GRANT, &path(grant)).query("createUserIfMissing", "true");
        let answer = call.send().await.map_err(|error| missing(error, grant))?;
        let user: wire::User = answer.json(GRANT)?;
        speaks_of(&user, holder, GRANT)?;
        if user.holds(role.name()) {
            return Ok(());
        }
        let detail = format!("`{}` does not hold `{}` after the assignment", holder.name(), role.name());
        Err(Error::new(Kind::UnexpectedAnswer, GRANT).detail(detail))
    }

    /// Unassigns. The user itself stays: other assignments may hang on it. Like an assignment it is answered with the
    /// user; an answer that shows no user, or one that still holds the role collection, has taken nothing away. The
    /// document: 404 says that user or role collection cannot be found, so the assignment is gone.
    pub(super) async fn unassign(&self, grant: &Grant) -> Result<()> {
        let Grant { holder, role } = grant;
        let call = self.session.delete(REVOKE, &path(grant)).urgency(Urgency::First);
        let answer = call.accept(&[404]).send().await?;
        if is_unknown(&answer, REVOKE)? {
            return Ok(());
        }
        let user: wire::User = answer.json(REVOKE)?;
        speaks_of(&user, holder, REVOKE)?;
        if user.holds(role.name()) {
            let detail = format!("`{}` still holds `{}`", holder.name(), role.name());
            return Err(Error::new(Kind::UnexpectedAnswer, REVOKE).detail(detail));
        }
        Ok(())
    }
}

fn path(grant: &Grant) -> [&str; 9] {
    let Grant { holder, role } = grant;
    ["sap", "rest", "user", "origin", holder.origin(), "name", holder.name(), "rolecollections", role.name()]
}

/// An answer about somebody else tells nothing.
fn speaks_of(user: &wire::User, holder: &Holder, operation: &'static str) -> Result<()> {
    if Holder::named(HolderKind::User, &user.username, normalized(&user.origin)) == *holder {
        return Ok(());
    }
    Err(Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about another user"))
}

fn missing(error: Error, Grant { holder, role }: &Grant) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    let (role, origin) = (role.name(), holder.origin());
    let detail = format!("there is no role collection `{role}`, or no identity provider `{origin}`");
    Error::new(Kind::NotFound, GRANT).detail(detail)
}

fn held_by(user: &wire::UserReference, collection: &str) -> Grant {
    let holder = Holder::named(HolderKind::User, &user.username, normalized(&user.origin));
    Grant::new(holder, Role::RoleCollection(RoleName { name: collection.to_owned() }))
}

fn is_too_large(error: &Error) -> bool {
    matches!(error.source().and_then(|cause| cause.downcast_ref::<Cause>()), Some(Cause::TooLarge))
}

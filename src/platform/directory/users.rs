//! Users as identities.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::change::Target;
use super::mark::{ExternalId, beginning};
use super::pages::Search;
use super::wire::{Email, Name, NewUser, SCIM, USER, User};
use super::{Directory, another};
use crate::api::Identity;
use crate::api::identity::DirectoryUser;
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::reading::quoted;
use crate::platform::{Identities, NewIdentity, ObservedIdentity, Operation, Ordered, Progress};

const LIST: &str = "list users";
const FIND: &str = "find user";
const CREATE: &str = "create user";
const DELETE: &str = "delete user";

#[async_trait]
impl Identities for Directory {
    fn guards_names(&self) -> bool {
        true
    }

    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let is_ours = |user: &User| user.mark().is_some_and(|mark| mark.cluster == cluster);
        let (users, _) = self.marked(LIST, &beginning(cluster), Urgency::Last, is_ours).await?;
        Ok(self.observed(users))
    }

    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let is_theirs = |user: &User| user.mark().is_some_and(|mark| mark.is_of(owner));
        let (users, is_whole) = self.marked(FIND, &ExternalId::of(owner).text(), Urgency::Normal, is_theirs).await?;
        if users.is_empty() && !is_whole {
            return Err(Error::new(Kind::Unavailable, FIND).detail("the list changes while it is read"));
        }
        Ok(self.observed(users))
    }

    /// A second try finds what the first made, so a lost answer costs nothing.
    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let Identity::DirectoryUser(user) = &wanted.identity else {
            return Err(
                Error::new(Kind::Invalid, CREATE).detail("a directory makes identities of kind directoryUser only")
            );
        };
        let mark = ExternalId::of(&wanted.owner).text();
        let mut body = new_user(wanted, user, &mark);
        (self.manners.complete)(&mut body, user);
        let call = self.session.post(CREATE, &["Users"]).json(&body).repeatable();
        let made = call.header("accept", SCIM).header("content-type", SCIM).send().await;
        let answer = match made {
            Err(error) if error.kind() == Kind::Conflict => return self.taken(&wanted.owner, user).await,
            made => made?,
        };
        let open = || Error::new(Kind::OutcomeUnknown, CREATE);
        let made: User = answer.json(CREATE).map_err(|_| open())?;
        if !made.name.eq_ignore_ascii_case(&user.user_name) {
            return Err(open());
        }
        if made.external_id.as_deref() != Some(&mark) {
            let detail = "the directory keeps no externalId, by which what is ours is known";
            return Err(Error::new(Kind::UnexpectedAnswer, CREATE).detail(detail));
        }
        if let Some(name) = (self.manners.known_as)(&made) {
            self.remember_id(name, &made.id);
        }
        made.observed(&self.origin, self.manners.known_as).map(Ordered::Done).ok_or_else(open)
    }

    async fn set_roles(&self, identity: &ObservedIdentity, _: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        // A user itself carries none: its groups have it.
        Ok(Ordered::Done(identity.clone()))
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let call = self.session.delete(DELETE, &["Users", &identity.id]).urgency(Urgency::First);
        let answer = call.header("accept", SCIM).accept(&[404]).send().await?;
        let target = Target { path: "Users", id: &identity.id, operation: DELETE, urgency: Urgency::First };
        // Whatever is not the answer that the RFC knows may be anybody's.
        if answer.status() != 204 && self.whole(target).await?.is_some() {
            return Err(another(DELETE));
        }
        Ok(Ordered::Done(()))
    }

    /// A directory begins nothing that it does not end with its answer.
    async fn follow(&self, _: &Operation) -> Result<Progress> {
        Ok(Progress::Gone)
    }
}

impl Directory {
    /// Users whose `externalId` begins with this, and whether there are no others. A directory may not know how to search
    /// for that and find nothing, so that it finds none is believed once it has found one.
    async fn marked(
        &self,
        operation: &'static str,
        begins: &str,
        urgency: Urgency,
        wanted: impl Fn(&User) -> bool,
    ) -> Result<(Vec<User>, bool)> {
        let filter = format!("externalId sw {}", quoted(begins));
        let search = Search { shelf: self.manners.users, filter, operation, urgency };
        let found = self.search(&search, &wanted).await?;
        if !found.0.is_empty() {
            self.finds_marks.store(true, Ordering::Relaxed);
        }
        if !found.0.is_empty() || self.finds_marks.load(Ordering::Relaxed) {
            return Ok(found);
        }
        self.look_through(&search, wanted).await
    }

    async fn taken(&self, owner: &Owner, user: &DirectoryUser) -> Result<Ordered<ObservedIdentity>> {
        if !self.find(owner).await?.is_empty() {
            return Ok(Ordered::Found);
        }
        let name = &user.user_name;
        let filter = format!("userName eq {}", quoted(name));
        let search = Search { shelf: self.manners.users, filter, operation: CREATE, urgency: Urgency::Normal };
        let is_called_so = |user: &User| user.name.to_lowercase() == name.to_lowercase();
        let (found, _) = self.search(&search, is_called_so).await?;
        let detail = if found.is_empty() {
            format!("user `{name}`, or one with its e-mail address")
        } else {
            format!("user `{name}`")
        };
        Err(Error::new(Kind::Conflict, CREATE).detail(detail))
    }

    fn observed(&self, users: Vec<User>) -> Vec<ObservedIdentity> {
        users.into_iter().filter_map(|user| user.observed(&self.origin, self.manners.known_as)).collect()
    }
}

/// A user without a password, with which nobody can log on.
fn new_user(wanted: &NewIdentity, user: &DirectoryUser, mark: &str) -> serde_json::Value {
    let owner = &wanted.owner;
    let display_name = format!("{}/{}", owner.namespace, owner.name);
    let nobody = owner.address_of_nobody();
    serde_json::json!(NewUser {
        schemas: vec![USER],
        user_name: &user.user_name,
        external_id: mark,
        display_name: &display_name,
        name: Name { given_name: &owner.namespace, family_name: &owner.name },
        emails: [Email { value: user.email.as_deref().unwrap_or(&nobody), kind: "work", primary: true }],
        active: true,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::capability::OwnRoles;

    #[test]
    fn a_user_without_an_address_gets_one_that_nobody_has() {
        let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "orders".into(), name: "intake".into() };
        let user = DirectoryUser { user_name: "tu orders".into(), email: None, valid_to: None };
        let (roles, own_roles) = (BTreeSet::new(), OwnRoles::None);
        let identity = Identity::DirectoryUser(user.clone());
        let wanted = NewIdentity { owner: owner.clone(), identity, roles, own_roles };
        let body = new_user(&wanted, &user, "c/u");
        let address = format!("{}@technical-user.invalid", owner.identity_name());
        assert_eq!((&body["emails"][0]["value"], &body["displayName"]), (&address.into(), &"orders/intake".into()));
        assert_eq!((&body["active"], body.get("password")), (&true.into(), None));
        let named = DirectoryUser { email: Some("a@b.example".into()), ..user };
        assert_eq!(new_user(&wanted, &named, "c/u")["emails"][0]["value"], "a@b.example");
    }
}

//! Passwords of users as credentials: one for each user, shown when it is set and never again.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Directory;
use super::change::{Change, Target};
use super::mark::ExternalId;
use super::wire::{Whole, replacing};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::password;
use crate::platform::{Credentials, Issued, NewCredential, ObservedCredential, ObservedIdentity, Ordered, Proof};

const ISSUE: &str = "set password";
const REVOKE: &str = "end password";

#[async_trait]
impl Credentials for Directory {
    /// None: a directory tells nothing of passwords.
    async fn list(&self, _: &str) -> Result<Vec<ObservedCredential>> {
        Ok(Vec::new())
    }

    async fn find(&self, _: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        Ok(Vec::new())
    }

    /// The mark that names it and the password are one write: the mark never speaks of another.
    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let NewCredential { owner, name, .. } = wanted;
        let target = Target { path: "Users", id: &identity.id, operation: ISSUE, urgency: Urgency::First };
        let mark = ExternalId { sequence: owner.sequence_of(name), ..ExternalId::of(owner) };
        let password = password::new();
        let changed = self.change(target, |user| {
            let is_theirs = user.mark().is_some_and(|mark| mark.is_of(owner));
            let conflict = || Error::new(Kind::Conflict, ISSUE).detail(format!("user `{}`", identity.id));
            if is_theirs { Ok(Some(self.set(user, &mark, &password))) } else { Err(conflict()) }
        });
        let Some(user) = changed.await.map_err(|error| self.refused(error))? else {
            return Err(Error::new(Kind::NotFound, ISSUE).detail("the user is gone"));
        };
        let at = password::Directory { label: self.manners.label, url: &self.url };
        Ok(Ordered::Done(password::issued(identity, name, user.name(), password, at)))
    }

    async fn reveal(&self, _: &ObservedCredential) -> Result<Option<Issued>> {
        Ok(None)
    }

    /// Sets a password that nobody holds, if the user's is still this credential. One that was superseded has ended when
    /// its successor was issued.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let target = Target { path: "Users", id: &credential.identity, operation: REVOKE, urgency: Urgency::First };
        let nobodys = password::new();
        let change = self.change(target, |user| {
            let mark = user.mark().filter(|mark| mark.credential().as_ref() == Some(&credential.name));
            Ok(mark.map(|mark| self.end(user, &ExternalId { sequence: None, ..mark }, &nobodys)))
        });
        change.await.map(|_| Ordered::Done(()))
    }

    /// Where somebody logs on with such a password is not the directory's to say.
    async fn prove(&self, _: &Issued) -> Result<Proof> {
        Ok(Proof::NotTestable)
    }
}

impl Directory {
    fn set(&self, user: &Whole, mark: &ExternalId, password: &SecretString) -> Change {
        change_of(user, mark, Some(password), self.manners.works)
    }

    fn end(&self, user: &Whole, mark: &ExternalId, nobodys: &SecretString) -> Change {
        let ends = self.manners.ends;
        change_of(user, mark, ends.is_empty().then_some(nobodys), ends)
    }

    /// Our passwords are as policies want them, so it is for another reason that one is not taken.
    fn refused(&self, error: Error) -> Error {
        let why = self.manners.refuses_passwords;
        if error.kind() != Kind::Invalid || why.is_empty() {
            return error;
        }
        let detail = format!("{}; {why}", error.detail_text());
        Error::new(Kind::Invalid, error.operation()).detail(detail)
    }
}

fn change_of(
    user: &Whole,
    mark: &ExternalId,
    password: Option<&SecretString>,
    more: &[(&'static str, &'static str)],
) -> Change {
    let password = password.map(|password| ("password", json!(password.expose_secret())));
    let fields: Vec<(&str, Value)> = [("externalId", json!(mark.text()))].into_iter().chain(password).collect();
    let whole = user.with(&fields);
    let more = more.iter().map(|(path, value)| (*path, json!(value)));
    let operations = replacing(&fields.into_iter().chain(more).collect::<Vec<_>>());
    Change { operations, whole, is_repeatable: false }
}

//! Passwords of users as credentials: one for each user, known to whoever set it and never shown.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::people::{PasswordChange, Person, mark};
use super::users::{Users, gone};
use super::wire::SecretChanged;
use super::{another, open};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::password::{self, Directory};
use crate::platform::{Credentials, Issued, NewCredential, ObservedCredential, ObservedIdentity, Ordered, Proof};

const ISSUE: &str = "set password of user";
const REVOKE: &str = "end password of user";
/// The number in the mark of a user whose password nobody holds.
const NOBODY: i64 = 0;

#[async_trait]
impl Credentials for Users {
    /// None: a UAA tells nothing of passwords.
    async fn list(&self, _: &str) -> Result<Vec<ObservedCredential>> {
        Ok(Vec::new())
    }

    async fn find(&self, _: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        Ok(Vec::new())
    }

    /// The mark comes first: whoever holds the credential that the mark named before sees that it has been superseded,
    /// also where the answer to the new password is lost.
    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let NewCredential { owner, name, .. } = wanted;
        let user = self.user(ISSUE, &identity.id, Urgency::Normal).await?.ok_or_else(|| gone(ISSUE))?;
        let sequence = owner.sequence_of(name).filter(|_| user.is_of(owner));
        let foreign = || Error::new(Kind::Conflict, ISSUE).detail(format!("user `{}`", user.user_name));
        let password = password::new();
        self.mark(ISSUE, &user, &mark(owner, sequence.ok_or_else(foreign)?)).await?;
        self.set(ISSUE, &user.id, &password).await?;
        let at = Directory { label: "uaa", url: &self.url };
        Ok(Ordered::Done(password::issued(identity, name, &user.user_name, password, at)))
    }

    async fn reveal(&self, _: &ObservedCredential) -> Result<Option<Issued>> {
        Ok(None)
    }

    /// Sets a password that nobody holds, if the user's password is still this credential. One that was superseded has
    /// ended when its successor was issued.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let user = self.user(REVOKE, &credential.identity, Urgency::First).await?;
        if let Some((user, owner)) = user.and_then(|user| user.owner_of(&credential.name).map(|owner| (user, owner))) {
            self.set(REVOKE, &user.id, &password::new()).await?;
            let user = self.user(REVOKE, &user.id, Urgency::First).await?.ok_or_else(|| gone(REVOKE))?;
            self.mark(REVOKE, &user, &mark(&owner, NOBODY)).await?;
        }
        Ok(Ordered::Done(()))
    }

    /// A UAA gives a token for a password to a client that may ask for one, and none is known here.
    async fn prove(&self, _: &Issued) -> Result<Proof> {
        Ok(Proof::NotTestable)
    }
}

impl Users {
    /// A change names the version that was read, so no other change is lost by it.
    async fn mark(&self, operation: &'static str, user: &Person, mark: &str) -> Result<()> {
        let call = self.session.put(operation, &["Users", &user.id]).json(&user.marked_with(mark.to_owned()));
        let call = call.header("if-match", &user.meta.version.to_string()).urgency(Urgency::First);
        let answer = call.accept(&[409]).send().await?;
        if answer.status() == 409 {
            return Err(Error::new(Kind::InProgress, operation).detail("somebody else has changed the user"));
        }
        let marked: Person = answer.json(operation)?;
        if marked.id == user.id && marked.is_marked(mark) { Ok(()) } else { Err(another(operation)) }
    }

    /// The answer that says nothing of it leaves open which password the user has; so does one that says that the user
    /// has had this password: an answer before it was lost.
    async fn set(&self, operation: &'static str, id: &str, password: &SecretString) -> Result<()> {
        let change = PasswordChange { password: password.expose_secret() };
        let call = self.session.put(operation, &["Users", id, "password"]).json(&change);
        let answer = call.urgency(Urgency::First).accept(&[422]).send().await.map_err(|error| refused(open(error)))?;
        let unknown = || Error::new(Kind::OutcomeUnknown, operation);
        let changed: SecretChanged = answer.json(operation).map_err(|_| unknown())?;
        if changed.status == "ok" { Ok(()) } else { Err(unknown()) }
    }
}

/// `uaa.admin` opens everything of a user but its password.
fn refused(error: Error) -> Error {
    if error.kind() != Kind::Forbidden {
        return error;
    }
    let detail = format!("{}; the admin client needs the authority password.write", error.detail_text());
    Error::new(Kind::Forbidden, error.operation()).detail(detail)
}

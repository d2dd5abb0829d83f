//! Clients as identities. Their authorities are the roles.

use std::collections::BTreeSet;

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::pages::List;
use super::wire::{Client, NewClient, RoleChange};
use super::{NO_AUTHORITY, Uaa, another, new_secret, observed, refused};
use crate::api::Identity;
use crate::api::identity::GrantType;
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{Identities, NewIdentity, ObservedIdentity, Operation, Ordered, Progress};

const LIST: &str = "list clients";
const FIND: &str = "find client";
const CREATE: &str = "create client";
const SET_ROLES: &str = "set authorities of client";
const DELETE: &str = "delete client";

/// The beginning of every name that we give. The UAA cannot search by our mark, but by this.
const OURS: &str = "client_id sw \"tuo-\"";

#[async_trait]
impl Identities for Uaa {
    fn guards_names(&self) -> bool {
        true
    }

    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let clients = self.clients(LIST).await?.into_iter();
        Ok(clients.filter(|client| client.is_of_cluster(cluster)).map(observed).collect())
    }

    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let id = owner.identity_name();
        match self.client(FIND, &id, Urgency::Normal).await? {
            Some(client) if client.is_of(owner) => Ok(vec![observed(client)]),
            Some(_) => Err(Error::new(Kind::Conflict, FIND).detail(format!("client `{id}`"))),
            None => Ok(Vec::new()),
        }
    }

    /// A second try finds what the first made, so a lost answer costs nothing.
    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let (owner, id, secret) = (&wanted.owner, wanted.owner.identity_name(), new_secret());
        let client = NewClient {
            client_id: &id,
            client_secret: secret.expose_secret(),
            authorized_grant_types: grant_types(wanted, CREATE)?,
            authorities: &authorities(&wanted.roles, CREATE)?,
            name: format!("{}/{}", owner.namespace, owner.name),
            tuo_cluster: &owner.cluster,
            tuo_owner: &owner.uid,
        };
        let call = self.session.post(CREATE, &["oauth", "clients"]).json(&client).repeatable();
        let answer = call.accept(&[409]).send().await.map_err(refused)?;
        if answer.status() == 409 {
            let taken_by_us = !self.find(owner).await?.is_empty();
            // What holds the name may be there, and not to be seen yet.
            return if taken_by_us { Ok(Ordered::Found) } else { Err(Error::new(Kind::OutcomeUnknown, CREATE)) };
        }
        let made: Client = answer.json(CREATE).map_err(|_| Error::new(Kind::OutcomeUnknown, CREATE))?;
        if made.id == id { Ok(Ordered::Done(observed(made))) } else { Err(Error::new(Kind::OutcomeUnknown, CREATE)) }
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let change = RoleChange {
            client_id: &identity.id,
            authorized_grant_types: grant_types(wanted, SET_ROLES)?,
            authorities: &authorities(&wanted.roles, SET_ROLES)?,
        };
        let call = self.session.put(SET_ROLES, &["oauth", "clients", &identity.id]).json(&change);
        let changed: Client = call.send_json().await.map_err(refused)?;
        if changed.id != identity.id {
            return Err(another(SET_ROLES));
        }
        let changed = observed(changed);
        if changed.roles.as_ref() == Some(&wanted.roles) {
            return Ok(Ordered::Done(changed));
        }
        Err(Error::new(Kind::UnexpectedAnswer, SET_ROLES).detail("the client has other authorities than it was given"))
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let call = self.session.delete(DELETE, &["oauth", "clients", &identity.id]).urgency(Urgency::First);
        let answer = call.accept(&[404]).send().await?;
        // The UAA shows what it has removed. A 404 may be anybody's, and so may an answer about something else.
        let says_gone = answer.json::<Client>(DELETE).is_ok_and(|gone| gone.id == identity.id);
        if !says_gone && self.client(DELETE, &identity.id, Urgency::First).await?.is_some() {
            return Err(another(DELETE));
        }
        Ok(Ordered::Done(()))
    }

    /// A UAA begins nothing that it does not end with its answer.
    async fn follow(&self, _: &Operation) -> Result<Progress> {
        Ok(Progress::Gone)
    }
}

impl Uaa {
    /// Every client whose name is like ours.
    pub(super) async fn clients(&self, operation: &'static str) -> Result<Vec<Client>> {
        let path = ["oauth", "clients"];
        let list = List { operation, path: &path, filter: OURS, attributes: "", urgency: Urgency::Last };
        list.all(&self.session).await
    }
}

fn grant_types<'a>(wanted: &'a NewIdentity, operation: &'static str) -> Result<&'a [GrantType]> {
    match &wanted.identity {
        Identity::OauthClient(client) => Ok(&client.grant_types),
        _ => Err(Error::new(Kind::Invalid, operation).detail("a client is an identity of kind oauthClient")),
    }
}

/// The list to send. The UAA splits an authority at a comma, and separates authorities by spaces in its tokens.
fn authorities(roles: &BTreeSet<String>, operation: &'static str) -> Result<Vec<String>> {
    if let Some(role) = roles.iter().find(|role| role.contains(|c: char| c == ',' || c.is_whitespace())) {
        let detail = format!("authority `{role}`: an authority of a UAA has no comma and no space in it");
        return Err(Error::new(Kind::Invalid, operation).detail(detail));
    }
    if roles.is_empty() { Ok(vec![NO_AUTHORITY.to_owned()]) } else { Ok(roles.iter().cloned().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(roles: &[&str]) -> Result<Vec<String>> {
        authorities(&roles.iter().map(|role| (*role).to_owned()).collect(), SET_ROLES)
    }

    #[test]
    fn what_the_uaa_would_read_as_something_else_is_refused() {
        assert_eq!(sent(&["b", "a"]).unwrap(), ["a", "b"]);
        assert_eq!(sent(&[]).unwrap(), [NO_AUTHORITY], "an empty list would leave the old one");
        for role in ["a,b", "a b"] {
            assert_eq!(sent(&[role]).unwrap_err().kind(), Kind::Invalid, "{role}");
        }
    }
}

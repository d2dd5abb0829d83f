//! Secrets of clients as credentials: one for each client, shown when it is set and never again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::wire::{Client, CredentialMark, SecretChange, SecretChanged};
use super::{Uaa, another, new_secret};
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{
    Credentials, Field, Health, Issued, ObservedCredential, ObservedIdentity, Ordered, Proof, Provenance,
};

const ISSUE: &str = "set client secret";
const REVOKE: &str = "end client secret";
/// The mark of a client whose secret nobody holds.
const NOBODY: &str = "";

#[async_trait]
impl Credentials for Uaa {
    /// None: a UAA tells nothing of secrets.
    async fn list(&self, _: &str) -> Result<Vec<ObservedCredential>> {
        Ok(Vec::new())
    }

    async fn find(&self, _: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        Ok(Vec::new())
    }

    /// The mark comes first: whoever holds the credential that the mark named before sees that it has been superseded,
    /// also where the answer to the new secret is lost.
    async fn issue(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Ordered<Issued>> {
        let client = self.client(ISSUE, &identity.id, Urgency::Normal).await?;
        let client = client.ok_or_else(|| Error::new(Kind::NotFound, ISSUE).detail("the client is gone"))?;
        if !client.is_of(owner) {
            return Err(Error::new(Kind::Conflict, ISSUE).detail(format!("client `{}`", identity.id)));
        }
        let secret = new_secret();
        self.mark(ISSUE, &client, name).await?;
        self.set_secret(ISSUE, &identity.id, &secret).await?;
        Ok(Ordered::Done(self.issued(identity, name, secret)))
    }

    async fn reveal(&self, _: &ObservedCredential) -> Result<Option<Issued>> {
        Ok(None)
    }

    /// Sets a secret that nobody holds, if the client's secret is still this credential. One that was superseded has
    /// ended when its successor was issued.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let client = self.client(REVOKE, &credential.identity, Urgency::First).await?;
        if let Some(client) = client.filter(|client| client.credential() == Some(&credential.name)) {
            self.set_secret(REVOKE, &client.id, &new_secret()).await?;
            self.mark(REVOKE, &client, NOBODY).await?;
        }
        Ok(Ordered::Done(()))
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.prover.prove(&issued.fields).await
    }
}

impl Uaa {
    async fn mark(&self, operation: &'static str, client: &Client, name: &str) -> Result<()> {
        let mark = CredentialMark {
            client_id: &client.id,
            authorized_grant_types: &client.authorized_grant_types,
            tuo_credential: name,
        };
        let call = self.session.put(operation, &["oauth", "clients", &client.id]).json(&mark);
        let marked: Client = call.urgency(Urgency::First).send_json().await?;
        let is_marked = marked.id == client.id && marked.credential().unwrap_or(NOBODY) == name;
        if is_marked { Ok(()) } else { Err(another(operation)) }
    }

    /// The answer that says nothing of it leaves open which secret the client has.
    async fn set_secret(&self, operation: &'static str, id: &str, secret: &SecretString) -> Result<()> {
        let change = SecretChange { client_id: id, secret: secret.expose_secret(), change_mode: "UPDATE" };
        let call = self.session.put(operation, &["oauth", "clients", id, "secret"]).json(&change);
        let changed = call.urgency(Urgency::First).send_json::<SecretChanged>().await.map_err(open)?;
        if changed.status == "ok" { Ok(()) } else { Err(open(another(operation))) }
    }

    fn issued(&self, identity: &ObservedIdentity, name: &str, secret: SecretString) -> Issued {
        let credential = ObservedCredential {
            name: name.to_owned(),
            id: identity.id.clone(),
            identity: identity.id.clone(),
            health: Health::Usable,
        };
        let provenance = Provenance {
            label: "uaa".to_owned(),
            plan: String::new(),
            instance_name: identity.name.clone(),
            instance_guid: identity.id.clone(),
            tags: Vec::new(),
        };
        let fields: [(&str, SecretString); 4] = [
            ("clientid", identity.id.clone().into()),
            ("clientsecret", secret),
            ("tokenurl", format!("{}/oauth/token", self.url).into()),
            ("url", self.url.clone().into()),
        ];
        let fields: BTreeMap<_, _> =
            fields.into_iter().map(|(field, value)| (field.to_owned(), Field::Text(value))).collect();
        Issued { credential, provenance, fields }
    }
}

/// What cannot be read of an answer to a change leaves open whether it was made.
fn open(error: Error) -> Error {
    if error.kind() == Kind::UnexpectedAnswer { Error::new(Kind::OutcomeUnknown, error.operation()) } else { error }
}

//! Secrets of clients as credentials: up to two for each client, each shown when it is set and never again.
//!
//! The UAA knows no names of secrets, so a mark on the client names them, the older first. Only the older of two can end
//! alone. The mark is written before a secret is added, and after one has ended: whatever a crash leaves, there are never
//! more secrets in force than the mark has names, unless an issue is about to end the surplus one, and whoever ends all
//! that the mark names has ended every secret.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::wire::{ChangeMode, Client, CredentialMark, Refusal, SecretChange, SecretChanged};
use super::{Uaa, another, new_secret, open};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{
    Credentials, Field, Health, Issued, NewCredential, ObservedCredential, ObservedIdentity, Ordered, Proof, Provenance,
};

const LIST: &str = "list client secrets";
const FIND: &str = "find client secrets";
const ISSUE: &str = "add client secret";
const REVOKE: &str = "end client secret";

#[async_trait]
impl Credentials for Uaa {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>> {
        let ours = self.clients(LIST).await?.into_iter().filter(|client| client.is_of_cluster(cluster));
        Ok(ours.flat_map(|client| named(&client)).collect())
    }

    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        let client = self.client(FIND, &identity.id, Urgency::Normal).await?;
        Ok(client.as_ref().map(named).unwrap_or_default())
    }

    /// The secret that was issued before this one stays in force beside it, an older one ends.
    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let NewCredential { owner, name, .. } = wanted;
        let client = self.client(ISSUE, &identity.id, Urgency::Normal).await?;
        let client = client.ok_or_else(|| Error::new(Kind::NotFound, ISSUE).detail("the client is gone"))?;
        if !client.is_of(owner) {
            return Err(Error::new(Kind::Conflict, ISSUE).detail(format!("client `{}`", identity.id)));
        }
        let before = client.credentials();
        if before.iter().any(|one| one == name) {
            return Ok(Ordered::Found);
        }
        let (secret, newest) = (new_secret(), before.last());
        let names: Vec<&str> = newest.map(String::as_str).into_iter().chain([name.as_str()]).collect();
        self.mark(ISSUE, &client, &names).await?;
        // Nobody holds a secret that has no name, so none is worth keeping.
        match newest {
            Some(_) => self.add(&client, &secret).await?,
            None => self.replace(ISSUE, &client, &secret).await?,
        }
        Ok(Ordered::Done(self.issued(identity, name, secret)))
    }

    async fn reveal(&self, _: &ObservedCredential) -> Result<Option<Issued>> {
        Ok(None)
    }

    /// The older of two ends alone. The newer can only end with the older, and the only one by giving way to a secret that
    /// nobody holds. What the mark does not name has ended.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let Some(client) = self.client(REVOKE, &credential.identity, Urgency::First).await? else {
            return Ok(Ordered::Done(()));
        };
        match client.credentials().as_slice() {
            [older, newer] if *older == credential.name => {
                // That there is no older one is what was wanted.
                self.change(REVOKE, &client, ChangeMode::Delete, None).await?;
                self.mark(REVOKE, &client, &[newer]).await?;
            }
            names if names.contains(&credential.name) => {
                self.replace(REVOKE, &client, &new_secret()).await?;
                self.mark(REVOKE, &client, &[]).await?;
            }
            _ => {}
        }
        Ok(Ordered::Done(()))
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.prover.prove(&issued.fields).await
    }
}

/// The credentials that a client's mark names.
fn named(client: &Client) -> Vec<ObservedCredential> {
    client.credentials().into_iter().map(|name| credential(&client.id, &name)).collect()
}

fn credential(client: &str, name: &str) -> ObservedCredential {
    ObservedCredential {
        name: name.to_owned(),
        id: name.to_owned(),
        identity: client.to_owned(),
        health: Health::Usable,
        material: None,
    }
}

/// How the UAA answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    Done,
    /// There are two, so none can be added.
    HasTwo,
    /// There is one, so none can go.
    HasOne,
}

impl Uaa {
    async fn mark(&self, operation: &'static str, client: &Client, names: &[&str]) -> Result<()> {
        let mark = CredentialMark {
            client_id: &client.id,
            authorized_grant_types: &client.authorized_grant_types,
            tuo_credential: names.join(" "),
        };
        let call = self.session.put(operation, &["oauth", "clients", &client.id]).json(&mark);
        let marked: Client = call.urgency(Urgency::First).send_json().await?;
        let is_marked = marked.id == client.id && marked.credentials() == names;
        if is_marked { Ok(()) } else { Err(another(operation)) }
    }

    /// Adds a secret. Where there are two, the older one makes room.
    async fn add(&self, client: &Client, secret: &SecretString) -> Result<()> {
        let mut added = self.change(ISSUE, client, ChangeMode::Add, Some(secret)).await?;
        if added == Changed::HasTwo {
            self.change(ISSUE, client, ChangeMode::Delete, None).await?;
            added = self.change(ISSUE, client, ChangeMode::Add, Some(secret)).await?;
        }
        if added == Changed::Done { Ok(()) } else { Err(another(ISSUE)) }
    }

    /// Leaves exactly this secret, however many there were.
    async fn replace(&self, operation: &'static str, client: &Client, secret: &SecretString) -> Result<()> {
        let replaced = self.change(operation, client, ChangeMode::Update, Some(secret)).await?;
        if replaced == Changed::Done { Ok(()) } else { Err(another(operation)) }
    }

    /// An answer that says nothing of it leaves open which secrets the client has. To add twice is to have none beside it;
    /// to end the older one twice is to be told that there is one.
    async fn change(
        &self,
        operation: &'static str,
        client: &Client,
        change_mode: ChangeMode,
        secret: Option<&SecretString>,
    ) -> Result<Changed> {
        let secret = secret.map(ExposeSecret::expose_secret);
        let change = SecretChange { client_id: &client.id, secret, change_mode };
        let call = self.session.put(operation, &["oauth", "clients", &client.id, "secret"]).json(&change);
        let call = if change_mode == ChangeMode::Add { call.once() } else { call };
        let answer = call.urgency(Urgency::First).accept(&[400]).send().await.map_err(open)?;
        if answer.status() == 400 {
            let refusal: Refusal = answer.json(operation)?;
            return match (refusal.has_two(), refusal.has_one()) {
                (true, _) => Ok(Changed::HasTwo),
                (_, true) => Ok(Changed::HasOne),
                _ => Err(Error::new(Kind::Invalid, operation).detail("status 400")),
            };
        }
        let changed: SecretChanged = answer.json(operation).map_err(open)?;
        if changed.status == "ok" { Ok(Changed::Done) } else { Err(open(another(operation))) }
    }

    fn issued(&self, identity: &ObservedIdentity, name: &str, secret: SecretString) -> Issued {
        let credential = credential(&identity.id, name);
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

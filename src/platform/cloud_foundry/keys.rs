//! Service keys: the credentials of service instances.

use async_trait::async_trait;

use super::job::{Course, watch};
use super::list::{List, only};
use super::{CloudFoundry, KEYS, another, is_accepted, mark, taken, unread, wire};
use crate::plan::owner::Owner;
use crate::platform::broker::certificate;
use crate::platform::broker::mark::whose;
use crate::platform::broker::payload::issued;
use crate::platform::budget::Urgency;
use crate::platform::error::{Kind, Result};
use crate::platform::{
    Credentials, Issued, NewCredential, ObservedCredential, ObservedIdentity, Ordered, Proof, Provenance,
};

const ISSUE: &str = "create service key";
const READ: &str = "read service key";
const REVOKE: &str = "delete service key";
const FIND: &str = "find service key";
const LIST: &str = "list service keys";

#[async_trait]
impl Credentials for CloudFoundry {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>> {
        let labels = mark::of_cluster(cluster);
        let list = List::new(LIST, KEYS, &[("type", "key"), ("label_selector", &labels)]);
        let keys: Vec<wire::Key> = list.urgency(Urgency::Last).read(&self.session).await?.items;
        let is_ours = |one: &wire::Key| mark::is_of_cluster(&one.metadata.labels, cluster);
        Ok(keys.into_iter().filter(is_ours).map(observed).collect())
    }

    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        Ok(self.keys_of(&identity.id).await?.into_iter().map(observed).collect())
    }

    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        // Asked for before the order: a credential that was issued must not be lost for it.
        let provenance = self.provenance(&identity.id).await?;
        match self.bind(identity, wanted, provenance).await {
            Err(error) if error.kind() == Kind::Conflict => self.whose_key(identity, &wanted.owner, &wanted.name).await,
            ordered => ordered,
        }
    }

    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let provenance = self.provenance(&credential.identity).await?;
        let details = self.details(&credential.id).await?;
        issued(READ, credential.clone(), details.credentials, provenance).map(Some)
    }

    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let call = self.session.delete(REVOKE, &["v3", KEYS, &credential.id]);
        let answer = call.urgency(Urgency::First).accept(&[404, 410]).send().await?;
        if let Course::Open(operation) = watch(&self.session, REVOKE, &answer).await? {
            return Ok(Ordered::Begun(operation));
        }
        if !is_accepted(&answer) && self.is_there(&credential.id).await? {
            return Err(another(REVOKE));
        }
        Ok(Ordered::Done(()))
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.prover.prove(&issued.fields).await
    }
}

impl CloudFoundry {
    /// Makes a key. [`Kind::Conflict`] where the name is taken.
    async fn bind(
        &self,
        identity: &ObservedIdentity,
        wanted: &NewCredential,
        provenance: Provenance,
    ) -> Result<Ordered<Issued>> {
        let NewCredential { owner, name, making } = wanted;
        let material = making.material();
        let body = wire::Order {
            kind: "key",
            name,
            parameters: certificate::parameters(&provenance.label, making),
            relationships: wire::Relationships {
                service_instance: Some(wire::Related::to(&identity.id)),
                ..wire::Relationships::default()
            },
            metadata: wire::Metadata { labels: mark::labels(owner, material.as_deref()) },
        };
        let answer = self.session.post(ISSUE, &["v3", KEYS]).json(&body).send().await.map_err(taken)?;
        match watch(&self.session, ISSUE, &answer).await? {
            Course::AtOnce | Course::Done(()) => {}
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
        }
        let made = self.made_key(&identity.id, name).await.map_err(|_| unread(ISSUE))?;
        let details = self.details(&made.guid).await.map_err(|_| unread(ISSUE))?;
        let credential = ObservedCredential { material, ..observed(made) };
        issued(ISSUE, credential, details.credentials, provenance).map(Ordered::Done).map_err(taken)
    }

    /// The key that a job has made: a job does not always tell of what.
    async fn made_key(&self, instance: &str, name: &str) -> Result<wire::Key> {
        let found = self.keys_of(instance).await?.into_iter().find(|one| one.name.as_deref() == Some(name));
        found.ok_or_else(|| another(ISSUE))
    }

    /// The name is taken: by ours, or by a stranger's.
    async fn whose_key(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Ordered<Issued>> {
        let keys = self.keys_of(&identity.id).await?;
        whose(ISSUE, owner, &keys, ("service key", name))
    }

    pub(super) async fn keys_of(&self, instance: &str) -> Result<Vec<wire::Key>> {
        let guids = only(instance);
        let list = List::new(FIND, KEYS, &[("type", "key"), ("service_instance_guids", &guids)]);
        let found: Vec<wire::Key> = list.read(&self.session).await?.items;
        if found.iter().all(|one| one.instance() == instance) { Ok(found) } else { Err(another(FIND)) }
    }

    /// Asked of the list: a 404 may be anybody's, an empty list says that there is none.
    async fn is_there(&self, guid: &str) -> Result<bool> {
        let guids = only(guid);
        let list = List::new(FIND, KEYS, &[("type", "key"), ("guids", &guids)]).urgency(Urgency::First);
        Ok(!list.read::<wire::Key>(&self.session).await?.items.is_empty())
    }

    pub(super) async fn details(&self, guid: &str) -> Result<wire::Details> {
        self.session.get(READ, &["v3", KEYS, guid, "details"]).urgency(Urgency::First).send_json().await
    }
}

fn observed(key: wire::Key) -> ObservedCredential {
    ObservedCredential {
        material: mark::material(&key.metadata.labels),
        health: wire::health(key.last_operation.as_ref()),
        identity: key.instance().to_owned(),
        name: key.name.unwrap_or_default(),
        id: key.guid,
    }
}

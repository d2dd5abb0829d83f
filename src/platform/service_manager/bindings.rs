//! Service bindings: the credentials of service keys.

use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::lists::List;
use super::operation::{Course, watch};
use super::{BINDINGS, ServiceManager, another, mark, says_gone, taken, unread, wire};
use crate::plan::owner::Owner;
use crate::platform::broker::certificate;
use crate::platform::broker::mark::whose;
use crate::platform::broker::payload::issued;
use crate::platform::budget::{Lane, Urgency};
use crate::platform::error::{Kind, Result};
use crate::platform::{
    Credentials, Issued, NewCredential, ObservedCredential, ObservedIdentity, Ordered, Proof, Provenance,
};

const ISSUE: &str = "create service binding";
const READ: &str = "read service binding";
const REVOKE: &str = "delete service binding";
const FIND: &str = "find service binding";
const LIST: &str = "list service bindings";

/// Bindings of one instance that are ended at once.
const SIDE_BY_SIDE: usize = 8;

#[async_trait]
impl Credentials for ServiceManager {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>> {
        let query = mark::of_cluster(cluster);
        let list = List::new(LIST, BINDINGS, ("labelQuery", &query)).urgency(Urgency::Last);
        let bindings: Vec<wire::Binding> = list.read(&self.session).await?;
        let is_ours = |one: &wire::Binding| one.labels.as_ref().is_some_and(|own| mark::is_of_cluster(own, cluster));
        Ok(bindings.into_iter().filter(is_ours).map(observed).collect())
    }

    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        Ok(self.bindings_of(&identity.id, Urgency::Normal).await?.into_iter().map(observed).collect())
    }

    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        // Asked for before the order: a credential that was issued must not be lost for it.
        let provenance = self.provenance(&identity.id).await?;
        match self.bind(identity, wanted, provenance).await {
            Err(error) if error.kind() == Kind::Conflict => {
                self.whose_binding(identity, &wanted.owner, &wanted.name).await
            }
            ordered => ordered,
        }
    }

    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let provenance = self.provenance(&credential.identity).await?;
        let shown = self.read_binding(&credential.id).await?;
        let is_it = shown.binding.name == credential.name && shown.binding.service_instance_id == credential.identity;
        if !is_it {
            return Err(another(READ));
        }
        revealed(READ, shown, credential.material.clone(), provenance).map(Some)
    }

    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let call = self.session.delete(REVOKE, &["v1", BINDINGS, &credential.id]).lane(Lane::Bindings);
        let answer = call.urgency(Urgency::First).accept(&[404, 410]).send().await?;
        if let Course::Open(operation) = watch(&self.session, REVOKE, &answer).await? {
            return Ok(Ordered::Begun(operation));
        }
        if !says_gone(&answer) && self.is_bound(&credential.id).await? {
            return Err(another(REVOKE));
        }
        Ok(Ordered::Done(()))
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.prover.prove(&issued.fields).await
    }
}

impl ServiceManager {
    /// Ends every credential of an instance, whoever made it: the instance is ours, and cannot go before they do.
    pub(super) async fn revoke_all(&self, instance: &str) -> Result<Ordered<()>> {
        let bindings = self.bindings_of(instance, Urgency::First).await?;
        let bindings: Vec<_> = bindings.into_iter().map(observed).collect();
        let revocations: Vec<_> = bindings.iter().map(|binding| self.revoke(binding)).collect();
        let outcomes: Vec<_> = stream::iter(revocations).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let mut begun = Ordered::Done(());
        for outcome in outcomes {
            if let outcome @ Ordered::Begun(_) = outcome? {
                begun = outcome;
            }
        }
        Ok(begun)
    }

    /// Makes a binding. [`Kind::Conflict`] where the name is taken.
    async fn bind(
        &self,
        identity: &ObservedIdentity,
        wanted: &NewCredential,
        provenance: Provenance,
    ) -> Result<Ordered<Issued>> {
        let NewCredential { owner, name, making } = wanted;
        let material = making.material();
        let body = wire::NewBinding {
            name,
            service_instance_id: &identity.id,
            parameters: certificate::parameters(&provenance.label, making),
            labels: mark::labels(owner, material.as_deref()),
        };
        let call = self.session.post(ISSUE, &["v1", BINDINGS]).lane(Lane::Bindings).json(&body);
        let answer = call.send().await.map_err(taken)?;
        let made: wire::RevealedBinding = match watch(&self.session, ISSUE, &answer).await? {
            Course::AtOnce => answer.json(ISSUE).map_err(taken)?,
            Course::Done(id) => self.read_binding(&id).await.map_err(|_| unread(ISSUE))?,
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
        };
        if made.binding.name != *name || made.binding.service_instance_id != identity.id {
            return Err(taken(another(ISSUE)));
        }
        revealed(ISSUE, made, material, provenance).map(Ordered::Done).map_err(taken)
    }

    /// The name is taken: by ours, or by a stranger's.
    async fn whose_binding(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Ordered<Issued>> {
        let bindings = self.bindings_of(&identity.id, Urgency::Normal).await?;
        whose(ISSUE, owner, &bindings, ("service binding", name))
    }

    pub(super) async fn bindings_of(&self, instance: &str, urgency: Urgency) -> Result<Vec<wire::Binding>> {
        let query = mark::equals("service_instance_id", instance);
        let list = List::new(FIND, BINDINGS, ("fieldQuery", &query)).urgency(urgency);
        let found: Vec<wire::Binding> = list.read(&self.session).await?;
        if found.iter().all(|one| one.service_instance_id == instance) { Ok(found) } else { Err(another(FIND)) }
    }

    /// Asked of the list: a 404 may be anybody's, an empty list says that there is none.
    async fn is_bound(&self, id: &str) -> Result<bool> {
        let query = mark::equals("id", id);
        let list = List::new(FIND, BINDINGS, ("fieldQuery", &query)).urgency(Urgency::First);
        list.read::<wire::Binding>(&self.session).await.map(|found| !found.is_empty())
    }

    pub(super) async fn read_binding(&self, id: &str) -> Result<wire::RevealedBinding> {
        let call = self.session.get(READ, &["v1", BINDINGS, id]).lane(Lane::Bindings).urgency(Urgency::First);
        let shown: wire::RevealedBinding = call.send_json().await?;
        if shown.binding.id == id { Ok(shown) } else { Err(another(READ)) }
    }
}

fn revealed(
    operation: &'static str,
    shown: wire::RevealedBinding,
    material: Option<String>,
    provenance: Provenance,
) -> Result<Issued> {
    let credential = ObservedCredential { material, ..observed(shown.binding) };
    issued(operation, credential, shown.credentials.unwrap_or_default(), provenance)
}

fn observed(binding: wire::Binding) -> ObservedCredential {
    let health = wire::health(binding.last_operation.as_ref(), binding.ready, None);
    let material = binding.labels.as_ref().and_then(mark::material);
    ObservedCredential { name: binding.name, id: binding.id, identity: binding.service_instance_id, health, material }
}

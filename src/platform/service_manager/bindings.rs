//! Service bindings: the credentials of service keys.

use async_trait::async_trait;

use super::operation::{End, finish, in_progress};
use super::payload::fields;
use super::{ServiceManager, mark, wire};
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{Credentials, Health, Issued, ObservedCredential, ObservedIdentity, Proof};

const ISSUE: &str = "create service binding";
const READ: &str = "read service binding";
const REVOKE: &str = "delete service binding";
const FIND: &str = "find service binding";
const LIST: &str = "list service bindings";

#[async_trait]
impl Credentials for ServiceManager {
    fn keeps(&self) -> bool {
        true
    }

    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>> {
        let query = [("labelQuery", mark::of_cluster(cluster))];
        let bindings: Vec<wire::Binding> = self.pages(LIST, "service_bindings", &query, Urgency::Last).await?;
        Ok(bindings.into_iter().map(observed).collect())
    }

    async fn issue(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Issued> {
        match self.bind(identity, owner, name).await {
            Ok(revealed) => self.issued(revealed).await,
            Err(error) => match error.kind() {
                Kind::Conflict | Kind::InProgress | Kind::OutcomeUnknown => {
                    self.find_issued(identity, owner, name).await?.ok_or(error)
                }
                _ => Err(error),
            },
        }
    }

    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let path = ["v1", "service_bindings", &credential.id];
        let revealed: wire::RevealedBinding = self.session.get(READ, &path).urgency(Urgency::First).send_json().await?;
        if revealed.credentials.is_none() {
            return Err(Error::new(Kind::UnexpectedAnswer, READ).detail("the binding has no credentials"));
        }
        self.issued(revealed).await.map(Some)
    }

    async fn revoke(&self, credential: &ObservedCredential) -> Result<()> {
        let path = ["v1", "service_bindings", &credential.id];
        let call = self.session.delete(REVOKE, &path).query("async", "false").urgency(Urgency::First);
        let answer = call.accept(&[404, 410]).send().await?;
        match finish(&self.session, REVOKE, &answer).await? {
            End::Gone if self.is_bound(&credential.id).await? => Err(in_progress(REVOKE)),
            End::AtOnce | End::Later | End::Gone => Ok(()),
        }
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        self.prover.prove(&issued.fields).await
    }
}

impl ServiceManager {
    /// Ends every credential of an instance, whoever made it: the instance is ours, and cannot go before they do.
    pub(super) async fn revoke_all(&self, instance: &str) -> Result<()> {
        let query = [("fieldQuery", mark::equals("service_instance_id", instance))];
        let bindings: Vec<wire::Binding> = self.pages(LIST, "service_bindings", &query, Urgency::First).await?;
        for binding in bindings {
            self.revoke(&observed(binding)).await?;
        }
        Ok(())
    }

    /// Makes a binding. [`Kind::Conflict`] where the name is taken, [`Kind::InProgress`] where only looking for it tells
    /// what has come of it.
    async fn bind(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<wire::RevealedBinding> {
        let body = wire::NewBinding { name, service_instance_id: &identity.id, labels: mark::labels(owner) };
        let call = self.session.post(ISSUE, &["v1", "service_bindings"]).query("async", "false").json(&body);
        let answer = call.send().await?;
        match finish(&self.session, ISSUE, &answer).await? {
            End::AtOnce => {
                let revealed: wire::RevealedBinding = answer.json(ISSUE)?;
                if revealed.credentials.is_some() { Ok(revealed) } else { Err(in_progress(ISSUE)) }
            }
            End::Later | End::Gone => Err(in_progress(ISSUE)),
        }
    }

    /// The binding of that name. One without the owner's mark is a conflict; one whose creation failed is cleared away.
    async fn find_issued(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Option<Issued>> {
        let query = format!("{} and {}", mark::equals("name", name), mark::equals("service_instance_id", &identity.id));
        let query = [("fieldQuery", query)];
        let found: Vec<wire::Binding> = self.pages(FIND, "service_bindings", &query, Urgency::Normal).await?;
        let Some(binding) = found.into_iter().next() else { return Ok(None) };
        if !binding.labels.as_ref().is_some_and(|labels| mark::is_of(labels, owner)) {
            return Err(Error::new(Kind::Conflict, ISSUE).detail(format!("service binding `{name}`")));
        }
        let found = observed(binding);
        match found.health {
            Health::Usable => self.reveal(&found).await,
            Health::InProgress => Err(in_progress(ISSUE)),
            Health::Failed => {
                self.revoke(&found).await?;
                Err(Error::new(Kind::Unavailable, ISSUE).detail("an earlier try had failed and is cleared away"))
            }
        }
    }

    async fn is_bound(&self, id: &str) -> Result<bool> {
        let path = ["v1", "service_bindings", id];
        let answer = self.session.get("look for service binding", &path).accept(&[404, 410]).send().await?;
        Ok(answer.status() == 200)
    }

    async fn issued(&self, revealed: wire::RevealedBinding) -> Result<Issued> {
        let wire::RevealedBinding { binding, credentials } = revealed;
        let provenance = self.provenance(&binding.service_instance_id).await?;
        Ok(Issued { credential: observed(binding), provenance, fields: fields(credentials.unwrap_or_default()) })
    }
}

fn observed(binding: wire::Binding) -> ObservedCredential {
    let health = wire::health(binding.last_operation.as_ref(), binding.ready, None);
    ObservedCredential { name: binding.name, id: binding.id, identity: binding.service_instance_id, health }
}

//! Service bindings: the credentials of service keys.

use async_trait::async_trait;

use super::operation::{End, finish, in_progress};
use super::payload::fields;
use super::{ServiceManager, mark, wire};
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::{Condition, Credentials, Issued, ObservedCredential, ObservedIdentity, Proof};

const ISSUE: &str = "create service binding";
const READ: &str = "read service binding";
const REVOKE: &str = "delete service binding";
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
        let body = wire::NewBinding { name, service_instance_id: &identity.id, labels: mark::labels(owner) };
        let path = ["v1", "service_bindings"];
        let sent = self.session.post(ISSUE, &path).query("async", "false").json(&body).accept(&[409]).send().await;
        match self.bound(sent).await {
            Ok(Some(revealed)) if revealed.credentials.is_some() => self.issued(revealed).await,
            Ok(_) => self.find_issued(identity, owner, name).await,
            Err(error) if error.kind() == Kind::Conflict => self.find_issued(identity, owner, name).await,
            Err(error) => Err(error),
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

    /// What a `POST` came to: the binding, or `None` where only looking for it tells.
    async fn bound(&self, sent: Result<Answer>) -> Result<Option<wire::RevealedBinding>> {
        let answer = sent?;
        if answer.status() == 409 {
            return Ok(None);
        }
        match finish(&self.session, ISSUE, &answer).await? {
            End::AtOnce => answer.json(ISSUE).map(Some),
            End::Later | End::Gone => Ok(None),
        }
    }

    /// The binding of that name, if it carries the owner's mark. One whose creation failed is cleared away.
    async fn find_issued(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Issued> {
        let query = format!("{} and {}", mark::equals("name", name), mark::equals("service_instance_id", &identity.id));
        let query = [("fieldQuery", query)];
        let bindings: Vec<wire::Binding> =
            self.pages("find service binding", "service_bindings", &query, Urgency::Normal).await?;
        let ours =
            bindings.into_iter().find(|one| one.labels.as_ref().is_some_and(|labels| mark::is_of(labels, owner)));
        let found = ours
            .map(observed)
            .ok_or_else(|| Error::new(Kind::Conflict, ISSUE).detail(format!("service binding `{name}`")))?;
        match found.condition {
            Condition::Usable => self.reveal(&found).await?.ok_or_else(|| in_progress(ISSUE)),
            Condition::InProgress => Err(in_progress(ISSUE)),
            Condition::Failed => {
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
        let origin = self.origin(&binding.service_instance_id).await?;
        Ok(Issued { credential: observed(binding), origin, fields: fields(credentials.unwrap_or_default()) })
    }
}

fn observed(binding: wire::Binding) -> ObservedCredential {
    let condition = wire::condition(binding.last_operation.as_ref(), binding.ready, None);
    ObservedCredential { name: binding.name, id: binding.id, identity: binding.service_instance_id, condition }
}

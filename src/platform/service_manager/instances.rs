//! Service instances: the identities of service keys.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::operation::{End, finish, in_progress};
use super::{ServiceManager, mark, wire};
use crate::api::Identity;
use crate::api::technical_user::ServiceKey;
use crate::plan::owner::Owner;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::{Condition, Identities, NewIdentity, ObservedIdentity};

const CREATE: &str = "create service instance";
const CHANGE: &str = "set roles of service instance";
const DELETE: &str = "delete service instance";
const LIST: &str = "list service instances";

#[async_trait]
impl Identities for ServiceManager {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let query = [("labelQuery", mark::of_cluster(cluster))];
        let instances: Vec<wire::Instance> = self.pages(LIST, "service_instances", &query, Urgency::Last).await?;
        Ok(instances.into_iter().map(|instance| self.seen(instance)).collect())
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let service_key = service_key(wanted, CREATE)?;
        let plan = self.catalogue.by_name(&service_key.offering, &service_key.plan).await?;
        let name = wanted.owner.identity_name();
        let body = wire::NewInstance {
            name: &name,
            service_plan_id: &plan.id,
            parameters: parameters(service_key, wanted),
            labels: mark::labels(&wanted.owner),
        };
        let path = ["v1", "service_instances"];
        let sent = self.session.post(CREATE, &path).query("async", "false").json(&body).accept(&[409]).send().await;
        match self.created(sent).await {
            Ok(Some(instance)) => Ok(self.seen(instance)),
            Ok(None) => self.adopt(wanted).await,
            Err(error) if error.kind() == Kind::Conflict => self.adopt(wanted).await,
            Err(error) => {
                if matches!(error.kind(), Kind::Invalid | Kind::NotFound) {
                    // The plan may have been replaced since it was looked up.
                    self.catalogue.forget().await;
                }
                Err(error)
            }
        }
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let service_key = service_key(wanted, CHANGE)?;
        if wanted.roles_parameter.is_none() {
            return Err(Error::new(Kind::Invalid, CHANGE).detail("the offering has no parameter that takes roles"));
        }
        let body = wire::InstanceChange { parameters: parameters(service_key, wanted) };
        let path = ["v1", "service_instances", &identity.id];
        // The whole parameters are sent, so sending them twice does no harm.
        let call = self.session.patch(CHANGE, &path).query("async", "false").json(&body).repeatable();
        finish(&self.session, CHANGE, &call.send().await?).await?;
        Ok(ObservedIdentity { condition: Condition::Usable, ..identity.clone() })
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<()> {
        self.revoke_all(&identity.id).await?;
        let path = ["v1", "service_instances", &identity.id];
        let call = self.session.delete(DELETE, &path).query("async", "false").urgency(Urgency::First);
        let answer = call.accept(&[404, 410]).send().await?;
        match finish(&self.session, DELETE, &answer).await? {
            End::Gone if self.exists(&identity.id).await? => Err(in_progress(DELETE)),
            End::AtOnce | End::Later | End::Gone => {
                self.forget_instance(&identity.id);
                Ok(())
            }
        }
    }
}

impl ServiceManager {
    /// What a `POST` came to: the instance, or `None` where only looking for it tells.
    async fn created(&self, sent: Result<Answer>) -> Result<Option<wire::Instance>> {
        let answer = sent?;
        if answer.status() == 409 {
            return Ok(None);
        }
        match finish(&self.session, CREATE, &answer).await? {
            End::AtOnce => answer.json(CREATE).map(Some),
            End::Later | End::Gone => Ok(None),
        }
    }

    /// The instance that is there already. Which roles it was made with cannot be read, so it is given the wanted ones.
    async fn adopt(&self, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let found = self.find(&wanted.owner).await?;
        match (found.condition, &wanted.roles_parameter) {
            (Condition::Usable, Some(_)) => self.set_roles(&found, wanted).await,
            _ => Ok(found),
        }
    }

    /// The instance of an owner by its name, if it carries the owner's mark.
    async fn find(&self, owner: &Owner) -> Result<ObservedIdentity> {
        let query = [("fieldQuery", mark::equals("name", &owner.identity_name()))];
        let instances: Vec<wire::Instance> =
            self.pages("find service instance", "service_instances", &query, Urgency::Normal).await?;
        let ours =
            instances.into_iter().find(|one| one.labels.as_ref().is_some_and(|labels| mark::is_of(labels, owner)));
        ours.map(|instance| self.seen(instance)).ok_or_else(|| {
            Error::new(Kind::Conflict, CREATE).detail(format!("service instance `{}`", owner.identity_name()))
        })
    }

    async fn exists(&self, id: &str) -> Result<bool> {
        let path = ["v1", "service_instances", id];
        let answer = self.session.get("look for service instance", &path).accept(&[404, 410]).send().await?;
        Ok(answer.status() == 200)
    }

    /// An instance as the platform showed it; its plan is remembered for the origin of its credentials.
    fn seen(&self, instance: wire::Instance) -> ObservedIdentity {
        let condition = wire::condition(instance.last_operation.as_ref(), instance.ready, instance.usable);
        self.remember_instance(&instance);
        // Parameters cannot be read back from the brokers that take roles.
        ObservedIdentity { name: instance.name, id: instance.id, condition, roles: None::<BTreeSet<String>> }
    }
}

fn service_key<'a>(wanted: &'a NewIdentity, operation: &'static str) -> Result<&'a ServiceKey> {
    match &wanted.identity {
        Identity::ServiceKey(service_key) => Ok(service_key),
        Identity::OauthClient(_) | Identity::Existing(_) => {
            Err(Error::new(Kind::Invalid, operation).detail("the Service Manager makes service keys and nothing else"))
        }
    }
}

fn parameters(service_key: &ServiceKey, wanted: &NewIdentity) -> serde_json::Map<String, serde_json::Value> {
    wire::parameters(service_key.parameters.as_ref(), wanted.roles_parameter.as_deref(), &wanted.roles)
}

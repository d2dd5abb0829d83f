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
use crate::platform::{Health, Identities, NewIdentity, ObservedIdentity};

const CREATE: &str = "create service instance";
const CHANGE: &str = "set roles of service instance";
const DELETE: &str = "delete service instance";
const FIND: &str = "find service instance";
const LIST: &str = "list service instances";

type Parameters = serde_json::Map<String, serde_json::Value>;

#[async_trait]
impl Identities for ServiceManager {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let query = [("labelQuery", mark::of_cluster(cluster))];
        let instances: Vec<wire::Instance> = self.pages(LIST, "service_instances", &query, Urgency::Last).await?;
        Ok(instances.into_iter().map(|instance| self.seen(instance)).collect())
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let service_key = service_key(wanted, CREATE)?;
        // While its creation runs, a second order of the same name would be accepted and fail only later.
        if self.has_seen(&wanted.owner.identity_name())
            && let Some(found) = self.adopt(wanted).await?
        {
            return Ok(found);
        }
        let plan = self.catalogue.by_name(&service_key.offering, &service_key.plan).await?;
        match self.order(wanted, parameters(service_key, wanted), &plan.id).await {
            Ok(Some(instance)) => Ok(self.seen(instance)),
            Ok(None) => self.find(&wanted.owner).await?.ok_or_else(|| in_progress(CREATE)),
            Err(error) => match error.kind() {
                Kind::Conflict | Kind::InProgress | Kind::OutcomeUnknown => self.adopt(wanted).await?.ok_or(error),
                Kind::Invalid | Kind::NotFound => {
                    // The plan may have been replaced since it was looked up.
                    self.catalogue.forget().await;
                    Err(error)
                }
                _ => Err(error),
            },
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
        Ok(ObservedIdentity { health: Health::Usable, ..identity.clone() })
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
    /// Orders an instance: `None` where it is there now and has to be looked for. [`Kind::Conflict`] where the name is
    /// taken, [`Kind::InProgress`] where it takes longer than we watch.
    async fn order(&self, wanted: &NewIdentity, parameters: Parameters, plan: &str) -> Result<Option<wire::Instance>> {
        let name = wanted.owner.identity_name();
        let labels = mark::labels(&wanted.owner);
        let body = wire::NewInstance { name: &name, service_plan_id: plan, parameters, labels };
        let call = self.session.post(CREATE, &["v1", "service_instances"]).query("async", "false").json(&body);
        let answer = call.send().await?;
        match finish(&self.session, CREATE, &answer).await? {
            End::AtOnce => answer.json(CREATE).map(Some),
            End::Later | End::Gone => Ok(None),
        }
    }

    /// The instance that is there already. Which roles it was made with cannot be read, so it is given the wanted ones.
    async fn adopt(&self, wanted: &NewIdentity) -> Result<Option<ObservedIdentity>> {
        let Some(found) = self.find(&wanted.owner).await? else { return Ok(None) };
        match (found.health, &wanted.roles_parameter) {
            (Health::Usable, Some(_)) => self.set_roles(&found, wanted).await.map(Some),
            _ => Ok(Some(found)),
        }
    }

    /// The instance of an owner by its name. One without the owner's mark is a conflict.
    async fn find(&self, owner: &Owner) -> Result<Option<ObservedIdentity>> {
        let query = [("fieldQuery", mark::equals("name", &owner.identity_name()))];
        let found: Vec<wire::Instance> = self.pages(FIND, "service_instances", &query, Urgency::Normal).await?;
        let Some(instance) = found.into_iter().next() else { return Ok(None) };
        if instance.labels.as_ref().is_some_and(|labels| mark::is_of(labels, owner)) {
            return Ok(Some(self.seen(instance)));
        }
        Err(Error::new(Kind::Conflict, CREATE).detail(format!("service instance `{}`", owner.identity_name())))
    }

    async fn exists(&self, id: &str) -> Result<bool> {
        let path = ["v1", "service_instances", id];
        let answer = self.session.get("look for service instance", &path).accept(&[404, 410]).send().await?;
        Ok(answer.status() == 200)
    }

    /// An instance as the platform showed it; its plan is remembered for the origin of its credentials.
    fn seen(&self, instance: wire::Instance) -> ObservedIdentity {
        let health = wire::health(instance.last_operation.as_ref(), instance.ready, instance.usable);
        self.remember_instance(&instance);
        // Parameters cannot be read back from the brokers that take roles.
        ObservedIdentity { name: instance.name, id: instance.id, health, roles: None::<BTreeSet<String>> }
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

fn parameters(service_key: &ServiceKey, wanted: &NewIdentity) -> Parameters {
    wire::parameters(service_key.parameters.as_ref(), wanted.roles_parameter.as_deref(), &wanted.roles)
}

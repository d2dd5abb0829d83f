//! Service instances: the identities of service keys.

use async_trait::async_trait;

use super::lists::List;
use super::operation::{Course, bared, follow, watch, without_roles};
use super::{INSTANCES, ServiceManager, another, mark, says_gone, taken, unread, wire};
use crate::api::Identity;
use crate::api::identity::ServiceKey;
use crate::plan::owner::Owner;
use crate::platform::broker::bareness::not_bare;
use crate::platform::broker::mark::of_owner;
use crate::platform::broker::parameters::{self, Parameters};
use crate::platform::budget::{Lane, Urgency};
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{Identities, NewIdentity, ObservedIdentity, Operation, Ordered, Progress};

const CREATE: &str = "create service instance";
const CHANGE: &str = "set roles of service instance";
const DELETE: &str = "delete service instance";
const FIND: &str = "find service instance";
const LIST: &str = "list service instances";

#[async_trait]
impl Identities for ServiceManager {
    /// It checks a name before it asks the broker, and writes it down after that.
    fn guards_names(&self) -> bool {
        false
    }

    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let query = mark::of_cluster(cluster);
        let list = List::new(LIST, INSTANCES, ("labelQuery", &query)).urgency(Urgency::Last);
        let instances: Vec<wire::Instance> = list.read(&self.session).await?;
        self.instances.remember_only(instances.iter().map(|one| (one.id.clone(), one.seen())));
        let is_ours = |one: &wire::Instance| one.labels.as_ref().is_some_and(|own| mark::is_of_cluster(own, cluster));
        Ok(instances.into_iter().filter(is_ours).map(observed).collect())
    }

    /// By the mark, and by the name: one that lost its labels, or never got them, must be seen.
    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let name = owner.identity_name();
        let (marked, named) = tokio::try_join!(
            self.instances_by(("labelQuery", mark::of_owner(owner))),
            self.instances_by(("fieldQuery", mark::equals("name", &name))),
        )?;
        let found = of_owner(FIND, owner, marked, named)?;
        Ok(found.into_iter().map(|instance| self.seen(instance)).collect())
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let service_key = service_key(wanted, CREATE)?;
        let parameters = parameters::of_new(CREATE, service_key, wanted)?;
        let plan = self.catalogue.by_name(&service_key.offering, &service_key.plan).await?;
        match self.order(wanted, parameters, &plan.id).await {
            Err(error) if error.kind() == Kind::Conflict => self.whose(&wanted.owner, error).await,
            Err(error) => {
                if speaks_of_plan(&error) {
                    self.catalogue.forget(&plan.id);
                }
                Err(error)
            }
            ordered => ordered,
        }
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let service_key = service_key(wanted, CHANGE)?;
        let body = wire::InstanceChange { parameters: parameters::of_changed(CHANGE, service_key, wanted)? };
        // The whole parameters are sent, so sending them twice does no harm.
        let call = self.session.patch(CHANGE, &["v1", INSTANCES, &identity.id]).lane(Lane::Changes).json(&body);
        let answer = call.repeatable().send().await?;
        let bare = wanted.roles.is_empty();
        let changed = match watch(&self.session, CHANGE, &answer).await? {
            Course::AtOnce => answer.json(CHANGE)?,
            Course::Done(id) => self.read_instance(CHANGE, &id).await?,
            Course::Open(operation) if bare => return Ok(Ordered::Begun(without_roles(operation))),
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
        };
        if changed.id != identity.id {
            return Err(another(CHANGE));
        }
        if bare && !self.is_bare(&changed.id).await? {
            return Err(not_bare());
        }
        Ok(Ordered::Done(self.seen(changed)))
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        if let Ordered::Begun(operation) = self.revoke_all(&identity.id).await? {
            return Ok(Ordered::Begun(operation));
        }
        let call = self.session.delete(DELETE, &["v1", INSTANCES, &identity.id]).lane(Lane::Changes);
        let answer = call.urgency(Urgency::First).accept(&[404, 410]).send().await.map_err(bound_meanwhile)?;
        match watch(&self.session, DELETE, &answer).await.map_err(bound_meanwhile)? {
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
            Course::AtOnce | Course::Done(_) => {}
        }
        if !says_gone(&answer) && self.exists(&identity.id).await? {
            return Err(another(DELETE));
        }
        self.instances.forget(&identity.id);
        Ok(Ordered::Done(()))
    }

    async fn follow(&self, operation: &Operation) -> Result<Progress> {
        let progress = follow(&self.session, operation).await?;
        match bared(operation) {
            Some(instance) if matches!(progress, Progress::Succeeded) && !self.is_bare(instance).await? => {
                Ok(Progress::Failed(not_bare()))
            }
            _ => Ok(progress),
        }
    }
}

impl ServiceManager {
    /// Orders an instance. [`Kind::Conflict`] where the name is taken.
    async fn order(
        &self,
        wanted: &NewIdentity,
        parameters: Parameters,
        plan: &str,
    ) -> Result<Ordered<ObservedIdentity>> {
        let (name, labels) = (wanted.owner.identity_name(), mark::labels(&wanted.owner, None));
        let body = wire::NewInstance { name: &name, service_plan_id: plan, parameters, labels };
        let call = self.session.post(CREATE, &["v1", INSTANCES]).lane(Lane::Instances).json(&body);
        let answer = call.send().await.map_err(taken)?;
        let made = match watch(&self.session, CREATE, &answer).await? {
            Course::AtOnce => answer.json(CREATE).map_err(taken)?,
            Course::Done(id) => self.read_instance(CREATE, &id).await.map_err(|_| unread(CREATE))?,
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
        };
        let is_it = made.name == name && made.service_plan_id == plan;
        if is_it { Ok(Ordered::Done(self.seen(made))) } else { Err(taken(another(CREATE))) }
    }

    /// The name is taken: by ours, or by a stranger's.
    async fn whose<T>(&self, owner: &Owner, conflict: Error) -> Result<Ordered<T>> {
        let found = Identities::find(self, owner).await?;
        // What holds the name is there, and not to be seen yet.
        if found.is_empty() { Err(Error::new(Kind::OutcomeUnknown, conflict.operation())) } else { Ok(Ordered::Found) }
    }

    async fn instances_by(&self, (kind, query): (&'static str, String)) -> Result<Vec<wire::Instance>> {
        List::new(FIND, INSTANCES, (kind, &query)).read(&self.session).await
    }

    /// Asked of the list: a 404 may be anybody's, an empty list says that there is none.
    async fn exists(&self, id: &str) -> Result<bool> {
        self.instances_by(("fieldQuery", mark::equals("id", id))).await.map(|found| !found.is_empty())
    }

    /// An instance as the platform showed it; its plan is remembered for the origin of its credentials.
    fn seen(&self, instance: wire::Instance) -> ObservedIdentity {
        self.remember(&instance);
        observed(instance)
    }
}

fn observed(instance: wire::Instance) -> ObservedIdentity {
    ObservedIdentity {
        health: wire::health(instance.last_operation.as_ref(), instance.ready, instance.usable),
        mark: instance.labels.as_ref().and_then(mark::read),
        name: instance.name,
        id: instance.id,
        // Parameters cannot be read back from the brokers that take roles.
        roles: None,
        user: None,
        credential: None,
    }
}

/// An instance cannot go while it has bindings. One that came after they were looked for is found in the next try.
fn bound_meanwhile(error: Error) -> Error {
    if error.kind() != Kind::Conflict {
        return error;
    }
    Error::new(Kind::Unavailable, DELETE).detail("somebody bound the instance meanwhile")
}

/// Whether a refusal may mean that the plan is not the one it was. A broker's speaks of the parameters.
fn speaks_of_plan(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::NotFound) && !error.detail_text().contains("BrokerError")
}

fn service_key<'a>(wanted: &'a NewIdentity, operation: &'static str) -> Result<&'a ServiceKey> {
    match &wanted.identity {
        Identity::ServiceKey(service_key) => Ok(service_key),
        _ => {
            Err(Error::new(Kind::Invalid, operation).detail("the Service Manager makes service keys and nothing else"))
        }
    }
}

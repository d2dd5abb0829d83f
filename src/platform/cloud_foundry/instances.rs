//! Service instances: the identities of service keys.

use async_trait::async_trait;

use super::job::{Course, bared, follow, watch, without_roles};
use super::list::{List, only};
use super::places::Place;
use super::{CloudFoundry, INSTANCES, another, is_accepted, mark, taken, unread, wire};
use crate::api::Identity;
use crate::api::identity::{ServiceKey, Space};
use crate::plan::owner::Owner;
use crate::platform::broker::bareness::not_bare;
use crate::platform::broker::mark::of_owner;
use crate::platform::broker::parameters::{self, Parameters};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{Identities, NewIdentity, ObservedIdentity, Operation, Ordered, Progress};

const CREATE: &str = "create service instance";
const CHANGE: &str = "set roles of service instance";
const DELETE: &str = "delete service instance";
const FIND: &str = "find service instance";
const LIST: &str = "list service instances";

#[async_trait]
impl Identities for CloudFoundry {
    /// An instance has its name from the moment it is ordered.
    fn guards_names(&self) -> bool {
        true
    }

    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let labels = mark::of_cluster(cluster);
        let list = List::new(LIST, INSTANCES, &[("type", "managed"), ("label_selector", &labels)]);
        let instances: Vec<wire::Instance> = list.urgency(Urgency::Last).read(&self.session).await?.items;
        self.instances.remember_only(instances.iter().map(|one| (one.guid.clone(), one.seen())));
        let is_ours = |one: &wire::Instance| mark::is_of_cluster(&one.metadata.labels, cluster);
        Ok(instances.into_iter().filter(is_ours).map(observed).collect())
    }

    /// By the mark, and by the name: one that lost its labels must be seen.
    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let (name, labels) = (owner.identity_name(), mark::of_owner(owner));
        let (marked, named) =
            tokio::try_join!(self.instances_by("label_selector", &labels), self.instances_by("names", &name),)?;
        let found = of_owner(FIND, owner, marked, named)?;
        Ok(found.into_iter().map(|instance| self.seen(instance)).collect())
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let (service_key, space) = service_key(wanted, CREATE)?;
        let parameters = parameters::of_new(CREATE, service_key, wanted)?;
        let place = Place::from(space);
        let space = self.places.guid(&place).await?;
        let plan = self.catalogue.by_name(&space, &service_key.offering, &service_key.plan).await?;
        match self.order(wanted, parameters, &space, &plan.id).await {
            Err(error) if error.kind() == Kind::Conflict => self.whose(&wanted.owner, error).await,
            Err(error) => {
                // It may be that the plan or the space is not the one that it was.
                if error.kind() == Kind::Invalid {
                    self.catalogue.forget(&plan.id);
                    self.places.forget(&place);
                }
                Err(error)
            }
            ordered => ordered,
        }
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let (service_key, _) = service_key(wanted, CHANGE)?;
        let body = wire::InstanceChange { parameters: parameters::of_changed(CHANGE, service_key, wanted)? };
        // The whole parameters are sent, so sending them twice does no harm.
        let call = self.session.patch(CHANGE, &["v3", INSTANCES, &identity.id]).json(&body).repeatable();
        let answer = call.send().await?;
        let bare = wanted.roles.is_empty();
        let changed = match watch(&self.session, CHANGE, &answer).await? {
            Course::AtOnce => answer.json(CHANGE)?,
            Course::Done(()) => self.read_instance(CHANGE, &identity.id).await?,
            Course::Open(operation) if bare => return Ok(Ordered::Begun(without_roles(operation, &identity.id))),
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
        };
        if changed.guid != identity.id {
            return Err(another(CHANGE));
        }
        if bare && !self.is_bare(&changed.guid).await? {
            return Err(not_bare());
        }
        Ok(Ordered::Done(self.seen(changed)))
    }

    /// The platform ends the keys of an instance with it.
    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let call = self.session.delete(DELETE, &["v3", INSTANCES, &identity.id]);
        let answer = call.urgency(Urgency::First).accept(&[404, 410]).send().await?;
        if let Course::Open(operation) = watch(&self.session, DELETE, &answer).await? {
            return Ok(Ordered::Begun(operation));
        }
        if !is_accepted(&answer) && self.exists(&identity.id).await? {
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

impl CloudFoundry {
    /// Orders an instance. [`Kind::Conflict`] where the name is taken.
    async fn order(
        &self,
        wanted: &NewIdentity,
        parameters: Parameters,
        space: &str,
        plan: &str,
    ) -> Result<Ordered<ObservedIdentity>> {
        let name = wanted.owner.identity_name();
        let body = wire::Order {
            kind: "managed",
            name: &name,
            parameters: Some(parameters),
            relationships: wire::Relationships {
                space: Some(wire::Related::to(space)),
                service_plan: Some(wire::Related::to(plan)),
                ..wire::Relationships::default()
            },
            metadata: wire::Metadata { labels: mark::labels(&wanted.owner, None) },
        };
        let answer = self.session.post(CREATE, &["v3", INSTANCES]).json(&body).send().await.map_err(taken)?;
        let made = match watch(&self.session, CREATE, &answer).await? {
            Course::AtOnce => answer.json(CREATE).map_err(taken)?,
            Course::Done(()) => self.made(&name, space).await.map_err(|_| unread(CREATE))?,
            Course::Open(operation) => return Ok(Ordered::Begun(operation)),
        };
        let is_it = made.name == name && made.plan() == plan && made.space() == space;
        if is_it { Ok(Ordered::Done(self.seen(made))) } else { Err(taken(another(CREATE))) }
    }

    /// The instance that a job has made: a job does not always tell of what.
    async fn made(&self, name: &str, space: &str) -> Result<wire::Instance> {
        let list = List::new(CREATE, INSTANCES, &[("type", "managed"), ("names", name), ("space_guids", space)]);
        let found: Vec<wire::Instance> = list.read(&self.session).await?.items;
        found.into_iter().next().ok_or_else(|| another(CREATE))
    }

    /// The name is taken: by ours, or by a stranger's.
    async fn whose<T>(&self, owner: &Owner, conflict: Error) -> Result<Ordered<T>> {
        let found = Identities::find(self, owner).await?;
        // What holds the name is there, and not to be seen yet.
        if found.is_empty() { Err(Error::new(Kind::OutcomeUnknown, conflict.operation())) } else { Ok(Ordered::Found) }
    }

    async fn instances_by(&self, filter: &'static str, value: &str) -> Result<Vec<wire::Instance>> {
        let list = List::new(FIND, INSTANCES, &[("type", "managed"), (filter, value)]);
        Ok(list.read(&self.session).await?.items)
    }

    /// Asked of the list: a 404 may be anybody's, an empty list says that there is none.
    async fn exists(&self, guid: &str) -> Result<bool> {
        self.instances_by("guids", &only(guid)).await.map(|found| !found.is_empty())
    }

    /// An instance as the platform showed it; its plan is remembered for the origin of its credentials.
    fn seen(&self, instance: wire::Instance) -> ObservedIdentity {
        self.remember(&instance);
        observed(instance)
    }
}

fn observed(instance: wire::Instance) -> ObservedIdentity {
    ObservedIdentity {
        health: wire::health(instance.last_operation.as_ref()),
        mark: mark::read(&instance.metadata.labels),
        name: instance.name,
        id: instance.guid,
        // Parameters cannot be read back from the brokers that take roles.
        roles: None,
        user: None,
        credential: None,
    }
}

fn service_key<'a>(wanted: &'a NewIdentity, operation: &'static str) -> Result<(&'a ServiceKey, &'a Space)> {
    match &wanted.identity {
        Identity::ServiceKey(service_key) => {
            let space = service_key.space.as_ref();
            let missing = || Error::new(Kind::Invalid, operation).detail("a service instance is made in a space");
            Ok((service_key, space.ok_or_else(missing)?))
        }
        _ => Err(Error::new(Kind::Invalid, operation).detail("Cloud Foundry makes service keys and nothing else")),
    }
}

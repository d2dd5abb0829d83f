//! Jobs: what the Cloud Controller does after it has answered 202. A worker takes a job up, asks the broker, and polls it
//! where it is asynchronous (cloud_controller_ng, `app/jobs/v3`).

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::clients::{Opened, Rights};
use crate::frame::{Settings, answer, random};
use crate::service_manager::{BrokerRefusal, Key, Parameters, Plan};
use crate::subaccount::Subaccount;

use super::CloudFoundry;
use super::permitted::Reader;
use super::refusal::Refusal;
use super::store::{LastOperation, Store, stamp};

/// What a job does when its broker is done.
pub(super) enum Effect {
    /// A role goes.
    DropRole,
    /// An instance stands.
    Provision {
        /// What its parameters open, or the broker's refusal.
        opened: Result<Opened, BrokerRefusal>,
    },
    /// An instance changes.
    Update {
        /// Into these parameters.
        parameters: Parameters,
        /// What they open, or the broker's refusal.
        opened: Result<Opened, BrokerRefusal>,
    },
    /// An instance goes, with its keys.
    Deprovision,
    /// A key stands.
    Bind {
        /// The key, or the broker's refusal; absent while it is being made.
        made: Option<Result<Key, BrokerRefusal>>,
    },
    /// A key goes.
    Unbind,
}

impl Effect {
    /// How errors name it: of a broker that answers at once, and of one that is polled.
    const fn verbs(&self) -> (&'static str, &'static str) {
        match self {
            Self::Provision { .. } => ("provision", "create managed"),
            Self::Update { .. } => ("update", "update"),
            Self::DropRole | Self::Deprovision => ("delete", "delete"),
            Self::Bind { .. } => ("bind", "create"),
            Self::Unbind => ("unbind", "delete"),
        }
    }

    /// The broker's refusal, if it has refused.
    fn refusal(&self) -> Option<&BrokerRefusal> {
        match self {
            Self::Provision { opened } | Self::Update { opened, .. } => opened.as_ref().err(),
            Self::Bind { made } => made.as_ref().and_then(|made| made.as_ref().err()),
            Self::DropRole | Self::Deprovision | Self::Unbind => None,
        }
    }
}

/// How a job goes on.
pub(super) struct Course {
    answered: Duration,
    ends: Duration,
    asynchronous: bool,
    broken: bool,
    effect: Effect,
}

impl Course {
    /// A job without a broker.
    pub(super) fn own(settings: &Settings, now: Duration, effect: Effect) -> Self {
        let answered = now + Duration::from_millis(settings.job_millis);
        Self { answered, ends: answered, asynchronous: false, broken: false, effect }
    }

    /// A job that asks the plan's broker.
    pub(super) fn of(plan: &Plan, settings: &Settings, now: Duration, effect: Effect) -> Self {
        let asynchronous = settings.async_plans.contains(plan.name);
        let answered = now + Duration::from_millis(settings.job_millis + settings.broker_millis);
        let takes = if asynchronous { settings.operation_millis } else { 0 };
        let broken = settings.failing_plans.contains(plan.name);
        Self { answered, ends: answered + Duration::from_millis(takes), asynchronous, broken, effect }
    }
}

/// How jobs and errors name what has a broker.
pub(super) struct Brokered {
    /// The type of jobs that delete it.
    pub(super) deletion: &'static str,
    /// Its own type.
    pub(super) kind: &'static str,
    /// What errors call it.
    pub(super) name: &'static str,
    /// What its deletion does.
    pub(super) effect: fn() -> Effect,
}

impl Brokered {
    /// The refusal of a change while something else goes on.
    pub(super) fn busy(&self) -> Refusal {
        Refusal::unprocessable(format!("There is an operation in progress for the service {}.", self.name))
    }
}

/// Of instances.
pub(super) const INSTANCE: Brokered = Brokered {
    deletion: "service_instance.delete",
    kind: "service_instance",
    name: "instance",
    effect: || Effect::Deprovision,
};
/// Of keys.
pub(super) const KEY: Brokered = Brokered {
    deletion: "service_bindings.delete",
    kind: "service_credential_binding",
    name: "binding",
    effect: || Effect::Unbind,
};

impl CloudFoundry {
    /// Begins a job that asks the plan's broker; its guid.
    pub(super) fn ask_broker(&self, store: &mut Store, job: Job, plan: &Plan, effect: Effect) -> String {
        store.begin(job, Course::of(plan, &self.settings(), self.frame().clock.now(), effect))
    }

    /// Begins a deletion, of which the object's last operation tells at once.
    pub(super) fn begin_deletion(&self, store: &mut Store, what: &Brokered, guid: &str, plan: &Plan) -> Response {
        let now = self.stamp();
        if let Some(last) = store.last_operation_mut(guid) {
            *last = LastOperation::begun("delete", "in progress", &now);
        }
        let job = Job::new(what.deletion, what.kind, guid, &now);
        self.accepted(&self.ask_broker(store, job, plan, (what.effect)()))
    }
}

/// One job.
pub(super) struct Job {
    guid: String,
    operation: &'static str,
    resource_type: &'static str,
    resource: String,
    created_at: String,
    updated_at: String,
    state: &'static str,
    errors: Vec<Value>,
    course: Option<Course>,
}

impl Job {
    /// A job that is about to begin.
    pub(super) fn new(operation: &'static str, resource_type: &'static str, resource: &str, now: &str) -> Self {
        Self {
            guid: random::uuid(),
            operation,
            resource_type,
            resource: resource.to_owned(),
            created_at: now.to_owned(),
            updated_at: now.to_owned(),
            state: "PROCESSING",
            errors: Vec::new(),
            course: None,
        }
    }

    fn shown(&self, cloud: &CloudFoundry, store: &Store) -> Value {
        let mut links = json!({"self": cloud.link(&format!("/v3/jobs/{}", self.guid))});
        if store.has(self.resource_type, &self.resource) {
            links[self.resource_type] = cloud.link(&format!("/v3/{}s/{}", self.resource_type, self.resource));
        }
        json!({
            "guid": self.guid, "created_at": self.created_at, "updated_at": self.updated_at,
            "operation": self.operation, "state": self.state, "errors": self.errors, "warnings": [], "links": links,
        })
    }
}

/// `GET /v3/jobs/{guid}`
pub(super) async fn get(Reader { cloud, .. }: Reader, Path(guid): Path<String>) -> Result<Response, Refusal> {
    cloud.with(|store| {
        let job = store.jobs.get(&guid).ok_or_else(|| Refusal::not_found("Job"))?;
        Ok(answer::json(StatusCode::OK, job.shown(&cloud, store)))
    })
}

impl Store {
    /// Whether there is such an object.
    fn has(&self, resource_type: &str, guid: &str) -> bool {
        match resource_type {
            "role" => self.roles.iter().any(|role| role.base.guid == guid),
            "service_instance" => self.instance(guid).is_some(),
            _ => self.key(guid).is_some(),
        }
    }

    /// Starts a job; its guid.
    pub(super) fn begin(&mut self, mut job: Job, course: Course) -> String {
        job.course = Some(course);
        let guid = job.guid.clone();
        self.running.push(guid.clone());
        self.jobs.insert(guid.clone(), job);
        guid
    }

    /// The broker has made a key, or has refused to. Says whether anybody still waits for it.
    pub(super) fn made(&mut self, job: &str, made: Result<Key, BrokerRefusal>) -> Result<(), Option<String>> {
        let course = self.jobs.get_mut(job).and_then(|job| job.course.as_mut());
        match course.map(|course| &mut course.effect) {
            Some(Effect::Bind { made: waiting }) => {
                *waiting = Some(made);
                Ok(())
            }
            _ => Err(made.ok().and_then(|key| key.client_id)),
        }
    }

    /// Brings every job as far as it is by now.
    pub(super) fn settle(&mut self, subaccount: &Subaccount) {
        let now = subaccount.frame.clock.now();
        for guid in std::mem::take(&mut self.running) {
            if self.is_done(&guid, now) {
                self.end(&guid, subaccount);
            } else {
                self.running.push(guid);
            }
        }
    }

    /// Whether the job has come to its end; shows how far it is if not.
    fn is_done(&mut self, guid: &str, now: Duration) -> bool {
        let Some(job) = self.jobs.get_mut(guid) else { return true };
        let Some(course) = &job.course else { return true };
        if now < course.answered || matches!(course.effect, Effect::Bind { made: None }) {
            return false;
        }
        if course.effect.refusal().is_some() || now >= course.ends {
            return true;
        }
        job.state = "POLLING";
        let (resource, stamp) = (job.resource.clone(), job.updated_at.clone());
        self.show(&resource, "in progress", None, &stamp);
        false
    }

    fn end(&mut self, guid: &str, subaccount: &Subaccount) {
        let stamp = stamp(&subaccount.frame.clock);
        let ending = self.jobs.get_mut(guid).and_then(|job| Some((job.resource.clone(), job.course.take()?)));
        let Some((resource, course)) = ending else { return };
        let (at_once, polled) = course.effect.verbs();
        let broken = "the broker is out of order";
        let outcome = if let Some(refusal) = course.effect.refusal() {
            Err(Refusal::unable(at_once, &format!("Service broker error: {}", refusal.text)))
        } else if course.broken && course.asynchronous {
            Err(Refusal::unable(polled, broken))
        } else if course.broken {
            Err(Refusal::unable(at_once, &format!("Service broker error: {broken}")))
        } else {
            Ok(())
        };
        match &outcome {
            Ok(()) => self.show(&resource, "succeeded", None, &stamp),
            Err(refusal) => self.show(&resource, "failed", Some(refusal.detail()), &stamp),
        }
        if outcome.is_ok() {
            self.apply(&resource, course.effect, subaccount);
        } else if let Effect::Bind { made: Some(Ok(Key { client_id: Some(client), .. })) } = course.effect {
            subaccount.clients.remove(&client);
        }
        if let Some(job) = self.jobs.get_mut(guid) {
            job.state = if outcome.is_ok() { "COMPLETE" } else { "FAILED" };
            job.errors = outcome.err().iter().map(Refusal::entry).collect();
            job.updated_at = stamp;
        }
    }

    /// Shows on an instance or a key how its latest operation stands.
    fn show(&mut self, resource: &str, state: &'static str, description: Option<&str>, stamp: &str) {
        let of_instance = self.instance_mut(resource).map(|one| (&mut one.base, &mut one.last_operation));
        let (base, operation) = match of_instance {
            Some(found) => found,
            None => match self.keys.iter_mut().find(|one| one.base.guid == resource) {
                Some(key) => (&mut key.base, &mut key.last_operation),
                None => return,
            },
        };
        operation.state = state;
        operation.description = description.map(str::to_owned);
        stamp.clone_into(&mut operation.updated_at);
        stamp.clone_into(&mut base.updated_at);
    }

    fn apply(&mut self, resource: &str, effect: Effect, subaccount: &Subaccount) {
        match effect {
            Effect::DropRole => self.roles.retain(|role| role.base.guid != resource),
            Effect::Provision { opened } => {
                if let (Some(instance), Ok(opened)) = (self.instance_mut(resource), opened) {
                    instance.rights = Some(Rights::new(opened));
                }
            }
            Effect::Update { parameters, opened } => {
                if let (Some(instance), Ok(opened)) = (self.instance_mut(resource), opened) {
                    instance.parameters = parameters;
                    if let Some(rights) = &instance.rights {
                        rights.change(opened, subaccount.frame.clock.now());
                    }
                }
            }
            Effect::Bind { made } => {
                if let (Some(key), Some(Ok(made))) = (self.key_mut(resource), made) {
                    key.credentials = made.credentials;
                    key.client_id = made.client_id;
                }
            }
            Effect::Unbind => self.drop_keys(subaccount, |guid, _| guid == resource),
            Effect::Deprovision => {
                self.drop_keys(subaccount, |_, instance| instance == resource);
                if let Some(at) = self.instances.iter().position(|one| one.base.guid == resource) {
                    self.instances.remove(at).plan.broker.deprovision(subaccount, resource);
                }
            }
        }
    }

    /// Takes keys away, with their clients.
    pub(super) fn drop_keys(&mut self, subaccount: &Subaccount, go: impl Fn(&str, &str) -> bool) {
        self.keys.retain(|key| {
            let goes = go(&key.base.guid, &key.instance);
            if let (true, Some(client)) = (goes, &key.client_id) {
                subaccount.clients.remove(client);
            }
            !goes
        });
    }
}

//! Everything the Service Manager holds, and the operations that change it.
//!
//! As in the open core, an order has no row while its broker is asked: the row is written when the broker has answered,
//! so two orders of one name both pass the check that it is free. [`Store::settle`] takes the steps whose moment has
//! come; it is called before anything is looked at.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::clients::Rights;
use crate::subaccount::Subaccount;

use super::answering::Wish;
use super::course::{Course, Effect, Stage};
use super::objects::{Binding, Instance, Operation, OperationKind, Progress};
use super::refusal::Refusal;
use super::shelf::{Base, Resource, Shelf};

/// When the maintainer of the open core takes up an operation that nobody polls (seen after 10 to 20 minutes).
const MAINTENANCE: Duration = Duration::from_mins(15);

/// Instances, bindings, operations.
#[derive(Default)]
pub(crate) struct Store {
    /// All instances.
    pub(crate) instances: Shelf<Instance>,
    /// All bindings.
    pub(crate) bindings: Shelf<Binding>,
    operations: HashMap<String, Operation>,
    courses: HashMap<String, Course>,
    due: BTreeSet<(Duration, String)>,
}

impl Store {
    /// Starts an operation: its broker is asked.
    pub(crate) fn order(&mut self, operation: Operation, course: Course) {
        let id = operation.id.clone();
        self.touch(&operation.resource_id, |base| id.clone_into(&mut base.last_operation));
        self.operations.insert(id.clone(), operation);
        self.follow(id, course);
    }

    /// Notes an operation that has failed before any broker was asked.
    pub(crate) fn refuse(&mut self, operation: Operation, refusal: Refusal) {
        self.touch(&operation.resource_id, |base| operation.id.clone_into(&mut base.last_operation));
        let failed = Operation { progress: Progress::Failed(refusal), ..operation };
        self.operations.insert(failed.id.clone(), failed);
    }

    /// An operation of this object.
    pub(crate) fn operation(&self, resource_id: &str, id: &str) -> Option<&Operation> {
        self.operations.get(id).filter(|operation| operation.resource_id == resource_id)
    }

    /// An operation, whatever it is about.
    pub(crate) fn any_operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    /// The latest operation of an object.
    pub(crate) fn last_operation(&self, base: &Base) -> Option<&Operation> {
        self.operations.get(&base.last_operation)
    }

    /// The kind of operation that is running on an object.
    pub(crate) fn running(&self, base: &Base) -> Option<OperationKind> {
        let last = self.last_operation(base)?;
        (last.progress == Progress::Running).then_some(last.kind)
    }

    /// The request of an operation is cut off. A broker that has not answered yet is given up, and its order leaves
    /// nothing that the Service Manager knows of; one that has is not polled until the maintainer comes by.
    pub(crate) fn cut_off(&mut self, subaccount: &Subaccount, id: &str) {
        match self.courses.get(id).map(|course| course.stage) {
            Some(Stage::Asked) => {
                self.forget(id);
                self.finish(subaccount, id, Err(Refusal::timeout()));
            }
            Some(Stage::Accepted) => self.leave_to_maintenance(subaccount, id),
            None => {}
        }
    }

    /// The client of a request that waits has gone. What stands before the Service Manager keeps the call to a broker
    /// that has not answered yet; a broker that has answered is not polled any more.
    pub(crate) fn hung_up(&mut self, subaccount: &Subaccount, id: &str) {
        let Some(course) = self.courses.get_mut(id) else { return };
        course.hung_up = course.wish == Wish::Wait;
        if course.hung_up && course.stage == Stage::Accepted {
            self.leave_to_maintenance(subaccount, id);
        }
    }

    fn leave_to_maintenance(&mut self, subaccount: &Subaccount, id: &str) {
        if let Some(course) = self.forget(id) {
            let next = subaccount.frame.clock.now() + MAINTENANCE;
            self.follow(id.to_owned(), Course { next, ..course });
        }
    }

    fn follow(&mut self, id: String, course: Course) {
        self.due.insert((course.next, id.clone()));
        self.courses.insert(id, course);
    }

    fn forget(&mut self, id: &str) -> Option<Course> {
        let course = self.courses.remove(id)?;
        self.due.remove(&(course.next, id.to_owned()));
        Some(course)
    }

    /// Takes every step whose moment has come.
    pub(crate) fn settle(&mut self, subaccount: &Subaccount) {
        let now = subaccount.frame.clock.now();
        while self.due.first().is_some_and(|(next, _)| *next <= now) {
            let Some((_, id)) = self.due.pop_first() else { return };
            let Some(course) = self.courses.remove(&id) else { continue };
            match course.stage {
                Stage::Asked => self.answered(subaccount, id, course),
                Stage::Accepted => self.ended(subaccount, &id, course),
            }
        }
    }

    /// The broker has answered: with an error, with what it has done, or with 202.
    fn answered(&mut self, subaccount: &Subaccount, id: String, mut course: Course) {
        if let Err(refusal) = course.answer {
            if course.wish == Wish::Hurry {
                drop(self.write_row(subaccount, &id, &mut course.effect));
            }
            return self.finish(subaccount, &id, Err(refusal));
        }
        if let Err(refusal) = self.write_row(subaccount, &id, &mut course.effect) {
            return self.finish(subaccount, &id, Err(refusal));
        }
        let Some(takes) = course.takes else { return self.ended(subaccount, &id, course) };
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.accepted = true;
        }
        let unwatched = if course.hung_up { MAINTENANCE } else { Duration::ZERO };
        let next = course.next + takes + unwatched;
        self.follow(id, Course { stage: Stage::Accepted, next, ..course });
    }

    /// The broker is done.
    fn ended(&mut self, subaccount: &Subaccount, id: &str, course: Course) {
        let outcome = course.outcome.and_then(|()| self.apply(subaccount, id, course.effect));
        if outcome.is_err() && course.wish == Wish::Wait {
            self.take_back(id);
        }
        self.finish(subaccount, id, outcome);
    }

    /// A creation whose client waited for it leaves nothing when it fails.
    fn take_back(&mut self, id: &str) {
        let created = self.operations.get(id).filter(|operation| operation.kind == OperationKind::Create);
        if let Some(resource) = created.map(|operation| operation.resource_id.clone()) {
            self.instances.remove(&resource);
            self.bindings.remove(&resource);
        }
    }

    /// Writes down what is being created; not ready yet.
    fn write_row(&mut self, subaccount: &Subaccount, id: &str, effect: &mut Effect) -> Result<(), Refusal> {
        let now = subaccount.frame.clock.now();
        let written = |base: &mut Base| {
            base.fits()?;
            id.clone_into(&mut base.last_operation);
            base.made = now;
            Ok::<_, Refusal>(())
        };
        match effect {
            Effect::Provision { row, .. } => {
                let Some(mut instance) = row.take() else { return Ok(()) };
                written(&mut instance.base)?;
                self.instances.add(*instance);
            }
            Effect::Bind { row, .. } => {
                let Some(mut binding) = row.take() else { return Ok(()) };
                written(&mut binding.base)?;
                self.instances.get(&binding.instance_id).ok_or_else(|| Refusal::not_found(Instance::TYPE))?;
                self.bindings.add(*binding);
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends the operation, and shows its end on the object.
    fn finish(&mut self, subaccount: &Subaccount, id: &str, outcome: Result<(), Refusal>) {
        let stamp = subaccount.frame.clock.stamp();
        let Some(operation) = self.operations.get_mut(id) else { return };
        let ready = outcome.is_ok() && operation.kind == OperationKind::Create;
        operation.progress = outcome.map_or_else(Progress::Failed, |()| Progress::Succeeded);
        stamp.clone_into(&mut operation.updated_at);
        let resource = operation.resource_id.clone();
        self.touch(&resource, |base| {
            base.ready |= ready;
            stamp.clone_into(&mut base.updated_at);
        });
    }

    /// Changes what instances and bindings have in common, of whichever the id is.
    fn touch(&mut self, resource: &str, change: impl Fn(&mut Base)) {
        self.instances.change(resource, |item| change(&mut item.base));
        self.bindings.change(resource, |item| change(&mut item.base));
    }

    fn apply(&mut self, subaccount: &Subaccount, id: &str, effect: Effect) -> Result<(), Refusal> {
        let Some(resource) = self.operations.get(id).map(|operation| operation.resource_id.clone()) else {
            return Ok(());
        };
        match effect {
            Effect::Provision { opened, .. } => {
                self.instances.change(&resource, |instance| instance.rights = Some(Rights::new(opened)));
            }
            Effect::Update { change, opened } => {
                let now = subaccount.frame.clock.now();
                self.instances.change(&resource, |instance| instance.become_changed(*change, opened, now));
            }
            Effect::Bind { key, .. } => self.bindings.change(&resource, |binding| {
                let key = key.unwrap_or_default();
                binding.credentials = key.credentials;
                binding.client_id = key.client_id;
            }),
            Effect::Deprovision => return self.deprovision(subaccount, &resource),
            Effect::Unbind => {
                let client = self.bindings.remove(&resource).and_then(|binding| binding.client_id);
                client.iter().for_each(|client| subaccount.clients.remove(client));
            }
        }
        Ok(())
    }

    fn deprovision(&mut self, subaccount: &Subaccount, resource: &str) -> Result<(), Refusal> {
        match self.bindings.count_of(resource) {
            0 => {}
            count => return Err(Refusal::has_bindings(count)),
        }
        if let Some(instance) = self.instances.remove(resource) {
            instance.plan.broker.deprovision(subaccount, resource);
        }
        Ok(())
    }
}

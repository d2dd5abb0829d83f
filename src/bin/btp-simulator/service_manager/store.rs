//! Everything the Service Manager holds, and the operations that change it.
//!
//! Every change is an operation that ends at a moment: now for a synchronous one, a little later for an asynchronous
//! one. [`Store::settle`] ends those whose moment has come; it is called before anything is looked at.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use crate::clients::Rights;
use crate::subaccount::Subaccount;

use super::broker::{Key, Parameters, Wanted};
use super::objects::{Binding, Instance, Operation, OperationKind, Progress};
use super::refusal::Refusal;
use super::shelf::{Base, Resource, Shelf};

/// What an operation does when it ends.
pub(crate) enum Effect {
    /// The instance stands, or has failed.
    Provision(Result<Wanted, Refusal>),
    /// The instance's parameters change, or not.
    Update(Result<(Wanted, Parameters), Refusal>),
    /// The binding stands, or has failed.
    Bind(Result<Key, Refusal>),
    /// The instance goes, unless it has bindings.
    Deprovision,
    /// The binding goes.
    Unbind,
    /// Nothing but the failure.
    Refuse(Refusal),
}

/// Instances, bindings, operations.
#[derive(Default)]
pub(crate) struct Store {
    /// All instances.
    pub(crate) instances: Shelf<Instance>,
    /// All bindings.
    pub(crate) bindings: Shelf<Binding>,
    operations: HashMap<String, Operation>,
    due: BinaryHeap<Reverse<(Duration, String)>>,
    effects: HashMap<String, Effect>,
}

impl Store {
    /// Starts an operation that ends at `ends` with this effect.
    pub(crate) fn begin(&mut self, operation: Operation, ends: Duration, effect: Effect) {
        let id = operation.id.clone();
        self.track(operation);
        self.end_with(&id, ends, effect);
    }

    /// Starts an operation whose effect is not known yet.
    pub(crate) fn track(&mut self, operation: Operation) {
        let (id, resource) = (operation.id.clone(), operation.resource_id.clone());
        match operation.resource_type {
            Instance::TYPE => self.instances.change(&resource, |item| item.base.last_operation = id),
            _ => self.bindings.change(&resource, |item| item.base.last_operation = id),
        }
        self.operations.insert(operation.id.clone(), operation);
    }

    /// Says when and with which effect a tracked operation ends.
    pub(crate) fn end_with(&mut self, operation_id: &str, ends: Duration, effect: Effect) {
        self.effects.insert(operation_id.to_owned(), effect);
        self.due.push(Reverse((ends, operation_id.to_owned())));
    }

    /// An operation of this object.
    pub(crate) fn operation(&self, resource_id: &str, id: &str) -> Option<&Operation> {
        self.operations.get(id).filter(|operation| operation.resource_id == resource_id)
    }

    /// The latest operation of an object.
    pub(crate) fn last_operation(&self, base: &Base) -> Option<&Operation> {
        self.operations.get(&base.last_operation)
    }

    /// Refuses where another operation on the object is still running.
    pub(crate) fn free(&self, base: &Base) -> Result<(), Refusal> {
        let running = self.last_operation(base).is_some_and(|last| last.progress == Progress::Running);
        if running { Err(Refusal::in_progress()) } else { Ok(()) }
    }

    /// Ends every operation whose moment has come.
    pub(crate) fn settle(&mut self, subaccount: &Subaccount) {
        let now = subaccount.frame.clock.now();
        while self.due.peek().is_some_and(|Reverse((ends, _))| *ends <= now) {
            let Some(Reverse((_, id))) = self.due.pop() else { return };
            let Some(effect) = self.effects.remove(&id) else { continue };
            let Some((resource, kind)) = self.operations.get(&id).map(|one| (one.resource_id.clone(), one.kind)) else {
                continue;
            };
            let outcome = self.apply(subaccount, &resource, effect);
            let stamp = subaccount.frame.clock.stamp();
            self.mark(&resource, kind, outcome.is_ok(), &stamp);
            if let Some(operation) = self.operations.get_mut(&id) {
                operation.progress = outcome.map_or_else(Progress::Failed, |()| Progress::Succeeded);
                operation.updated_at = stamp;
            }
        }
    }

    /// A created object is ready if its creation went well; every touched object shows when.
    fn mark(&mut self, resource: &str, kind: OperationKind, well: bool, stamp: &str) {
        let touch = |base: &mut Base| {
            base.ready |= well && kind == OperationKind::Create;
            stamp.clone_into(&mut base.updated_at);
        };
        self.instances.change(resource, |item| touch(&mut item.base));
        self.bindings.change(resource, |item| touch(&mut item.base));
    }

    fn apply(&mut self, subaccount: &Subaccount, resource: &str, effect: Effect) -> Result<(), Refusal> {
        match effect {
            Effect::Refuse(refusal) => Err(refusal),
            Effect::Provision(outcome) => {
                let wanted = outcome?;
                let rights = Rights::new(wanted.scopes, wanted.token_validity);
                self.instances.change(resource, |instance| instance.rights = Some(rights));
                Ok(())
            }
            Effect::Update(outcome) => {
                let (wanted, parameters) = outcome?;
                let now = subaccount.frame.clock.now();
                self.instances.change(resource, |instance| {
                    instance.parameters = parameters;
                    if let Some(rights) = &instance.rights {
                        rights.change(wanted.scopes, wanted.token_validity, now);
                    }
                });
                Ok(())
            }
            Effect::Bind(outcome) => {
                let key = outcome?;
                self.bindings.change(resource, |binding| {
                    binding.credentials = key.credentials;
                    binding.client_id = key.client_id;
                });
                Ok(())
            }
            Effect::Deprovision => self.deprovision(subaccount, resource),
            Effect::Unbind => {
                let client = self.bindings.remove(resource).and_then(|binding| binding.client_id);
                if let Some(client) = client {
                    subaccount.clients.remove(&client);
                }
                Ok(())
            }
        }
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

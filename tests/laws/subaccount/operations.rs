//! What a platform has begun and not ended: operations that it tells of, and orders that nobody knows about.

use std::collections::BTreeSet;
use std::time::Duration;

use technical_user_operator::platform::{Error, Health, Kind, Operation as Location, Progress};
use tokio::time::Instant;

use super::{Credential, Identity, Subaccount};

/// How long an order whose answer was lost may take to come about: less than the operator waits for it.
pub const LATEST: Duration = Duration::from_secs(50);

/// Something that an order brings about.
#[derive(Clone, Debug)]
pub enum Change {
    Create(Identity),
    SetRoles(String, BTreeSet<String>),
    Delete(String),
    Issue(String, Credential),
    Revoke(String),
}

/// A change that was begun.
#[derive(Clone, Debug)]
pub struct Operation {
    id: String,
    change: Change,
    /// When it comes about by itself; never, until somebody lets it end.
    due: Option<Instant>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Succeeded,
    Failed,
}

impl Subaccount {
    /// Begins a change that the platform tells of.
    pub fn begin(&mut self, change: Change) -> Location {
        let id = self.next();
        // What is being made is there already, and not to be used yet.
        match &change {
            Change::Create(identity) => {
                self.happen(Change::Create(Identity { health: Health::InProgress, ..identity.clone() }));
            }
            Change::Issue(of, credential) => {
                let unfinished = Credential { health: Health::InProgress, ..credential.clone() };
                self.happen(Change::Issue(of.clone(), unfinished));
            }
            change => self.occupy(change, true),
        }
        self.operations.push(Operation { id: id.clone(), change, due: None, state: State::Running });
        Location(id)
    }

    /// A change will come about some time later, and nobody is told. What is to be made does not show until then.
    pub fn delay(&mut self, change: Change) {
        let (id, due) = (self.next(), Some(Instant::now() + LATEST));
        self.occupy(&change, true);
        self.operations.push(Operation { id, change, due, state: State::Running });
    }

    /// What is due comes about.
    pub fn tide(&mut self) {
        let now = Instant::now();
        let is_due = |one: &Operation| one.due.is_some_and(|due| due <= now);
        let (due, left) = std::mem::take(&mut self.operations).into_iter().partition(is_due);
        self.operations = left;
        for operation in Vec::<Operation>::from_iter(due) {
            self.occupy(&operation.change, false);
            self.happen(operation.change);
            self.seen();
        }
    }

    /// What the platform is at work on ends, well or badly.
    pub fn finish(&mut self, well: bool) {
        let mut operations = std::mem::take(&mut self.operations);
        for operation in operations.iter_mut().filter(|one| one.due.is_none() && one.state == State::Running) {
            operation.state = if well { State::Succeeded } else { State::Failed };
            self.end(&operation.change, if well { Health::Usable } else { Health::Failed });
        }
        self.operations = operations;
        self.seen();
    }

    fn end(&mut self, change: &Change, health: Health) {
        self.occupy(change, false);
        match change {
            Change::Create(identity) => self.identity(&identity.id).into_iter().for_each(|one| one.health = health),
            Change::Issue(of, credential) => {
                let all = self.identity(of).into_iter().flat_map(|one| &mut one.credentials);
                all.filter(|one| one.id == credential.id).for_each(|one| one.health = health);
            }
            _ if health == Health::Usable => self.happen(change.clone()),
            _ => {}
        }
    }

    /// How an operation stands.
    pub fn follow(&self, location: &Location) -> Progress {
        match self.operations.iter().find(|one| one.id == location.0).map(|one| one.state) {
            Some(State::Running) => Progress::Running,
            Some(State::Succeeded) => Progress::Succeeded,
            Some(State::Failed) => Progress::Failed(Error::new(Kind::Invalid, "follow")),
            None => Progress::Gone,
        }
    }
}

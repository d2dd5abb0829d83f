//! Carries out one round, an effect at a time, so that a test can stop it anywhere or interleave it with another.
//!
//! It follows the docs of the steps and the order of effects of the controller; it must not decide anything itself.

use std::collections::VecDeque;

use technical_user_operator::plan::technical_user::{Have, Health, Hold, Recorded, SecretFact, Step, Want, plan};

use crate::platform::{Refused, Value};
use crate::world::{Secret, World, fingerprint};

/// One effect on the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A step, without the Secret write that belongs to it.
    Step(Step),
    /// Writes the value in memory into the Secret.
    WriteSecret,
    /// Records what the round achieved.
    WriteStatus,
    /// Records, on a status that somebody else wrote meanwhile, that what this round issued may have ended theirs.
    Disown,
}

/// A round under way: what it read, what it holds in memory, what it still has to do.
#[derive(Clone, Debug)]
pub struct Round {
    want: Want,
    have: Have,
    identity_id: Option<u64>,
    version: u64,
    age: usize,
    memory: Option<(i64, Value)>,
    /// Whether the identity was found where it was to be made, so that the roles it carries are not known.
    found: bool,
    pub effects: VecDeque<Effect>,
}

impl Round {
    /// Reads and plans. `age` is how many effects old the listing of the platform is.
    pub fn begin(world: &World, age: usize) -> Self {
        let (want, (view, have)) = (world.want(), world.observe(age));
        let plan = plan(&want, &have);
        let usable = have.identity.as_ref().is_some_and(|identity| identity.health == Health::Usable);
        let records = match plan.hold {
            None => true,
            Some(Hold::NoRoles) => usable,
            Some(Hold::InProgress | Hold::SecretNotOurs) => false,
        };
        let mut effects = VecDeque::new();
        for step in plan.steps {
            let publishes = matches!(step, Step::Issue(_) | Step::Publish(_));
            effects.push_back(Effect::Step(step));
            effects.extend(publishes.then_some(Effect::WriteSecret));
        }
        effects.extend(records.then_some(Effect::WriteStatus));
        let identity_id = view.identity.map(|(id, _)| id);
        Self { want, have, identity_id, version: world.version, age, memory: None, found: false, effects }
    }

    /// Carries out the next effect. `Err` ends the round, as a failed step does.
    pub fn advance(&mut self, world: &mut World) -> Result<(), Refused> {
        let result = match self.effects.pop_front() {
            None => Ok(()),
            Some(Effect::Step(step)) => self.step(world, step),
            Some(Effect::WriteSecret) => self.write_secret(world),
            Some(Effect::WriteStatus) => self.write_status(world),
            Some(Effect::Disown) => Self::disown(world),
        };
        world.seen();
        result
    }

    /// Whether it issued the one secret there can be and has not told the status yet.
    pub fn owes_word(&self, world: &World) -> bool {
        !world.shape.keeps && self.memory.is_some() && !self.effects.is_empty()
    }

    /// Carries out at most so many effects; then the process dies and forgets.
    pub fn run(mut self, world: &mut World, effects: usize) {
        for _ in 0..effects {
            if self.effects.is_empty() || self.advance(world).is_err() {
                return;
            }
        }
    }

    fn step(&mut self, world: &mut World, step: Step) -> Result<(), Refused> {
        let named = |sequence| self.want.owner.credential_name(sequence);
        match step {
            Step::DeleteIdentity => self.identity_id.into_iter().for_each(|id| world.discard(id)),
            Step::Intend(sequence) => {
                let status = Recorded { intent: Some(sequence), ..world.status.clone() };
                self.version = world.write_status(self.version, status)?;
            }
            Step::ForgetRoles => {
                let status = Recorded { roles: None, ..world.status.clone() };
                self.version = world.write_status(self.version, status)?;
            }
            Step::CreateIdentity(roles) => self.found = !world.platform.create(&roles)?,
            Step::SetRoles(roles) => world.platform.set_roles(&roles)?,
            Step::Issue(sequence) => self.memory = Some((sequence, world.issue(sequence, self.age > 0)?)),
            Step::Publish(sequence) => self.memory = Some((sequence, world.platform.reveal(&named(sequence))?)),
            Step::Dress => self.dress(world),
            Step::Revoke(name) => world.revoke(&name),
            Step::RemoveSecret => world.secret = None,
        }
        Ok(())
    }

    /// Only over the Secret that was read, so that an old leader does not bring back what was superseded. Where the
    /// value is the only one there can be, it is written all the same: the status tells what to believe.
    fn write_secret(&self, world: &mut World) -> Result<(), Refused> {
        let (sequence, value) = self.memory.ok_or(Refused)?;
        let changed = world.shape.keeps && world.observe(0).1.secret != self.have.secret;
        if changed || world.secret.as_ref().is_some_and(|secret| secret.foreign) {
            return Err(Refused);
        }
        let (sequence, claimed) = (Some(sequence), Some(fingerprint(value)));
        world.secret = Some(Secret { foreign: false, sequence, value, claimed, dressed: true });
        Ok(())
    }

    /// Only labels and annotations: what was read is claimed, the content stays.
    fn dress(&self, world: &mut World) {
        if let (Some(secret), SecretFact::Ours { fingerprint, .. }) = (&mut world.secret, &self.have.secret) {
            secret.claimed = Some(fingerprint.clone());
            secret.dressed = true;
        }
    }

    fn write_status(&mut self, world: &mut World) -> Result<(), Refused> {
        let published = self.memory.map(|(sequence, value)| (sequence, fingerprint(value)));
        let read = match &self.have.secret {
            SecretFact::Ours { sequence: Some(sequence), fingerprint, .. } => Some((*sequence, fingerprint.clone())),
            _ => None,
        };
        let roles = if self.found { None } else { self.want.roles.clone() };
        let status = Recorded { roles, credential: published.or(read), intent: None };
        if status == world.status {
            return Ok(());
        }
        let written = world.write_status(self.version, status);
        if written.is_err() && !world.shape.keeps && self.memory.is_some() {
            self.effects.push_back(Effect::Disown);
            return Ok(());
        }
        written.map(drop)
    }

    /// An intent beyond everything recorded: the next round issues anew, whichever of the two came last.
    fn disown(world: &mut World) -> Result<(), Refused> {
        let recorded = world.status.credential.as_ref().map(|(sequence, _)| *sequence);
        let intent = Some(recorded.max(world.status.intent).unwrap_or(0) + 1);
        let status = Recorded { intent, ..world.status.clone() };
        world.write_status(world.version, status).map(drop)
    }
}

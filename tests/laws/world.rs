//! Everything outside the operator: the platform, the Secret, the status, and what was seen of the laws being broken.
//!
//! The world plans nothing. Effects go through it so that each is judged at the moment it happens.

use std::collections::BTreeSet;

use technical_user_operator::plan::owner::Owner;
use technical_user_operator::plan::technical_user::{Have, Health, Recorded, SecretFact, Want, plan};

use crate::platform::{Platform, Refused, Value, View};

/// What kind of platform and identity a world has.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent traits, drawn at random each for itself")]
pub struct Shape {
    /// Whether credentials are kept under our names.
    pub keeps: bool,
    /// Whether the platform tells which roles the identity carries.
    pub tells_roles: bool,
    /// Whether the identity carries roles at all.
    pub carries_roles: bool,
    /// Whether it is only made once it has one.
    pub waits_for_roles: bool,
}

/// The Secret.
#[derive(Clone, Debug)]
pub struct Secret {
    pub foreign: bool,
    pub sequence: Option<i64>,
    pub value: Value,
    pub claimed: Option<String>,
    pub dressed: bool,
}

/// The whole of it.
#[derive(Clone, Debug)]
pub struct World {
    pub shape: Shape,
    pub platform: Platform,
    pub secret: Option<Secret>,
    pub status: Recorded,
    /// The status's resourceVersion.
    pub version: u64,
    /// The union of what the RoleBindings wish.
    pub wished: BTreeSet<String>,
    /// Every listing there could have been; the last one is of now.
    pub history: Vec<View>,
    /// Every sequence that the status ever recorded.
    pub recorded_once: BTreeSet<i64>,
    /// Laws that were seen broken.
    pub broken: Vec<String>,
}

/// What a Secret's content is known by.
pub fn fingerprint(value: Value) -> String {
    format!("print-{value}")
}

impl World {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            platform: Platform::new(shape.keeps, shape.tells_roles),
            secret: None,
            status: Recorded::default(),
            version: 0,
            wished: BTreeSet::from(["send".to_owned()]),
            history: vec![View::default()],
            recorded_once: BTreeSet::new(),
            broken: vec![],
        }
    }

    pub fn want(&self) -> Want {
        let text = || "x".to_owned();
        let owner = Owner { cluster: text(), uid: text(), namespace: text(), name: text() };
        let roles = self.shape.carries_roles.then(|| self.wished.clone());
        Want { owner, roles, waits_for_roles: self.shape.waits_for_roles }
    }

    /// What a round reads: Secret and status live, the platform from a listing that is so many effects old.
    pub fn observe(&self, age: usize) -> (View, Have) {
        let view = self.history[self.history.len().saturating_sub(age + 1)].clone();
        let have = Have {
            identity: view.identity.as_ref().map(|(_, fact)| fact.clone()),
            credentials: view.credentials.clone(),
            secret: self.secret_fact(),
            recorded: self.status.clone(),
            keeps: self.shape.keeps,
        };
        (view, have)
    }

    fn secret_fact(&self) -> SecretFact {
        match &self.secret {
            None => SecretFact::Absent,
            Some(secret) if secret.foreign => SecretFact::Foreign,
            Some(secret) => SecretFact::Ours {
                sequence: secret.sequence,
                fingerprint: fingerprint(secret.value),
                claimed: secret.claimed.clone(),
                dressed: secret.dressed,
            },
        }
    }

    /// A listing of now joins the history.
    pub fn seen(&mut self) {
        self.history.push(self.platform.view());
    }

    /// Issues, judging whether the number is new and whether a good credential was ended for nothing.
    pub fn issue(&mut self, sequence: i64, with_old_eyes: bool) -> Result<Value, Refused> {
        if !self.shape.keeps && !with_old_eyes && self.secret_is_sound() {
            self.broken.push(format!("law 5: issue {sequence} ended the sound credential of the Secret"));
        }
        let before = self.platform.issues.len();
        let highest = self.platform.issues.iter().map(|(number, _)| *number).max();
        let result = self.platform.issue(&self.want().owner, sequence);
        let made = self.platform.issues.len() > before;
        let repeated = self.recorded_once.contains(&sequence) || (!self.shape.keeps && Some(sequence) <= highest);
        if made && repeated {
            self.broken.push(format!("law 5: sequence {sequence} stands for two values"));
        }
        result
    }

    /// Revokes, judging whether the Secret holds what is ended.
    pub fn revoke(&mut self, name: &str) {
        let held = self.secret.as_ref().map(|secret| secret.value);
        if self.platform.reveal(name).ok().is_some_and(|value| Some(value) == held) {
            self.broken.push(format!("law 5: {name} was revoked although the Secret holds it"));
        }
        self.platform.revoke(name);
    }

    /// Removes the identity that was seen, judging whether it could still be used.
    pub fn discard(&mut self, id: u64) {
        if self.platform.identity.as_ref().is_some_and(|now| now.id == id && now.health == Health::Usable) {
            self.broken.push("law 5: a usable identity was deleted while its TechnicalUser lives".to_owned());
        }
        self.platform.delete(id);
    }

    /// Replaces the status if nobody else did since `version` was read.
    pub fn write_status(&mut self, version: u64, status: Recorded) -> Result<u64, Refused> {
        if version != self.version {
            return Err(Refused);
        }
        self.recorded_once.extend(status.credential.as_ref().map(|(sequence, _)| *sequence));
        self.status = status;
        self.version += 1;
        Ok(self.version)
    }

    /// Whether the Secret's content works, is described truly, and nothing is recorded that casts doubt on it.
    fn secret_is_sound(&self) -> bool {
        self.secret.as_ref().filter(|secret| self.platform.accepts(secret.value)).is_some_and(|secret| {
            let issued = self.platform.issues.iter().find(|(_, value)| *value == secret.value);
            let truly = issued.map(|(sequence, _)| *sequence) == secret.sequence;
            let doubted = self.status.intent > secret.sequence;
            truly && !doubted && secret.claimed == Some(fingerprint(secret.value))
        })
    }

    /// Everything that still separates the world from what is wanted.
    pub fn unsettled(&self) -> Vec<String> {
        let mut left = vec![];
        let steps = plan(&self.want(), &self.observe(0).1).steps;
        if !steps.is_empty() {
            left.push(format!("law 1: steps in a settled world: {steps:?}"));
        }
        match (&self.platform.identity, &self.secret) {
            (None, _) if self.shape.waits_for_roles && self.wished.is_empty() => {}
            (Some(identity), Some(secret)) => {
                let fit = !self.shape.carries_roles || identity.roles == self.wished;
                let known = secret.sequence.map(|sequence| (sequence, fingerprint(secret.value)));
                let checks = [
                    (fit, "the identity carries the wished roles"),
                    (self.platform.accepts(secret.value), "the Secret's credential works"),
                    (!self.shape.keeps || identity.credentials.len() == 1, "no other credential lives"),
                    (self.status.credential == known, "the status records what the Secret holds"),
                    (self.status.intent.is_none(), "no intent is left"),
                ];
                left.extend(checks.iter().filter(|(held, _)| !held).map(|(_, law)| format!("law 2: not so: {law}")));
            }
            (identity, secret) => left.push(format!("law 2: identity {identity:?}, Secret {secret:?}")),
        }
        left
    }
}

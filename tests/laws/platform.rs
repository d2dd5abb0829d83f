//! A platform in memory: one identity by our name and its credentials. It decides nothing and knows no Secret.
//!
//! It is either one that keeps credentials under our names and shows them again, as Service Manager does, or one
//! whose identity has just the secret that was set last, as a UAA client does.

use std::collections::{BTreeMap, BTreeSet};

use technical_user_operator::plan::owner::Owner;
use technical_user_operator::plan::technical_user::{CredentialFact, Health, IdentityFact};

/// Stands for the content of a credential. Every issue has its own.
pub type Value = u64;

/// The platform said no, or not yet: the round ends.
#[derive(Debug)]
pub struct Refused;

/// What the platform does with the next thing it is asked to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Makes it at once.
    Prompt,
    /// Accepts it and is not done yet.
    Slow,
    /// Fails and leaves what it began in the way.
    Broken,
}

impl Mood {
    const fn health(self) -> Health {
        match self {
            Self::Prompt => Health::Usable,
            Self::Slow => Health::InProgress,
            Self::Broken => Health::Failed,
        }
    }
}

/// One credential of the identity.
#[derive(Clone, Debug)]
pub struct Credential {
    pub health: Health,
    pub value: Value,
}

/// The identity. Its id differs from that of a predecessor of the same name.
#[derive(Clone, Debug)]
pub struct Identity {
    pub id: u64,
    pub health: Health,
    pub roles: BTreeSet<String>,
    pub credentials: BTreeMap<String, Credential>,
    /// The one secret, where the platform keeps no credentials.
    pub current: Option<Value>,
}

/// What one listing showed; the id goes along because calls name an identity by it.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub identity: Option<(u64, IdentityFact)>,
    pub credentials: Vec<CredentialFact>,
}

/// The whole platform.
#[derive(Clone, Debug)]
pub struct Platform {
    pub keeps: bool,
    pub tells_roles: bool,
    pub identity: Option<Identity>,
    pub mood: Mood,
    /// Every issue there ever was: its number and its value.
    pub issues: Vec<(i64, Value)>,
    /// How many identities were ever made.
    pub made: u64,
}

impl Platform {
    pub fn new(keeps: bool, tells_roles: bool) -> Self {
        Self { keeps, tells_roles, identity: None, mood: Mood::Prompt, issues: vec![], made: 0 }
    }

    /// A listing as it would be answered now.
    pub fn view(&self) -> View {
        let Some(identity) = &self.identity else { return View::default() };
        let roles = self.tells_roles.then(|| identity.roles.clone());
        let credentials = identity.credentials.iter();
        View {
            identity: Some((identity.id, IdentityFact { health: identity.health, roles })),
            credentials: credentials
                .map(|(name, one)| CredentialFact { name: name.clone(), health: one.health })
                .collect(),
        }
    }

    /// Makes the identity, or finds the one of that name. Says whether it was made.
    pub fn create(&mut self, roles: &BTreeSet<String>) -> Result<bool, Refused> {
        if let Some(found) = &self.identity {
            return if found.health == Health::Usable { Ok(false) } else { Err(Refused) };
        }
        self.made += 1;
        let health = self.moodily();
        let (credentials, roles) = (BTreeMap::new(), roles.clone());
        self.identity = Some(Identity { id: self.made, health, roles, credentials, current: None });
        if health == Health::Usable { Ok(true) } else { Err(Refused) }
    }

    pub fn set_roles(&mut self, roles: &BTreeSet<String>) -> Result<(), Refused> {
        self.identity.as_mut().ok_or(Refused)?.roles.clone_from(roles);
        Ok(())
    }

    /// Issues a credential. One of that name is found where the platform keeps names; elsewhere the old one ends.
    pub fn issue(&mut self, owner: &Owner, sequence: i64) -> Result<Value, Refused> {
        let fresh = self.issues.len() as Value + 1;
        let health = if self.keeps { self.moodily() } else { Health::Usable };
        let keeps = self.keeps;
        let identity = self.identity.as_mut().ok_or(Refused)?;
        if keeps {
            let name = owner.credential_name(sequence);
            if let Some(found) = identity.credentials.get(&name) {
                return if found.health == Health::Usable { Ok(found.value) } else { Err(Refused) };
            }
            identity.credentials.insert(name, Credential { health, value: fresh });
        } else {
            identity.current = Some(fresh);
        }
        self.issues.push((sequence, fresh));
        if health == Health::Usable { Ok(fresh) } else { Err(Refused) }
    }

    /// The platform's own copy of a credential.
    pub fn reveal(&self, name: &str) -> Result<Value, Refused> {
        let kept = self.identity.as_ref().and_then(|identity| identity.credentials.get(name));
        kept.filter(|one| one.health == Health::Usable).map(|one| one.value).ok_or(Refused)
    }

    /// Ends a credential. Absent is success.
    pub fn revoke(&mut self, name: &str) {
        if let Some(identity) = &mut self.identity {
            identity.credentials.remove(name);
        }
    }

    /// Removes the identity that was seen, with all its credentials; a successor of the same name stays.
    pub fn delete(&mut self, id: u64) {
        self.identity.take_if(|identity| identity.id == id);
    }

    /// Whether a workload that holds this value can log on.
    pub fn accepts(&self, value: Value) -> bool {
        let usable = self.identity.as_ref().filter(|identity| identity.health == Health::Usable);
        usable.is_some_and(|identity| {
            let kept = identity.credentials.values().any(|one| one.health == Health::Usable && one.value == value);
            kept || identity.current == Some(value)
        })
    }

    /// What was under way comes to its end.
    pub fn finish(&mut self, outcome: Health) {
        let Some(identity) = &mut self.identity else { return };
        let all = identity.credentials.values_mut().map(|one| &mut one.health).chain([&mut identity.health]);
        all.filter(|health| **health == Health::InProgress).for_each(|health| *health = outcome);
    }

    /// A mood lasts for one creation. A platform of one secret is done when it answers.
    fn moodily(&mut self) -> Health {
        let mood = std::mem::replace(&mut self.mood, Mood::Prompt);
        if self.keeps { mood.health() } else { Health::Usable }
    }
}

//! A platform in memory: answers after a while, counts its calls, and fails when told to.
//!
//! What it answers is the truth of when the call began or, for writes, of when the write happened. It checks what the
//! mirror promises: one write to a scope at a time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use crate::api::identity::OauthClient;
use crate::api::role::RoleName;
use crate::api::{Identity, IdentityKind, Role, RoleKind};
use crate::plan::capability::{OwnRoles, Recall};
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::plan::owner::Owner;
use crate::platform::mirror::{Mirror, Mirrored};
use crate::platform::{
    Credentials, Driver, Error, Grants, Health, Identities, Issued, Kind, Maker, Mark, NewCredential, NewIdentity,
    ObservedCredential, ObservedIdentity, Operation, Ordered, Progress, Proof, Provenance, Result, Scope,
};

/// How long every call takes.
pub const LATENCY: Duration = Duration::from_millis(50);

#[derive(Default)]
pub struct Truth {
    pub grants: BTreeSet<Grant>,
    /// By their ids.
    pub identities: BTreeMap<String, ObservedIdentity>,
    pub credentials: BTreeMap<String, ObservedCredential>,
    /// Every call, by name; a batch with its size.
    pub calls: Vec<String>,
    /// The next calls fail like this; a write that fails with `OutcomeUnknown` has happened all the same.
    pub faults: VecDeque<Kind>,
    /// Whether a write happens when its call begins rather than when it ends.
    pub eager: bool,
    /// Whether a creation is begun and not done.
    pub slow: bool,
    /// How long a targeted read of grants takes, if not as long as every call.
    pub confirming: Option<Duration>,
    /// The next batch panics.
    pub panics: bool,
    /// How many grants go out together.
    pub batch_size: Option<usize>,
    /// A grant whose changes seem to fail like this, whatever becomes of the rest of the batch.
    pub failing: Option<(Grant, Kind)>,
    /// Scopes that cannot be read.
    pub unreadable: BTreeSet<Scope>,
    /// How many scopes are being read, and how many were at most.
    pub reading: (usize, usize),
    writing: BTreeSet<Scope>,
}

impl Truth {
    pub fn count(&self, call: &str) -> usize {
        self.calls.iter().filter(|made| made.starts_with(call)).count()
    }
}

/// The platform; clones are the same one.
#[derive(Clone, Default)]
pub struct Fake(Arc<Mutex<Truth>>);

impl Fake {
    pub fn driver(&self) -> Driver {
        Driver {
            makers: [(IdentityKind::OauthClient, Maker::of(Arc::new(self.clone()), Recall::Revealed))].into(),
            grants: [(RoleKind::RoleCollection, Arc::new(self.clone()) as Arc<dyn Grants>)].into(),
            ..Driver::default()
        }
    }

    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.0.lock().unwrap()
    }

    /// A read: what was true when it began.
    async fn read<T>(&self, call: &str, read: impl FnOnce(&Truth) -> T) -> Result<T> {
        let (answer, fault) = {
            let mut truth = self.truth();
            truth.calls.push(call.to_owned());
            (read(&truth), truth.faults.pop_front())
        };
        sleep(LATENCY).await;
        fault.map_or(Ok(answer), |kind| Err(Error::new(kind, "read")))
    }

    /// A write: happens at one end of the call or at the other.
    async fn write<T>(&self, call: &str, write: impl FnOnce(&mut Truth) -> T) -> Result<T> {
        let fault = {
            let mut truth = self.truth();
            truth.calls.push(call.to_owned());
            truth.faults.pop_front()
        };
        let happens = fault.is_none_or(|kind| kind == Kind::OutcomeUnknown);
        let mut write = happens.then_some(write);
        let eager = self.truth().eager;
        let mut done = if eager { write.take().map(|write| write(&mut self.truth())) } else { None };
        sleep(LATENCY).await;
        if let Some(write) = write.take() {
            done = Some(write(&mut self.truth()));
        }
        match (fault, done) {
            (None, Some(done)) => Ok(done),
            (fault, _) => Err(Error::new(fault.unwrap_or(Kind::Unavailable), "write")),
        }
    }

    async fn batch(&self, call: &str, grants: &[Grant], write: fn(&mut Truth, &Grant)) -> Vec<Result<()>> {
        assert!(!std::mem::take(&mut self.truth().panics), "told to panic");
        let scopes: BTreeSet<Scope> = grants.iter().map(|grant| self.scope(grant)).collect();
        assert_eq!(scopes.len(), 1, "a batch has one scope");
        let scope = scopes.into_iter().next().unwrap();
        assert!(self.truth().writing.insert(scope.clone()), "two writes to one scope at a time");
        let all = |truth: &mut Truth| grants.iter().for_each(|grant| write(truth, grant));
        let outcome = self.write(&format!("{call} {}", grants.len()), all).await;
        self.truth().writing.remove(&scope);
        let failing = self.truth().failing.clone();
        let of_one = |grant: &Grant| match &failing {
            Some((failing, kind)) if failing == grant => Err(Error::new(*kind, "write")),
            _ => outcome.as_ref().map(|&()| ()).map_err(Error::share),
        };
        grants.iter().map(of_one).collect()
    }
}

/// A read of a scope that is under way.
struct Reading(Fake);

impl Reading {
    fn begin(fake: &Fake) -> Self {
        let mut truth = fake.truth();
        truth.reading.0 += 1;
        truth.reading.1 = truth.reading.1.max(truth.reading.0);
        Self(fake.clone())
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.truth().reading.0 -= 1;
    }
}

#[async_trait]
impl Grants for Fake {
    fn scope(&self, grant: &Grant) -> Scope {
        Scope(grant.role.name().to_owned())
    }

    fn batch_size(&self, _: &Scope) -> usize {
        self.truth().batch_size.unwrap_or(usize::MAX)
    }

    /// Shows strangers' too: what is not asked for is not the mirror's business to rely on.
    async fn read(&self, scope: &Scope, _: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        if self.truth().unreadable.contains(scope) {
            return Err(Error::new(Kind::Unavailable, "read"));
        }
        let at_once = Reading::begin(self);
        let of_scope =
            |truth: &Truth| truth.grants.iter().filter(|grant| grant.role.name() == scope.0).cloned().collect();
        let read = self.read(&format!("read {}", scope.0), of_scope).await;
        drop(at_once);
        read
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        let held = |truth: &Truth| grants.iter().map(|grant| truth.grants.contains(grant)).collect::<Vec<_>>();
        let told = self.read("confirm", held).await;
        let longer = self.truth().confirming.map(|takes| takes.saturating_sub(LATENCY));
        sleep(longer.unwrap_or_default()).await;
        match told {
            Ok(held) => held.into_iter().map(Ok).collect(),
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch("grant", grants, |truth, grant| _ = truth.grants.insert(grant.clone())).await
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        self.batch("revoke", grants, |truth, grant| _ = truth.grants.remove(grant)).await
    }
}

#[async_trait]
impl Identities for Fake {
    fn guards_names(&self) -> bool {
        false
    }

    async fn list(&self, _: &str) -> Result<Vec<ObservedIdentity>> {
        self.read("list identities", |truth| truth.identities.values().cloned().collect()).await
    }

    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let is_theirs = |one: &&ObservedIdentity| one.mark.as_ref().is_some_and(|mark| mark.uid == owner.uid);
        let found = |truth: &Truth| truth.identities.values().filter(is_theirs).cloned().collect();
        self.read("find identities", found).await
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let made = identity(&wanted.owner.uid, &wanted.roles);
        let make = |truth: &mut Truth| match truth.identities.entry(made.id.clone()) {
            Entry::Occupied(_) => Ordered::Found,
            Entry::Vacant(place) if truth.slow => {
                place.insert(ObservedIdentity { health: Health::InProgress, ..made });
                Ordered::Begun(Operation("create".into()))
            }
            Entry::Vacant(place) => Ordered::Done(place.insert(made).clone()),
        };
        self.write("create", make).await
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let changed = ObservedIdentity { roles: Some(wanted.roles.clone()), ..identity.clone() };
        self.write("set roles", |truth| _ = truth.identities.insert(changed.id.clone(), changed.clone())).await?;
        Ok(Ordered::Done(changed))
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        let gone = |truth: &mut Truth| {
            truth.identities.remove(&identity.id);
            truth.credentials.retain(|_, credential| credential.identity != identity.id);
        };
        self.write("delete", gone).await.map(Ordered::Done)
    }

    async fn follow(&self, _: &Operation) -> Result<Progress> {
        self.read("follow", |_| Progress::Succeeded).await
    }
}

#[async_trait]
impl Credentials for Fake {
    async fn list(&self, _: &str) -> Result<Vec<ObservedCredential>> {
        self.read("list credentials", |truth| truth.credentials.values().cloned().collect()).await
    }

    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        let is_its = |one: &&ObservedCredential| one.identity == identity.id;
        self.read("find credentials", |truth| truth.credentials.values().filter(is_its).cloned().collect()).await
    }

    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let name = wanted.name.as_str();
        let made = credential(identity, name);
        self.write("issue", |truth| _ = truth.credentials.insert(made.id.clone(), made.clone())).await?;
        Ok(Ordered::Done(Issued { credential: made, provenance: Provenance::default(), fields: BTreeMap::new() }))
    }

    async fn reveal(&self, _: &ObservedCredential) -> Result<Option<Issued>> {
        self.read("reveal", |_| None).await
    }

    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let gone = |truth: &mut Truth| _ = truth.credentials.remove(&credential.id);
        self.write("revoke credential", gone).await.map(Ordered::Done)
    }

    async fn prove(&self, _: &Issued) -> Result<Proof> {
        self.read("prove", |_| Proof::Works(None)).await
    }
}

pub fn grant(user: usize, role: usize) -> Grant {
    let holder = Holder::named(HolderKind::User, &format!("user-{user}"), "o");
    Grant::new(holder, Role::RoleCollection(RoleName { name: format!("role-{role}") }))
}

/// The only identities that it makes.
pub fn clients(mirror: &Mirror) -> &Mirrored {
    mirror.of(IdentityKind::OauthClient).unwrap()
}

pub fn owner(uid: &str) -> Owner {
    Owner { cluster: "c".into(), uid: uid.into(), namespace: "n".into(), name: "x".into() }
}

pub fn wanted(uid: &str, roles: &[&str]) -> NewIdentity {
    NewIdentity {
        owner: owner(uid),
        identity: Identity::OauthClient(OauthClient { grant_types: Vec::new() }),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        own_roles: OwnRoles::Authorities,
    }
}

/// The identity of the owner of this uid.
pub fn identity(uid: &str, roles: &BTreeSet<String>) -> ObservedIdentity {
    let Owner { uid, namespace, name, .. } = owner(uid);
    ObservedIdentity {
        name: owner(&uid).identity_name(),
        id: format!("id of {uid}"),
        health: Health::Usable,
        roles: Some(roles.clone()),
        mark: Some(Mark { uid, namespace, name }),
        user: None,
        credential: None,
    }
}

pub fn credential(identity: &ObservedIdentity, name: &str) -> ObservedCredential {
    ObservedCredential {
        name: name.to_owned(),
        id: format!("id of {name}"),
        identity: identity.id.clone(),
        health: Health::Usable,
        material: None,
    }
}

//! Laws 1, 2, 3 and 5 where the platform keeps no mark of ours: the plan over a tenant whose mappings say nothing of whose they
//! are, with a death after any effect, certificates that are renewed, and strangers who map theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use technical_user_operator::plan::capability::Recall;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::plan::technical_user::{
    Brought, CredentialFact, Entry, Have, Health, IdentityFact, Intent, Plan, Published, Recorded, SecretFact, Step,
    Superseded, Want, farewell, plan,
};

use crate::config;

const USER: &str = "tu-orders";
const STRANGER: &str = "somebody else";
/// Undisturbed runs within which it comes to rest.
const RUNS: usize = 5;

/// What happens, besides that the operator runs.
#[derive(Clone, Debug)]
enum Happening {
    /// It runs, and dies after so many effects if it has as many.
    Run(usize),
    /// Another certificate is kept in the source.
    Renewed(u8),
    /// Somebody maps a certificate to another user, if nobody has mapped it.
    MappedByStranger(u8),
    /// Somebody removes the mapping of a certificate.
    Unmapped(u8),
    /// Somebody deletes the Secret.
    SecretLost,
}

/// What the record says. The real one is a status that is written with compare-and-swap.
#[derive(Clone, Default)]
struct Record {
    published: Option<Published>,
    ledger: Vec<Entry>,
    intent: Option<Intent>,
    superseded: Vec<Superseded>,
}

/// The tenant, the Secrets and the record.
#[derive(Default)]
struct World {
    /// The user that each certificate stands for.
    mappings: BTreeMap<String, &'static str>,
    source: u8,
    /// Number and certificate.
    secret: Option<(i64, String)>,
    record: Record,
    effects: usize,
    dies_after: Option<usize>,
    broken: Vec<String>,
}

/// It died, or a step failed.
struct Ended;

fn published(sequence: i64, id: Option<String>, fingerprint: String, source: Option<String>) -> Published {
    Published { sequence, id, fingerprint, material: None, source, life: None, rotate_at: None, demand: None }
}

fn certificate(which: u8) -> String {
    format!("certificate {which}")
}

fn owner() -> Owner {
    Owner { cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "x".into() }
}

impl World {
    fn want(&self) -> Want {
        let id = certificate(self.source);
        Want { owner: owner(), brought: Some(Brought { source: id.clone(), id }), ..Want::default() }
    }

    /// What a targeted read, a read of the Secret and the record tell.
    fn have(&self, record: &Record) -> Have {
        let ours = record.ledger.iter().filter(|one| self.mappings.get(&one.id) == Some(&USER));
        let fact = |one: &Entry| CredentialFact {
            id: one.id.clone(),
            name: one.name.clone(),
            identity: USER.into(),
            health: Health::Usable,
            material: None,
        };
        let credentials: Vec<CredentialFact> = ours.map(fact).collect();
        let wanted = certificate(self.source);
        let taken = self.mappings.contains_key(&wanted) && credentials.iter().all(|one| one.id != wanted);
        let secret = self.secret.as_ref().map_or(SecretFact::Absent, |(sequence, content)| SecretFact::Ours {
            sequence: Some(*sequence),
            fingerprint: content.clone(),
            claimed: Some(content.clone()),
            dressed: true,
        });
        let named = IdentityFact { id: USER.into(), health: Health::Usable, roles: None, credential: None };
        let recorded = Recorded {
            identity: Some(USER.into()),
            credential: record.published.clone(),
            ledger: record.ledger.clone(),
            intent: record.intent.clone(),
            superseded: record.superseded.clone(),
            ..Recorded::default()
        };
        let recall = Recall::Brought;
        Have { identities: vec![named], credentials, secret, recorded, recall, taken, ..Have::default() }
    }

    /// One run of the operator. Whether it had nothing to do.
    fn run(&mut self, decide: impl Fn(&Want, &Have, Timestamp) -> Plan, dies_after: Option<usize>) -> bool {
        (self.effects, self.dies_after) = (0, dies_after);
        let mut record = self.record.clone();
        let have = self.have(&record);
        record.ledger.retain(|entry| have.credentials.iter().any(|one| one.id == entry.id));
        let live = record.published.as_ref().filter(|_| record.intent.is_none()).map(|one| one.sequence);
        let is_there = |one: &Superseded| have.credentials.iter().any(|other| Some(&other.id) == one.id.as_ref());
        record.superseded.retain(|one| is_there(one) && Some(one.sequence) != live);
        let decided = decide(&self.want(), &have, Timestamp::UNIX_EPOCH);
        for strand in &decided.strands {
            for step in &strand.steps {
                if self.step(step, &mut record).is_err() {
                    break;
                }
            }
        }
        if !self.is_dead() {
            self.record = record;
        }
        decided.is_quiet()
    }

    fn is_dead(&self) -> bool {
        self.dies_after.is_some_and(|most| self.effects >= most)
    }

    /// Has an effect, unless it is dead; it may die of it.
    fn effect(&mut self, happens: impl FnOnce(&mut Self)) -> Result<(), Ended> {
        if self.is_dead() {
            return Err(Ended);
        }
        happens(self);
        self.effects += 1;
        self.must_hold();
        if self.is_dead() { Err(Ended) } else { Ok(()) }
    }

    fn step(&mut self, step: &Step, record: &mut Record) -> Result<(), Ended> {
        match step {
            Step::Claim { sequence, id } => {
                record.ledger.retain(|entry| entry.id != *id);
                record.ledger.push(Entry { name: owner().credential_name(*sequence), id: id.clone() });
                let written = record.clone();
                self.effect(|world| world.record = written)
            }
            Step::Issue(sequence) => {
                let id = certificate(self.source);
                // As the driver looks right before.
                if self.mappings.contains_key(&id) {
                    return Err(Ended);
                }
                self.effect(|world| world.mappings.extend([(id.clone(), USER)]))?;
                self.publish(*sequence, id, record)
            }
            Step::Publish { sequence, id } => self.publish(*sequence, id.clone(), record),
            Step::Revoke { id, .. } => {
                let id = id.clone();
                record.ledger.retain(|entry| entry.id != id);
                record.superseded.retain(|one| one.id.as_ref() != Some(&id));
                self.effect(|world| world.unmap(&id))
            }
            Step::Acknowledge(sequence) => {
                let content = self.secret.as_ref().map(|(_, held)| held.clone()).unwrap_or_default();
                record.published = Some(published(*sequence, None, content, None));
                record.intent = None;
                Ok(())
            }
            Step::Desist => {
                record.intent = None;
                let written = record.clone();
                self.effect(|world| world.record = written)
            }
            Step::RemoveSecret => self.effect(|world| world.secret = None),
            other => panic!("nothing of that kind is done for a name: {other}"),
        }
    }

    fn publish(&mut self, sequence: i64, id: String, record: &mut Record) -> Result<(), Ended> {
        let (content, source) = (id.clone(), Some(id.clone()));
        if let Some(old) = record.published.clone().filter(|old| old.sequence != sequence) {
            record.superseded.retain(|one| one.sequence != sequence && one.sequence != old.sequence);
            record.superseded.push(Superseded { sequence: old.sequence, id: old.id, overlapped: Duration::ZERO });
            record.intent = Some(Intent { sequence, fingerprint: Some(content.clone()) });
            let written = record.clone();
            self.effect(|world| world.record = written)?;
        }
        record.published = Some(published(sequence, Some(id), content.clone(), source));
        record.intent = None;
        self.effect(|world| world.secret = Some((sequence, content)))
    }

    fn unmap(&mut self, id: &str) {
        if self.mappings.get(id) == Some(&STRANGER) {
            self.broken.push(format!("law 3: {id} was somebody else's"));
        }
        if self.secret.as_ref().is_some_and(|(_, held)| held == id) {
            self.broken.push(format!("law 5: the Secret holds {id}"));
        }
        self.mappings.remove(id);
    }

    /// Whatever is ours is on record before it is there.
    fn must_hold(&mut self) {
        let known = |id: &String| self.record.ledger.iter().any(|entry| entry.id == *id);
        let unknown: Vec<String> =
            self.mappings.iter().filter(|(id, user)| **user == USER && !known(id)).map(|(id, _)| id.clone()).collect();
        self.broken.extend(unknown.into_iter().map(|id| format!("law 2: {id} is on no record")));
    }

    fn strike(&mut self, happening: &Happening) {
        match happening {
            Happening::Run(dies_after) => {
                self.run(plan, Some(*dies_after));
            }
            Happening::Renewed(which) => self.source = *which,
            Happening::MappedByStranger(which) => {
                self.mappings.entry(certificate(*which)).or_insert(STRANGER);
            }
            Happening::Unmapped(which) => {
                self.mappings.remove(&certificate(*which));
            }
            Happening::SecretLost => self.secret = None,
        }
    }

    fn ours(&self) -> Vec<&String> {
        self.mappings.iter().filter(|(_, user)| **user == USER).map(|(id, _)| id).collect()
    }
}

fn after(history: &[Happening]) -> World {
    let mut world = World::default();
    history.iter().for_each(|one| world.strike(one));
    world
}

fn histories() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        6 => (1..6_usize).prop_map(Happening::Run),
        3 => (0..3_u8).prop_map(Happening::Renewed),
        1 => (0..3_u8).prop_map(Happening::MappedByStranger),
        1 => (0..3_u8).prop_map(Happening::Unmapped),
        1 => Just(Happening::SecretLost),
    ];
    vec(happening, 0..12)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn laws_1_2_3_and_5_hold_where_the_record_alone_says_what_is_ours(history in histories()) {
        let mut world = after(&history);
        for _ in 0..RUNS {
            world.run(plan, None);
        }
        prop_assert!(world.run(plan, None), "there is no rest");
        let wanted = certificate(world.source);
        if world.mappings.get(&wanted) != Some(&STRANGER) {
            prop_assert_eq!(world.ours(), vec![&wanted]);
            prop_assert_eq!(world.secret.as_ref().map(|(_, held)| held), Some(&wanted));
        }
        prop_assert_eq!(world.broken, Vec::<String>::new());
    }

    #[test]
    fn law_3_of_what_is_deleted_nothing_of_ours_is_left_and_nothing_else_goes(history in histories()) {
        let mut world = after(&history);
        let strangers = world.mappings.values().filter(|user| **user == STRANGER).count();
        world.broken.retain(|broken| !broken.starts_with("law 5"));
        // The Secret goes with its object, so that it may hold what has ended.
        world.secret = None;
        for _ in 0..RUNS {
            world.run(|_, have, _| farewell(have), None);
        }
        prop_assert_eq!(world.ours(), Vec::<&String>::new());
        prop_assert_eq!(world.mappings.len(), strangers);
        prop_assert_eq!(world.broken, Vec::<String>::new());
    }
}

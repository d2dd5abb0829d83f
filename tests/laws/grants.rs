//! Several RoleBindings over the same few grants in memory: wishes, ledgers, a platform, and other people's grants.
//!
//! It decides nothing. What a binding reads of the others comes from a store that may lag, but never behind the last
//! change of its own spec: one stream of one kind keeps its order.

use std::collections::{BTreeMap, BTreeSet};

use technical_user_operator::api::Role;
use technical_user_operator::api::role_binding::RoleName;
use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};
use technical_user_operator::plan::role_binding::{Ledger, Plan, Stance, World, plan};

/// One RoleBinding. A deleted one wishes nothing.
#[derive(Clone, Debug, Default)]
pub struct Binding {
    pub wished: BTreeMap<Grant, Stance>,
    pub ledger: Ledger,
    /// When its spec changed last, as a position in the store's stream.
    changed: usize,
}

/// The whole of it.
#[derive(Clone, Debug)]
pub struct Grants {
    pub bindings: Vec<Binding>,
    pub platform: BTreeSet<Grant>,
    /// What others granted before any binding recorded it as its own.
    pub foreign: BTreeSet<Grant>,
    /// Every state of the bindings there ever was, in order: the stream that stores follow.
    stream: Vec<Vec<Binding>>,
    /// Laws that were seen broken.
    pub broken: Vec<String>,
}

/// One of the few grants that all is about.
pub fn grant(number: u8) -> Grant {
    let holder = Holder::named(HolderKind::User, "jane", "sap.default");
    Grant::new(holder, Role::RoleCollection(RoleName { name: format!("role-{number}") }))
}

impl Grants {
    pub fn new() -> Self {
        let bindings = vec![Binding::default(); 3];
        let (platform, foreign) = (BTreeSet::new(), BTreeSet::new());
        Self { stream: vec![bindings.clone()], bindings, platform, foreign, broken: vec![] }
    }

    pub fn wish(&mut self, who: usize, wished: BTreeMap<Grant, Stance>) {
        self.bindings[who].wished = wished;
        self.bindings[who].changed = self.stream.len();
        self.stream.push(self.bindings.clone());
    }

    /// Somebody else grants it. It counts as theirs unless a binding already holds or is about to hold it.
    pub fn grant_by_others(&mut self, grant: Grant) {
        if !self.platform.contains(&grant) && !self.made_by_us(&grant) {
            self.foreign.insert(grant.clone());
        }
        self.platform.insert(grant);
    }

    pub fn revoke_by_others(&mut self, grant: &Grant) {
        self.platform.remove(grant);
        self.foreign.remove(grant);
    }

    /// Whether some binding records it as its own.
    pub fn made_by_us(&self, grant: &Grant) -> bool {
        self.bindings.iter().any(|binding| binding.ledger.get(grant) == Some(&true))
    }

    /// What a reconcile of this binding reads: itself live, the others so many changes ago.
    pub fn observe(&self, who: usize, lag: usize) -> World {
        let own = &self.bindings[who];
        let at = (self.stream.len() - 1).saturating_sub(lag).max(own.changed);
        let others = || self.stream[at].iter().enumerate().filter(|(at, _)| *at != who).map(|(_, other)| other);
        let (wanted, ledger) = (own.wished.clone(), own.ledger.clone());
        World {
            have: self
                .platform
                .iter()
                .filter(|one| wanted.contains_key(one) || ledger.contains_key(one))
                .cloned()
                .collect(),
            owned_elsewhere: others()
                .flat_map(|one| &one.ledger)
                .filter(|(_, own)| **own)
                .map(|(one, _)| one.clone())
                .collect(),
            claimed_elsewhere: others().flat_map(Binding::claims).cloned().collect(),
            wanted,
            ledger,
        }
    }

    /// One reconcile, which dies after so many effects: record the intent, grant and revoke, record the ledger.
    pub fn reconcile(&mut self, who: usize, lag: usize, effects: usize) {
        let Plan { intent, grant, revoke, ledger } = plan(&self.observe(who, lag));
        let mut lived = 0..effects;
        let mut alive = || lived.next().is_some();
        if !alive() {
            return;
        }
        self.record(who, intent);
        for one in grant {
            if !alive() {
                return;
            }
            self.grant(who, one);
        }
        for one in revoke {
            if !alive() {
                return;
            }
            self.revoke(who, &one, lag);
        }
        if alive() {
            self.record(who, ledger);
        }
    }

    /// Rounds of all bindings with a store that has caught up.
    pub fn settle(&mut self, rounds: usize) {
        (0..rounds).for_each(|_| (0..self.bindings.len()).for_each(|who| self.reconcile(who, 0, usize::MAX)));
    }

    fn record(&mut self, who: usize, ledger: Ledger) {
        if self.bindings[who].ledger != ledger {
            self.bindings[who].ledger = ledger;
            self.stream.push(self.bindings.clone());
        }
    }

    fn grant(&mut self, who: usize, one: Grant) {
        if self.bindings[who].ledger.get(&one) != Some(&true) {
            self.broken.push(format!("law 3: {one:?} was granted before it was recorded"));
        }
        if self.bindings[who].wished.get(&one) != Some(&Stance::Want) {
            self.broken.push(format!("law 7: {one:?} was granted although it is not allowed"));
        }
        self.platform.insert(one);
    }

    fn revoke(&mut self, who: usize, one: &Grant, lag: usize) {
        if self.foreign.contains(one) || self.bindings[who].ledger.get(one) != Some(&true) {
            self.broken.push(format!("law 3: {one:?} was revoked and is not ours"));
        }
        // A store that lags can cost a grant for the moment until the other binding is reconciled.
        if lag == 0 && self.bindings.iter().any(|binding| binding.claims().any(|claimed| claimed == one)) {
            self.broken.push(format!("law 4: {one:?} was revoked and is wanted"));
        }
        self.platform.remove(one);
    }
}

impl Binding {
    /// What it wants, and what it holds until its grace has passed.
    fn claims(&self) -> impl Iterator<Item = &Grant> {
        let held = |grant: &Grant, stance| stance == Stance::Want || self.ledger.contains_key(grant);
        self.wished.iter().filter(move |(grant, stance)| held(grant, **stance)).map(|(grant, _)| grant)
    }
}

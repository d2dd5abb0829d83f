//! Who holds which role, one picture for each scope, and granting and revoking through the scopes' writers.
//!
//! A picture answers for the grants that somebody asks about and holds nothing of others'. Decides nothing, and never
//! grants what it was not asked to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, stream};

use super::batch::{Coming, ScopeOfGrants};
use super::part::Picture;
use super::queue::Direction;
use super::{Mirror, unsupported};
use crate::api::RoleKind;
use crate::plan::grant::Grant;
use crate::platform::side_by_side::side_by_side;
use crate::platform::{Error, Grants, Result, Scope};

/// How many scopes are read again at once. A read that waits for its turn behind many others runs out of time where a
/// platform takes few calls: Neo takes some ten within the time of one call.
const READS_AT_ONCE: usize = 8;

/// Whether each grant is in force, of those that were asked about when it was read.
pub(super) struct Held(BTreeMap<Grant, bool>);

impl Held {
    pub(super) fn of(asked: BTreeSet<Grant>, held: &BTreeSet<Grant>) -> Self {
        let holds = |grant: Grant| {
            let holds = held.contains(&grant);
            (grant, holds)
        };
        Self(asked.into_iter().map(holds).collect())
    }

    /// How many grants it answers for.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Picture for Held {
    type Key = Grant;
    type Write = (Direction, Grant);

    fn fold(&mut self, (direction, grant): &Self::Write) -> bool {
        let now = *direction == Direction::Grant;
        self.0.insert(grant.clone(), now).is_some_and(|before| before != now)
    }

    fn differences(&self, newer: &Self, touched: &BTreeSet<Grant>) -> BTreeSet<Grant> {
        let differs = |(grant, now): &(&Grant, &bool)| {
            self.0.get(*grant).is_some_and(|before| before != *now) && !touched.contains(*grant)
        };
        newer.0.iter().filter(differs).map(|(grant, _)| grant.clone()).collect()
    }
}

/// What reading all scopes again has shown.
#[derive(Default)]
pub(super) struct Refreshed {
    pub(super) changes: BTreeSet<Grant>,
    pub(super) failures: Vec<(String, Error)>,
}

impl Mirror {
    /// Whether the picture shows each of these grants in force, as it was seen at most `max_age` ago. A scope that
    /// cannot be read fails its own grants. What is not shown is not proven absent: [`Self::confirm`] tells.
    pub async fn holds(&self, grants: &[Grant], max_age: Duration) -> Vec<Result<bool>> {
        let name = |grant: &Grant| self.granting(grant).ok().map(|driver| (grant.role.kind(), driver.scope(grant)));
        side_by_side(grants, grants.len().max(1), name, |of_scope| self.look(of_scope, max_age)).await
    }

    async fn look(&self, of_scope: Vec<&Grant>, max_age: Duration) -> Vec<Result<bool>> {
        let of_scope: Vec<Grant> = of_scope.into_iter().cloned().collect();
        match of_scope.first().map(|first| self.scope_of(first)) {
            Some(Ok(scope)) => scope.look(&of_scope, max_age).await,
            Some(Err(error)) => of_scope.iter().map(|_| Err(error.share())).collect(),
            None => Vec::new(),
        }
    }

    /// [`Grants::holds`], asked together with what others ask at the same moment, and shown at once.
    pub async fn confirm(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        let ask = |grant: &Grant| {
            let driver = self.granting(grant)?;
            let scope = self.scope(grant, driver);
            scope.watched.watch([grant]);
            Ok(self.questions.ask(grant.clone(), scope, driver))
        };
        let questions: Vec<Result<_>> = grants.iter().map(ask).collect();
        join_all(questions.into_iter().map(async |question| question?.await)).await
    }

    /// Says that somebody will ask about these, so that the next read of their scopes answers for all of them: without
    /// it, whoever asks first after a start has a read to itself.
    pub fn expect<'a>(&self, grants: impl IntoIterator<Item = &'a Grant>) {
        for grant in grants {
            if let Ok(scope) = self.scope_of(grant) {
                scope.watched.watch([grant]);
            }
        }
    }

    /// Says that somebody will want some of these in a moment: what goes out to their scopes waits for it, for a while.
    /// Whoever asks for what is new says so first, so that many who are at it together need few calls.
    pub fn announce<'a>(&self, grants: impl IntoIterator<Item = &'a Grant>) -> Coming {
        let named = grants.into_iter().filter_map(|grant| {
            let driver = self.granting(grant).ok()?;
            Some(((grant.role.kind(), driver.scope(grant)), self.scope(grant, driver)))
        });
        Coming::to(named.collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// Grants these, together with what others want of the same scopes. One result for each, in their order.
    ///
    /// Whoever drops this in mid-call loses the answer and nothing else: what was asked for is done.
    pub async fn grant(&self, grants: Vec<Grant>) -> Vec<Result<()>> {
        self.write(Direction::Grant, grants, Coming::default()).await
    }

    /// [`Self::grant`] for somebody who was on the way, and is there now.
    pub async fn grant_announced(&self, grants: Vec<Grant>, coming: Coming) -> Vec<Result<()>> {
        self.write(Direction::Grant, grants, coming).await
    }

    /// Takes these away, together with what others let go of the same scopes, before what waits to be granted there. One
    /// result for each, in their order.
    ///
    /// Whoever drops this in mid-call loses the answer and nothing else: what was asked for is done.
    pub async fn revoke(&self, grants: Vec<Grant>) -> Vec<Result<()>> {
        self.write(Direction::Revoke, grants, Coming::default()).await
    }

    async fn write(&self, direction: Direction, grants: Vec<Grant>, coming: Coming) -> Vec<Result<()>> {
        let request = |grant: Grant| self.scope_of(&grant).map(|scope| scope.request(direction, grant));
        let requests: Vec<Result<_>> = grants.into_iter().map(request).collect();
        drop(coming);
        join_all(requests.into_iter().map(async |request| request?.await)).await
    }

    /// Reads again every scope that was read before, a few at a time. One that fails spoils no other.
    pub(super) async fn refresh_grants(&self) -> Refreshed {
        let scopes: Vec<_> = self.scopes().iter().map(|(name, scope)| (name.clone(), Arc::clone(scope))).collect();
        let reads: Vec<_> = scopes
            .into_iter()
            .map(|(name, scope)| async move {
                let outcome = scope.held.refresh().await;
                (name, scope, outcome)
            })
            .collect();
        let mut refreshed = Refreshed::default();
        let mut reads = stream::iter(reads).buffer_unordered(READS_AT_ONCE);
        while let Some((name, scope, outcome)) = reads.next().await {
            refreshed.failures.extend(outcome.err().map(|error| (name.1.0.clone(), error)));
            refreshed.changes.extend(scope.held.take_changes());
            refreshed.changes.extend(scope.watched.grow_old());
            if scope.watched.is_empty() {
                self.forget(&name, scope);
            }
        }
        refreshed
    }

    /// Drops a scope, unless somebody else is using it right now.
    fn forget(&self, name: &(RoleKind, Scope), scope: Arc<ScopeOfGrants>) {
        let mut scopes = self.scopes();
        drop(scope);
        if scopes.get(name).is_some_and(|scope| Arc::strong_count(scope) == 1) {
            scopes.remove(name);
        }
    }

    fn scope_of(&self, grant: &Grant) -> Result<Arc<ScopeOfGrants>> {
        self.granting(grant).map(|driver| self.scope(grant, driver))
    }

    fn scope(&self, grant: &Grant, driver: &Arc<dyn Grants>) -> Arc<ScopeOfGrants> {
        let (mut scopes, name) = (self.scopes(), driver.scope(grant));
        let new = || ScopeOfGrants::new(name.clone(), Arc::clone(driver));
        Arc::clone(scopes.entry((grant.role.kind(), name.clone())).or_insert_with(new))
    }

    /// Who grants roles of this kind.
    fn granting(&self, grant: &Grant) -> Result<&Arc<dyn Grants>> {
        let kind = grant.role.kind();
        self.grants.get(&kind).ok_or_else(|| unsupported("change a grant", &format!("grants of {kind}")))
    }
}

impl ScopeOfGrants {
    async fn look(&self, grants: &[Grant], max_age: Duration) -> Vec<Result<bool>> {
        self.watched.watch(grants);
        match self.shown(grants, max_age).await {
            Ok(shown) => shown.into_iter().map(Ok).collect(),
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    async fn shown(&self, grants: &[Grant], max_age: Duration) -> Result<Vec<bool>> {
        let shown = |held: &Held| grants.iter().map(|grant| held.0.get(grant).copied()).collect::<Option<Vec<bool>>>();
        if let Some(shown) = self.held.look(max_age, grants, shown).await? {
            return Ok(shown);
        }
        // The picture is of before somebody asked about all of these. A read that begins now answers for them.
        let shown = self.held.look_anew(shown).await?;
        Ok(shown.unwrap_or_else(|| vec![false; grants.len()]))
    }
}

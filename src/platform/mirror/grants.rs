//! Who holds which role, one picture for each scope, and granting and revoking through the scopes' writers.
//!
//! Decides nothing, and never grants what it was not asked to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};

use super::batch::{Direction, ScopeOfGrants};
use super::part::Picture;
use super::{Mirror, unsupported};
use crate::plan::grant::Grant;
use crate::platform::{Grants, Result, Scope};

/// Every grant of a scope.
pub(super) struct Held(pub(super) BTreeSet<Grant>);

impl Picture for Held {
    type Key = Grant;
    type Write = (Direction, Grant);

    fn fold(&mut self, (direction, grant): &Self::Write) -> bool {
        match direction {
            Direction::Grant => self.0.insert(grant.clone()),
            Direction::Revoke => self.0.remove(grant),
        }
    }

    fn differences(&self, newer: &Self, touched: &BTreeSet<Grant>) -> BTreeSet<Grant> {
        self.0.symmetric_difference(&newer.0).filter(|grant| !touched.contains(*grant)).cloned().collect()
    }
}

impl Mirror {
    /// Whether each of these grants is in force, as it was seen at most `max_age` ago.
    pub async fn holds(&self, grants: &[Grant], max_age: Duration) -> Vec<Result<bool>> {
        match self.all_hold(grants, max_age).await {
            Ok(held) => held.into_iter().map(Ok).collect(),
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    async fn all_hold(&self, grants: &[Grant], max_age: Duration) -> Result<Vec<bool>> {
        let driver = self.grants_driver("look up grants")?;
        let mut by_scope: BTreeMap<Scope, Vec<usize>> = BTreeMap::new();
        for (index, grant) in grants.iter().enumerate() {
            by_scope.entry(driver.scope(grant)).or_default().push(index);
        }
        let looks = by_scope.into_iter().map(|(name, indices)| async move {
            let scope = self.scope(name, driver);
            let answers = |held: &Held| indices.iter().map(|&index| held.0.contains(&grants[index])).collect();
            let keys: Vec<Grant> = indices.iter().map(|&index| grants[index].clone()).collect();
            let answers: Vec<bool> = scope.held.look(max_age, &keys, answers).await?;
            Ok(indices.into_iter().zip(answers).collect::<Vec<_>>())
        });
        let mut held = vec![false; grants.len()];
        for (index, answer) in try_join_all(looks).await?.into_iter().flatten() {
            held[index] = answer;
        }
        Ok(held)
    }

    /// [`Grants::holds`], shown at once.
    pub async fn confirm(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        let driver = match self.grants_driver("look up grants") {
            Ok(driver) => driver,
            Err(error) => return grants.iter().map(|_| Err(error.share())).collect(),
        };
        let sights: Vec<_> = grants
            .iter()
            .map(|grant| self.scope(driver.scope(grant), driver).held.sight(vec![grant.clone()]))
            .collect();
        let answers = driver.holds(grants).await;
        for ((sight, grant), answer) in sights.into_iter().zip(grants).zip(&answers) {
            match answer {
                Ok(true) => sight.fold((Direction::Grant, grant.clone()), grant),
                Ok(false) => sight.fold((Direction::Revoke, grant.clone()), grant),
                Err(_) => {}
            }
        }
        answers
    }

    /// Grants these, together with what others want of the same scopes. One result for each, in their order.
    ///
    /// Whoever drops this in mid-call loses the answer and nothing else: what was asked for is done.
    pub async fn grant(&self, grants: Vec<Grant>) -> Vec<Result<()>> {
        self.write(Direction::Grant, grants).await
    }

    /// Takes these away, together with what others let go of the same scopes. One result for each, in their order.
    ///
    /// Whoever drops this in mid-call loses the answer and nothing else: what was asked for is done.
    pub async fn revoke(&self, grants: Vec<Grant>) -> Vec<Result<()>> {
        self.write(Direction::Revoke, grants).await
    }

    async fn write(&self, direction: Direction, grants: Vec<Grant>) -> Vec<Result<()>> {
        let driver = match self.grants_driver("change a grant") {
            Ok(driver) => driver,
            Err(error) => return grants.iter().map(|_| Err(error.share())).collect(),
        };
        let requests: Vec<_> = grants
            .into_iter()
            .map(|grant| self.scope(driver.scope(&grant), driver).request(direction, grant))
            .collect();
        join_all(requests).await
    }

    fn scope(&self, name: Scope, driver: &Arc<dyn Grants>) -> Arc<ScopeOfGrants> {
        let mut scopes = self.scopes();
        Arc::clone(scopes.entry(name).or_insert_with_key(|name| ScopeOfGrants::new(name.clone(), Arc::clone(driver))))
    }

    fn grants_driver(&self, operation: &'static str) -> Result<&Arc<dyn Grants>> {
        self.driver.grants.as_ref().ok_or_else(|| unsupported(operation, "grants of roles to users"))
    }
}

//! Grants of a subaccount in memory, as the seam of the drivers promises them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use technical_user_operator::plan::grant::Grant;
use technical_user_operator::platform::{Error, Grants, Result, Scope};

use super::driver::Reach;

#[async_trait]
impl Grants for Reach {
    fn scope(&self, grant: &Grant) -> Scope {
        Scope(grant.role.kind().to_string())
    }

    fn batch_size(&self, _: &Scope) -> usize {
        2
    }

    async fn read(&self, _: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        Ok(self.picture().await.grants.intersection(of).cloned().collect())
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        self.read(|subaccount| grants.iter().map(|grant| Ok(subaccount.now.grants.contains(grant))).collect()).await
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        let error = self.order(|outside, weather| {
            for grant in grants.iter().filter(|_| weather.arrives()) {
                outside.judge_grant(self.at, grant);
                outside.subaccounts[self.at].now.grants.insert(grant.clone());
            }
            weather.error()
        });
        each(grants, error.await)
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        let error = self.order(|outside, weather| {
            for grant in grants.iter().filter(|_| weather.arrives()) {
                outside.judge_withdrawal(self.at, grant);
                outside.subaccounts[self.at].now.grants.remove(grant);
            }
            weather.error()
        });
        each(grants, error.await)
    }
}

/// The same answer to each.
fn each(grants: &[Grant], error: Option<Error>) -> Vec<Result<()>> {
    grants.iter().map(|_| error.as_ref().map_or(Ok(()), |error| Err(error.share()))).collect()
}

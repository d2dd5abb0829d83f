//! Grants of a subaccount in memory, as the seam of the drivers promises them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use technical_user_operator::api::Role;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::{Error, Grants, Kind, Result, Scope};

use super::driver::Reach;

#[async_trait]
impl Grants for Reach {
    fn scope(&self, role: &Role, _: HolderKind, _: &str) -> Scope {
        Scope(role.kind().to_owned())
    }

    async fn read(&self, scope: &Scope) -> Result<BTreeSet<Grant>> {
        let all = self.picture().await.grants.into_iter();
        Ok(all.filter(|grant| grant.role.kind() == scope.0).collect())
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        let outcome = self.order(|outside, _| {
            for grant in grants {
                outside.judge_grant(self.at, grant);
                outside.subaccounts[self.at].now.grants.insert(grant.clone());
            }
            Ok(())
        });
        each(grants, outcome.await)
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        let outcome = self.order(|outside, _| {
            for grant in grants {
                outside.judge_withdrawal(self.at, grant);
                outside.subaccounts[self.at].now.grants.remove(grant);
            }
            Ok(())
        });
        each(grants, outcome.await)
    }
}

/// The same answer to each.
fn each(grants: &[Grant], outcome: Result<()>) -> Vec<Result<()>> {
    let kind = outcome.err().map(|error| error.kind());
    let again = |kind: Option<Kind>| kind.map_or(Ok(()), |kind| Err(Error::new(kind, "change grants")));
    grants.iter().map(|_| again(kind)).collect()
}

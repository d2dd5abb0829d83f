//! Identities of a subaccount in memory, as the seam of the drivers promises them.

use async_trait::async_trait;
use technical_user_operator::platform::{Error, Health, Identities, Kind, NewIdentity, ObservedIdentity, Result};

use super::driver::Reach;
use super::{Identity, Shape};

#[async_trait]
impl Identities for Reach {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let listed = self.picture().await.identities.into_iter();
        let ours = listed.filter(|one| one.owner.as_ref().is_some_and(|owner| owner.cluster == cluster));
        Ok(ours.map(|one| one.shown(self.shape)).collect())
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        let name = wanted.owner.identity_name();
        self.order(|outside, weather| {
            let subaccount = &mut outside.subaccounts[self.at];
            if let Some(found) = subaccount.now.identities.iter_mut().find(|one| one.name == name) {
                found.roles.clone_from(&wanted.roles);
                return Ok(found.shown(self.shape));
            }
            subaccount.made += 1;
            let made = Identity {
                id: subaccount.next(),
                name,
                owner: Some(wanted.owner.clone()),
                health: if self.shape == Shape::Uaa { Health::Usable } else { weather.health() },
                roles: wanted.roles.clone(),
                credentials: vec![],
            };
            let shown = made.shown(self.shape);
            subaccount.now.identities.push(made);
            Ok(shown)
        })
        .await
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<ObservedIdentity> {
        self.order(|outside, _| {
            let found = outside.subaccounts[self.at].identity(&identity.id);
            let found = found.ok_or_else(|| Error::new(Kind::NotFound, "set roles"))?;
            found.roles.clone_from(&wanted.roles);
            Ok(found.shown(self.shape))
        })
        .await
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<()> {
        self.order(|outside, _| {
            outside.judge_deletion(self.at, &identity.id);
            outside.subaccounts[self.at].now.identities.retain(|one| one.id != identity.id);
            Ok(())
        })
        .await
    }
}

impl Identity {
    /// As the platform shows it.
    fn shown(&self, shape: Shape) -> ObservedIdentity {
        ObservedIdentity {
            name: self.name.clone(),
            id: self.id.clone(),
            health: self.health,
            roles: (shape == Shape::Uaa).then(|| self.roles.clone()),
        }
    }
}

//! Identities of a subaccount in memory, as the seam of the drivers promises them.

use async_trait::async_trait;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::platform::{
    Error, Health, Identities, Kind, Mark, NewIdentity, ObservedIdentity, Operation, Ordered, Progress, Result,
};

use super::driver::Reach;
use super::operations::Change;
use super::{Identity, Shape};

#[async_trait]
impl Identities for Reach {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>> {
        let listed = self.picture().await.identities.into_iter();
        let ours = listed.filter(|one| one.owner.as_ref().is_some_and(|owner| owner.cluster == cluster));
        Ok(ours.map(|one| one.shown(self.shape)).collect())
    }

    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
        let name = owner.identity_name();
        self.read(|subaccount| {
            let all = subaccount.now.identities.iter();
            let (ours, others): (Vec<_>, Vec<_>) = all.partition(|one| one.is_of(owner));
            if ours.is_empty() && others.iter().any(|one| one.name == name) {
                return Err(Error::new(Kind::Conflict, "find"));
            }
            Ok(ours.into_iter().map(|one| one.shown(self.shape)).collect())
        })
        .await
    }

    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        let name = wanted.owner.identity_name();
        self.order(|outside, weather| {
            outside.judge_identity(self.at, &wanted.owner, &wanted.roles, None);
            let subaccount = &mut outside.subaccounts[self.at];
            if let Some(found) = subaccount.now.identities.iter().find(|one| one.name == name) {
                let ours = found.is_of(&wanted.owner);
                return if ours { Ok(Ordered::Found) } else { Err(Error::new(Kind::Conflict, "create")) };
            }
            let (id, owner, roles) = (subaccount.next(), Some(wanted.owner.clone()), wanted.roles.clone());
            let made = Identity { id, name, owner, health: Health::Usable, busy: false, roles, credentials: vec![] };
            let shown = made.shown(self.shape);
            subaccount.carry_out(weather, Change::Create(made), shown)
        })
        .await
    }

    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
        self.order(|outside, weather| {
            outside.judge_identity(self.at, &wanted.owner, &wanted.roles, Some(&identity.id));
            let subaccount = &mut outside.subaccounts[self.at];
            let found = subaccount.identity(&identity.id).ok_or_else(|| Error::new(Kind::NotFound, "set roles"))?;
            if found.busy {
                return Err(Error::new(Kind::InProgress, "set roles"));
            }
            let shown = Identity { roles: wanted.roles.clone(), ..found.clone() }.shown(self.shape);
            subaccount.carry_out(weather, Change::SetRoles(identity.id.clone(), wanted.roles.clone()), shown)
        })
        .await
    }

    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
        self.order(|outside, weather| {
            if outside.subaccounts[self.at].identity(&identity.id).is_some_and(|one| one.busy) {
                return Err(Error::new(Kind::InProgress, "delete"));
            }
            outside.judge_deletion(self.at, &identity.id);
            outside.subaccounts[self.at].carry_out(weather, Change::Delete(identity.id.clone()), ())
        })
        .await
    }

    fn guards_names(&self) -> bool {
        self.shape.is_plain()
    }

    async fn follow(&self, operation: &Operation) -> Result<Progress> {
        Ok(self.read(|subaccount| subaccount.follow(operation)).await)
    }
}

impl Identity {
    fn is_of(&self, owner: &Owner) -> bool {
        self.owner.as_ref().is_some_and(|one| (&one.cluster, &one.uid) == (&owner.cluster, &owner.uid))
    }

    /// As the platform shows it.
    fn shown(&self, shape: Shape) -> ObservedIdentity {
        let mark = |owner: &Owner| Mark {
            uid: owner.uid.clone(),
            namespace: owner.namespace.clone(),
            name: owner.name.clone(),
        };
        let (tells, keeps) = (shape.is_plain(), shape.keeps());
        ObservedIdentity {
            name: self.name.clone(),
            id: self.id.clone(),
            health: if self.busy { Health::InProgress } else { self.health },
            roles: tells.then(|| self.roles.clone()),
            mark: self.owner.as_ref().map(mark),
            user: None,
            credential: self.credentials.last().filter(|_| !keeps).map(|one| one.name.clone()),
        }
    }
}

//! Credentials of a subaccount in memory, as the seam of the drivers promises them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::platform::{
    Credentials, Error, Field, Health, Issued, Kind, ObservedCredential, ObservedIdentity, Proof, Provenance, Result,
};

use super::driver::Reach;
use super::{Credential, Identity, Shape};

/// The field in which the value is.
pub const VALUE: &str = "clientsecret";

#[async_trait]
impl Credentials for Reach {
    fn keeps(&self) -> bool {
        self.shape == Shape::ServiceManager
    }

    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>> {
        let listed = self.picture().await.identities;
        let ours = listed.iter().filter(|one| one.owner.as_ref().is_some_and(|owner| owner.cluster == cluster));
        let all = ours.flat_map(|one| one.credentials.iter().map(|credential| credential.shown(one)));
        Ok(if self.keeps() { all.collect() } else { vec![] })
    }

    async fn issue(&self, identity: &ObservedIdentity, _: &Owner, name: &str) -> Result<Issued> {
        self.order(|outside, weather| {
            let keeps = self.keeps();
            if !keeps {
                outside.judge_succession(self.at, &identity.id);
            }
            let subaccount = &mut outside.subaccounts[self.at];
            let id = subaccount.next();
            let found = subaccount.identity(&identity.id).ok_or_else(|| Error::new(Kind::NotFound, "issue"))?;
            if found.health != Health::Usable {
                return Err(Error::new(Kind::Unavailable, "issue"));
            }
            if let Some(known) = found.credentials.iter().find(|one| keeps && one.name == name) {
                return Ok(known.issued(found));
            }
            let health = if keeps { weather.health() } else { Health::Usable };
            let made = Credential { value: format!("planted-{id}"), id, name: name.to_owned(), health };
            if !keeps {
                found.credentials.clear();
            }
            found.credentials.push(made);
            Ok(found.credentials[found.credentials.len() - 1].issued(found))
        })
        .await
    }

    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let issued = self.read(|subaccount| {
            let all = subaccount.now.identities.iter().flat_map(|one| one.credentials.iter().map(move |it| (one, it)));
            let mut usable = all.filter(|(_, one)| one.health == Health::Usable);
            usable.find(|(_, one)| one.id == credential.id).map(|(identity, one)| one.issued(identity))
        });
        if self.keeps() { issued.await.map(Some).ok_or_else(|| Error::new(Kind::NotFound, "reveal")) } else { Ok(None) }
    }

    async fn revoke(&self, credential: &ObservedCredential) -> Result<()> {
        self.order(|outside, _| {
            outside.judge_revocation(self.at, &credential.id);
            for identity in &mut outside.subaccounts[self.at].now.identities {
                identity.credentials.retain(|one| one.id != credential.id);
            }
            Ok(())
        })
        .await
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        let Some(Field::Text(value)) = issued.fields.get(VALUE) else {
            return Ok(Proof::NotTestable);
        };
        let works = self.read(|subaccount| subaccount.accepts(value.expose_secret())).await;
        if works { Ok(Proof::Works) } else { Err(Error::new(Kind::ProofRefused, "prove")) }
    }
}

impl Credential {
    /// As the platform shows it.
    fn shown(&self, identity: &Identity) -> ObservedCredential {
        ObservedCredential {
            name: self.name.clone(),
            id: self.id.clone(),
            identity: identity.id.clone(),
            health: self.health,
        }
    }

    fn issued(&self, identity: &Identity) -> Issued {
        let field = |value: &str| Field::Text(value.into());
        Issued {
            credential: self.shown(identity),
            provenance: Provenance::default(),
            fields: BTreeMap::from([
                ("clientid".to_owned(), field(&identity.name)),
                (VALUE.to_owned(), field(&self.value)),
            ]),
        }
    }
}

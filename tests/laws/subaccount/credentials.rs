//! Credentials of a subaccount in memory, as the seam of the drivers promises them.

use async_trait::async_trait;
use secrecy::ExposeSecret;
use technical_user_operator::plan::capability::Recall;
use technical_user_operator::platform::{
    Credentials, Error, Field, Health, Issued, Kind, NewCredential, ObservedCredential, ObservedIdentity, Ordered,
    Proof, Provenance, Result,
};

use super::certificate;
use super::driver::Reach;
use super::operations::Change;
use super::{Credential, Identity};

/// The field in which the value is.
pub const VALUE: &str = "clientsecret";

#[async_trait]
impl Credentials for Reach {
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>> {
        let listed = self.picture().await.identities;
        let ours = listed.iter().filter(|one| one.owner.as_ref().is_some_and(|owner| owner.cluster == cluster));
        let all = ours.flat_map(|one| one.credentials.iter().map(|credential| credential.shown(one)));
        Ok(if self.shape.keeps() { all.collect() } else { vec![] })
    }

    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        let keeps = self.shape.keeps();
        let shown = |one: &Identity| one.credentials.iter().map(|it| it.shown(one)).collect();
        let found = self.read(|subaccount| subaccount.identity(&identity.id).map(|one| shown(one)).unwrap_or_default());
        Ok(if keeps { found.await } else { vec![] })
    }

    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let NewCredential { owner, name, making } = wanted;
        self.order(|outside, weather| {
            outside.judge_issue(self.at, &identity.id, owner, self.shape);
            let subaccount = &mut outside.subaccounts[self.at];
            let id = subaccount.next();
            let found = subaccount.identity(&identity.id).ok_or_else(|| Error::new(Kind::NotFound, "issue"))?;
            if found.busy || found.health == Health::InProgress {
                return Err(Error::new(Kind::InProgress, "issue"));
            }
            if found.health != Health::Usable {
                return Err(Error::new(Kind::Unavailable, "issue"));
            }
            if self.shape.keeps() && found.credentials.iter().any(|one| one.name == *name) {
                return Ok(Ordered::Found);
            }
            let value = format!("planted-{id}");
            let (name, material, certificate) = (name.clone(), making.material(), certificate::made(making));
            let made = Credential { value, id, name, health: Health::Usable, busy: false, material, certificate };
            let issued = made.issued(found);
            subaccount.carry_out(weather, Change::Issue(identity.id.clone(), made), issued)
        })
        .await
    }

    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        let issued = self.read(|subaccount| {
            let all = subaccount.now.identities.iter().flat_map(|one| one.credentials.iter().map(move |it| (one, it)));
            let mut usable = all.filter(|(_, one)| one.health == Health::Usable);
            usable.find(|(_, one)| one.id == credential.id).map(|(identity, one)| one.issued(identity))
        });
        if self.shape.recall() == Recall::Revealed {
            issued.await.map(Some).ok_or_else(|| Error::new(Kind::NotFound, "reveal"))
        } else {
            Ok(None)
        }
    }

    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        self.order(|outside, weather| {
            let all = outside.subaccounts[self.at].now.identities.iter().flat_map(|one| &one.credentials);
            if all.into_iter().any(|one| one.id == credential.id && one.busy) {
                return Err(Error::new(Kind::InProgress, "revoke"));
            }
            outside.judge_revocation(self.at, &credential.id);
            outside.subaccounts[self.at].carry_out(weather, Change::Revoke(credential.id.clone()), ())
        })
        .await
    }

    async fn prove(&self, issued: &Issued) -> Result<Proof> {
        let Some(Field::Text(value)) = issued.fields.get(VALUE) else {
            return Ok(Proof::NotTestable);
        };
        let works = self.read(|subaccount| subaccount.accepts(value.expose_secret())).await;
        if works { Ok(Proof::Works(None)) } else { Err(Error::new(Kind::ProofRefused, "prove")) }
    }
}

impl Credential {
    /// As the platform shows it.
    fn shown(&self, identity: &Identity) -> ObservedCredential {
        ObservedCredential {
            name: self.name.clone(),
            id: self.id.clone(),
            identity: identity.id.clone(),
            health: if self.busy { Health::InProgress } else { self.health },
            material: self.material.clone(),
        }
    }

    fn issued(&self, identity: &Identity) -> Issued {
        let field = |value: &str| Field::Text(value.into());
        Issued {
            credential: self.shown(identity),
            provenance: Provenance::default(),
            fields: [("clientid", &identity.name), (VALUE, &self.value)]
                .into_iter()
                .chain(self.certificate.as_ref().map(|pem| ("tls.crt", pem)))
                .map(|(name, value)| (name.to_owned(), field(value)))
                .collect(),
        }
    }
}

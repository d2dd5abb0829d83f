//! What there is for a TechnicalUser: on the platform through the mirror, in the Secret by one live read, in the status.

use std::time::Duration;

use crate::api::TechnicalUser;
use crate::controller::Context;
use crate::controller::connections::Connection;
use crate::controller::error::Result;
use crate::controller::live::Live;
use crate::controller::secret::Found;
use crate::plan::owner::Owner;
use crate::plan::technical_user::{CredentialFact, Have, IdentityFact, Recorded, SecretFact};
use crate::platform::{ObservedCredential, ObservedIdentity};

/// How old the picture may be that says "there is nothing to remove". Letting go of an object on an older one could
/// leave something behind that a process before us made.
const CERTAIN: Duration = Duration::from_secs(2);

/// What was seen.
pub struct Seen {
    /// For the plan.
    pub have: Have,
    /// The identity, for the calls.
    pub identity: Option<ObservedIdentity>,
    /// Its credentials, for the calls.
    pub credentials: Vec<ObservedCredential>,
    /// The Secret, for the writes.
    pub secret: Option<Found>,
}

/// Looks at what there is. The mirror may be as old as its last refresh: what is made on its word is made under a
/// name that is found if it is there already.
pub async fn observe(
    live: &Live<TechnicalUser>,
    owner: &Owner,
    connection: &Connection,
    context: &Context,
) -> Result<Seen> {
    look(live, owner, connection, context, Duration::MAX).await
}

/// Looks at what there is, to remove it: what is not seen must really not be there.
pub async fn observe_to_remove(
    live: &Live<TechnicalUser>,
    owner: &Owner,
    connection: &Connection,
    context: &Context,
) -> Result<Seen> {
    let seen = look(live, owner, connection, context, Duration::MAX).await?;
    if seen.identity.is_some() {
        return Ok(seen);
    }
    look(live, owner, connection, context, CERTAIN).await
}

async fn look(
    live: &Live<TechnicalUser>,
    owner: &Owner,
    connection: &Connection,
    context: &Context,
    max_age: Duration,
) -> Result<Seen> {
    let (platform, secret) = tokio::join!(on_platform(owner, connection, max_age), secret(live, context));
    let ((identity, credentials), secret) = (platform?, secret?);
    let have = Have {
        identity: identity
            .as_ref()
            .map(|identity| IdentityFact { health: identity.health, roles: identity.roles.clone() }),
        credentials: credentials
            .iter()
            .map(|credential| CredentialFact { name: credential.name.clone(), health: credential.health })
            .collect(),
        secret: secret.as_ref().map_or(SecretFact::Absent, Found::fact),
        recorded: recorded(live),
        keeps: connection.mirror.keeps_credentials(),
    };
    Ok(Seen { have, identity, credentials, secret })
}

async fn on_platform(
    owner: &Owner,
    connection: &Connection,
    max_age: Duration,
) -> Result<(Option<ObservedIdentity>, Vec<ObservedCredential>)> {
    let identity = connection.mirror.identities(owner, max_age).await?.into_iter().next();
    let credentials = match &identity {
        Some(identity) => connection.mirror.credentials_of(identity, max_age).await?,
        None => vec![],
    };
    Ok((identity, credentials))
}

async fn secret(live: &Live<TechnicalUser>, context: &Context) -> Result<Option<Found>> {
    let Some(credential) = &live.object().spec.credential else {
        return Ok(None);
    };
    let template = credential.secret_template.clone().unwrap_or_default();
    Found::read(context.client.clone(), live.object(), &credential.secret_name, template).await.map(Some)
}

fn recorded(live: &Live<TechnicalUser>) -> Recorded {
    let status = &live.status;
    Recorded {
        roles: status.identity.as_ref().and_then(|identity| Some(identity.roles.as_ref()?.iter().cloned().collect())),
        credential: status.credential.as_ref().map(|credential| (credential.sequence, credential.fingerprint.clone())),
        intent: status.intent,
    }
}

//! What there is for a TechnicalUser: on the platform through the mirror, in the Secret by one live read, in the status.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::ResourceExt;

use super::{ledger, overlap};
use crate::api::{LayoutStatus, MadeOf, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::Result;
use crate::controller::live::{Kind, Live};
use crate::controller::secret::Found;
use crate::plan::owner::Owner;
use crate::plan::technical_user::{
    Brought, CredentialFact, Entry, Have, IdentityFact, Intent, Life, Published, Recorded, SecretFact, Users,
};
use crate::platform::mirror::Mirrored;
use crate::platform::{ObservedCredential, ObservedIdentity};

/// What was seen.
pub struct Seen {
    /// For the plan.
    pub have: Have,
    /// The identities, for the calls.
    pub identities: Vec<ObservedIdentity>,
    /// Their credentials, for the calls.
    pub credentials: Vec<ObservedCredential>,
    /// The Secret, for the writes.
    pub secret: Option<Found>,
    /// Whether the platform was asked for this very object, so that what is not seen is not there.
    pub certain: bool,
}

/// Looks at what there is. The mirror may be as old as its last refresh and its lists may lie: what they do not show
/// proves nothing.
pub async fn observe(
    live: &Live<TechnicalUser>,
    owner: &Owner,
    brought: Option<&Brought>,
    mirrored: &Mirrored,
    context: &Context,
) -> Result<Seen> {
    let (untouched, settled) = (has_nothing(live, context), is_settled(live));
    // Of a name nobody knows what others have brought to it.
    let untouched = untouched && ledger::named(live.object(), mirrored).is_none();
    let platform = async {
        match (untouched, settled) {
            (true, _) => Ok(OnPlatform::default()),
            (false, true) => pictured(live, owner, mirrored).await,
            (false, false) => told(live, owner, brought, mirrored).await,
        }
    };
    let (platform, secret) = tokio::join!(platform, secret(live, context));
    Ok(seen(live, platform?, secret?, mirrored, context, untouched || !settled))
}

/// Looks again at the platform, and asks it for this very object.
pub async fn make_certain(
    mut seen: Seen,
    live: &Live<TechnicalUser>,
    owner: &Owner,
    brought: Option<&Brought>,
    mirrored: &Mirrored,
    context: &Context,
) -> Result<Seen> {
    let platform = told(live, owner, brought, mirrored).await?;
    Ok(self::seen(live, platform, seen.secret.take(), mirrored, context, true))
}

/// Looks at what there is, to remove it: what is not seen must really not be there.
pub async fn observe_to_remove(
    live: &Live<TechnicalUser>,
    owner: &Owner,
    mirrored: &Mirrored,
    context: &Context,
) -> Result<Seen> {
    let (platform, secret) = tokio::join!(told(live, owner, None, mirrored), secret(live, context));
    Ok(seen(live, platform?, secret?, mirrored, context, true))
}

/// What is there of an object for which nothing was made yet. Nobody has looked, so it proves nothing.
pub fn nothing(live: &Live<TechnicalUser>, mirrored: &Mirrored, context: &Context) -> Seen {
    seen(live, OnPlatform::default(), None, mirrored, context, false)
}

/// Before an object was held for the first time nothing was ever begun for it, and as long as every order since then was
/// refused, nothing was made.
pub fn has_nothing(live: &Live<TechnicalUser>, context: &Context) -> bool {
    let uid = live.object().uid().unwrap_or_default();
    if !live.is_held() && !live.object().holds_something() {
        context.orders.new_object(&uid);
    }
    context.orders.has_nothing(&uid)
}

/// Whether everything is on record and nothing is under way, so that a picture is enough to see that all is well.
fn is_settled(live: &Live<TechnicalUser>) -> bool {
    let status = &live.status;
    let recorded = status.identity.is_some() && status.credential.is_some();
    let live = status.credential.as_ref().and_then(|credential| credential.id.as_ref());
    let no_others = status.ledger.iter().all(|entry| Some(&entry.id) == live);
    recorded && no_others && status.operation.is_none() && status.intent.is_none()
}

/// What the platform shows of an object.
#[derive(Default)]
struct OnPlatform {
    identities: Vec<ObservedIdentity>,
    credentials: Vec<ObservedCredential>,
    /// Whether what is brought along is there and somebody else's.
    taken: bool,
}

async fn pictured(live: &Live<TechnicalUser>, owner: &Owner, mirrored: &Mirrored) -> Result<OnPlatform> {
    if let Some(identity) = ledger::named(live.object(), mirrored) {
        let credentials = ledger::pictured(&identity, &live.status.ledger, mirrored).await?;
        return Ok(OnPlatform { identities: vec![identity], credentials, taken: false });
    }
    let identities = mirrored.identities(owner, Duration::MAX).await?;
    let mut credentials = vec![];
    for identity in &identities {
        credentials.extend(mirrored.credentials_of(identity, Duration::MAX).await?);
    }
    Ok(OnPlatform { identities, credentials, taken: false })
}

async fn told(
    live: &Live<TechnicalUser>,
    owner: &Owner,
    brought: Option<&Brought>,
    mirrored: &Mirrored,
) -> Result<OnPlatform> {
    if let Some(identity) = ledger::named(live.object(), mirrored) {
        let (credentials, taken) = ledger::told(&identity, &live.status.ledger, brought, mirrored).await?;
        return Ok(OnPlatform { identities: vec![identity], credentials, taken });
    }
    let identities = mirrored.find_identities(owner).await?;
    let mut credentials = vec![];
    for identity in &identities {
        credentials.extend(mirrored.find_credentials(identity).await?);
    }
    Ok(OnPlatform { identities, credentials, taken: false })
}

fn seen(
    live: &Live<TechnicalUser>,
    OnPlatform { identities, credentials, taken }: OnPlatform,
    secret: Option<Found>,
    mirrored: &Mirrored,
    context: &Context,
    certain: bool,
) -> Seen {
    let have = Have {
        identities: identities.iter().map(identity_fact).collect(),
        credentials: credentials.iter().map(credential_fact).collect(),
        secret: secret.as_ref().map_or(SecretFact::Absent, Found::fact),
        recorded: recorded(live, context),
        recall: mirrored.recall(),
        under_way: live.status.operation.is_some(),
        order_in_doubt: is_order_in_doubt(live, mirrored, context),
        taken,
        users: Users::NotAsked,
    };
    Seen { have, identities, credentials, secret, certain }
}

/// Only where the platform takes a second order of one name while the first is being carried out. What is on record was
/// answered.
fn is_order_in_doubt(live: &Live<TechnicalUser>, mirrored: &Mirrored, context: &Context) -> bool {
    let uid = live.object().uid().unwrap_or_default();
    let asks = !mirrored.guards_names() && (!is_settled(live) || context.orders.was_unknown(&uid));
    asks && context.orders.in_doubt(&uid)
}

fn identity_fact(identity: &ObservedIdentity) -> IdentityFact {
    IdentityFact {
        id: identity.id.clone(),
        health: identity.health,
        roles: identity.roles.clone(),
        credential: identity.credential.clone(),
    }
}

fn credential_fact(credential: &ObservedCredential) -> CredentialFact {
    CredentialFact {
        id: credential.id.clone(),
        name: credential.name.clone(),
        identity: credential.identity.clone(),
        health: credential.health,
        material: credential.material.clone(),
    }
}

async fn secret(live: &Live<TechnicalUser>, context: &Context) -> Result<Option<Found>> {
    let Some(credential) = &live.object().spec.credential else {
        return Ok(None);
    };
    let template = credential.secret_template.clone().unwrap_or_default();
    Found::read(context.client.clone(), live.object(), &credential.secret_name, template).await.map(Some)
}

fn recorded(live: &Live<TechnicalUser>, context: &Context) -> Recorded {
    let status = &live.status;
    let identity = status.identity.as_ref();
    let set = |roles: &Option<Vec<String>>| roles.as_ref().map(|roles| roles.iter().cloned().collect::<BTreeSet<_>>());
    Recorded {
        identity: identity.map(|identity| identity.id.clone().unwrap_or_else(|| identity.name.clone())),
        roles: identity.and_then(|identity| set(&identity.roles)),
        roles_asked_for: identity.and_then(|identity| set(&identity.roles_asked_for)),
        credential: status.credential.as_ref().map(|credential| Published {
            sequence: credential.sequence,
            id: credential.id.clone(),
            fingerprint: credential.fingerprint.clone(),
            material: credential.made_of.material.clone(),
            source: credential.source.clone(),
            life: life(&credential.made_of),
            rotate_at: credential.rotate_at.as_ref().map(|at| at.0),
            demand: credential.demand.clone(),
        }),
        intent: status
            .intent
            .as_ref()
            .map(|intent| Intent { sequence: intent.sequence, fingerprint: intent.fingerprint.clone() }),
        form: status.credential.as_ref().and_then(|credential| digest(credential.layout.as_ref())),
        intended_form: status.intent.as_ref().and_then(|intent| digest(intent.layout.as_ref())),
        ledger: status.ledger.iter().map(|one| Entry { name: one.name.clone(), id: one.id.clone() }).collect(),
        superseded: overlap::recorded(live, context),
        rotation_fails: status.unrotated_since.is_some(),
    }
}

/// From when to when a credential is good, as the record says.
pub fn life(made_of: &MadeOf) -> Option<Life> {
    let (from, until) = (made_of.valid_from.as_ref()?.0, made_of.expires_at.as_ref()?.0);
    Some(Life { from, until })
}

fn digest(layout: Option<&LayoutStatus>) -> Option<String> {
    layout.map(|layout| layout.digest.clone())
}

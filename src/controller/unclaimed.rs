//! Identities on the platform that carry this cluster's mark and whose TechnicalUser is gone: somebody took the finalizer
//! off, or restored a cluster. They are listed in the Platform's status and removed only by name, by somebody who may edit
//! the Platform.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use kube::{Api, ResourceExt};

use super::Context;
use super::connections::Connection;
use super::error::{Error, Result};
use super::live::Live;
use super::report::Journal;
use crate::api::{Mode, Platform, REMOVE_UNCLAIMED_ANNOTATION, TechnicalUser, Unclaimed};
use crate::plan::owner::Owner;
use crate::platform::mirror::Mirrored;
use crate::platform::{Mark, ObservedIdentity, Ordered};

/// How many are listed; the metric counts them all.
const LISTED: usize = 32;
/// When to look again at what the platform is still removing.
const SOON: Duration = Duration::from_secs(5);

/// Lists them, and removes those that the annotation names. When to look again, if something is still being removed.
pub async fn tend(
    live: &mut Live<Platform>,
    journal: &mut Journal,
    connection: &Connection,
    context: &Context,
) -> Result<Option<Duration>> {
    let name = live.object().name_any();
    let mut unclaimed = found(connection, context).await?;
    let asked_for = asked_for(live.object());
    let mut again = None;
    for one in unclaimed.iter().filter(|one| asked_for.contains(&one.identity.name)) {
        if live.object().spec.mode == Mode::Enforce && remove(one, journal, context).await? {
            again = Some(SOON);
        }
    }
    if !asked_for.is_empty() {
        unclaimed = found(connection, context).await?;
    }
    context.metrics.unclaimed(&name, unclaimed.len());
    let listed: BTreeSet<Unclaimed> = unclaimed.iter().map(line).collect();
    live.status.unclaimed = listed.into_iter().take(LISTED).collect();
    Ok(again)
}

/// An identity with our mark, and where it is shown.
struct Marked<'a> {
    identity: ObservedIdentity,
    mark: Mark,
    mirrored: &'a Mirrored,
}

/// All of them, as the picture shows them. Presence is all that is asked of it.
async fn found<'a>(connection: &'a Connection, context: &Context) -> Result<Vec<Marked<'a>>> {
    let users: HashSet<String> = context.stores.technical_users.state().iter().filter_map(|user| user.uid()).collect();
    let mut found = vec![];
    for mirrored in connection.mirror.every_kind() {
        let everything = mirrored.everything(Duration::MAX).await?;
        let marked = everything.into_iter().filter_map(|identity| identity.mark.clone().map(|mark| (identity, mark)));
        let unclaimed = marked.filter(|(_, mark)| !users.contains(&mark.uid));
        found.extend(unclaimed.map(|(identity, mark)| Marked { identity, mark, mirrored }));
    }
    Ok(found)
}

fn asked_for(platform: &Platform) -> BTreeSet<String> {
    let annotation = platform.annotations().get(REMOVE_UNCLAIMED_ANNOTATION);
    annotation.into_iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect()
}

/// Removes one, once a live read has said that its TechnicalUser is gone. Whether the platform is still at it.
async fn remove(unclaimed: &Marked<'_>, journal: &mut Journal, context: &Context) -> Result<bool> {
    let Marked { identity, mark, mirrored } = unclaimed;
    let api: Api<TechnicalUser> = Api::namespaced(context.client.clone(), &mark.namespace);
    let live = api.get_opt(&mark.name).await.map_err(Error::Kubernetes)?;
    if live.is_some_and(|user| user.uid().as_ref() == Some(&mark.uid)) {
        return Ok(false);
    }
    let owner = Owner {
        cluster: context.cluster.clone(),
        uid: mark.uid.clone(),
        namespace: mark.namespace.clone(),
        name: mark.name.clone(),
    };
    let mut at_work = false;
    for one in mirrored.find_identities(&owner).await? {
        at_work |= matches!(mirrored.delete_identity(&one).await?, Ordered::Begun(_));
    }
    let whose = format!("{}/{}", mark.namespace, mark.name);
    journal.warn("UnclaimedRemoved", format!("removed {}, which was made for TechnicalUser {whose}", identity.name));
    Ok(at_work)
}

fn line(Marked { identity, mark, .. }: &Marked<'_>) -> Unclaimed {
    Unclaimed { name: identity.name.clone(), namespace: mark.namespace.clone(), technical_user: mark.name.clone() }
}

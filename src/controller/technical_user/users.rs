//! Who still uses a credential that was replaced: asked of the pods of the namespace, while an overlap lasts and no longer.
//! Where that is asked for, whoever only a restart helps is restarted.

use std::time::Duration;

use kube::ResourceExt;

use super::{Scene, rotation, secret_name};
use crate::api::TechnicalUser;
use crate::controller::Context;
use crate::controller::error::Result;
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::controller::workloads::restart::{self, Occasion};
use crate::plan::restart::{Judgement, Publication};
use crate::plan::rollout::{Margins, PodFact, Waiting, still_using};
use crate::plan::technical_user::Users;

/// So many of those who still use a credential are named.
const MOST_NAMED: usize = 10;

/// Whom the superseded credentials wait for. A namespace that cannot be read now is read at the next look.
pub async fn of_superseded(
    live: &Live<TechnicalUser>,
    journal: &mut Journal,
    scene: &Scene,
    context: &Context,
) -> Users {
    let terms = &scene.want.rotation.terms;
    let youngest = scene.seen.have.recorded.superseded.iter().map(|one| one.overlapped).min();
    let Some(since) = youngest.filter(|since| terms.until_rolled_out && *since >= terms.least) else {
        return Users::NotAsked;
    };
    ask(live, journal, since, context).await.unwrap_or_else(|error| {
        tracing::warn!(reason = error.reason(), "the pods of the namespace could not be read: {error}");
        Users::NotAsked
    })
}

async fn ask(live: &Live<TechnicalUser>, journal: &mut Journal, since: Duration, context: &Context) -> Result<Users> {
    let (user, namespace) = (live.object(), live.object().namespace().unwrap_or_default());
    let Some(pods) = context.workloads.pods_using(&context.client, &namespace, secret_name(user), since).await? else {
        return Ok(Users::CannotBeSeen);
    };
    let published = live.status.credential.as_ref().and_then(|credential| credential.published_at.clone());
    let Some(published) = published else { return Ok(Users::CannotBeSeen) };
    let margins = rotation::margins(user, context);
    let waiting = still_using(&pods, published.0, since, &margins);
    let judged = if rotation::restarts(user) {
        restart_one(live, journal, &pods, &waiting, since, &margins, context).await?
    } else {
        Some(Judgement::default())
    };
    Ok(Users::Still(named(waiting.iter().map(|one| in_words(one, judged.as_ref())).collect())))
}

/// The first of them, and how many more there are: a namespace may have any number of pods, and its status has an end.
fn named(mut all: Vec<String>) -> Vec<String> {
    let more = all.len().saturating_sub(MOST_NAMED);
    all.truncate(MOST_NAMED);
    all.extend((more > 0).then(|| format!("{more} more")));
    all
}

/// Restarts the one whose turn it is; `None` where we may not.
async fn restart_one(
    live: &Live<TechnicalUser>,
    journal: &mut Journal,
    pods: &[PodFact],
    waiting: &[Waiting],
    since_published: Duration,
    margins: &Margins,
    context: &Context,
) -> Result<Option<Judgement>> {
    let (user, namespace) = (live.object(), live.object().namespace().unwrap_or_default());
    let sequence = live.status.credential.as_ref().map_or(0, |credential| credential.sequence);
    let owner = user.metadata.uid.as_deref().unwrap_or_default();
    let publication = Publication { secret: secret_name(user), owner, sequence };
    let now = (context.now)();
    let occasion = Occasion { namespace: &namespace, publication, pods, waiting, since_published, margins, now };
    let judged = restart::restart(&context.client, &occasion).await?;
    if let Some(workload) = judged.as_ref().and_then(|judged| judged.restart.as_ref()) {
        journal.note("WorkloadRestarted", format!("restarted {workload}, so that it takes up credential {sequence}"));
    }
    Ok(judged)
}

/// Who waits, and what keeps it from being restarted, where that is asked for.
fn in_words(waiting: &Waiting, judged: Option<&Judgement>) -> String {
    let Some(judged) = judged else { return format!("{waiting} (the operator may not restart workloads)") };
    let held = judged.held.iter().find(|(user, _)| *user == waiting.user);
    held.map_or_else(|| waiting.to_string(), |(_, hold)| format!("{waiting} (which {hold})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("pod {number}")).collect()
    }

    #[test]
    fn a_namespace_full_of_pods_fills_no_status() {
        assert_eq!(named(pods(MOST_NAMED)), pods(MOST_NAMED));
        let long = named(pods(5_000));
        assert_eq!((long.len(), long.last().map(String::as_str)), (MOST_NAMED + 1, Some("4990 more")));
        assert!(named(vec![]).is_empty(), "nobody is nobody");
    }
}

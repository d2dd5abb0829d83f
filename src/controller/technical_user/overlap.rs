//! What superseded credentials wait for: asked, noted in the status, and told to people. The plan decides.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Resource, ResourceExt};

use super::Scene;
use crate::api::conditions::{self, OVERLAPPING, Verdict};
use crate::api::{SupersededStatus, TechnicalUser};
use crate::controller::Context;
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::plan::technical_user::overlap::look_again;
use crate::plan::technical_user::{Standing, Superseded, Terms};

/// What was counted is put on record when it grew by so much, so that a restart loses no more.
const RECORDED_EVERY: Duration = Duration::from_mins(10);

const AT_ONCE: Duration = Duration::from_millis(100);

/// The superseded credentials on record, with how long another has stood in their place by now.
pub fn recorded(live: &Live<TechnicalUser>, context: &Context) -> Vec<Superseded> {
    let uid = live.object().uid().unwrap_or_default();
    let counted = |one: &SupersededStatus| Superseded {
        sequence: one.sequence,
        id: one.id.clone(),
        overlapped: context.overlaps.overlapped(&uid, one),
    };
    live.status.superseded.iter().map(counted).collect()
}

/// Notes what each waits for. Says when to look again.
pub fn note(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    scene: &Scene,
    context: &Context,
) -> Option<Duration> {
    let uid = live.object().uid().unwrap_or_default();
    context.overlaps.retain(&uid, &live.status.superseded);
    context.metrics.superseded(context.overlaps.count());
    let terms = &scene.want.rotation.terms;
    let standings: Vec<(Superseded, Standing)> = recorded(live, context)
        .into_iter()
        .map(|one| {
            let standing = one.standing(terms, &scene.seen.have.users);
            (one, standing)
        })
        .collect();
    for (status, (one, standing)) in live.status.superseded.iter_mut().zip(&standings) {
        put_on_record(status, one, standing);
    }
    tell(live, journal, &standings, scene, context);
    let again = standings.iter().map(|(one, standing)| look_again(one, terms, standing)).min();
    // What had to wait for the last of them can go on.
    let waited = !scene.seen.have.recorded.superseded.is_empty();
    again.or(waited.then_some(AT_ONCE))
}

fn put_on_record(status: &mut SupersededStatus, one: &Superseded, standing: &Standing) {
    let waits_for = match standing {
        Standing::Over => vec![],
        Standing::Young => vec!["minOverlap".to_owned()],
        Standing::Used(by) | Standing::Nearing(by) | Standing::Overdue(by) => by.clone(),
    };
    let grown = one.overlapped.saturating_sub(Duration::from_secs(status.overlapped_seconds.unsigned_abs()));
    if grown >= RECORDED_EVERY || waits_for != status.waits_for {
        status.overlapped_seconds = i64::try_from(one.overlapped.as_secs()).unwrap_or(i64::MAX);
        status.waits_for = waits_for;
    }
}

/// `Overlapping` says that an old credential is still in force, and why; an event says so when a person is needed.
fn tell(
    live: &mut Live<TechnicalUser>,
    journal: &mut Journal,
    standings: &[(Superseded, Standing)],
    scene: &Scene,
    context: &Context,
) {
    let terms = &scene.want.rotation.terms;
    let Some((reason, message)) = standings.iter().find_map(|(one, standing)| word(one, standing, terms)) else {
        return conditions::clear(&mut live.status.conditions, OVERLAPPING);
    };
    let before = conditions::find(&live.status.conditions, OVERLAPPING).map(|condition| condition.reason.clone());
    if ["OverlapEnding", "OverlapExceeded"].contains(&reason) && before.as_deref() != Some(reason) {
        journal.warn(reason, message.clone());
    }
    let verdict = Verdict { status: "True", reason, message };
    let generation = live.object().meta().generation;
    conditions::set(&mut live.status.conditions, OVERLAPPING, verdict, generation, &Time((context.now)()));
}

fn word(one: &Superseded, standing: &Standing, terms: &Terms) -> Option<(&'static str, String)> {
    let sequence = one.sequence;
    match standing {
        Standing::Over => None,
        Standing::Young => Some(("Overlapping", format!("credential {sequence} stays in force for minOverlap"))),
        Standing::Used(by) => Some(("StillUsed", format!("{} still use credential {sequence}", by.join(", ")))),
        Standing::Nearing(by) => {
            let minutes = terms.left(one).as_secs().div_ceil(60);
            let what = if terms.holds { "maxOverlap is over" } else { "it ends" };
            let message = format!("{} still use credential {sequence}, and {what} in {minutes} min", by.join(", "));
            Some(("OverlapEnding", message))
        }
        Standing::Overdue(by) => Some((
            "OverlapExceeded",
            format!(
                "{} still use credential {sequence} after maxOverlap; restart them, or set onOverlapExceeded to Revoke",
                by.join(", ")
            ),
        )),
    }
}

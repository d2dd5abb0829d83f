//! What the spec says of rotation, for the plan; when a credential is due, for the record; and what kept it from being
//! replaced, for people.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};

use crate::api::conditions::{self, ROTATED, Verdict};
use crate::api::rotation::{Interval, OnOverlapExceeded, Overlap, Restart};
use crate::api::{CredentialSpec, OnLoss, ROTATE_ANNOTATION, RotationSpec, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Class, Error};
use crate::controller::live::Live;
use crate::controller::retry::jittered;
use crate::plan::capability::Recall;
use crate::plan::digest;
use crate::plan::rollout::Margins;
use crate::plan::technical_user::{Recorded, Rotation, Terms, rotation};

/// How often a credential is replaced if nobody says how often: where the old one can stay in force beside the new one.
const USUAL: &str = "90d";
/// When a rotation is tried again that only a person can mend: seldom, since a platform may lock who tries often.
const TRIED_AGAIN: Duration = Duration::from_hours(1);
/// When a rotation is looked at again that waits for roles to take effect.
const LOOKED_AT_AGAIN: Duration = Duration::from_mins(5);

/// What is wanted of rotation.
pub fn wanted(user: &TechnicalUser, recall: Recall) -> Rotation {
    let spec = spec(user);
    let demand = user.annotations().get(ROTATE_ANNOTATION).map(|text| digest::of([text.as_bytes()], 8));
    Rotation { every: every(&spec, recall).and_then(|every| every.duration()), demand, terms: terms(&spec, recall) }
}

/// Whether a lost value is replaced only when somebody asks for it.
pub fn blocks_on_loss(user: &TechnicalUser) -> bool {
    user.spec.credential.as_ref().is_some_and(|credential| credential.on_loss == OnLoss::Block)
}

/// How far from the publication of a credential is far enough, for those who read this Secret.
pub fn margins(user: &TechnicalUser, context: &Context) -> Margins {
    Margins { settling: spec(user).settling.duration().unwrap_or_default(), ..context.margins }
}

/// Whether workloads are restarted that read the Secret only when they start.
pub fn restarts(user: &TechnicalUser) -> bool {
    user.spec.credential.as_ref().is_some_and(|credential| credential.restart == Restart::RolloutRestart)
}

/// Reckons when the credential is due, once for each credential and each interval: what is on record is not reckoned
/// again, so that neither a restart nor another version of the operator replaces anything.
pub fn schedule(live: &mut Live<TechnicalUser>, recall: Recall, context: &Context) {
    let every = every(&spec(live.object()), recall);
    let length = every.as_ref().and_then(Interval::duration);
    let text = every.filter(|_| length.is_some()).map(|every| every.to_string());
    let uid = live.object().uid().unwrap_or_default();
    let Some(credential) = live.status.credential.as_mut().filter(|known| known.rotate_every != text) else { return };
    let due = |every| Time(rotation::due(&uid, credential.issued_at.0, every, (context.now)()));
    credential.rotate_at = length.map(due);
    credential.rotate_every = text;
}

/// Puts off what came due while nobody was there to replace it, so that whoever comes back does not replace all at once.
pub fn put_off(live: &mut Live<TechnicalUser>, recorded: &mut Recorded, context: &Context) {
    let uid = live.object().uid().unwrap_or_default();
    let Some(credential) = live.status.credential.as_mut() else { return };
    let every = credential.rotate_every.clone().and_then(|text| Interval::new(text).duration());
    let Some(at) = every.and_then(|every| rotation::put_off(&uid, recorded, every, (context.now)())) else { return };
    credential.rotate_at = Some(Time(at));
    recorded.credential.iter_mut().for_each(|published| published.rotate_at = Some(at));
}

/// How many TechnicalUsers have a credential that is due to be replaced and is not replaced yet.
pub fn overdue(users: &Store<TechnicalUser>, now: Timestamp) -> usize {
    let is_overdue = |user: &TechnicalUser| {
        let credential = user.status.as_ref().and_then(|status| status.credential.as_ref());
        let due = credential.and_then(|credential| credential.rotate_at.as_ref());
        user.metadata.deletion_timestamp.is_none() && due.is_some_and(|at| at.0 <= now)
    };
    users.state().iter().filter(|user| is_overdue(user)).count()
}

/// Notes what kept a credential from being replaced, if anything did. Says when it is tried next, or due.
pub fn note(live: &mut Live<TechnicalUser>, unrotated: Option<Error>, context: &Context) -> Option<Duration> {
    let Some(error) = unrotated else {
        live.status.unrotated_since = None;
        conditions::clear(&mut live.status.conditions, ROTATED);
        let due = live.status.credential.as_ref()?.rotate_at.as_ref()?.0;
        return Duration::try_from(due.duration_since((context.now)())).ok();
    };
    let verdict = Verdict { status: "False", reason: error.reason(), message: error.to_string() };
    let (generation, now) = (live.object().meta().generation, Time((context.now)()));
    conditions::set(&mut live.status.conditions, ROTATED, verdict, generation, &now);
    live.status.unrotated_since.get_or_insert(now);
    Some(jittered(if error.class() == Class::Dependency { LOOKED_AT_AGAIN } else { TRIED_AGAIN }))
}

fn spec(user: &TechnicalUser) -> RotationSpec {
    let credential: Option<&CredentialSpec> = user.spec.credential.as_ref();
    credential.and_then(|credential| credential.rotation.clone()).unwrap_or_default()
}

fn every(spec: &RotationSpec, recall: Recall) -> Option<Interval> {
    match recall {
        Recall::Brought => None,
        Recall::LastOnly => spec.every.clone(),
        Recall::Revealed | Recall::Listed => Some(spec.every.clone().unwrap_or_else(|| Interval::new(USUAL))),
    }
}

fn terms(spec: &RotationSpec, recall: Recall) -> Terms {
    if recall == Recall::LastOnly {
        return Terms::default();
    }
    Terms {
        least: spec.min_overlap.duration().unwrap_or_default(),
        most: spec.max_overlap.duration().unwrap_or_default(),
        until_rolled_out: spec.overlap == Overlap::UntilRolledOut,
        holds: spec.on_overlap_exceeded == OnOverlapExceeded::Hold,
    }
}

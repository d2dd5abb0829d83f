//! What the spec says of rotation, for the plan; when a credential is due, for the record; and what kept it from being
//! replaced, for people.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Resource, ResourceExt};

use super::{observe, source};
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
use crate::plan::technical_user::rotation::By;
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
    let annotation = user.annotations().get(ROTATE_ANNOTATION).map(|text| digest::of([text.as_bytes()], 8));
    let demand = annotation.filter(|_| source::name(user).is_none());
    Rotation { every: every(user, recall).and_then(|every| every.duration()), demand, terms: terms(&spec, recall) }
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

/// What a credential is reckoned by that ends before the interval has passed.
const ITS_LIFE: &str = "two thirds of its life";

/// Reckons when the credential is due, once for each credential and each interval: what is on record is not reckoned
/// again, so that neither a restart nor another version of the operator replaces anything. What ends by itself is due before
/// that, unless whoever keeps its source sees to it.
pub fn schedule(live: &mut Live<TechnicalUser>, recall: Recall, context: &Context) {
    let every = every(live.object(), recall).filter(|every| every.duration().is_some());
    let length = every.as_ref().and_then(Interval::duration);
    let is_kept_elsewhere = source::name(live.object()).is_some();
    let (uid, now) = (live.object().uid().unwrap_or_default(), (context.now)());
    let Some(credential) = live.status.credential.as_mut() else { return };
    let by = By::of(observe::life(&credential.made_of).filter(|_| !is_kept_elsewhere), length);
    let text =
        if let Some(By::Life(_)) = by { Some(ITS_LIFE.to_owned()) } else { every.map(|every| every.to_string()) };
    if credential.rotate_every != text {
        credential.rotate_at = by.and_then(|by| by.due(&uid, credential.issued_at.0, now)).map(Time);
        credential.rotate_every = text;
    }
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

/// By time nothing is replaced whose source is somebody else's to replace.
fn every(user: &TechnicalUser, recall: Recall) -> Option<Interval> {
    if recall.is_brought() || source::name(user).is_some() {
        return None;
    }
    spec(user).every.or_else(|| recall.is_listed().then(|| Interval::new(USUAL)))
}

fn terms(spec: &RotationSpec, recall: Recall) -> Terms {
    if !recall.is_listed() {
        return Terms::default();
    }
    Terms {
        least: spec.min_overlap.duration().unwrap_or_default(),
        most: spec.max_overlap.duration().unwrap_or_default(),
        until_rolled_out: spec.overlap == Overlap::UntilRolledOut,
        holds: spec.on_overlap_exceeded == OnOverlapExceeded::Hold,
    }
}

//! The runner: what is the same for every kind. Its turn, apply or clean up, conditions, status, retry.
//!
//! A kind supplies `apply` and `cleanup`. Whatever they do, its time is limited, a panic is caught, the outcome stands
//! on the object, and a failure is tried again when its class says so.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use tracing::Instrument;

use super::Context;
use super::error::{Class, Error, Result};
use super::live::{Kind, Live};
use super::report::{self, Journal, Outcome};
use super::retry::jittered;
use super::turns::PASSES;
use crate::api::{FINALIZER, ORPHAN_ANNOTATION};

/// How long one reconcile may take. Every call within has a shorter limit of its own.
const DEADLINE: Duration = Duration::from_mins(2);
/// When an object asks again whose turn to order has not come, and nobody has woken it: seldom, since it looks at the
/// platform before.
const NET: Duration = Duration::from_mins(1);
/// The reason of an object that the admin credential may not do enough for.
const DENIED: &str = "PlatformDenied";
/// When an object is looked at again that nothing woke: far apart, since it is only there for what no watch told of.
const BACKSTOP: Duration = Duration::from_hours(1);

/// The end of an `apply`: how it went, and when to look again if nothing wakes the object before.
pub struct Applied {
    /// How it went: a failure of one thing does not keep the rest from being noted.
    pub result: Result<Outcome>,
    /// When to look again, however it went.
    pub again: Option<Duration>,
}

impl From<Outcome> for Applied {
    fn from(outcome: Outcome) -> Self {
        Self { result: Ok(outcome), again: None }
    }
}

/// What a kind supplies.
pub trait Reconcile: Kind {
    /// The Platform that it needs, if it needs one: objects of one Platform share what workers there are.
    fn platform(&self) -> Option<&str>;

    /// Brings the world to what the object says. May be called at any time, after any crash.
    fn apply(
        live: &mut Live<Self>,
        journal: &mut Journal,
        context: &Context,
    ) -> impl Future<Output = Result<Applied>> + Send;

    /// Removes what the object made. Called until it succeeds; then the object goes.
    fn cleanup(
        live: &mut Live<Self>,
        journal: &mut Journal,
        context: &Context,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// One reconcile. Its failures are the object's, not the controller's: they end in a condition and a later try.
pub async fn reconcile<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Infallible> {
    let (uid, edition) = (object.uid().unwrap_or_default(), edition(&*object));
    if let Some(wait) = context.retries.too_soon(&uid, edition) {
        return Ok(Action::requeue(wait));
    }
    context.stores.filled().await;
    let Some(_turn) = context.turns.enter(&*object) else {
        // Who was called before may not come.
        return Ok(Action::requeue(jittered(PASSES)));
    };
    let kind = K::kind(&());
    let span = tracing::info_span!(
        "reconcile",
        kind = %kind,
        namespace = object.namespace().unwrap_or_default(),
        name = object.name_any(),
        reconcile = format!("{:08x}", rand::random::<u32>()),
    );
    let begun = Instant::now();
    context.retries.begin(&uid);
    let Ended { result, again } = step(&*object, &context).instrument(span.clone()).await;
    let outcome = result.as_ref().map_or_else(Error::reason, |()| "Done");
    context.metrics.reconciled(&kind, outcome, begun.elapsed());
    Ok(match result {
        Ok(()) => {
            context.retries.forget(&uid);
            again.map_or_else(Action::await_change, Action::requeue)
        }
        Err(Error::NotYet) => Action::requeue(jittered(NET)),
        Err(error) => {
            span.in_scope(|| report::log(&error));
            Action::requeue(context.retries.failed(&uid, edition, &error, again))
        }
    })
}

/// What people wrote of an object that may mend a failure: its spec and its annotations, as a number.
fn edition(object: &impl Resource) -> u64 {
    let mut hasher = DefaultHasher::new();
    (object.meta().generation, object.annotations()).hash(&mut hasher);
    hasher.finish()
}

/// How a reconcile ended, and when to look again if nothing wakes the object before.
struct Ended {
    result: Result<()>,
    again: Option<Duration>,
}

impl From<Result<()>> for Ended {
    fn from(result: Result<()>) -> Self {
        Self { result, again: None }
    }
}

async fn step<K: Reconcile>(object: &K, context: &Context) -> Ended {
    let mut live = match Live::of(object, context).await {
        Ok(Some(live)) => live,
        gone_or_failed => return gone_or_failed.map(drop).into(),
    };
    if live.object().meta().deletion_timestamp.is_some() {
        return end(&mut live, context).await.into();
    }
    let mut journal = Journal::default();
    let Applied { result, again } = match guard(apply(&mut live, &mut journal, context)).await {
        Ok(applied) => applied,
        Err(error) => Applied { result: Err(error), again: None },
    };
    let concluded = conclude(&mut live, journal, &result, context).await;
    // The backstop below every watch: it finds nothing to do, or what no event told of.
    let backstop = jittered(BACKSTOP);
    let again = again.map_or(backstop, |again| again.min(backstop));
    Ended { result: concluded.and(result.map(drop)), again: Some(again) }
}

async fn apply<K: Reconcile>(live: &mut Live<K>, journal: &mut Journal, context: &Context) -> Result<Applied> {
    if live.object().was_dropped() {
        live.hold().await?;
        journal.warn("FinalizerRestored", format!("{FINALIZER} had been taken off while something is on the platform"));
    }
    K::apply(live, journal, context).await
}

async fn end<K: Reconcile>(live: &mut Live<K>, context: &Context) -> Result<()> {
    if !live.is_held() {
        return Ok(());
    }
    let mut journal = Journal::default();
    let orphaned = live.object().annotations().get(ORPHAN_ANNOTATION).is_some_and(|value| value == "true");
    let result = if orphaned {
        journal.warn("Orphaned", format!("let go without cleaning up, as {ORPHAN_ANNOTATION} asks"));
        Ok(())
    } else {
        guard(K::cleanup(live, &mut journal, context)).await
    };
    match result {
        Ok(()) => {
            report::publish(&context.events, &live.object().object_ref(&()), journal, None).await;
            live.release().await?;
            forget(live.object(), context);
            Ok(())
        }
        Err(error) => {
            let blocked: Result<Outcome> = Err(match error {
                Error::InUse(_) => error,
                error if matches!(error.class(), Class::Race) => error,
                error => Error::Deletion(Box::new(error)),
            });
            conclude(live, journal, &blocked, context).await?;
            blocked.map(drop)
        }
    }
}

/// Nothing is kept in mind of what nothing holds any more.
fn forget<K: Kind>(object: &K, context: &Context) {
    if object.finalizers().is_empty() {
        let uid = object.uid().unwrap_or_default();
        context.orders.forget(&uid);
        context.versions.forget(&uid);
        context.overlaps.retain(&uid, &[]);
    }
}

/// Puts the outcome on the object: conditions, status, events. A lost race is not worth a word.
async fn conclude<K: Reconcile>(
    live: &mut Live<K>,
    journal: Journal,
    result: &Result<Outcome>,
    context: &Context,
) -> Result<()> {
    let generation = live.object().meta().generation;
    let mut stall = None;
    if !matches!(result, Err(error) if error.class() == Class::Race) {
        let (conditions, observed) = K::conditions(&mut live.status);
        stall = report::conclude(conditions, generation, &Time((context.now)()), result);
        *observed = generation;
    }
    // Whoever answers for the Platform is told of a right that is missing there.
    if stall.as_ref().is_some_and(|(reason, _)| *reason == DENIED)
        && let Some(platform) = live.object().platform()
    {
        context.wake.platform(platform);
    }
    let recorded = live.record().await;
    report::publish(&context.events, &live.object().object_ref(&()), journal, stall).await;
    recorded
}

/// Limits the time and the blast radius of one kind's code.
async fn guard<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match AssertUnwindSafe(tokio::time::timeout(DEADLINE, work)).catch_unwind().await {
        Ok(Ok(done)) => done,
        Ok(Err(_elapsed)) => Err(Error::Timeout),
        Err(_panic) => Err(Error::Panic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::RoleBinding;

    #[test]
    fn whoever_touches_an_object_has_it_tried_anew_and_the_operator_itself_does_not() {
        let mut binding: RoleBinding = serde_json::from_value(serde_json::json!({
            "metadata": { "name": "b", "generation": 1 },
            "spec": { "platformRef": { "name": "p" }, "subjects": [], "roles": [] },
        }))
        .unwrap();
        let before = edition(&binding);
        binding.finalizers_mut().push(FINALIZER.to_owned());
        binding.metadata.resource_version = Some("2".into());
        assert_eq!(edition(&binding), before);
        binding.annotations_mut().insert("acme.example/touched".into(), "now".into());
        assert_ne!(edition(&binding), before);
    }
}

//! Leader election on a Lease: a pure decision and a thin loop.
//!
//! Every write carries the resource version of what was read, so of two contenders one loses. Expiry is measured from
//! when *we* saw the lease change, never by comparing another machine's clock with ours (as client-go does). A leader
//! counts from when it *began* its last renewal, which is earlier than anybody can have seen it, and has ended before
//! another may begin. It resigns only after all its work has.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};

use crate::api::OPERATOR;
use crate::platform::pause::pause;

/// A lease that was not renewed for this long is free.
const DURATION: Duration = Duration::from_secs(15);
/// A leader whose last good renewal began this long ago ends.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// What is left then for the process to notice and to end.
const SLACK: Duration = Duration::from_secs(4);
const _: () = assert!(RENEW_DEADLINE.as_secs() + SLACK.as_secs() < DURATION.as_secs());
const PERIOD: Duration = Duration::from_secs(2);
/// How long one try may take: a leader has time for another one when an answer does not come.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
const _: () = assert!(PERIOD.as_secs() + TRY_TIMEOUT.as_secs() < RENEW_DEADLINE.as_secs());

/// What to do about the lease now.
#[derive(Debug, PartialEq, Eq)]
enum Move {
    Create,
    Renew,
    Take,
    Wait,
}

/// Whose the lease is after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Ours,
    Theirs,
    /// Somebody wrote it between our look and our write; that need not have been another contender.
    Unsure,
}

/// Until when a leader may lead. Pure: the clock is a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    ends: Instant,
}

impl Term {
    /// The term that a renewal gives which began now.
    fn renewed(began: Instant) -> Self {
        Self { ends: began + RENEW_DEADLINE }
    }

    /// How much of it is left, if anything.
    fn left(self, now: Instant) -> Option<Duration> {
        Some(self.ends.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

/// The lease as it was last seen to change.
struct Seen {
    version: Option<String>,
    at: Instant,
}

/// One contender.
pub struct Contender {
    api: Api<Lease>,
    me: String,
    seen: Seen,
    term: Option<Term>,
    now: fn() -> Timestamp,
}

impl Contender {
    /// A contender for the one Lease of this operator in its namespace. `me` is the pod's name, or another unique one.
    pub fn new(client: Client, namespace: &str, me: String, now: fn() -> Timestamp) -> Self {
        let seen = Seen { version: None, at: Instant::now() };
        Self { api: Api::namespaced(client, namespace), me, seen, term: None, now }
    }

    /// Returns once the lease is ours.
    pub async fn lead(&mut self) {
        while self.renew_within(TRY_TIMEOUT).await != Some(Standing::Ours) {
            pause(PERIOD).await;
        }
        tracing::info!(me = self.me, "leading");
    }

    /// Renews until that has failed for too long, or somebody else has the lease. When it returns, the process must end:
    /// there are [`SLACK`] and more until another may lead.
    pub async fn hold(&mut self) {
        let mut wait = PERIOD;
        while let Some(left) = self.left() {
            pause(wait.min(left)).await;
            let (began, Some(left)) = (Instant::now(), self.left()) else { break };
            if self.renew_within(left.min(TRY_TIMEOUT)).await == Some(Standing::Theirs) {
                break;
            }
            wait = PERIOD.saturating_sub(began.elapsed());
        }
        tracing::error!(me = self.me, "the lease is lost");
    }

    fn left(&self) -> Option<Duration> {
        self.term?.left(Instant::now())
    }

    /// One try. What comes of it counts from its beginning: the others see our write after that.
    async fn renew_within(&mut self, limit: Duration) -> Option<Standing> {
        let began = Instant::now();
        let standing = tokio::time::timeout(limit, self.try_once()).await.ok()?.ok()?;
        if standing == Standing::Ours {
            self.term = Some(Term::renewed(began));
        }
        Some(standing)
    }

    /// Gives the lease up, so that the next one need not wait for it to expire. For whoever has stopped all its work.
    pub async fn resign(&self) {
        let Ok(Some(mut lease)) = self.api.get_opt(OPERATOR).await else {
            return;
        };
        if holder(&lease) == Some(&self.me)
            && let Some(spec) = &mut lease.spec
        {
            spec.holder_identity = None;
            // It expires by itself if this fails.
            let _ = self.api.replace(OPERATOR, &PostParams::default(), &lease).await;
        }
    }

    /// One look and at most one write.
    async fn try_once(&mut self) -> kube::Result<Standing> {
        let lease = self.api.get_opt(OPERATOR).await?;
        let version = lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        if version != self.seen.version {
            self.seen = Seen { version, at: Instant::now() };
        }
        let written = match decide(lease.as_ref(), self.seen.at.elapsed(), &self.me) {
            Move::Wait => return Ok(Standing::Theirs),
            Move::Create => self.api.create(&PostParams::default(), &self.mine(None)).await,
            Move::Renew | Move::Take => self.api.replace(OPERATOR, &PostParams::default(), &self.mine(lease)).await,
        };
        match written {
            Ok(_) => Ok(Standing::Ours),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Standing::Unsure),
            Err(error) => Err(error),
        }
    }

    fn mine(&self, lease: Option<Lease>) -> Lease {
        let now = Some(MicroTime((self.now)()));
        let taken_over = lease.as_ref().and_then(holder) != Some(&self.me);
        let mut next = lease.unwrap_or_else(|| Lease {
            metadata: ObjectMeta { name: Some(OPERATOR.to_owned()), ..ObjectMeta::default() },
            ..Lease::default()
        });
        let spec = next.spec.get_or_insert_with(LeaseSpec::default);
        if taken_over {
            spec.acquire_time.clone_from(&now);
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(0).saturating_add(1));
        }
        spec.holder_identity = Some(self.me.clone());
        spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
        spec.renew_time = now;
        next
    }
}

fn holder(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref()?.holder_identity.as_ref().filter(|holder| !holder.is_empty())
}

fn decide(lease: Option<&Lease>, unchanged_for: Duration, me: &str) -> Move {
    match lease.map(holder) {
        None => Move::Create,
        Some(None) => Move::Take,
        Some(Some(holder)) if holder == me => Move::Renew,
        Some(Some(_)) if unchanged_for > DURATION => Move::Take,
        Some(Some(_)) => Move::Wait,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{Json, Router};

    use super::*;

    /// An API server that knows a lease of `me` and nothing else, and whose `mute`th answer never comes.
    fn server(mute: usize) -> (Client, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let answer = move || {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                if call == mute {
                    pending::<()>().await;
                }
                Json(lease("me"))
            }
        };
        (Client::new(Router::new().fallback(answer), "default"), calls)
    }

    #[tokio::test]
    async fn one_answer_that_does_not_come_costs_no_leader_its_lease() {
        // The look of the first renewal, after the look and the write by which it came to lead.
        let (client, calls) = server(2);
        let mut contender = Contender::new(client, "system", "me".to_owned(), || Timestamp::UNIX_EPOCH);
        contender.lead().await;
        let held = tokio::time::timeout(RENEW_DEADLINE + PERIOD, contender.hold()).await;
        assert!(held.is_err(), "it is held on");
        assert!(calls.load(Ordering::Relaxed) > 4);
    }

    fn lease(holder: &str) -> Lease {
        let spec = LeaseSpec { holder_identity: Some(holder.to_owned()), ..LeaseSpec::default() };
        Lease { spec: Some(spec), ..Lease::default() }
    }

    #[test]
    fn a_lease_is_taken_only_when_it_is_free_or_was_seen_unchanged_for_long() {
        let moved = |holder: &str, seconds| decide(Some(&lease(holder)), Duration::from_secs(seconds), "me");
        assert_eq!(decide(None, Duration::ZERO, "me"), Move::Create);
        assert_eq!(moved("me", 100), Move::Renew);
        assert_eq!(moved("", 0), Move::Take);
        assert_eq!(moved("other", 15), Move::Wait);
        assert_eq!(moved("other", 16), Move::Take);
    }

    #[test]
    fn a_leader_ends_before_anybody_can_have_waited_for_the_whole_lease() {
        let began = Instant::now();
        let term = Term::renewed(began);
        assert_eq!(term.left(began), Some(RENEW_DEADLINE));
        assert_eq!(term.left(began + RENEW_DEADLINE), None);
        // Others count from when they see our write, at the earliest when we began it.
        let others_may = began + DURATION;
        assert!(others_may - (began + RENEW_DEADLINE) > SLACK);
        assert_eq!(term.left(others_may + DURATION), None, "nor after a long sleep");
    }
}

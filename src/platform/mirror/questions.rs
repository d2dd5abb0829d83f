//! Questions about grants, asked of the platform for those grants alone. Those about roles of one kind that come within a
//! moment, or while others are being answered, are asked together: on some platforms one call answers for everybody who has
//! a role, and a call may wait long for its turn.
//!
//! A read that answers begins after its questions were asked, outlives whoever asked, and is shown at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::batch::ScopeOfGrants;
use super::queue::{COMPANY, Direction, PATIENCE};
use crate::api::RoleKind;
use crate::plan::grant::Grant;
use crate::platform::{Error, Grants, Kind, Result};

/// Whether a grant is in force, and who wants to know.
struct Question {
    grant: Grant,
    scope: Arc<ScopeOfGrants>,
    since: Instant,
    answer: oneshot::Sender<Result<bool>>,
}

/// The questions that wait. Where there is a list of a kind, even an empty one, somebody is at work for it.
#[derive(Default)]
pub(super) struct Questions(Mutex<BTreeMap<RoleKind, Vec<Question>>>);

impl Questions {
    /// Joins those who ask about roles of this kind.
    pub(super) fn ask(
        self: &Arc<Self>,
        grant: Grant,
        scope: Arc<ScopeOfGrants>,
        driver: &Arc<dyn Grants>,
    ) -> impl Future<Output = Result<bool>> + use<> {
        let (answer, answered) = oneshot::channel();
        let kind = grant.role.kind();
        let question = Question { grant, scope, since: Instant::now(), answer };
        let mut waiting = self.waiting();
        if !waiting.contains_key(&kind) {
            tokio::spawn(Arc::clone(self).gather(kind, Arc::clone(driver)));
        }
        waiting.entry(kind).or_default().push(question);
        drop(waiting);
        async move { answered.await.unwrap_or_else(|_| Err(Error::new(Kind::Unavailable, "look up a grant"))) }
    }

    /// Asks until nobody waits. Who comes while others are being answered waits for that, unless it takes too long.
    async fn gather(self: Arc<Self>, kind: RoleKind, driver: Arc<dyn Grants>) {
        while let Some(since) = self.oldest(kind) {
            sleep_until(since + COMPANY).await;
            let questions = self.waiting().get_mut(&kind).map(mem::take).unwrap_or_default();
            let driver = Arc::clone(&driver);
            let asked = tokio::spawn(async move { answer(questions, &*driver).await });
            // In time or not: a task of its own tells whoever asked.
            let _ = timeout(PATIENCE, asked).await;
        }
    }

    /// Since when the first has waited. With none left nobody is at work any more.
    fn oldest(&self, kind: RoleKind) -> Option<Instant> {
        let mut waiting = self.waiting();
        let oldest = waiting.get(&kind).and_then(|questions| questions.first()).map(|question| question.since);
        if oldest.is_none() {
            waiting.remove(&kind);
        }
        oldest
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<RoleKind, Vec<Question>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(questions: Vec<Question>, driver: &dyn Grants) {
    let grants: Vec<Grant> = questions.iter().map(|question| question.grant.clone()).collect();
    let sights: Vec<_> =
        questions.iter().map(|question| question.scope.held.sight(vec![question.grant.clone()])).collect();
    let answers = driver.holds(&grants).await;
    for ((question, sight), told) in questions.into_iter().zip(sights).zip(answers) {
        if let Ok(holds) = &told {
            let direction = if *holds { Direction::Grant } else { Direction::Revoke };
            sight.fold((direction, question.grant.clone()), &question.grant);
        }
        // Whoever asked may have gone.
        let _ = question.answer.send(told);
    }
}

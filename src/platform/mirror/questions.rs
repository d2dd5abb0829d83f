//! Questions about grants, asked of the platform for those grants alone. Those about roles of one kind that come within a
//! moment are asked together: on some platforms one call answers for everybody who has a role.
//!
//! A read that answers begins after its questions were asked, outlives whoever asked, and is shown at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::batch::ScopeOfGrants;
use super::queue::{COMPANY, Direction};
use crate::api::RoleKind;
use crate::plan::grant::Grant;
use crate::platform::pause::pause;
use crate::platform::{Error, Grants, Kind, Result};

/// Whether a grant is in force, and who wants to know.
struct Question {
    grant: Grant,
    scope: Arc<ScopeOfGrants>,
    answer: oneshot::Sender<Result<bool>>,
}

/// The questions that wait for company.
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
        let mut waiting = self.waiting();
        let company = waiting.entry(kind).or_default();
        if company.is_empty() {
            tokio::spawn(Arc::clone(self).gather(kind, Arc::clone(driver)));
        }
        company.push(Question { grant, scope, answer });
        drop(waiting);
        async move { answered.await.unwrap_or_else(|_| Err(Error::new(Kind::Unavailable, "look up a grant"))) }
    }

    async fn gather(self: Arc<Self>, kind: RoleKind, driver: Arc<dyn Grants>) {
        pause(COMPANY).await;
        let questions = self.waiting().remove(&kind).unwrap_or_default();
        answer(questions, &*driver).await;
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

//! Who waits to change a scope. Revocations go first, whoever came before them; a grant that has not gone out yet when
//! the same is to be taken away does not go out at all.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::plan::grant::Grant;
use crate::platform::{Error, Kind, Result};

/// Grant or revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Grant,
    Revoke,
}

/// A change that somebody waits for.
pub(super) struct Request {
    pub(super) grant: Grant,
    pub(super) since: Instant,
    pub(super) answer: oneshot::Sender<Result<()>>,
}

/// Requests of one direction that go out together, and who waits for each.
pub(super) type Batch = BTreeMap<Grant, Vec<oneshot::Sender<Result<()>>>>;

/// The requests in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    revocations: VecDeque<Request>,
    grants: VecDeque<Request>,
    /// Whether the writer is at work.
    pub(super) writing: bool,
}

impl Queue {
    /// Joins. The last word on a grant counts.
    pub(super) fn push(&mut self, direction: Direction, request: Request) {
        match direction {
            Direction::Grant => self.grants.push_back(request),
            Direction::Revoke => {
                self.overtake(&request.grant);
                self.revocations.push_back(request);
            }
        }
    }

    /// Since when the first has waited.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.revocations.front().into_iter().chain(self.grants.front()).map(|request| request.since).min()
    }

    /// Takes out what goes next: revocations as long as there are any, and of one kind no more than `most`.
    pub(super) fn take(&mut self, most: usize) -> (Direction, Batch) {
        let revoking = !self.revocations.is_empty();
        let queue = if revoking { &mut self.revocations } else { &mut self.grants };
        let (mut batch, mut left) = (Batch::new(), VecDeque::new());
        for request in queue.drain(..) {
            if batch.len() < most || batch.contains_key(&request.grant) {
                batch.entry(request.grant).or_default().push(request.answer);
            } else {
                left.push_back(request);
            }
        }
        *queue = left;
        (if revoking { Direction::Revoke } else { Direction::Grant }, batch)
    }

    fn overtake(&mut self, grant: &Grant) {
        if !self.grants.iter().any(|request| request.grant == *grant) {
            return;
        }
        let (overtaken, left) = mem::take(&mut self.grants).into_iter().partition(|request| request.grant == *grant);
        self.grants = left;
        let overtaken: VecDeque<Request> = overtaken;
        for request in overtaken {
            let error = Error::new(Kind::InProgress, "change a grant").detail("the same grant is being taken away");
            // Whoever asked may have gone.
            let _ = request.answer.send(Err(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake::grant;
    use super::*;

    fn ask(queue: &mut Queue, direction: Direction, user: usize) -> oneshot::Receiver<Result<()>> {
        let (answer, answered) = oneshot::channel();
        queue.push(direction, Request { grant: grant(user, 0), since: Instant::now(), answer });
        answered
    }

    fn taken(queue: &mut Queue, most: usize) -> (Direction, Vec<Grant>) {
        let (direction, batch) = queue.take(most);
        (direction, batch.into_keys().collect())
    }

    #[test]
    fn revocations_go_before_grants_that_came_earlier() {
        let mut queue = Queue::default();
        let _grants: Vec<_> = (0..5).map(|user| ask(&mut queue, Direction::Grant, user)).collect();
        assert_eq!(taken(&mut queue, 2), (Direction::Grant, vec![grant(0, 0), grant(1, 0)]));
        let _revocation = ask(&mut queue, Direction::Revoke, 9);
        assert_eq!(taken(&mut queue, 2), (Direction::Revoke, vec![grant(9, 0)]));
        assert_eq!(taken(&mut queue, 2), (Direction::Grant, vec![grant(2, 0), grant(3, 0)]));
        assert_eq!(taken(&mut queue, 2), (Direction::Grant, vec![grant(4, 0)]));
        assert_eq!(queue.oldest(), None);
    }

    #[test]
    fn a_grant_that_is_taken_away_before_it_went_out_does_not_go_out() {
        let mut queue = Queue::default();
        let mut overtaken = ask(&mut queue, Direction::Grant, 1);
        let _revocation = ask(&mut queue, Direction::Revoke, 1);
        let mut later = ask(&mut queue, Direction::Grant, 1);
        assert!(overtaken.try_recv().unwrap().is_err_and(|error| error.kind() == Kind::InProgress));
        assert_eq!(taken(&mut queue, 9), (Direction::Revoke, vec![grant(1, 0)]));
        assert!(later.try_recv().is_err(), "it came after the revocation, and still waits");
        assert_eq!(taken(&mut queue, 9), (Direction::Grant, vec![grant(1, 0)]));
    }
}

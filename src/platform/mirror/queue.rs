//! Who waits to change a scope, and until when. Revocations go first, whoever came before them; a grant that has not gone
//! out yet when the same is to be taken away does not go out at all. Grants wait for those who were on the way before them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::plan::grant::Grant;
use crate::platform::{Error, Kind, Result, budget};

/// How long a request or a question waits for others that can go out with it.
pub(super) const COMPANY: Duration = Duration::from_millis(50);
/// How long a grant waits, at the most, for those who said before it came that they are on the way, and a question for the
/// answer to those before it: as long as any of their calls may wait for its turn.
pub(super) const PATIENCE: Duration = budget::PATIENCE;

/// Grant or revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Grant,
    Revoke,
}

/// Whom to tell how a change went.
pub(super) type Answer = oneshot::Sender<Result<()>>;

/// A change that somebody waits for.
struct Request {
    grant: Grant,
    since: Instant,
    /// How many had said by then that they were on the way.
    after: u64,
    answer: Answer,
}

/// Requests of one direction that go out together, and who waits for each.
pub(super) type Batch = BTreeMap<Grant, Vec<Answer>>;

/// The requests in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    revocations: VecDeque<Request>,
    grants: VecDeque<Request>,
    /// Who has said that they will want grants in a moment, and has not come yet.
    coming: BTreeSet<u64>,
    /// How many have said so.
    announced: u64,
    /// Whether the writer is at work.
    pub(super) writing: bool,
}

impl Queue {
    /// Somebody is on the way. The number under which it is waited for.
    pub(super) fn announce(&mut self) -> u64 {
        self.announced += 1;
        self.coming.insert(self.announced);
        self.announced
    }

    /// Nobody is on the way any more under this number.
    pub(super) fn arrive(&mut self, number: u64) {
        self.coming.remove(&number);
    }

    /// Joins. The last word on a grant counts.
    pub(super) fn push(&mut self, direction: Direction, grant: Grant, answer: Answer) {
        if direction == Direction::Revoke {
            self.overtake(&grant);
        }
        let request = Request { grant, since: Instant::now(), after: self.announced, answer };
        match direction {
            Direction::Grant => self.grants.push_back(request),
            Direction::Revoke => self.revocations.push_back(request),
        }
    }

    /// When the next batch goes out, as things stand: a moment after its first came. Grants that do not fill a batch of
    /// `most` wait longer while somebody comes who was on the way before them. Revocations wait for nobody.
    pub(super) fn due(&self, most: usize) -> Option<Instant> {
        if let Some(revocation) = self.revocations.front() {
            return Some(revocation.since + COMPANY);
        }
        let grant = self.grants.front()?;
        let is_awaited = self.coming.first().is_some_and(|number| *number <= grant.after);
        let waits = if is_awaited && self.grants.len() < most { PATIENCE } else { COMPANY };
        Some(grant.since + waits)
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
        queue.push(direction, grant(user, 0), answer);
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
        assert_eq!(queue.due(2), None);
    }

    #[tokio::test(start_paused = true)]
    async fn grants_wait_for_those_who_were_on_the_way_and_revocations_for_nobody() {
        let (mut queue, began) = (Queue::default(), Instant::now());
        let before = queue.announce();
        let _grant = ask(&mut queue, Direction::Grant, 1);
        assert_eq!(queue.due(2), Some(began + PATIENCE));
        assert_eq!(queue.due(1), Some(began + COMPANY), "there is no room for those who come");
        let _after = queue.announce();
        queue.arrive(before);
        assert_eq!(queue.due(2), Some(began + COMPANY), "who sets out later is not waited for, or it would never end");
        tokio::time::advance(COMPANY * 2).await;
        let _revocation = ask(&mut queue, Direction::Revoke, 2);
        assert_eq!(queue.due(2), Some(began + COMPANY * 3));
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

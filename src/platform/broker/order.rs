//! Orders that go on after the answer: a 202 is a promise, not a success. It is watched for a moment here; what takes
//! longer is followed by whoever ordered it, also in another process.

use std::time::Duration;

use crate::platform::error::{Error, Kind, Result};
use crate::platform::pause::pause;
use crate::platform::{Operation, Progress};

/// Pauses between two looks, in milliseconds: some three seconds in all.
const PAUSES: [u64; 6] = [100, 200, 400, 600, 800, 900];
/// When to come back to what the platform is at work on.
const LATER: Duration = Duration::from_secs(3);

/// How an order went on.
pub enum Course<T> {
    /// It ended with the answer itself.
    AtOnce,
    /// It was done after a moment, to this.
    Done(T),
    /// It goes on, or nothing is known of it any more.
    Open(Operation),
}

/// What becomes within a moment of an order that the platform has taken. It is never taken for one that failed because a
/// look at it did.
pub async fn watched<T, F>(what: T, operation: Operation, look: impl Fn() -> F) -> Result<Course<T>>
where
    F: Future<Output = Result<Progress>>,
{
    for milliseconds in PAUSES {
        pause(Duration::from_millis(milliseconds)).await;
        match look().await {
            Ok(Progress::Succeeded) => return Ok(Course::Done(what)),
            Ok(Progress::Failed(error)) => return Err(error),
            Ok(Progress::Gone) | Err(_) => break,
            Ok(Progress::Running) => {}
        }
    }
    Ok(Course::Open(operation))
}

/// The error of an order that was taken, and cannot be followed.
pub fn leads_nowhere(operation: &'static str) -> Error {
    Error::new(Kind::OutcomeUnknown, operation).detail("it was accepted, and nothing says where it goes on")
}

/// The platform is still at work.
pub fn in_progress(operation: &'static str) -> Error {
    Error::new(Kind::InProgress, operation).retry_after(Some(LATER))
}

//! Changes that go on after the answer: a 202 is a promise, not a success, so its operation is watched to the end.

use std::time::Duration;

use crate::platform::pause::pause;

use super::wire::LastOperation;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::http::verdict::failure;
use crate::platform::session::Session;

/// Pauses between two looks, in milliseconds: some five seconds in all, then the caller comes back later.
const PAUSES: [u64; 8] = [100, 200, 400, 600, 800, 1000, 1000, 1000];
/// When to come back to an operation that takes longer.
const LATER: Duration = Duration::from_secs(3);

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the answer itself.
    AtOnce,
    /// After a while.
    Later,
    /// The operation, or what it works on, is not there any more.
    Gone,
}

/// Waits until the change that was answered like this has ended.
pub async fn finish(session: &Session, operation: &'static str, answer: &Answer) -> Result<End> {
    if answer.status() != 202 {
        return Ok(End::AtOnce);
    }
    let location = answer.header("location").ok_or_else(|| in_progress(operation))?;
    for milliseconds in PAUSES {
        pause(Duration::from_millis(milliseconds)).await;
        let look = session.get_location("watch operation", location).accept(&[404, 410]).send().await?;
        if matches!(look.status(), 404 | 410) {
            return Ok(End::Gone);
        }
        let seen: LastOperation = look.json("watch operation")?;
        match seen.state.as_str() {
            "succeeded" => return Ok(End::Later),
            "failed" => {
                let (kind, detail) = failure(seen.errors.as_ref());
                return Err(Error::new(kind, operation).detail(detail));
            }
            _ => {}
        }
    }
    Err(in_progress(operation))
}

/// The platform is still at work.
pub fn in_progress(operation: &'static str) -> Error {
    Error::new(Kind::InProgress, operation).retry_after(Some(LATER))
}

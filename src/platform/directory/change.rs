//! Reading one resource and writing it: by `PATCH`, or whole where the directory has none.
//!
//! Where the directory keeps versions, a write that would undo somebody else's is refused (412), and is decided anew on
//! what there is then.

use serde_json::Value;

use super::wire::{SCIM, Whole, patch};
use super::{Directory, another, is_gone};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::http::Answer;
use crate::platform::session::Call;

/// How often a write is decided anew that crossed another's.
const MOST_TRIES: usize = 5;
/// Refusals of a write that went by an old version.
const CROSSED: &[u16] = &[412];

/// What to write, in both forms.
pub(super) struct Change {
    /// The operations of a `PATCH`.
    pub(super) operations: Vec<Value>,
    /// The whole resource afterwards.
    pub(super) whole: Value,
    /// Whether making it twice does what making it once does, whatever others do in between.
    pub(super) is_repeatable: bool,
}

/// Which resource, and for what.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) path: &'static str,
    pub(super) id: &'a str,
    pub(super) operation: &'static str,
    pub(super) urgency: Urgency,
}

impl Directory {
    /// A resource as it is now; `None` where the directory says that there is none.
    pub(super) async fn whole(&self, target: Target<'_>) -> Result<Option<Whole>> {
        let Target { path, id, operation, urgency } = target;
        let answer = self.get(operation, &[path, id]).urgency(urgency).accept(&[404]).send().await?;
        if is_gone(&answer, operation)? {
            return Ok(None);
        }
        Whole::read(&answer, id, operation).map(Some).ok_or_else(|| another(operation))
    }

    /// Makes the change that is decided on what there is, if any. Tells what there was before, if it is there.
    pub(super) async fn change(
        &self,
        target: Target<'_>,
        decide: impl Fn(&Whole) -> Result<Option<Change>>,
    ) -> Result<Option<Whole>> {
        for _ in 0..MOST_TRIES {
            let Some(whole) = self.whole(target).await? else { return Ok(None) };
            let Some(change) = decide(&whole)? else { return Ok(Some(whole)) };
            let call = self.written(target, &whole, change).await?;
            let answer = call.urgency(target.urgency).accept(CROSSED).send().await?;
            if answer.status() != 412 {
                return if is_about(&answer, target) { Ok(Some(whole)) } else { Err(open(target.operation)) };
            }
        }
        Err(Error::new(Kind::Unavailable, target.operation).detail("somebody else changes it all the time"))
    }

    async fn written(&self, target: Target<'_>, whole: &Whole, change: Change) -> Result<Call> {
        let Target { path, id, operation, urgency } = target;
        let abilities = self.abilities(urgency).await?;
        let (call, is_whole) = if abilities.patch.supported {
            let call = self.session.patch(operation, &[path, id]).json(&patch(change.operations));
            (if change.is_repeatable { call.repeatable() } else { call }, false)
        } else {
            (self.session.put(operation, &[path, id]).json(&change.whole), true)
        };
        let call = call.header("accept", SCIM).header("content-type", SCIM);
        // A change of parts that can be repeated undoes nobody's.
        let may_cross = change.is_repeatable && !is_whole;
        let tag = whole.tag.as_deref().filter(|_| abilities.etag.supported && !may_cross);
        Ok(tag.into_iter().fold(call, |call, tag| call.header("if-match", tag)))
    }
}

/// Whether an answer to a write shows what was written, or says no more than that it is done (RFC 7644 §3.5.2).
fn is_about(answer: &Answer, target: Target<'_>) -> bool {
    answer.body().is_empty() || Whole::read(answer, target.id, target.operation).is_some()
}

/// What cannot be read of an answer to a change leaves open whether it was made.
fn open(operation: &'static str) -> Error {
    Error::new(Kind::OutcomeUnknown, operation)
}

//! What an answer leaves open. Pure.

use crate::platform::error::{Error, Kind};

/// The answer shows something else than was asked for.
pub fn another(operation: &'static str) -> Error {
    Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about something else")
}

/// The error of an order that the platform has taken: what cannot be read in the answer is unknown, not undone.
pub fn taken(error: Error) -> Error {
    if error.kind() != Kind::UnexpectedAnswer {
        return error;
    }
    Error::new(Kind::OutcomeUnknown, error.operation()).detail(error.detail_text().to_owned())
}

/// It is made, and could not be read.
pub fn unread(operation: &'static str) -> Error {
    Error::new(Kind::OutcomeUnknown, operation).detail("it is done, and could not be read")
}

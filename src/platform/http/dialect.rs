//! The words in which an API refuses: where its code words stand, which of them may be repeated, and what they mean where
//! the status alone would mislead. Pure; each API has its own.

use serde_json::Value;

use crate::platform::error::Kind;

/// How to read an API's error bodies.
#[derive(Debug)]
pub struct Dialect {
    /// The code word of an error body.
    pub word: fn(&Value) -> Option<&str>,
    /// The code words that are safe to repeat. Nothing else of a body ever gets into an error.
    pub words: &'static [&'static str],
    /// What a refusal means beyond its status.
    pub read: fn(&Told<'_>) -> Reading,
    /// Whether `X-RateLimit-Remaining: 0` means that nothing is left. Some APIs but estimate it.
    pub counts_exactly: bool,
}

/// A refusal as it was told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The status.
    pub status: u16,
    /// The code word, if it is one of those we know.
    pub word: Option<&'static str>,
    /// The body; `null` where it is not JSON.
    pub body: &'a Value,
}

/// What a refusal means beyond its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What fixes it, where the status would mislead.
    pub kind: Option<Kind>,
    /// Whether somebody behind the API refused, failed, or took too long: that tells nothing of the API's own health.
    pub from_behind: bool,
    /// Whether nothing has come of the request, although the answer is a failure.
    pub is_undone: bool,
}

/// An API whose statuses say all.
pub const PLAIN: Dialect = Dialect { word: error_word, words: &[], read: |_| Reading::default(), counts_exactly: true };

/// The words of OAuth (RFC 6749 §5.2, RFC 6750 §3.1), which whoever looks at tokens may say before any API does.
pub const OAUTH: Dialect = Dialect {
    word: error_word,
    words: &[
        "access_denied",
        "insufficient_scope",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_token",
        "unauthorized",
        "unauthorized_client",
        "unsupported_grant_type",
    ],
    read: |_| Reading::default(),
    counts_exactly: true,
};

impl Dialect {
    /// The code word of a body, if it is one that may be repeated.
    pub fn word_of(&self, body: &Value) -> Option<&'static str> {
        let known = |dialect: &Self| {
            let word = (dialect.word)(body)?;
            dialect.words.iter().copied().find(|known| *known == word)
        };
        known(self).or_else(|| known(&OAUTH))
    }
}

/// The member `error`, where most APIs have their code word. Some have a sentence there.
pub fn error_word(body: &Value) -> Option<&str> {
    body.get("error")?.as_str()
}

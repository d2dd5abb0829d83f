//! Sessions and their tokens against forged requests: who writes needs the token of the session whose cookie it sends.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};

use crate::frame::{Guarded, random};

const COOKIE: &str = "JSESSIONID";

/// Tokens by session.
#[derive(Default)]
pub(super) struct Sessions(Guarded<HashMap<String, String>>);

impl Sessions {
    /// The token of the request's session, and the cookie of a new one if it has none.
    pub(super) fn token(&self, headers: &HeaderMap) -> (String, Option<String>) {
        self.0.write(|sessions| {
            if let Some(token) = cookie(headers).and_then(|session| sessions.get(session)) {
                return (token.clone(), None);
            }
            let (session, token) = (random::opaque(), random::uuid().replace('-', "").to_uppercase());
            let set = format!("{COOKIE}={session}; Path=/; HttpOnly");
            sessions.insert(session, token.clone());
            (token, Some(set))
        })
    }

    /// Whether the request carries its session's token.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
        let wanted = self.0.read(|sessions| cookie(headers).and_then(|session| sessions.get(session).cloned()));
        wanted.is_some() && shown == wanted.as_deref()
    }

    /// Ends all sessions.
    pub(super) fn reset(&self) {
        self.0.write(HashMap::clear);
    }
}

/// The request's session.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

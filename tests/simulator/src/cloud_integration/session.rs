//! Sessions and their tokens against forged requests: who writes needs the token of the session whose cookie it sends.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, header};

use crate::frame::{Guarded, random};

const COOKIE: &str = "JSESSIONID";

/// How long a session lives that nobody uses.
const IDLE: Duration = Duration::from_mins(20);

/// Tokens by session, and when each was used last.
#[derive(Default)]
pub(super) struct Sessions(Guarded<HashMap<String, (String, Duration)>>);

impl Sessions {
    /// The token of the request's session, and the cookie of a new one if it has none.
    pub(super) fn token(&self, headers: &HeaderMap, now: Duration) -> (String, Option<String>) {
        self.0.write(|sessions| {
            sessions.retain(|_, (_, used)| now < *used + IDLE);
            if let Some((token, used)) = cookie(headers).and_then(|session| sessions.get_mut(session)) {
                *used = now;
                return (token.clone(), None);
            }
            let (session, token) = (random::opaque(), random::uuid().replace('-', "").to_uppercase());
            let set = format!("{COOKIE}={session}; Path=/; HttpOnly");
            sessions.insert(session, (token.clone(), now));
            (token, Some(set))
        })
    }

    /// Whether the request carries its session's token.
    pub(super) fn knows(&self, headers: &HeaderMap, now: Duration) -> bool {
        let shown = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
        self.0.write(|sessions| {
            sessions.retain(|_, (_, used)| now < *used + IDLE);
            let Some((token, used)) = cookie(headers).and_then(|session| sessions.get_mut(session)) else {
                return false;
            };
            *used = now;
            shown == Some(token.as_str())
        })
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

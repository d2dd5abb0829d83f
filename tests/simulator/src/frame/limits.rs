//! Rate limits per route that a test switches on: so many requests a minute, the rest is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::guarded::Guarded;

const MINUTE: Duration = Duration::from_mins(1);

/// How many requests a route answers in a minute.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Limit {
    /// Requests that are answered in one minute.
    pub(crate) per_minute: u32,
}

struct Window {
    limit: Limit,
    since: Duration,
    used: u32,
}

/// Limits by route name or `*` (one window for all routes together).
#[derive(Default)]
pub(crate) struct Limits(Guarded<BTreeMap<String, Window>>);

impl Limits {
    /// Limits a route from now on.
    pub(crate) fn put(&self, route: String, limit: Limit) {
        self.0.write(|windows| windows.insert(route, Window { limit, since: Duration::ZERO, used: 0 }));
    }

    /// Removes every limit.
    pub(crate) fn clear(&self) {
        self.0.write(BTreeMap::clear);
    }

    /// What is limited now.
    pub(crate) fn list(&self) -> BTreeMap<String, Limit> {
        self.0.read(|windows| windows.iter().map(|(route, window)| (route.clone(), window.limit)).collect())
    }

    /// Counts a request; an error says how long until the window opens again.
    pub(crate) fn admit(&self, route: &str, now: Duration) -> Result<(), Duration> {
        if self.0.read(BTreeMap::is_empty) {
            return Ok(());
        }
        self.0.write(|windows| {
            let key = if windows.contains_key(route) { route } else { "*" };
            windows.get_mut(key).map_or(Ok(()), |window| window.admit(now))
        })
    }
}

impl Window {
    fn admit(&mut self, now: Duration) -> Result<(), Duration> {
        if now >= self.since + MINUTE {
            (self.since, self.used) = (now, 0);
        }
        if self.used >= self.limit.per_minute {
            return Err((self.since + MINUTE).saturating_sub(now));
        }
        self.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_opens_again_after_a_minute() {
        let limits = Limits::default();
        limits.put("a".into(), Limit { per_minute: 1 });
        let start = Duration::from_secs(1000);
        assert!(limits.admit("a", start).is_ok());
        assert_eq!(limits.admit("a", start + Duration::from_secs(10)), Err(Duration::from_secs(50)));
        assert!(limits.admit("b", start).is_ok());
        assert!(limits.admit("a", start + MINUTE).is_ok());
    }
}

//! The rate limit of the platform APIs: so many requests a minute per subaccount and API. The documentation says that
//! requests above it are delayed at first and then refused; how long and how many it does not say.

use std::collections::HashMap;
use std::time::Duration;

use super::refusal::Refusal;
use crate::frame::Guarded;

const MINUTE: Duration = Duration::from_mins(1);
/// How many requests above the limit are only delayed.
const DELAYED: u32 = 20;
/// How long each of them waits.
const DELAY: Duration = Duration::from_millis(500);

/// The two APIs that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Api {
    /// Platform Authorization Management API.
    Members,
    /// Authorization Management API.
    Authorization,
}

#[derive(Default)]
struct Window {
    since: Duration,
    used: u32,
}

/// Counts the requests of the current minute.
#[derive(Default)]
pub(super) struct Budget(Guarded<HashMap<Api, Window>>);

impl Budget {
    /// Counts a request; says how long it has to wait.
    pub(super) fn admit(&self, api: Api, limit: Option<u32>, now: Duration) -> Result<Duration, Refusal> {
        let Some(limit) = limit else { return Ok(Duration::ZERO) };
        self.0.write(|windows| windows.entry(api).or_default().admit(limit, now))
    }

    /// A new minute for everyone.
    pub(super) fn reset(&self) {
        self.0.write(HashMap::clear);
    }
}

impl Window {
    fn admit(&mut self, limit: u32, now: Duration) -> Result<Duration, Refusal> {
        if now >= self.since + MINUTE {
            *self = Self { since: now, used: 0 };
        }
        if self.used >= limit + DELAYED {
            return Err(Refusal::TooMany);
        }
        self.used += 1;
        Ok(if self.used > limit { DELAY } else { Duration::ZERO })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_at_once_then_late_then_not_at_all_until_the_next_minute() {
        let (budget, now) = (Budget::default(), Duration::from_secs(1000));
        let admit = |api, now| budget.admit(api, Some(2), now);
        assert_eq!(admit(Api::Members, now).unwrap(), Duration::ZERO);
        assert_eq!(admit(Api::Members, now).unwrap(), Duration::ZERO);
        for _ in 0..DELAYED {
            assert_eq!(admit(Api::Members, now).unwrap(), DELAY);
        }
        assert!(matches!(admit(Api::Members, now), Err(Refusal::TooMany)));
        assert_eq!(admit(Api::Authorization, now).unwrap(), Duration::ZERO);
        assert_eq!(admit(Api::Members, now + MINUTE).unwrap(), Duration::ZERO);
        assert_eq!(budget.admit(Api::Members, None, now).unwrap(), Duration::ZERO);
    }
}

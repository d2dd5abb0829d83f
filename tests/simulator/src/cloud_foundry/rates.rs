//! How often one may ask: a number of requests an hour for each user, told with every answer (cloud_controller_ng,
//! `middleware/base_rate_limiter.rb`). What is left is told in tenths, rounded down: each of several processes of the
//! Cloud Controller counts alone, so that it can only estimate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::frame::{CloudFoundryRetryAfter, Guarded, answer};

use super::refusal::Refusal;
use super::{CloudFoundry, PREFIX, REALM, access};

const HOUR: Duration = Duration::from_hours(1);
/// Those without a token may ask so many times less.
const UNKNOWN: u32 = 20;
/// Paths that are not counted.
const FREE: [&str; 3] = ["", "/", "/v3"];

#[derive(Clone, Copy, Default)]
struct Window {
    until: Duration,
    used: u32,
}

/// Requests of each user in this hour.
#[derive(Default)]
pub(super) struct Counter(Guarded<HashMap<String, Window>>);

impl Counter {
    /// Counts a request of the user: how many it is, and when the hour ends.
    fn count(&self, user: &str, now: Duration) -> (u32, Duration) {
        self.0.write(|windows| {
            let window = windows.entry(user.to_owned()).or_default();
            if window.until <= now {
                *window = Window { until: now + HOUR, used: 0 };
            }
            window.used = window.used.saturating_add(1);
            (window.used, window.until)
        })
    }

    /// As if nobody had asked for anything.
    pub(super) fn reset(&self) {
        self.0.write(HashMap::clear);
    }
}

/// Stands before every route of the API.
pub(super) async fn count(State(cloud): State<Arc<CloudFoundry>>, request: Request, next: Next) -> Response {
    let settings = cloud.settings();
    let path = request.uri().path();
    let free = FREE.contains(&path.strip_prefix(PREFIX).unwrap_or(path));
    let Some(limit) = settings.cloud_foundry_requests_per_hour.filter(|_| settings.rates_hold() && !free) else {
        return next.run(request).await;
    };
    let user = user(&cloud, request.headers());
    let known = user.is_some();
    let limit = if known { limit } else { limit.div_ceil(UNKNOWN) };
    let now = cloud.frame().clock.now();
    let (used, until) = cloud.rates.count(user.as_deref().unwrap_or_default(), now);
    let response = if used > limit {
        let left = until.saturating_sub(now).as_secs().max(1);
        let when = match settings.cloud_foundry_retry_after {
            CloudFoundryRetryAfter::Seconds => left,
            CloudFoundryRetryAfter::Epoch => until.as_secs(),
        };
        let refused = Refusal::too_many(known).as_plain_text();
        answer::with_header(refused, header::RETRY_AFTER, &when.to_string())
    } else {
        next.run(request).await.into_response()
    };
    told(response, limit, used, until)
}

/// Adds the three headers.
fn told(response: Response, limit: u32, used: u32, until: Duration) -> Response {
    let name = |name: &'static str| HeaderName::from_static(name);
    let response = answer::with_header(response, name("x-ratelimit-limit"), &limit.to_string());
    let response = answer::with_header(response, name("x-ratelimit-remaining"), &remaining(limit, used).to_string());
    answer::with_header(response, name("x-ratelimit-reset"), &until.as_secs().to_string())
}

/// What is left, in tenths of the whole.
fn remaining(limit: u32, used: u32) -> u64 {
    let (limit, left) = (u64::from(limit), u64::from(limit.saturating_sub(used)));
    (left * 10).checked_div(limit).unwrap_or_default() * limit / 10
}

/// Whose request it is; `None` without a valid token.
fn user(cloud: &CloudFoundry, headers: &HeaderMap) -> Option<String> {
    cloud.frame().grant(headers, REALM).ok().map(|grant| access::user_of(&grant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_tenths_rounded_down() {
        assert_eq!([1, 10, 11, 99, 100, 101].map(|used| remaining(100, used)), [90, 90, 80, 0, 0, 0]);
        assert_eq!(remaining(0, 1), 0);
    }
}

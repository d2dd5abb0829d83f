//! How long a platform asks us to wait, in every dialect that platforms are known to speak.
//!
//! Pure: what the clock says is a parameter. What cannot be read is `None`, and the caller falls back to its backoff.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use k8s_openapi::jiff::fmt::strtime;

/// No platform gets to silence us for longer: a wrong clock or a typing mistake must not look like an outage.
pub const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Above this a number is a point in time (seconds since 1970), below it a span.
const SMALLEST_POINT_IN_TIME: u64 = 1_000_000_000;

/// Reads a `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3), the time text that the Service Manager writes
/// (`2024-11-11 14:59:33 +0000 UTC`, as Go prints a time), or the seconds since 1970 of older Cloud Controllers.
pub fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        seconds_or_time(seconds, now)?
    } else if let Ok(at) = httpdate::parse_http_date(text) {
        until(at, now)
    } else {
        until(go_time(text)?, now)
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Reads an `X-RateLimit-Reset` for a budget with nothing left: seconds from now, or seconds since 1970.
pub fn rate_limit_reset(remaining: &str, reset: &str, now: SystemTime) -> Option<Duration> {
    if remaining.trim().parse::<u64>() != Ok(0) {
        return None;
    }
    let seconds = reset.trim().parse::<u64>().ok()?;
    Some(seconds_or_time(seconds, now)?.min(LONGEST_WAIT))
}

fn seconds_or_time(seconds: u64, now: SystemTime) -> Option<Duration> {
    let span = Duration::from_secs(seconds);
    if seconds < SMALLEST_POINT_IN_TIME { Some(span) } else { Some(until(UNIX_EPOCH.checked_add(span)?, now)) }
}

fn until(at: SystemTime, now: SystemTime) -> Duration {
    at.duration_since(now).unwrap_or_default()
}

/// `2024-11-11 14:59:33[.123] +0000 UTC[ m=+0.1]`: date, time and offset count; the zone's name does not.
fn go_time(text: &str) -> Option<SystemTime> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, offset) = (words.next()?, words.next()?, words.next().unwrap_or("+0000"));
    let zoned = strtime::parse("%Y-%m-%d %H:%M:%S%.f %z", format!("{date} {time} {offset}")).ok()?;
    Some(zoned.to_timestamp().ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-11-11 14:59:00 UTC.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_731_337_140)
    }

    #[test]
    fn every_dialect_is_understood() {
        for (text, seconds) in [
            ("30", 30),
            (" 0 ", 0),
            ("1731337173", 33),
            ("Mon, 11 Nov 2024 14:59:33 GMT", 33),
            ("2024-11-11 14:59:33 +0000 UTC", 33),
            ("2024-11-11 14:59:33", 33),
            ("2024-11-11 16:59:33 +0200 CEST", 33),
            ("2024-11-11 14:59:33.5 +0000 UTC m=+1.5", 33),
        ] {
            let wait = retry_after(text, now()).unwrap_or_else(|| panic!("{text} was not understood"));
            assert_eq!(wait.as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn the_past_is_now_and_the_far_future_is_capped() {
        assert_eq!(retry_after("Mon, 11 Nov 2024 14:00:00 GMT", now()), Some(Duration::ZERO));
        assert_eq!(retry_after("86400", now()), Some(LONGEST_WAIT));
        assert_eq!(retry_after("2199-01-01 00:00:00 +0000 UTC", now()), Some(LONGEST_WAIT));
    }

    #[test]
    fn nonsense_is_left_to_the_backoff() {
        for text in ["", "soon", "-5", "2024-11-11", "2024-13-40 14:59:33 +0000 UTC", "99999999999999999999999"] {
            assert_eq!(retry_after(text, now()), None, "{text}");
        }
    }

    #[test]
    fn a_reset_counts_only_when_nothing_remains() {
        assert_eq!(rate_limit_reset("5", "10", now()), None);
        assert_eq!(rate_limit_reset("0", "10", now()), Some(Duration::from_secs(10)));
        assert_eq!(rate_limit_reset("0", "1731337150", now()), Some(Duration::from_secs(10)));
        assert_eq!(rate_limit_reset("0", "later", now()), None);
    }
}

//! Rates that a platform documents and holds all its clients to. Which requests count against which rate is the
//! platform's; what a test switches on for a route is in `limits`.

use std::collections::HashMap;
use std::time::Duration;

use super::guarded::Guarded;

const SECOND: Duration = Duration::from_secs(1);

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// What is counted together.
    pub(crate) bucket: &'static str,
    /// How many are answered.
    pub(crate) most: u32,
    /// In which time.
    pub(crate) within: Duration,
}

#[derive(Clone, Copy, Default)]
struct Window {
    since: Duration,
    used: u32,
}

type Windows = HashMap<(String, &'static str, Duration), Window>;

/// Counts each client's requests; all levels of a request must have room, and a request that is refused counts at none.
#[derive(Default)]
pub(crate) struct Meter(Guarded<Windows>);

impl Meter {
    /// Counts a request; an error says how long until there is room again.
    pub(crate) fn admit(&self, client: &str, levels: &[Level], now: Duration) -> Result<(), Duration> {
        self.0.write(|windows| {
            let mut open = Vec::with_capacity(levels.len());
            for level in levels {
                open.push(level.opened(windows.get(&level.key(client)).copied().unwrap_or_default(), now)?);
            }
            for (level, window) in levels.iter().zip(open) {
                windows.insert(level.key(client), Window { used: window.used + 1, ..window });
            }
            Ok(())
        })
    }

    /// As if nobody had asked for anything.
    pub(crate) fn reset(&self) {
        self.0.write(HashMap::clear);
    }
}

impl Level {
    fn key(&self, client: &str) -> (String, &'static str, Duration) {
        (client.to_owned(), self.bucket, self.within)
    }

    /// The window that the moment falls into, if it has room.
    fn opened(&self, window: Window, now: Duration) -> Result<Window, Duration> {
        let over = now >= window.since + self.within;
        let window = if over { Window { since: now, used: 0 } } else { window };
        if window.used < self.most { Ok(window) } else { Err((window.since + self.within).saturating_sub(now)) }
    }
}

/// Requests a second for everybody together; those above it wait for the next second, and above that are refused.
#[derive(Default)]
pub(crate) struct Queue(Guarded<Window>);

impl Queue {
    /// Counts a request; says how long it waits, or after which time it may come again.
    pub(crate) fn admit(&self, per_second: u32, now: Duration) -> Result<Duration, Duration> {
        self.0.write(|window| {
            while now >= window.since + SECOND && window.used > 0 {
                *window = Window { since: window.since + SECOND, used: window.used.saturating_sub(per_second) };
            }
            if window.used == 0 {
                window.since = now;
            }
            if window.used >= per_second * 2 {
                return Err(SECOND);
            }
            window.used += 1;
            let late = window.used > per_second;
            Ok(if late { (window.since + SECOND).saturating_sub(now) } else { Duration::ZERO })
        })
    }

    /// As if nobody had asked for anything.
    pub(crate) fn reset(&self) {
        self.0.write(|window| *window = Window::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const START: Duration = Duration::from_secs(1000);

    #[test]
    fn a_refused_request_takes_no_room_of_the_others() {
        let meter = Meter::default();
        let all = Level { bucket: "all", most: 3, within: MINUTE };
        let orders = Level { bucket: "orders", most: 1, within: MINUTE };
        assert_eq!(meter.admit("a", &[all, orders], START), Ok(()));
        let later = START + SECOND;
        assert_eq!(meter.admit("a", &[all, orders], later), Err(Duration::from_secs(59)));
        assert_eq!(meter.admit("a", &[all], later), Ok(()));
        assert_eq!(meter.admit("a", &[all], later), Ok(()));
        assert!(meter.admit("a", &[all], later).is_err());
        assert_eq!(meter.admit("b", &[all, orders], later), Ok(()), "each client has its own");
        assert_eq!(meter.admit("a", &[all, orders], START + MINUTE), Ok(()));
    }

    #[test]
    fn first_at_once_then_in_the_next_second_then_not_at_all() {
        let queue = Queue::default();
        assert_eq!(queue.admit(1, START), Ok(Duration::ZERO));
        assert_eq!(queue.admit(1, START), Ok(SECOND));
        assert_eq!(queue.admit(1, START), Err(SECOND));
        assert_eq!(queue.admit(1, START + SECOND), Ok(SECOND), "the one that waited is first");
        assert_eq!(queue.admit(1, START + SECOND * 10), Ok(Duration::ZERO));
    }
}

//! The request log and the counters: what came in, who asked, how it was answered. Secrets are left out of it, so
//! that a leak scan over the log finds only real leaks.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use super::guarded::Guarded;

/// Older entries than this many are forgotten.
const KEPT: usize = 100_000;

/// One request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// Position in the log, counted from 1 and never reused.
    pub(crate) sequence: u64,
    /// When it came in (RFC 3339, the simulator's time).
    pub(crate) time: String,
    /// HTTP method.
    pub(crate) method: String,
    /// Path as sent, still percent-encoded.
    pub(crate) path: String,
    /// Query as sent.
    pub(crate) query: Option<String>,
    /// Name of the route; `None` where no route answers this path.
    pub(crate) route: Option<String>,
    /// Status of the answer.
    pub(crate) status: u16,
    /// The fault that spoiled it.
    pub(crate) fault: Option<String>,
    /// Client id that asked, as far as it can be told.
    pub(crate) client: Option<String>,
    /// Content type of the request.
    pub(crate) content_type: Option<String>,
    /// Body of the request, JSON or a form as an object, without its secrets.
    pub(crate) body: Option<Value>,
    /// Time until the answer stood, in microseconds.
    pub(crate) micros: u64,
    /// Requests in flight when it came in, itself included.
    pub(crate) in_flight: u64,
}

/// Counters since the last reset.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counters {
    /// Requests in all.
    pub(crate) total: u64,
    /// Requests per route.
    pub(crate) routes: BTreeMap<String, u64>,
    /// Answers per status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests in flight now.
    pub(crate) in_flight: u64,
    /// Most requests in flight at one time.
    pub(crate) most_in_flight: u64,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Entry>,
    last: u64,
    counters: Counters,
}

/// The log. Writing is one push under a short lock.
#[derive(Default)]
pub(crate) struct RequestLog(Guarded<Kept>);

impl RequestLog {
    /// A request has come in; says how many are in flight with it.
    pub(crate) fn enter(&self) -> u64 {
        self.0.write(|kept| {
            let counters = &mut kept.counters;
            counters.in_flight += 1;
            counters.most_in_flight = counters.most_in_flight.max(counters.in_flight);
            counters.in_flight
        })
    }

    /// It is over, with or without an answer.
    pub(crate) fn leave(&self) {
        self.0.write(|kept| kept.counters.in_flight = kept.counters.in_flight.saturating_sub(1));
    }

    /// Its answer stands.
    pub(crate) fn add(&self, mut entry: Entry) {
        self.0.write(|kept| {
            kept.last += 1;
            entry.sequence = kept.last;
            let route = entry.route.clone().unwrap_or_else(|| "no-route".to_owned());
            kept.counters.total += 1;
            *kept.counters.routes.entry(route).or_default() += 1;
            *kept.counters.statuses.entry(entry.status).or_default() += 1;
            if kept.entries.len() == KEPT {
                kept.entries.pop_front();
            }
            kept.entries.push_back(entry);
        });
    }

    /// Entries after the given sequence number.
    pub(crate) fn since(&self, sequence: u64) -> Vec<Entry> {
        self.0.read(|kept| {
            let first = kept.entries.partition_point(|entry| entry.sequence <= sequence);
            kept.entries.range(first..).cloned().collect()
        })
    }

    /// The counters.
    pub(crate) fn counters(&self) -> Counters {
        self.0.read(|kept| kept.counters.clone())
    }

    /// Forgets entries and counters; sequence numbers go on, and so do requests in flight.
    pub(crate) fn clear(&self) {
        self.0.write(|kept| {
            kept.entries.clear();
            let in_flight = kept.counters.in_flight;
            kept.counters = Counters { in_flight, most_in_flight: in_flight, ..Counters::default() };
        });
    }
}

//! What was asked of the API server and of the platform: differences of their own counters.
//!
//! The API server's metrics do not say who asked. They need not: while objects become Ready, nobody but the operator
//! changes a status, patches our kinds, reads our kinds and Secrets one by one, or writes Secrets and events; and nobody
//! but the bench creates objects of our kinds, or deletes many at once.

use std::collections::BTreeMap;

use kube::{Client, Resource};
use serde_json::Value;
use technical_user_operator::api::{RoleBinding, TechnicalUser};

use crate::harness::simulator::Simulator;

const GROUP: &str = "technicaluser.dev";

const ADMIN: &str = "an admin credential";
const ISSUED: &str = "an issued credential";

/// What a call to the API server was: verb, group, and resource with its subresource.
type Kind = (String, String, String);

/// The API server's count of requests.
#[derive(Clone)]
pub(crate) struct Requests(BTreeMap<Kind, u64>);

impl Requests {
    /// As it stands.
    pub(crate) async fn now(client: &Client) -> Self {
        let request = axum::http::Request::get("/metrics").body(vec![]).expect("a request");
        let text = client.request_text(request).await.expect("the API server's metrics");
        let mut counts = BTreeMap::new();
        for (kind, count) in text.lines().filter_map(count_of) {
            *counts.entry(kind).or_default() += count;
        }
        Self(counts)
    }

    /// What came in after `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let later = self.0.iter().map(|(kind, count)| (kind.clone(), count - before.0.get(kind).unwrap_or(&0)));
        Self(later.filter(|(_, count)| *count > 0).collect())
    }

    /// Writes of the operator about objects of this kind. Events are those of all kinds.
    pub(crate) fn writes(&self, resource: &str) -> BTreeMap<String, u64> {
        self.of_operator().filter(|(verb, what, _)| is_write(verb) && about(what) == resource).map(named).collect()
    }

    /// Reads of single objects, and lists, by the operator.
    pub(crate) fn reads(&self) -> BTreeMap<String, u64> {
        self.of_operator().filter(|(verb, ..)| matches!(*verb, "GET" | "LIST")).map(named).collect()
    }

    /// All writes of the operator, its lease apart.
    pub(crate) fn all_writes(&self) -> BTreeMap<String, u64> {
        self.of_operator().filter(|(verb, ..)| is_write(verb)).map(named).collect()
    }

    fn of_operator(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let ours = self.0.iter().filter(|((verb, group, what), _)| match what.as_str() {
            "technicalusers" | "rolebindings" => {
                group == GROUP && !matches!(verb.as_str(), "POST" | "DELETECOLLECTION")
            }
            "secrets" | "events" => true,
            _ => group == GROUP,
        });
        ours.map(|((verb, _, what), count)| (verb.as_str(), what.as_str(), *count))
    }
}

fn is_write(verb: &str) -> bool {
    matches!(verb, "POST" | "PUT" | "PATCH" | "APPLY" | "DELETE" | "DELETECOLLECTION")
}

fn about(what: &str) -> &str {
    what.split('/').next().unwrap_or(what)
}

fn named((verb, what, count): (&str, &str, u64)) -> (String, u64) {
    (format!("{verb} {what}"), count)
}

/// One line of the text format, if it is of `apiserver_request_total`.
fn count_of(line: &str) -> Option<(Kind, u64)> {
    let (labels, count) = line.strip_prefix("apiserver_request_total{")?.split_once('}')?;
    let label = |name: &str| {
        let from = labels.split(&format!("{name}=\"")).nth(1)?;
        from.split('"').next().map(str::to_owned)
    };
    let (resource, subresource) = (label("resource")?, label("subresource")?);
    let what = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") };
    // Counters are printed as floats once they are large.
    let count = count.trim().parse::<f64>().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter")]
    Some(((label("verb")?, label("group")?, what), count as u64))
}

/// How many events speak of a RoleBinding and how many of a TechnicalUser.
pub(crate) fn events(listed: &[Value]) -> [u64; 2] {
    [RoleBinding::kind(&()), TechnicalUser::kind(&())].map(|kind| {
        let of_kind = listed.iter().filter(|event| event["involvedObject"]["kind"] == *kind);
        // A repeated event is patched: each count beyond the first was a write too.
        of_kind.map(|event| event["series"]["count"].as_u64().unwrap_or(1)).sum()
    })
}

/// The platform's log of requests, from a mark on.
pub(crate) struct Platform {
    after: u64,
}

/// What the platform was asked.
pub(crate) struct Asked {
    pub(crate) routes: BTreeMap<String, u64>,
    pub(crate) most_in_flight: u64,
}

impl Platform {
    /// Only what comes from now on counts.
    pub(crate) fn from_now(simulator: &Simulator) -> Self {
        let after = simulator.requests().last().and_then(|entry| entry["sequence"].as_u64()).unwrap_or(0);
        Self { after }
    }

    /// What has come since.
    pub(crate) fn asked(&self, simulator: &Simulator) -> Asked {
        let mut asked = Asked { routes: BTreeMap::new(), most_in_flight: 0 };
        let since = simulator.requests();
        for entry in since.iter().filter(|entry| entry["sequence"].as_u64() > Some(self.after)) {
            let route = entry["route"].as_str().unwrap_or("no route");
            *asked.routes.entry(format!("{route} by {}", asker(entry))).or_default() += 1;
            asked.most_in_flight = asked.most_in_flight.max(entry["inFlight"].as_u64().unwrap_or(0));
        }
        asked
    }
}

impl Asked {
    /// Token calls of admin credentials, and of issued ones: those are proofs.
    pub(crate) fn tokens(&self) -> (u64, u64) {
        let of = |asker: &str| {
            let tokens = self.routes.iter().filter(|(route, _)| is_token(route) && route.ends_with(asker));
            tokens.map(|(_, count)| count).sum()
        };
        (of(ADMIN), of(ISSUED))
    }

    /// All other calls.
    pub(crate) fn others(&self) -> u64 {
        self.routes.iter().filter(|(route, _)| !is_token(route)).map(|(_, count)| count).sum()
    }
}

fn is_token(route: &str) -> bool {
    route.starts_with("auth.token") || route.starts_with("neo.token")
}

/// Whether an admin credential asked, or a credential that was issued and is being proved.
fn asker(entry: &Value) -> &'static str {
    let client = entry["client"].as_str().unwrap_or_default();
    if client.contains("it-rt") || client.contains("|it!") { ISSUED } else { ADMIN }
}

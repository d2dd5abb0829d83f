//! How an object says what happened: conditions in its status, events, log lines. Decides nothing.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::error::{Class, Error, Result};
use super::event::{News, Publisher};
use crate::api::conditions::{self, READY, RECONCILING, STALLED, Verdict};
use crate::platform;

/// How a reconcile ended that met no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object serves its purpose; the sentence says how.
    Ready(String),
    /// All that can be done is done, and it is not enough: `reason`, and a sentence.
    Holding(&'static str, String),
    /// Nothing will move until somebody acts: `reason`, and a sentence.
    Stalled(&'static str, String),
    /// The object was only observed.
    Observed(String),
}

/// What a reconcile changed: one log line each, one event for all.
#[derive(Debug, Default)]
pub struct Journal {
    reason: Option<&'static str>,
    warns: bool,
    entries: Vec<String>,
}

impl Journal {
    /// Notes a change that was made. The first reason of a reconcile is the event's.
    pub fn note(&mut self, reason: &'static str, entry: impl Into<String>) {
        let entry = entry.into();
        tracing::info!(reason, "{entry}");
        self.reason.get_or_insert(reason);
        self.entries.push(entry);
    }

    /// Notes something that a person should look at.
    pub fn warn(&mut self, reason: &'static str, entry: impl Into<String>) {
        self.warns = true;
        self.note(reason, entry);
    }

    /// The one event for all that was noted.
    fn news(self) -> Option<News> {
        Some(News { warns: self.warns, reason: self.reason?, note: self.entries.join("; ") })
    }
}

/// What the end of a reconcile means for an object.
enum End<'a> {
    Served(&'a str),
    Observed(&'a str),
    Working(&'static str, String),
    Stalled(&'static str, String),
}

fn end(result: &Result<Outcome>) -> End<'_> {
    match result {
        Ok(Outcome::Ready(message)) => End::Served(message),
        Ok(Outcome::Observed(message)) => End::Observed(message),
        Ok(Outcome::Holding(reason, message)) => End::Working(reason, message.clone()),
        Ok(Outcome::Stalled(reason, message)) => End::Stalled(reason, message.clone()),
        Err(error) if matches!(error.class(), Class::Person | Class::Bug) => {
            End::Stalled(error.reason(), error.to_string())
        }
        Err(error) => End::Working(error.reason(), error.to_string()),
    }
}

/// Sets `Ready`, `Reconciling` and `Stalled` for the end of a reconcile. Says what somebody must be told, as reason and
/// sentence: that the object stalled, or stalls for another reason than before.
pub fn conclude(
    conditions: &mut Vec<Condition>,
    generation: Option<i64>,
    now: &Time,
    result: &Result<Outcome>,
) -> Option<(&'static str, String)> {
    let stalled_before = conditions::find(conditions, STALLED).map(|stalled| stalled.reason.clone());
    let end = end(result);
    // What serves its purpose goes on serving it while the platform, or the way to it, is away.
    let away = matches!(result, Err(error) if !matches!(error, Error::Unserved(_)));
    if away && matches!(end, End::Working(..)) && serves(conditions, generation) {
        return None;
    }
    let (ready, progress) = match &end {
        End::Served(message) => (verdict("True", "Ready", message), None),
        End::Observed(message) => (verdict("Unknown", "Observed", message), None),
        End::Working(reason, message) => (verdict("False", reason, message), Some((RECONCILING, reason, message))),
        End::Stalled(reason, message) => (verdict("False", reason, message), Some((STALLED, reason, message))),
    };
    conditions::set(conditions, READY, ready, generation, now);
    // `Reconciling` and `Stalled` are there only while they are true, and never together.
    for kind in [RECONCILING, STALLED] {
        match progress.filter(|(progress, ..)| *progress == kind) {
            Some((_, reason, message)) => {
                conditions::set(conditions, kind, verdict("True", reason, message), generation, now);
            }
            None => conditions::clear(conditions, kind),
        }
    }
    match end {
        End::Stalled(reason, message) if stalled_before.as_deref() != Some(reason) => Some((reason, message)),
        _ => None,
    }
}

fn serves(conditions: &[Condition], generation: Option<i64>) -> bool {
    conditions::find(conditions, READY)
        .is_some_and(|ready| ready.status == "True" && ready.observed_generation == generation)
}

fn verdict(status: &'static str, reason: &'static str, message: &str) -> Verdict {
    Verdict { status, reason, message: message.to_owned() }
}

/// Publishes what the journal noted, and the stall if there is a new one.
pub async fn publish(
    events: &Publisher,
    about: &ObjectReference,
    journal: Journal,
    stall: Option<(&'static str, String)>,
) {
    let stalled = stall.map(|(reason, note)| News { warns: true, reason, note });
    for news in journal.news().into_iter().chain(stalled) {
        events.publish(about, news).await;
    }
}

/// One log line for a failed reconcile: the sentence, and the causes that are safe to print.
pub fn log(error: &Error) {
    let (reason, cause) = (error.reason(), safe_cause(error));
    match error.class() {
        Class::Race | Class::Work => tracing::debug!(reason, "{error}"),
        Class::Dependency => tracing::info!(reason, "{error}"),
        Class::Person | Class::Time | Class::Bug => tracing::warn!(reason, cause, "{error}"),
    }
}

fn safe_cause(error: &Error) -> String {
    match error {
        Error::Kubernetes(cause) => kubernetes_cause(cause),
        Error::Platform(cause) => causes(cause),
        _ => String::new(),
    }
}

/// Decoding errors may quote what they could not decode, which may be a Secret: only their kind is printed.
fn kubernetes_cause(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}: {}", status.code, status.reason, status.message),
        kube::Error::SerdeError(_) => "an answer could not be decoded".to_owned(),
        _ => "the connection failed".to_owned(),
    }
}

/// What lies below a platform's error: its makers keep URLs and bodies out of it.
fn causes(error: &platform::Error) -> String {
    let first = std::error::Error::source(error);
    let chain = std::iter::successors(first, |cause| cause.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::jiff::Timestamp;

    fn concluded(results: &[Result<Outcome>]) -> (Vec<(String, String)>, bool) {
        let mut conditions = vec![];
        let mut told = false;
        for result in results {
            told = conclude(&mut conditions, Some(1), &Time(Timestamp::UNIX_EPOCH), result).is_some();
        }
        (conditions.into_iter().map(|one| (one.type_, one.status)).collect(), told)
    }

    fn is(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(kind, status)| ((*kind).to_owned(), (*status).to_owned())).collect()
    }

    #[test]
    fn a_stall_is_told_once_and_ends_with_the_next_success() {
        let stall = || Err(Error::Unsupported("no".into()));
        assert_eq!(concluded(&[stall()]), (is(&[(READY, "False"), (STALLED, "True")]), true));
        assert!(!concluded(&[stall(), stall()]).1);
        assert_eq!(concluded(&[stall(), Ok(Outcome::Ready(String::new()))]).0, is(&[(READY, "True")]));
    }

    #[test]
    fn what_serves_its_purpose_stays_ready_while_the_platform_is_away() {
        let ready = || Ok(Outcome::Ready(String::new()));
        assert_eq!(concluded(&[ready(), Err(Error::Timeout)]).0, is(&[(READY, "True")]));
        let lost = Err(Error::Unserved(Box::new(Error::Timeout)));
        assert_eq!(concluded(&[ready(), lost]).0, is(&[(READY, "False"), (RECONCILING, "True")]));
        assert_eq!(concluded(&[Err(Error::Timeout)]).0, is(&[(READY, "False"), (RECONCILING, "True")]));
        assert_eq!(
            concluded(&[ready(), Ok(Outcome::Stalled("AccessDenied", String::new()))]).0,
            is(&[(READY, "False"), (STALLED, "True")])
        );
    }
}

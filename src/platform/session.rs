//! A session: one admin credential at one API, with its token, its budget and the rules for trying again.
//!
//! Drivers write their calls with it and see one error type. A request says what it may: whether it can be repeated
//! safely, how urgent it is, which refusals are answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::platform::pause::pause;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::accounts::{Account, Pass};
use super::budget::{Budget, Lane, Outcome, Urgency};
use super::error::{Error, Kind, Result};
use super::forbidden::Forbidden;
use super::http::dialect::Dialect;
use super::http::verdict::{Verdict, judge};
use super::http::{Answer, Body, Cause, Lost, Request, address};
use super::whereabouts::{self, Whereabouts};

/// What one call may take in all, its repetitions and waits included.
const CALL_TIMEOUT: Duration = Duration::from_secs(45);

/// One admin credential at one API. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    base: Url,
    account: Arc<Account>,
    budget: Budget,
    dialect: &'static Dialect,
    probe: Option<Probe>,
    forbidden: Forbidden,
}

/// A resource that can be read to see whether a credential is good.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Its path.
    pub path: &'static [&'static str],
    /// What keeps the answer small.
    pub query: &'static [(&'static str, &'static str)],
}

impl Session {
    /// A session at the API below `base`. Sessions at several APIs may share an account.
    pub fn new(base: Url, account: Arc<Account>, budget: Budget, dialect: &'static Dialect) -> Self {
        let forbidden = Forbidden::default();
        Self { shared: Arc::new(Shared { base, account, budget, dialect, probe: None, forbidden }) }
    }

    /// The same, with a resource that can be read to see whether a credential is good.
    #[must_use]
    pub fn probed_at(self, probe: Option<Probe>) -> Self {
        let Shared { base, account, budget, dialect, .. } = self.shared.as_ref();
        let (base, account, budget) = (base.clone(), Arc::clone(account), budget.clone());
        let forbidden = Forbidden::default();
        Self { shared: Arc::new(Shared { base, account, budget, dialect, probe, forbidden }) }
    }

    /// Shows that the credential is good, and where it leads if its token tells: by fetching a token if there is none, or,
    /// where it is shown with every call, by a call that changes nothing.
    pub async fn log_on(&self) -> Result<Option<Whereabouts>> {
        match (self.shared.account.token(Instant::now() + CALL_TIMEOUT).await?, self.shared.probe) {
            (Some(token), _) => Ok(whereabouts::of_token(token.expose_secret())),
            (None, Some(probe)) => self.probe(probe).await.map(|()| None),
            (None, None) => Ok(None),
        }
    }

    async fn probe(&self, probe: Probe) -> Result<()> {
        let call = self.get("log on", probe.path);
        let call = probe.query.iter().fold(call, |call, (name, value)| call.query(name, value));
        call.send().await.map(drop)
    }

    /// The API that it is at, in the word by which metrics name it.
    pub fn api(&self) -> &'static str {
        self.shared.budget.api()
    }

    /// The scopes of its token; `None` where nobody says so.
    pub fn scopes(&self) -> Option<BTreeSet<String>> {
        self.shared.account.scopes()
    }

    /// What the API has refused for want of a right.
    pub fn forbidden(&self) -> &Forbidden {
        &self.shared.forbidden
    }

    /// A `GET`. `path` is given segment by segment; each is encoded here.
    pub fn get(&self, operation: &'static str, path: &[&str]) -> Call {
        self.call(Method::GET, operation, path)
    }

    /// A `POST`. It is not repeated after a lost answer unless it is said to be [`Call::repeatable`].
    pub fn post(&self, operation: &'static str, path: &[&str]) -> Call {
        self.call(Method::POST, operation, path)
    }

    /// A `PUT`.
    pub fn put(&self, operation: &'static str, path: &[&str]) -> Call {
        self.call(Method::PUT, operation, path)
    }

    /// A `PATCH`. It is not repeated after a lost answer unless it is said to be [`Call::repeatable`].
    pub fn patch(&self, operation: &'static str, path: &[&str]) -> Call {
        self.call(Method::PATCH, operation, path)
    }

    /// A `DELETE`.
    pub fn delete(&self, operation: &'static str, path: &[&str]) -> Call {
        self.call(Method::DELETE, operation, path)
    }

    fn call(&self, method: Method, operation: &'static str, path: &[&str]) -> Call {
        let repeatable = method != Method::POST && method != Method::PATCH;
        let url = address::below(&self.shared.base, path, operation);
        let request = url.map(|url| Request { method, url, headers: HeaderMap::new(), body: Body::Empty });
        let (lane, urgency, accepted) = (Lane::Rest, Urgency::Normal, &[] as &[u16]);
        Call { shared: Arc::clone(&self.shared), operation, request, repeatable, lane, urgency, accepted }
    }
}

/// One call in the making.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    shared: Arc<Shared>,
    operation: &'static str,
    request: Result<Request>,
    repeatable: bool,
    lane: Lane,
    urgency: Urgency,
    accepted: &'static [u16],
}

/// An attempt that did not succeed, and whether another may.
struct Failed {
    error: Error,
    again: bool,
}

impl Failed {
    /// There is no token: time may fix the token service, nothing fixes the credential.
    fn without_token(error: Error) -> Self {
        Self { again: matches!(error.kind(), Kind::Unavailable | Kind::Throttled), error }
    }

    /// Its turn did not come. Whoever waited in vain for room has waited enough; a platform that is down may be back.
    fn not_admitted(error: Error) -> Self {
        Self { again: error.kind() == Kind::Unavailable, error }
    }
}

impl Call {
    /// Ends the path with a slash, as that of a folder.
    pub fn as_folder(mut self) -> Self {
        if let Ok(request) = &mut self.request {
            let path = format!("{}/", request.url.path());
            request.url.set_path(&path);
        }
        self
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(request) = &mut self.request {
            request.url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.and_then(|mut request| {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::new(Kind::Invalid, self.operation).detail("a name in the request cannot be in a header")
            })?;
            request.headers.insert(HeaderName::from_static(name), value);
            Ok(request)
        });
        self
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.request = self.request.and_then(|mut request| {
            let text = serde_json::to_vec(body).map_err(|_| {
                Error::new(Kind::Invalid, self.operation).detail("the request cannot be written as JSON")
            })?;
            request.body = Body::Json(text);
            Ok(request)
        });
        self
    }

    /// Says that sending it twice does what sending it once does.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Says that sending it twice does something else than sending it once: after a lost answer it is not repeated.
    pub fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// Says which of the platform's limits it counts against.
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Says how urgent it is.
    pub fn urgency(mut self, urgency: Urgency) -> Self {
        self.urgency = urgency;
        self
    }

    /// Says which refusals are answers, such as 404 to a `DELETE`. A router's 404 never is.
    pub fn accept(mut self, statuses: &'static [u16]) -> Self {
        self.accepted = statuses;
        self
    }

    /// Sends it and reads the answer as JSON.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<T> {
        let operation = self.operation;
        self.send().await?.json(operation)
    }

    /// Sends it, again if need be and allowed, and returns the answer if it is a success or accepted.
    pub async fn send(mut self) -> Result<Answer> {
        let deadline = Instant::now() + CALL_TIMEOUT;
        let request = std::mem::replace(&mut self.request, Err(Error::new(Kind::Invalid, self.operation)))?;
        let mut pauses = pauses();
        loop {
            let Failed { error, again } = match self.attempt(&request, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let Some(backoff) = pauses.next().filter(|_| again) else { return Err(error) };
            let wait = backoff.max(error.wait().unwrap_or_default());
            if wait > self.urgency.patience() || Instant::now() + wait > deadline {
                return Err(error);
            }
            pause(wait).await;
        }
    }

    /// One attempt; what was refused is replaced once, unless it is a token that was issued just now: then the credential
    /// is good, and it is the API that is not well.
    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Answer, Failed> {
        let account = &self.shared.account;
        let pass = self.pass(deadline).await?;
        let replaceable = account.is_replaceable(&pass);
        // That an old token has come to its end says nothing of the platform.
        let refused = if replaceable { Outcome::Abandoned } else { Outcome::Unauthorized };
        let (answer, verdict) = self.exchange(request, &pass, refused, deadline).await?;
        if !replaceable || verdict.refusal != Some(Kind::CredentialsRefused) {
            return self.settle(answer, &verdict, &pass);
        }
        account.refused(&pass);
        drop(pass);
        let pass = self.pass(deadline).await?;
        let (answer, verdict) = self.exchange(request, &pass, Outcome::Unauthorized, deadline).await?;
        self.settle(answer, &verdict, &pass)
    }

    async fn pass(&self, deadline: Instant) -> Result<Pass<'_>, Failed> {
        self.shared.account.pass(deadline).await.map_err(Failed::without_token)
    }

    /// Sends it once. `refused` is what it means for the budget that what it shows is refused.
    async fn exchange(
        &self,
        request: &Request,
        pass: &Pass<'_>,
        refused: Outcome,
        deadline: Instant,
    ) -> Result<(Answer, Verdict), Failed> {
        let Shared { account, budget, dialect, .. } = self.shared.as_ref();
        let admitted = budget.admit(self.operation, self.lane, self.urgency, deadline).await;
        let permit = admitted.map_err(Failed::not_admitted)?;
        match account.http().exchange(request.clone(), pass.authorization()).await {
            Ok(answer) => {
                let verdict = judge(&answer, dialect, SystemTime::now());
                let unauthorized = verdict.refusal == Some(Kind::CredentialsRefused);
                if verdict.refusal.is_none_or(is_of_the_api) {
                    account.accepted(pass);
                }
                let outcome = if unauthorized { refused } else { verdict.outcome() };
                permit.finish(outcome, verdict.refusal.map_or("ok", Kind::word));
                Ok((answer, verdict))
            }
            Err(lost) => {
                let from_broker = self.lane.is_brokered() && lost.is_late();
                permit.finish(if from_broker { Outcome::Abandoned } else { Outcome::Unavailable(None) }, "lost");
                Err(self.lost(lost))
            }
        }
    }

    fn lost(&self, lost: Lost) -> Failed {
        let failed = |kind: Kind, cause: Cause, again| Failed {
            error: Error::new(kind, self.operation).caused_by(cause),
            again,
        };
        match lost {
            Lost::NeverSent(cause) => failed(Kind::Unavailable, cause, true),
            Lost::Unanswered(cause @ Cause::TooLarge) => failed(Kind::UnexpectedAnswer, cause, false),
            Lost::Unanswered(cause) if self.repeatable => failed(Kind::Unavailable, cause, true),
            Lost::Unanswered(cause) => failed(Kind::OutcomeUnknown, cause, false),
        }
    }

    fn settle(&self, answer: Answer, verdict: &Verdict, pass: &Pass<'_>) -> Result<Answer, Failed> {
        let forbidden = &self.shared.forbidden;
        let Some(kind) = verdict.refusal else {
            forbidden.taken(self.operation);
            return Ok(answer);
        };
        // Only a refusal of the request can be an answer to it: a router's 404 has been judged Unavailable by now.
        if kind != Kind::Unavailable && self.accepted.contains(&answer.status()) {
            return Ok(answer);
        }
        if kind == Kind::Forbidden {
            forbidden.refused(self.operation);
        }
        let kind = match kind {
            _ if !self.repeatable && verdict.is_in_doubt() => Kind::OutcomeUnknown,
            Kind::CredentialsRefused => return Err(self.unauthorized(verdict, pass)),
            kind => kind,
        };
        let again = match kind {
            Kind::Throttled => true,
            Kind::Unavailable => self.repeatable,
            _ => false,
        };
        Err(Failed { error: verdict.error(kind, self.operation), again })
    }

    /// The API does not accept a token that was just issued for the credential. It did nothing, so another attempt is safe.
    /// A credential that is shown itself has been refused for the second time.
    fn unauthorized(&self, verdict: &Verdict, pass: &Pass<'_>) -> Failed {
        if matches!(pass, Pass::Itself(..)) {
            self.shared.account.refused(pass);
            return Failed { error: verdict.error(Kind::CredentialsRefused, self.operation), again: false };
        }
        let error = verdict.error(Kind::Unavailable, self.operation).retry_after(self.shared.budget.refused_for());
        Failed { error, again: true }
    }
}

/// Whether a refusal can only come from somebody who has looked at the request, and so at who sent it.
fn is_of_the_api(refusal: Kind) -> bool {
    matches!(refusal, Kind::Invalid | Kind::NotFound | Kind::Conflict | Kind::Forbidden | Kind::InProgress)
}

/// The pauses between attempts: from 300 ms doubling, as SAP's guide to access tokens advises, with jitter.
fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(300))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(4)
        .with_jitter()
        .with_jitter_seed(rand::random())
        .build()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

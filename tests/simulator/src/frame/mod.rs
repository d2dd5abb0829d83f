//! What every simulated platform shares: time, tokens, settings, faults, limits, the request log, the control API.
//!
//! A platform is a module with one entry, `pub(crate) fn mount(frame: &Arc<Frame>) -> Mounted`:
//!
//! * It keeps its state in a type of its own that implements [`Platform`] (a [`Guarded`] inside, locked briefly and
//!   never across an `await`), and builds its routes with [`Routes`], which gives each a name. Faults, limits, log
//!   lines and counters go by that name; the platform itself knows nothing of them, because [`observe`] stands in
//!   front of every route.
//! * It asks `frame.clock` for the time, never the system: the control API advances that clock.
//! * It makes and checks access tokens with `frame.tokens` ([`Mint`]), under a realm of its own, so that one
//!   platform's token is worth nothing at another. [`client_credentials::presented`] reads what a token request
//!   carries (Basic, form body, client certificate).
//! * Its own rates, where it documents some, are counted by [`rates`] when the observer asks [`Platform::admit`].
//! * It reads switches from `frame.settings.current()`; a new switch is a new field of [`Settings`].
//! * URLs it hands out start with `frame.url` (for everybody) or `frame.mtls_url` (client certificates).
//!
//! Nothing in here knows a platform's paths, texts or rules.

pub(crate) mod answer;
pub(crate) mod client_credentials;
pub(crate) mod clock;
mod control;
mod faults;
mod guarded;
mod limits;
mod log;
pub(crate) mod observe;
pub(crate) mod random;
pub(crate) mod rates;
mod readings;
mod routes;
mod settings;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

pub(crate) use clock::Clock;
pub(crate) use guarded::Guarded;
pub(crate) use readings::{
    BrokerErrorMember, CloudFoundryRetryAfter, CloudIntegrationCsrf, EmptyRoles, IdentityDelete,
    IdentityPasswordPolicy, IdpDisplayName, MissingGrantTypes, NeoGrantType, NeoMemberBodies, OperationErrors,
    ScimCredential, ScimFilter, Support, UnknownFields, UnknownUsers,
};
pub(crate) use routes::{RouteName, Routes};
pub(crate) use settings::{Settings, Switches};
pub(crate) use tokens::{Grant, Mint, Shape, TokenRefusal};

/// One simulated platform, as the control API and the observer see it.
pub(crate) trait Platform: Send + Sync {
    /// The word for it in the control API: `xsuaa`, `service-manager`, `neo`, `uaa`, `cloud-foundry`, `scim`,
    /// `identity-service`.
    fn name(&self) -> &'static str;

    /// Everything that exists, for `GET /_simulator/state`; secret values only if `secrets`.
    fn snapshot(&self, secrets: bool) -> Value;

    /// Back to the state at start, admin credentials included.
    fn reset(&self);

    /// The service key an administrator would be handed, as that platform spells it; `None`: no such variant.
    fn admin_credential(&self, x509: bool) -> Option<Value>;

    /// A client that an administrator would be handed instead of a user; `None`: no such variant.
    fn client_credential(&self) -> Option<Value> {
        None
    }

    /// Counts a request against the platform's own rates: how long it has to wait, or after which time it may come
    /// again.
    fn admit(&self, _request: &Asked<'_>) -> Result<Duration, Duration> {
        Ok(Duration::ZERO)
    }

    /// `Retry-After` of a request that its own rates refuse.
    fn come_again(&self, wait: Duration, _now: Duration) -> String {
        wait.as_secs().to_string()
    }

    /// The answer to one request too many. `retry_after` is the ready-made header value, if one is to be sent.
    fn throttled(&self, retry_after: Option<String>) -> Response {
        answer::throttled_plain(retry_after)
    }
}

/// A request as far as a rate counts it.
pub(crate) struct Asked<'a> {
    /// Name of its route.
    pub(crate) route: &'a str,
    /// The client that asks, as far as it can be told.
    pub(crate) client: &'a str,
}

/// A platform ready to be served: its state, its routes below its prefix, and their names.
pub(crate) struct Mounted {
    /// The state behind the routes.
    pub(crate) platform: Arc<dyn Platform>,
    /// The same platform in the other subaccount, where there is one.
    pub(crate) other: Option<Arc<dyn Platform>>,
    /// The routes, already nested below the prefix.
    pub(crate) router: Router,
    /// Name of each route, by method and full path pattern.
    pub(crate) names: Vec<RouteName>,
}

/// What the platforms share. One per simulator; passed around in an `Arc`.
pub(crate) struct Frame {
    /// `http://host:port` of the plain listener, or what is handed out in its place, without a slash at the end.
    pub(crate) url: String,
    /// `https://host:port` of the listener that asks for client certificates.
    pub(crate) mtls_url: String,
    /// The simulator's time.
    pub(crate) clock: Clock,
    /// Access tokens of all realms.
    pub(crate) tokens: Mint,
    /// Switches that change how platforms behave.
    pub(crate) settings: Switches,
    /// Added to every request, as the network would.
    pub(crate) latency: Duration,
    faults: faults::Faults,
    limits: limits::Limits,
    log: log::RequestLog,
}

impl Frame {
    /// A frame for a simulator that is reachable at these addresses.
    pub(crate) fn new(url: String, mtls_url: String, latency: Duration) -> Arc<Self> {
        Arc::new(Self {
            url,
            mtls_url,
            clock: Clock::default(),
            tokens: Mint::default(),
            settings: Switches::default(),
            latency,
            faults: faults::Faults::default(),
            limits: limits::Limits::default(),
            log: log::RequestLog::default(),
        })
    }

    /// What the request's token grants in a realm.
    pub(crate) fn grant(&self, headers: &HeaderMap, realm: &str) -> Result<Arc<Grant>, TokenRefusal> {
        let settles = Duration::from_millis(self.settings.current().fresh_token_millis);
        self.tokens.check(headers, realm, self.clock.now(), settles)
    }
}

/// The whole simulator as one router: every platform behind the observer, the control API beside it.
pub(crate) fn assemble(frame: &Arc<Frame>, mounted: Vec<Mounted>) -> Router {
    let mut platforms = Router::new();
    let mut known = control::Known::default();
    let mut names = Vec::new();
    for one in mounted {
        platforms = platforms.merge(one.router);
        names.extend(one.names.into_iter().map(|name| (name, Arc::clone(&one.platform))));
        known.first.push(one.platform);
        known.other.extend(one.other);
    }
    let routes = names.iter().map(|(name, _): &(RouteName, _)| name.clone()).collect();
    let observed = observe::stand_before(platforms, frame, names);
    observed.merge(control::router(frame, known, routes))
}

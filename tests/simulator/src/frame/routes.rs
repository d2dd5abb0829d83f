//! Routes with names. Faults, limits, log lines and counters go by the name, so that a test does not repeat paths.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

/// One route's name, by the method and the full path pattern it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteName {
    /// HTTP method.
    pub(crate) method: Method,
    /// Path pattern with the platform's prefix, as axum reports a matched path.
    pub(crate) path: String,
    /// `<platform>.<what it does>`, for example `service-manager.create-binding`.
    pub(crate) name: String,
}

/// Collects a platform's routes below one prefix and names each.
pub(crate) struct Routes<S> {
    platform: &'static str,
    prefix: &'static str,
    router: Router<S>,
    names: Vec<RouteName>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet. `prefix` starts with a slash; `platform` is the first half of every route's name.
    pub(crate) fn below(prefix: &'static str, platform: &'static str) -> Self {
        Self { platform, prefix, router: Router::new(), names: Vec::new() }
    }

    /// Answers `GET path` under this name.
    pub(crate) fn get<H: Handler<T, S>, T: 'static>(self, name: &str, path: &str, respond: H) -> Self {
        self.add(Method::GET, name, path, get(respond))
    }

    /// Answers `POST path` under this name.
    pub(crate) fn post<H: Handler<T, S>, T: 'static>(self, name: &str, path: &str, respond: H) -> Self {
        self.add(Method::POST, name, path, post(respond))
    }

    /// Answers `PUT path` under this name.
    pub(crate) fn put<H: Handler<T, S>, T: 'static>(self, name: &str, path: &str, respond: H) -> Self {
        self.add(Method::PUT, name, path, put(respond))
    }

    /// Answers `PATCH path` under this name.
    pub(crate) fn patch<H: Handler<T, S>, T: 'static>(self, name: &str, path: &str, respond: H) -> Self {
        self.add(Method::PATCH, name, path, patch(respond))
    }

    /// Answers `DELETE path` under this name.
    pub(crate) fn delete<H: Handler<T, S>, T: 'static>(self, name: &str, path: &str, respond: H) -> Self {
        self.add(Method::DELETE, name, path, delete(respond))
    }

    fn add(mut self, method: Method, name: &str, path: &str, route: MethodRouter<S>) -> Self {
        let full = format!("{}{path}", self.prefix);
        self.names.push(RouteName { method, path: full, name: format!("{}.{name}", self.platform) });
        self.router = self.router.route(&format!("{}{path}", self.prefix), route);
        self
    }

    /// The router with its state, and the names.
    pub(crate) fn with_state(self, state: S) -> (Router, Vec<RouteName>) {
        (self.router.with_state(state), self.names)
    }
}

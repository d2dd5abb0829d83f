//! One request as a proxy saw it.

use axum::http::Method;

/// What a trap decides by, and what a story counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its method.
    pub(crate) method: Method,
    /// Path as sent, still percent-encoded.
    pub(crate) path: String,
    /// Query as sent; empty without one.
    pub(crate) query: String,
}

impl Call {
    /// Whether it changes what the other side holds. Not counted are what comes and goes with time and leaves the
    /// product's state alone: events, leases, and the reviews and tokens of authentication.
    pub(crate) fn is_effect(&self) -> bool {
        const PASSING: [&str; 6] =
            ["/events", "/leases", "/token", "/apitoken", "/tokenreviews", "/selfsubjectaccessreviews"];
        let changes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&self.method);
        let passing = PASSING.iter().any(|part| self.path.ends_with(part) || self.path.contains(&format!("{part}/")));
        changes && !passing
    }
}

#[test]
fn effects_are_told_from_what_passes() {
    let effect = |method, path: &str| Call { method, path: path.to_owned(), query: String::new() }.is_effect();
    assert!(effect(Method::PATCH, "/api/v1/namespaces/orders/secrets/orders-credentials"));
    assert!(effect(Method::POST, "/v1/service_bindings"));
    assert!(!effect(Method::GET, "/v1/service_bindings"));
    assert!(!effect(Method::POST, "/apis/events.k8s.io/v1/namespaces/orders/events"));
    assert!(!effect(Method::PUT, "/apis/coordination.k8s.io/v1/namespaces/system/leases/operator"));
    assert!(!effect(Method::POST, "/oauth/token"));
    assert!(!effect(Method::POST, "/neo/oauth2/apitoken/v1"));
    assert!(!effect(Method::POST, "/api/v1/namespaces/orders/serviceaccounts/a/token"));
}

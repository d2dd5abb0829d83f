//! The one subaccount of the multi-environment that the simulator plays: its names, its clients, its certification
//! authority. The Service Manager, the XSUAA API, the token service and the sender all belong to it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Extensions, HeaderMap};

use crate::certificates::{self, Authority};
use crate::clients::{Client, Clients};
use crate::frame::client_credentials::certificate;
use crate::frame::{Frame, Grant, TokenRefusal};

/// Tokens of the subaccount's token service.
pub(crate) const REALM: &str = "subaccount";
/// Id of the subaccount, which is its identity zone too.
pub(crate) const ZONE: &str = "77395f6a-a601-4c9e-8cd0-c1fcefc7f60f";
/// Its subdomain.
pub(crate) const SUBDOMAIN: &str = "simulated-subaccount-8ptbr820";

/// What everything inside the subaccount shares.
pub(crate) struct Subaccount {
    /// The simulator's frame.
    pub(crate) frame: Arc<Frame>,
    /// The OAuth clients.
    pub(crate) clients: Clients,
    /// Issues client certificates.
    pub(crate) authority: Authority,
}

/// Why a call is refused before it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No token at all.
    Missing,
    /// Not a valid token.
    Invalid,
    /// The token lacks this scope.
    Scope(String),
}

impl Subaccount {
    /// A subaccount without clients.
    pub(crate) fn new(frame: Arc<Frame>, authority: Authority) -> Arc<Self> {
        Arc::new(Self { frame, clients: Clients::default(), authority })
    }

    /// The grant of the request's token, if it carries the scope.
    pub(crate) fn authorize(&self, headers: &HeaderMap, scope: &str) -> Result<Arc<Grant>, Refusal> {
        let grant = self.frame.tokens.check(headers, REALM, &self.frame.clock).map_err(|refusal| match refusal {
            TokenRefusal::Missing => Refusal::Missing,
            TokenRefusal::Unknown | TokenRefusal::Expired => Refusal::Invalid,
        })?;
        if grant.scopes.iter().any(|held| held == scope) { Ok(grant) } else { Err(Refusal::Scope(scope.to_owned())) }
    }

    /// The client whose certificate the connection has shown, if that certificate is still valid.
    pub(crate) fn client_by_certificate(&self, extensions: &Extensions) -> Option<Arc<Client>> {
        let details = certificates::inspect_der(certificate(extensions)?)?;
        let in_time = details.valid_until > self.frame.clock.now();
        in_time.then(|| self.clients.by_fingerprint(&details.fingerprint)).flatten()
    }

    /// What a token issued to the client now would open, and how long it would last.
    pub(crate) fn rights_of(&self, client: &Client) -> (Vec<String>, Duration) {
        let propagation = Duration::from_secs(self.frame.settings.current().propagation_seconds);
        client.rights.effective(self.frame.clock.now(), propagation)
    }

    /// Base of the token service for clients with a secret.
    pub(crate) fn token_host(&self) -> String {
        format!("{}/auth", self.frame.url)
    }

    /// Base of the token service for clients with a certificate.
    pub(crate) fn certificate_token_host(&self) -> String {
        format!("{}/auth", self.frame.mtls_url)
    }
}

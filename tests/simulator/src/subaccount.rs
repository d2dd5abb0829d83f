//! The two subaccounts of the multi-environment that the simulator plays: names, clients, certification authority.
//! The Service Manager, the XSUAA API and the token service of one know nothing of the other.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Extensions, HeaderMap};

use crate::certificates::{self, Authority};
use crate::clients::{Client, Clients, Opened};
use crate::frame::client_credentials::certificate;
use crate::frame::random::uuid;
use crate::frame::{Frame, Grant, TokenRefusal};

/// Which subaccount something belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Realm of its tokens.
    pub(crate) realm: &'static str,
    /// Its id, which is its identity zone too. Every subaccount that is made gets one of its own.
    pub(crate) zone: String,
    /// Its subdomain.
    pub(crate) subdomain: &'static str,
    /// Where its token service is mounted.
    pub(crate) token_path: &'static str,
    /// What the names of its administrators have more than those of the first one.
    pub(crate) suffix: &'static str,
}

/// The subaccount that everything is about.
pub(crate) static OWN: Place = Place {
    realm: "subaccount",
    zone: String::new(),
    subdomain: "simulated-subaccount-8ptbr820",
    token_path: "/auth",
    suffix: "",
};

/// Another one, for those who are handed the wrong credential.
pub(crate) static OTHER: Place = Place {
    realm: "other-subaccount",
    zone: String::new(),
    subdomain: "other-subaccount-k3x9v1q7",
    token_path: "/other/auth",
    suffix: "-other",
};

/// What everything inside the subaccount shares.
pub(crate) struct Subaccount {
    /// The simulator's frame.
    pub(crate) frame: Arc<Frame>,
    /// The OAuth clients.
    pub(crate) clients: Clients,
    /// Issues client certificates.
    pub(crate) authority: Arc<Authority>,
    /// Which of the two it is.
    pub(crate) place: &'static Place,
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
    /// A subaccount without clients. Simulators of one process are different subaccounts, as those of different
    /// processes are; where one is is known for as long as the process lives, like a name.
    pub(crate) fn new(frame: &Arc<Frame>, authority: &Arc<Authority>, place: &Place) -> Arc<Self> {
        Arc::new(Self {
            frame: Arc::clone(frame),
            clients: Clients::default(),
            authority: Arc::clone(authority),
            place: Box::leak(Box::new(Place { zone: uuid(), ..place.clone() })),
        })
    }

    /// What the request's token grants here.
    pub(crate) fn grant(&self, headers: &HeaderMap) -> Result<Arc<Grant>, TokenRefusal> {
        self.frame.grant(headers, self.place.realm)
    }

    /// The grant of the request's token, if it carries the scope.
    pub(crate) fn authorize(&self, headers: &HeaderMap, scope: &str) -> Result<Arc<Grant>, Refusal> {
        let grant = self.grant(headers).map_err(|refusal| match refusal {
            TokenRefusal::Missing => Refusal::Missing,
            TokenRefusal::Unknown | TokenRefusal::Fresh | TokenRefusal::Expired => Refusal::Invalid,
        })?;
        if grant.scopes.iter().any(|held| held == scope) { Ok(grant) } else { Err(Refusal::Scope(scope.to_owned())) }
    }

    /// Whether the token service has heard of the client yet.
    pub(crate) fn knows(&self, client: &Client) -> bool {
        let delay = Duration::from_millis(self.frame.settings.current().client_delay_millis);
        client.since.is_zero() || client.since + delay <= self.frame.clock.now()
    }

    /// The client whose certificate the connection has shown, if that certificate is still valid.
    pub(crate) fn client_by_certificate(&self, extensions: &Extensions) -> Option<Arc<Client>> {
        let details = certificates::inspect_der(certificate(extensions)?)?;
        let in_time = details.valid_until > self.frame.clock.now();
        let client = in_time.then(|| self.clients.by_fingerprint(&details.fingerprint)).flatten();
        client.filter(|client| self.knows(client))
    }

    /// What a token issued to the client now would open, and how long it would last.
    pub(crate) fn rights_of(&self, client: &Client) -> Opened {
        let (settings, now) = (self.frame.settings.current(), self.frame.clock.now());
        let mut opened = client.rights.effective(now, Duration::from_secs(settings.propagation_seconds));
        if !client.since.is_zero() && now < client.since + Duration::from_secs(settings.new_client_seconds) {
            opened.scopes.clear();
        }
        opened
    }

    /// Base of the token service for clients with a secret.
    pub(crate) fn token_host(&self) -> String {
        format!("{}{}", self.frame.url, self.place.token_path)
    }

    /// Base of the token service for clients with a certificate.
    pub(crate) fn certificate_token_host(&self) -> String {
        format!("{}{}", self.frame.mtls_url, self.place.token_path)
    }
}

//! The OAuth clients of the subaccount's token service: who they are, how they prove it, what their tokens open.
//!
//! Service keys of every offering end up here, and so do the administrators' own credentials.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::frame::Guarded;

/// How a client proves who it is.
pub(crate) enum Proof {
    /// It knows this secret.
    Secret(String),
    /// It holds the key of the certificate with this SHA-256 fingerprint.
    Certificate {
        /// In hexadecimal.
        fingerprint: String,
        /// End of the certificate's validity.
        valid_until: Duration,
    },
}

/// One OAuth client. Has no `Debug`: it holds a secret.
pub(crate) struct Client {
    /// Its id.
    pub(crate) id: String,
    /// Its proof.
    pub(crate) proof: Proof,
    /// What its tokens open, and how long.
    pub(crate) rights: Arc<Rights>,
    /// When it was made.
    pub(crate) since: Duration,
}

/// What a token opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Its scopes.
    pub(crate) scopes: Vec<String>,
    /// How long it lasts.
    pub(crate) token_validity: Duration,
    /// Whether it can be had by client credentials, the only grant there is here.
    pub(crate) by_client_credentials: bool,
}

/// What the tokens of one or several clients open. Keys of one service instance share it.
pub(crate) struct Rights(Guarded<Vec<Change>>);

struct Change {
    since: Duration,
    opened: Opened,
}

impl Rights {
    /// Rights that hold from now on.
    pub(crate) fn new(opened: Opened) -> Arc<Self> {
        Arc::new(Self(Guarded::new(vec![Change { since: Duration::ZERO, opened }])))
    }

    /// Other rights, effective in tokens that are issued `propagation` after `now`.
    pub(crate) fn change(&self, opened: Opened, now: Duration) {
        self.0.write(|changes| {
            if changes.last().is_none_or(|last| last.opened != opened) {
                changes.push(Change { since: now, opened });
            }
        });
    }

    /// What a token issued now opens. Role changes of Cloud Integration reach callers with a delay.
    pub(crate) fn effective(&self, now: Duration, propagation: Duration) -> Opened {
        self.0.read(|changes| {
            let arrived = |change: &&Change| change.since.is_zero() || change.since + propagation <= now;
            let change = changes.iter().rev().find(arrived);
            change.map(|change| change.opened.clone()).unwrap_or_default()
        })
    }

    /// The latest ones, whether or not they have arrived.
    pub(crate) fn latest(&self) -> Opened {
        self.effective(Duration::MAX, Duration::ZERO)
    }
}

#[derive(Default)]
struct Registry {
    by_id: HashMap<String, Arc<Client>>,
    by_fingerprint: HashMap<String, String>,
}

/// All clients, by id and by certificate.
#[derive(Default)]
pub(crate) struct Clients(Guarded<Registry>);

impl Clients {
    /// Registers a client; refused if its certificate belongs to another one (SAP Help Portal, "Service Key Types":
    /// a certificate can be used once across all instances).
    pub(crate) fn register(&self, client: Client) -> Result<(), CertificateInUse> {
        self.0.write(|registry| {
            if let Proof::Certificate { fingerprint, .. } = &client.proof {
                if registry.by_fingerprint.contains_key(fingerprint) {
                    return Err(CertificateInUse);
                }
                registry.by_fingerprint.insert(fingerprint.clone(), client.id.clone());
            }
            registry.by_id.insert(client.id.clone(), Arc::new(client));
            Ok(())
        })
    }

    /// Removes a client; its tokens stay valid until they expire.
    pub(crate) fn remove(&self, id: &str) {
        self.0.write(|registry| {
            if let Some(client) = registry.by_id.remove(id)
                && let Proof::Certificate { fingerprint, .. } = &client.proof
            {
                registry.by_fingerprint.remove(fingerprint);
            }
        });
    }

    /// Looks a client up by its id.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Client>> {
        self.0.read(|registry| registry.by_id.get(id).cloned())
    }

    /// Looks a client up by the fingerprint of its certificate.
    pub(crate) fn by_fingerprint(&self, fingerprint: &str) -> Option<Arc<Client>> {
        self.0.read(|registry| registry.by_id.get(registry.by_fingerprint.get(fingerprint)?).cloned())
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.0.write(|registry| *registry = Registry::default());
    }

    /// All clients for the control API.
    pub(crate) fn snapshot(&self, secrets: bool) -> Value {
        self.0.read(|registry| registry.by_id.values().map(|client| shown(client, secrets)).collect())
    }
}

fn shown(client: &Client, secrets: bool) -> Value {
    let opened = client.rights.latest();
    let mut shown = json!({
        "clientId": client.id,
        "scopes": opened.scopes.into_iter().collect::<BTreeSet<_>>(),
        "tokenValidity": opened.token_validity.as_secs(),
    });
    match &client.proof {
        Proof::Secret(secret) if secrets => shown["clientSecret"] = json!(secret),
        Proof::Secret(_) => {}
        Proof::Certificate { fingerprint, .. } => shown["certificate"] = json!(fingerprint),
    }
    shown
}

/// The certificate proves another client already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CertificateInUse;

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn opened(scope: &str) -> Opened {
        Opened { scopes: vec![scope.into()], token_validity: MINUTE, by_client_credentials: true }
    }

    fn certified(id: &str, fingerprint: &str) -> Client {
        let proof = Proof::Certificate { fingerprint: fingerprint.into(), valid_until: Duration::MAX };
        Client { id: id.into(), proof, rights: Rights::new(opened("")), since: Duration::ZERO }
    }

    #[test]
    fn a_certificate_proves_one_client_only() {
        let clients = Clients::default();
        assert_eq!(clients.register(certified("a", "f")), Ok(()));
        assert_eq!(clients.register(certified("b", "f")), Err(CertificateInUse));
        clients.remove("a");
        assert_eq!(clients.register(certified("b", "f")), Ok(()));
        assert_eq!(clients.by_fingerprint("f").unwrap().id, "b");
    }

    #[test]
    fn changed_rights_arrive_after_the_propagation_time() {
        let now = Duration::from_secs(1_000);
        let rights = Rights::new(opened("old"));
        rights.change(opened("new"), now);
        assert_eq!(rights.effective(now, MINUTE), opened("old"));
        assert_eq!(rights.effective(now + MINUTE, MINUTE), opened("new"));
        assert_eq!(rights.effective(now, Duration::ZERO), opened("new"));
    }
}

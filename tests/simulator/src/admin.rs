//! The credential an administrator is handed for one of the subaccount's APIs: a client with a secret, and one with a
//! certificate. Both stay the same for the whole life of the simulator, resets included. The other subaccount's
//! administrators have other names and other secrets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::certificates::{Issued, KeyKind};
use crate::clients::{Client, Opened, Proof, Rights};
use crate::subaccount::Subaccount;

/// How long the certificate lasts.
const CERTIFICATE_VALIDITY: Duration = Duration::from_hours(24 * 30);
/// How long a token lasts.
const TOKEN_VALIDITY: Duration = Duration::from_hours(1);

/// The constants of an administrator's credential.
pub(crate) struct AdminNames {
    /// Client id of the variant with a secret.
    pub(crate) client_id: &'static str,
    /// Its secret; marked with `planted-`, so that a scan finds it wherever it leaks.
    pub(crate) secret: &'static str,
    /// Client id of the variant with a certificate.
    pub(crate) x509_client_id: &'static str,
}

/// An administrator's credential in both variants. Has no `Debug`: it holds secrets.
pub(crate) struct Admin {
    client_id: String,
    secret: String,
    x509_client_id: String,
    rights: Arc<Rights>,
    issued: Option<Issued>,
}

impl Admin {
    /// Makes the credential and registers its clients.
    pub(crate) fn new(subaccount: &Subaccount, names: &AdminNames, scopes: Vec<String>) -> Self {
        let now = subaccount.frame.clock.now();
        let suffix = subaccount.place.suffix;
        let id = |name: &str| name.replacen('!', &format!("{suffix}!"), 1);
        let x509_client_id = id(names.x509_client_id);
        let issued = subaccount.authority.for_client(&x509_client_id, KeyKind::Quick, now, CERTIFICATE_VALIDITY);
        let opened = Opened { scopes, token_validity: TOKEN_VALIDITY, by_client_credentials: true };
        let admin = Self {
            client_id: id(names.client_id),
            secret: format!("{}{suffix}", names.secret),
            x509_client_id,
            rights: Rights::new(opened),
            issued: issued.ok(),
        };
        admin.register(subaccount);
        admin
    }

    /// Registers its clients, again after a reset.
    pub(crate) fn register(&self, subaccount: &Subaccount) {
        let add = |id: &str, proof| {
            let (rights, since) = (Arc::clone(&self.rights), Duration::ZERO);
            // No other client can have this certificate: its key has just been generated.
            drop(subaccount.clients.register(Client { id: id.to_owned(), proof, rights, since }));
        };
        add(&self.client_id, Proof::Secret(self.secret.clone()));
        if let Some(issued) = &self.issued {
            let (fingerprint, valid_until) = (issued.details.fingerprint.clone(), issued.details.valid_until);
            add(&self.x509_client_id, Proof::Certificate { fingerprint, valid_until });
        }
    }

    /// Adds what proves the client to the other fields of a service key.
    pub(crate) fn complete(&self, mut key: Value, subaccount: &Subaccount, x509: bool) -> Option<Value> {
        if !x509 {
            key["clientid"] = json!(self.client_id);
            key["clientsecret"] = json!(self.secret);
            return Some(key);
        }
        let issued = self.issued.as_ref()?;
        key["clientid"] = json!(self.x509_client_id);
        key["certificate"] = json!(issued.chain);
        key["key"] = json!(issued.key);
        key["certurl"] = json!(subaccount.certificate_token_host());
        Some(key)
    }
}

//! From a Platform's environment and its admin Secrets to a driver: the list of those who know the way, and what they
//! share. No call is made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Url;
use secrecy::ExposeSecret;

use super::Driver;
use super::accounts::{Account, Accounts, Credential};
use super::admin_secret::AdminSecret;
use super::budget::{CallObserver, Limits};
use super::error::{Error, Kind, Result};
use super::http::dialect::Dialect;
use super::proof::Prover;
use super::session::{Probe, Session};
use super::whereabouts::Whereabouts;
use crate::api::{Environment, SecretRef};

/// Knows the way to one environment.
pub(super) trait Connects {
    /// Its driver.
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver>;
}

/// What a connection is made with: the admin Secrets by name, and what is shared with the other Platforms.
pub(super) struct Connecting<'a> {
    secrets: &'a BTreeMap<String, AdminSecret>,
    accounts: &'a Accounts,
    observer: &'a Arc<dyn CallObserver>,
}

/// The driver for an environment. `secrets` holds the admin Secrets that [`Environment::secrets`] names, by name;
/// `accounts` is the one registry of all Platforms.
pub fn connect(
    environment: &Environment,
    secrets: &BTreeMap<String, AdminSecret>,
    accounts: &Accounts,
    observer: &Arc<dyn CallObserver>,
) -> Result<Driver> {
    let environment: &dyn Connects = match environment {
        Environment::Btp(btp) => btp,
        Environment::Neo(neo) => neo,
        Environment::Uaa(uaa) => uaa,
        Environment::CloudFoundry(cloud_foundry) => cloud_foundry,
        Environment::Scim(scim) => scim,
    };
    environment.connect(&Connecting { secrets, accounts, observer })
}

impl Connecting<'_> {
    /// An admin Secret.
    pub(super) fn secret(&self, reference: &SecretRef) -> Result<&AdminSecret> {
        let missing = || {
            let detail = format!("Secret `{}` is not there", reference.name);
            Error::new(Kind::MalformedSecret, "connect").detail(detail)
        };
        self.secrets.get(&reference.name).ok_or_else(missing)
    }

    /// The account of an admin credential, which all Platforms share that have the same.
    pub(super) fn account(&self, credential: impl Into<Credential>) -> Result<Arc<Account>> {
        self.accounts.of(credential, self.observer)
    }

    /// Proves what is issued, where the admin credential logs on.
    pub(super) fn prover(&self, token_url: Url) -> Result<Prover> {
        Prover::new(token_url, Arc::clone(self.observer))
    }

    /// A session at the API whose address is under a key of an admin Secret, and where it logs on. What is wrong with it
    /// is said with its name: a Platform can have two.
    pub(super) fn session(&self, reference: &SecretRef, address: &'static str, api: &Api) -> Result<(Session, Url)> {
        let secret = self.secret(reference)?;
        let named = |error: Error| error.about(format!("Secret {}", reference.name));
        let base = secret.address(address).map_err(named)?;
        let client = secret.client().map_err(named)?;
        let token_url = client.token_url.clone();
        let account = self.account(client).map_err(named)?;
        Ok((at(&base, &account, api), token_url))
    }

    /// What an admin Secret says of where it leads: its subaccount, or the address of the API.
    pub(super) fn place(&self, reference: &SecretRef, address: &'static str) -> Result<Whereabouts> {
        let secret = self.secret(reference)?;
        let id = if secret.has("subaccountid") { Some(secret.text("subaccountid")?) } else { None };
        let subaccount = id.and_then(|id| Whereabouts::subaccount(id.expose_secret()));
        Ok(subaccount.unwrap_or(Whereabouts::at(secret.address(address)?)))
    }
}

/// What there is to know of an API before the first call.
pub(super) struct Api {
    /// The word by which metrics name it.
    pub(super) name: &'static str,
    /// What is known of its limits.
    pub(super) limits: Limits,
    /// How it refuses.
    pub(super) dialect: &'static Dialect,
    /// What can be read to see whether a credential is good that is shown with every call.
    pub(super) probe: Option<Probe>,
}

/// The account's session at an API.
pub(super) fn at(base: &Url, account: &Arc<Account>, api: &Api) -> Session {
    let budget = account.budget(api.name, base.as_str(), &api.limits);
    Session::new(base.clone(), Arc::clone(account), budget, api.dialect).probed_at(api.probe)
}

/// An address that the Platform's spec names: an edit of the spec puts it right, not one of the Secret.
pub(super) fn in_spec(error: &Error) -> Error {
    Error::new(Kind::Invalid, "connect").detail(error.detail_text())
}

/// The client's id.
pub(super) fn id(secret: &AdminSecret) -> Result<String> {
    Ok(secret.text("clientid")?.expose_secret().to_owned())
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;

//! From a Platform's environment and its admin Secrets to a driver. No call is made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Url;
use secrecy::ExposeSecret;

use super::accounts::{Account, Accounts};
use super::admin_secret::AdminSecret;
use super::budget::{CallObserver, Limit, Limits, Pace};
use super::error::{Error, Kind, Result};
use super::http::address;
use super::neo::Neo;
use super::proof::Prover;
use super::service_manager::ServiceManager;
use super::session::Session;
use super::token::{Client, ClientProof};
use super::uaa::Uaa;
use super::whereabouts::Whereabouts;
use super::xsuaa::Xsuaa;
use super::{Driver, Grants, Landing};
use crate::api::platform::{Btp, Neo as NeoEnvironment, Uaa as UaaEnvironment};
use crate::api::{Environment, SecretRef};

/// What we allow ourselves of the 45 calls a second that SAP documents for the Authorization API.
const XSUAA: Limits = Limits::one(Limit::Kept(Pace { per_second: 20.0, burst: 45.0 }));

/// What we allow ourselves of the 100 calls a minute that SAP documents for each of Neo's two APIs: in any minute the
/// burst and the pace together stay below.
const NEO: Limits = Limits::one(Limit::Kept(Pace { per_second: 1.25, burst: 20.0 }));

/// What SAP documents for the Service Manager ("Rate Limiting"): 50 creations of instances a minute, 600 changes and
/// deletions, 600 calls for bindings, 1000 calls in all. The levels apply together and a customer's may be raised, so
/// each lane keeps to its own once the platform has shown it.
const SERVICE_MANAGER: Limits = Limits {
    instances: Limit::OnceShown(Pace::a_minute(50.0)),
    changes: Limit::OnceShown(Pace::a_minute(600.0)),
    bindings: Limit::OnceShown(Pace::a_minute(600.0)),
    rest: Limit::OnceShown(Pace::a_minute(950.0)),
};

/// A UAA that one runs oneself documents no limit.
const UAA: Limits = Limits::one(Limit::Unknown);

/// What a connection is made with: the admin Secrets by name, and what is shared with the other Platforms.
struct Connecting<'a> {
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
    let connecting = Connecting { secrets, accounts, observer };
    match environment {
        Environment::Btp(btp) => connecting.btp(btp),
        Environment::Neo(neo) => connecting.neo(neo),
        Environment::Uaa(uaa) => connecting.uaa(uaa),
    }
}

impl Connecting<'_> {
    fn btp(&self, btp: &Btp) -> Result<Driver> {
        let mut driver = Driver::default();
        let mut places = Vec::new();
        if let Some(access) = &btp.authorization {
            let reference = &access.credentials_secret_ref;
            let session = self.session(reference, "apiurl", "xsuaa", &XSUAA)?.0;
            driver.grants = Some(Arc::new(Xsuaa::new(session.clone())) as Arc<dyn Grants>);
            driver.sessions.push(session);
            places.push(self.place(reference, "apiurl")?);
        }
        if let Some(access) = &btp.service_manager {
            let reference = &access.credentials_secret_ref;
            let (session, token_url) = self.session(reference, "sm_url", "service-manager", &SERVICE_MANAGER)?;
            let service_manager = Arc::new(ServiceManager::new(session.clone(), self.prover(token_url)?));
            driver.identities = Some(Arc::clone(&service_manager) as _);
            driver.credentials = Some(service_manager);
            driver.sessions.push(session);
            places.push(self.place(reference, "sm_url")?);
        }
        driver.landing = places.into_iter().next().map(Landing::Tokens).unwrap_or_default();
        Ok(driver)
    }

    /// Both APIs of Neo are behind one host and take one token; each has a limit of its own.
    fn neo(&self, neo: &NeoEnvironment) -> Result<Driver> {
        let secret = self.secret(&neo.credentials_secret_ref)?;
        let (base, host) = if secret.has("url") {
            let base = secret.address("url")?;
            (base.clone(), base.to_string())
        } else {
            let base = address::base(&format!("https://api.{}", neo.host), "host").map_err(|error| in_spec(&error))?;
            (base, neo.host.clone())
        };
        let token_url = if secret.has("tokenurl") {
            secret.address("tokenurl")?
        } else {
            address::below(&base, &["oauth2", "apitoken", "v1"], "connect")?
        };
        let proof = ClientProof::Basic(secret.text("clientsecret")?.clone());
        let account = self.account(Client { token_url, id: id(secret)?, proof })?;
        let session = |api| at(&base, &account, api, &NEO);
        let (members, applications) = (session("neo-members"), session("neo-authorization"));
        let grants = Neo::new(neo.subaccount.clone(), members.clone(), applications.clone());
        let landing =
            Landing::Address(Whereabouts::at(format!("neo {}/{}", host.trim_end_matches('/'), neo.subaccount)));
        let sessions = vec![members, applications];
        Ok(Driver { grants: Some(Arc::new(grants)), sessions, landing, ..Driver::default() })
    }

    fn uaa(&self, uaa: &UaaEnvironment) -> Result<Driver> {
        let secret = self.secret(&uaa.credentials_secret_ref)?;
        let base = address::base(&uaa.url, "url").map_err(|error| in_spec(&error))?;
        let token_url = address::below(&base, &["oauth", "token"], "connect")?;
        let proof = ClientProof::Body(secret.text("clientsecret")?.clone());
        let account = self.account(Client { token_url: token_url.clone(), id: id(secret)?, proof })?;
        let session = at(&base, &account, "uaa", &UAA);
        let uaa = Arc::new(Uaa::new(session.clone(), self.prover(token_url)?, base.as_str()));
        let landing = Landing::Address(Whereabouts::at(format!("uaa {base}")));
        let (identities, credentials) = (Some(Arc::clone(&uaa) as _), Some(uaa as _));
        Ok(Driver { identities, credentials, grants: None, sessions: vec![session], landing })
    }

    fn secret(&self, reference: &SecretRef) -> Result<&AdminSecret> {
        let missing = || {
            let detail = format!("Secret `{}` is not there", reference.name);
            Error::new(Kind::MalformedSecret, "connect").detail(detail)
        };
        self.secrets.get(&reference.name).ok_or_else(missing)
    }

    fn account(&self, client: Client) -> Result<Arc<Account>> {
        self.accounts.of(client, self.observer)
    }

    fn prover(&self, token_url: Url) -> Result<Prover> {
        Prover::new(token_url, Arc::clone(self.observer))
    }

    /// A session at the API whose address is under a key of an admin Secret, and where it logs on. What is wrong with it
    /// is said with its name: a Platform can have two.
    fn session(
        &self,
        reference: &SecretRef,
        address: &'static str,
        api: &'static str,
        limits: &Limits,
    ) -> Result<(Session, Url)> {
        let secret = self.secret(reference)?;
        let named = |error: Error| error.about(format!("Secret {}", reference.name));
        let base = secret.address(address).map_err(named)?;
        let client = secret.client().map_err(named)?;
        let token_url = client.token_url.clone();
        let account = self.account(client).map_err(named)?;
        Ok((at(&base, &account, api, limits), token_url))
    }

    /// What an admin Secret says of where it leads: its subaccount, or the address of the API.
    fn place(&self, reference: &SecretRef, address: &'static str) -> Result<Whereabouts> {
        let secret = self.secret(reference)?;
        let id = if secret.has("subaccountid") { Some(secret.text("subaccountid")?) } else { None };
        let subaccount = id.and_then(|id| Whereabouts::subaccount(id.expose_secret()));
        Ok(subaccount.unwrap_or(Whereabouts::at(secret.address(address)?)))
    }
}

/// The account's session at an API.
fn at(base: &Url, account: &Arc<Account>, api: &'static str, limits: &Limits) -> Session {
    let budget = account.budget(api, base.as_str(), limits);
    Session::new(base.clone(), Arc::clone(account), budget)
}

/// An address that the Platform's spec names: an edit of the spec puts it right, not one of the Secret.
fn in_spec(error: &Error) -> Error {
    Error::new(Kind::Invalid, "connect").detail(error.detail_text())
}

fn id(secret: &AdminSecret) -> Result<String> {
    Ok(secret.text("clientid")?.expose_secret().to_owned())
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;

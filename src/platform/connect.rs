//! From a Platform's environment and its admin Secrets to a driver. No call is made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::admin_secret::AdminSecret;
use super::budget::{Budget, CallObserver, MAX_IN_FLIGHT, Pace};
use super::error::{Error, Kind, Result};
use super::http::{Http, address};
use super::neo::Neo;
use super::proof::Prover;
use super::service_manager::ServiceManager;
use super::session::Session;
use super::token::{Client, ClientProof, TokenSource};
use super::uaa::Uaa;
use super::xsuaa::Xsuaa;
use super::{Driver, Grants};
use crate::api::platform::{Btp, Neo as NeoEnvironment, Uaa as UaaEnvironment};
use crate::api::{Environment, SecretRef};

/// What we allow ourselves of the 45 calls a second that SAP documents for the Authorization API.
const XSUAA_PACE: Pace = Pace { per_second: 20.0, burst: 45.0 };

/// What we allow ourselves of the 100 calls a minute that SAP documents for each of Neo's two APIs: in any minute the
/// burst and the pace together stay below.
const NEO_PACE: Pace = Pace { per_second: 1.25, burst: 20.0 };

/// The driver for an environment. `secrets` holds the admin Secrets that [`Environment::secrets`] names, by name.
pub fn connect(
    environment: &Environment,
    secrets: &BTreeMap<String, AdminSecret>,
    observer: &Arc<dyn CallObserver>,
) -> Result<Driver> {
    match environment {
        Environment::Btp(btp) => connect_btp(btp, secrets, observer),
        Environment::Neo(neo) => connect_neo(neo, secrets, observer),
        Environment::Uaa(uaa) => connect_uaa(uaa, secrets, observer),
    }
}

fn connect_btp(btp: &Btp, secrets: &BTreeMap<String, AdminSecret>, observer: &Arc<dyn CallObserver>) -> Result<Driver> {
    let mut driver = Driver::default();
    if let Some(access) = &btp.authorization {
        let budget = Budget::new("xsuaa", Some(XSUAA_PACE), MAX_IN_FLIGHT, Arc::clone(observer));
        let session = session(&access.credentials_secret_ref, secrets, "apiurl", budget)?;
        driver.grants = Some(Arc::new(Xsuaa::new(session.clone())) as Arc<dyn Grants>);
        driver.sessions.push(session);
    }
    if let Some(access) = &btp.service_manager {
        let budget = Budget::new("service-manager", None, MAX_IN_FLIGHT, Arc::clone(observer));
        let session = session(&access.credentials_secret_ref, secrets, "sm_url", budget)?;
        let service_manager = Arc::new(ServiceManager::new(session.clone(), Prover::new(Arc::clone(observer))?));
        driver.identities = Some(Arc::clone(&service_manager) as _);
        driver.credentials = Some(service_manager);
        driver.sessions.push(session);
    }
    Ok(driver)
}

/// Both APIs of Neo are behind one host and take one token; each has a limit of its own.
fn connect_neo(
    neo: &NeoEnvironment,
    secrets: &BTreeMap<String, AdminSecret>,
    observer: &Arc<dyn CallObserver>,
) -> Result<Driver> {
    let secret = admin_secret(&neo.credentials_secret_ref, secrets)?;
    let base = if secret.has("url") {
        secret.address("url")?
    } else {
        address::base(&format!("https://api.{}", neo.host), "host").map_err(|error| in_spec(&error))?
    };
    let token_url = if secret.has("tokenurl") {
        secret.address("tokenurl")?
    } else {
        address::below(&base, &["oauth2", "apitoken", "v1"], "connect")?
    };
    let client = Client {
        token_url,
        id: secret.text("clientid")?.expose_secret().to_owned(),
        proof: ClientProof::Basic(secret.text("clientsecret")?.clone()),
    };
    let http = Http::new()?;
    let token = Arc::new(TokenSource::new(client, http.clone()));
    let session = |api| {
        let budget = Budget::new(api, Some(NEO_PACE), MAX_IN_FLIGHT, Arc::clone(observer));
        Session::new(base.clone(), http.clone(), Arc::clone(&token), budget)
    };
    let (members, applications) = (session("neo-members"), session("neo-authorization"));
    let grants = Neo::new(neo.subaccount.clone(), members.clone(), applications.clone());
    Ok(Driver { grants: Some(Arc::new(grants)), sessions: vec![members, applications], ..Driver::default() })
}

fn connect_uaa(
    uaa: &UaaEnvironment,
    secrets: &BTreeMap<String, AdminSecret>,
    observer: &Arc<dyn CallObserver>,
) -> Result<Driver> {
    let secret = admin_secret(&uaa.credentials_secret_ref, secrets)?;
    let base = address::base(&uaa.url, "url").map_err(|error| in_spec(&error))?;
    let client = Client {
        token_url: address::below(&base, &["oauth", "token"], "connect")?,
        id: secret.text("clientid")?.expose_secret().to_owned(),
        proof: ClientProof::Body(secret.text("clientsecret")?.clone()),
    };
    let http = Http::new()?;
    let budget = Budget::new("uaa", None, MAX_IN_FLIGHT, Arc::clone(observer));
    let session = Session::new(base.clone(), http.clone(), TokenSource::new(client, http), budget);
    let uaa = Arc::new(Uaa::new(session.clone(), Prover::new(Arc::clone(observer))?, base.as_str()));
    let (identities, credentials) = (Arc::clone(&uaa) as _, uaa as _);
    Ok(Driver { identities: Some(identities), credentials: Some(credentials), grants: None, sessions: vec![session] })
}

/// An address that the Platform's spec names: an edit of the spec puts it right, not one of the Secret.
fn in_spec(error: &Error) -> Error {
    Error::new(Kind::Invalid, "connect").detail(error.detail_text())
}

fn admin_secret<'a>(reference: &SecretRef, secrets: &'a BTreeMap<String, AdminSecret>) -> Result<&'a AdminSecret> {
    let name = &reference.name;
    secrets
        .get(name)
        .ok_or_else(|| Error::new(Kind::MalformedSecret, "connect").detail(format!("Secret `{name}` is not there")))
}

/// A session at the API whose address is under a key of an admin Secret. What is wrong with it is said with its name: a
/// Platform can have two.
fn session(
    reference: &SecretRef,
    secrets: &BTreeMap<String, AdminSecret>,
    address: &'static str,
    budget: Budget,
) -> Result<Session> {
    let secret = admin_secret(reference, secrets)?;
    let named = |error: Error| error.about(format!("Secret {}", reference.name));
    let base = secret.address(address).map_err(named)?;
    let (client, login) = secret.client().map_err(named)?;
    Ok(Session::new(base, login.clone(), TokenSource::new(client, login), budget))
}

//! From a Platform's environment and its admin Secrets to a driver. No call is made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::admin_secret::AdminSecret;
use super::budget::{Budget, CallObserver, MAX_IN_FLIGHT, Pace};
use super::error::{Error, Kind, Result};
use super::proof::Prover;
use super::service_manager::ServiceManager;
use super::session::Session;
use super::token::TokenSource;
use super::xsuaa::Xsuaa;
use super::{Driver, Grants};
use crate::api::Environment;
use crate::api::platform::{ApiAccess, Btp};

/// What we allow ourselves of the 45 calls a second that SAP documents for the Authorization API.
const XSUAA_PACE: Pace = Pace { per_second: 20.0, burst: 45.0 };

/// The driver for an environment. `secrets` holds the admin Secrets that [`Environment::secrets`] names, by name.
pub fn connect(
    environment: &Environment,
    secrets: &BTreeMap<String, AdminSecret>,
    observer: &Arc<dyn CallObserver>,
) -> Result<Driver> {
    match environment {
        Environment::Btp(btp) => connect_btp(btp, secrets, observer),
        Environment::Neo(_) | Environment::Uaa(_) => {
            let detail = format!("this build has no driver for environment {}", environment.name());
            Err(Error::new(Kind::Invalid, "connect").detail(detail))
        }
    }
}

fn connect_btp(btp: &Btp, secrets: &BTreeMap<String, AdminSecret>, observer: &Arc<dyn CallObserver>) -> Result<Driver> {
    let mut driver = Driver::default();
    if let Some(access) = &btp.authorization {
        let budget = Budget::new("xsuaa", Some(XSUAA_PACE), MAX_IN_FLIGHT, Arc::clone(observer));
        let session = session(admin_secret(access, secrets)?, "apiurl", budget)?;
        driver.grants = Some(Arc::new(Xsuaa::new(session.clone())) as Arc<dyn Grants>);
        driver.sessions.push(session);
    }
    if let Some(access) = &btp.service_manager {
        let budget = Budget::new("service-manager", None, MAX_IN_FLIGHT, Arc::clone(observer));
        let session = session(admin_secret(access, secrets)?, "sm_url", budget)?;
        let service_manager = Arc::new(ServiceManager::new(session.clone(), Prover::new(Arc::clone(observer))?));
        driver.identities = Some(Arc::clone(&service_manager) as _);
        driver.credentials = Some(service_manager);
        driver.sessions.push(session);
    }
    Ok(driver)
}

fn admin_secret<'a>(access: &ApiAccess, secrets: &'a BTreeMap<String, AdminSecret>) -> Result<&'a AdminSecret> {
    let name = &access.credentials_secret_ref.name;
    secrets
        .get(name)
        .ok_or_else(|| Error::new(Kind::MalformedSecret, "connect").detail(format!("Secret `{name}` is not there")))
}

/// A session at the API whose address is under a key of the admin Secret.
fn session(secret: &AdminSecret, address: &'static str, budget: Budget) -> Result<Session> {
    let base = secret.address(address)?;
    let (client, login) = secret.client()?;
    Ok(Session::new(base, login.clone(), TokenSource::new(client, login), budget))
}

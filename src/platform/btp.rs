//! The way to a subaccount of the multi-environment: role collections at XSUAA, service keys at the Service Manager,
//! users and groups at Cloud Identity Services.

use std::sync::Arc;

use super::budget::{Limit, Limits, Pace};
use super::connect::{Api, Connecting, Connects};
use super::directory::identity_service::{self, BY_ADDRESS, Trust};
use super::error::{Error, Kind, Result};
use super::http::dialect::PLAIN;
use super::service_manager::ServiceManager;
use super::service_manager::dialect::DIALECT;
use super::whereabouts::Whereabouts;
use super::xsuaa::Xsuaa;
use super::{Driver, Landing, Maker};
use crate::api::environment::{Btp, IdentityService};
use crate::api::{IdentityKind, RoleKind};
use crate::plan::environment::btp::TABLE;

/// What we allow ourselves of the 45 calls a second that SAP documents for the Authorization API.
const XSUAA: Api = Api {
    name: "xsuaa",
    limits: Limits::one(Limit::Kept(Pace { per_second: 20.0, burst: 45.0 })),
    dialect: &PLAIN,
    probe: None,
};

/// What SAP documents for the Service Manager ("Rate Limiting"): 50 creations of instances a minute, 600 changes and
/// deletions, 600 calls for bindings, 1000 calls in all. The levels apply together and a customer's may be raised, so
/// each lane keeps to its own once the platform has shown it.
const SERVICE_MANAGER: Api = Api {
    name: "service-manager",
    limits: Limits {
        instances: Limit::OnceShown(Pace::a_minute(50.0)),
        changes: Limit::OnceShown(Pace::a_minute(600.0)),
        bindings: Limit::OnceShown(Pace::a_minute(600.0)),
        rest: Limit::OnceShown(Pace::a_minute(950.0)),
    },
    dialect: &DIALECT,
    probe: None,
};

impl Connects for Btp {
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver> {
        let mut driver = Driver::default();
        let mut places = Vec::new();
        if let Some(access) = &self.authorization {
            let reference = &access.credentials_secret_ref;
            let session = with.session(reference, "apiurl", &XSUAA)?.0;
            driver.grants.insert(RoleKind::RoleCollection, Arc::new(Xsuaa::new(session.clone())));
            driver.sessions.push(session);
            places.push(with.place(reference, "apiurl")?);
        }
        if let Some(access) = &self.service_manager {
            let reference = &access.credentials_secret_ref;
            let (session, token_url) = with.session(reference, "sm_url", &SERVICE_MANAGER)?;
            let service_manager = Arc::new(ServiceManager::new(session.clone(), with.prover(token_url)?));
            let maker = Maker::of(service_manager, TABLE.recall(IdentityKind::ServiceKey));
            driver.makers.insert(IdentityKind::ServiceKey, maker);
            driver.sessions.push(session);
            places.push(with.place(reference, "sm_url")?);
        }
        let joined = self.identity_service.as_ref().map(|tenant| join(&mut driver, tenant, with)).transpose()?;
        let place = places.into_iter().take(1).chain(joined).reduce(|place, tenant| place.beside(&tenant));
        driver.landing = place.map(Landing::Tokens).unwrap_or_default();
        Ok(driver)
    }
}

fn join(driver: &mut Driver, tenant: &IdentityService, with: &Connecting<'_>) -> Result<Whereabouts> {
    let missing = || Error::new(Kind::Invalid, "connect").detail("identityService names no origin");
    let trust = Trust { origin: tenant.origin.as_deref().ok_or_else(missing)?, manners: &BY_ADDRESS };
    identity_service::join(driver, tenant, &trust, &TABLE, with)
}

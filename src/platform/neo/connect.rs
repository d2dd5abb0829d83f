//! The way to a subaccount of the Neo environment.

use std::sync::Arc;

use super::{Neo, cloud_integration};
use crate::api::RoleKind;
use crate::api::environment::{IdentityService, Neo as Environment};
use crate::plan::environment::neo::TABLE;
use crate::platform::budget::{Limit, Limits, Pace};
use crate::platform::connect::{Api, Connecting, Connects, at, id, in_spec};
use crate::platform::directory::identity_service::{self, BY_USER_ID, Trust};
use crate::platform::error::Result;
use crate::platform::http::address;
use crate::platform::http::dialect::PLAIN;
use crate::platform::token::{Client, ClientProof};
use crate::platform::whereabouts::Whereabouts;
use crate::platform::{Driver, Grants, Landing};

/// What we allow ourselves of the 100 calls a minute that SAP documents for each of Neo's two APIs: in any minute the
/// burst and the pace together stay below.
const LIMITS: Limits = Limits::one(Limit::Kept(Pace { per_second: 1.25, burst: 20.0 }));

impl Connects for Environment {
    /// Both APIs are behind one host and take one token; each has a limit of its own.
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver> {
        let secret = with.secret(&self.credentials_secret_ref)?;
        let (base, host) = if secret.has("url") {
            let base = secret.address("url")?;
            (base.clone(), base.to_string())
        } else {
            let base = address::base(&format!("https://api.{}", self.host), "host").map_err(|error| in_spec(&error))?;
            (base, self.host.clone())
        };
        let token_url = if secret.has("tokenurl") {
            secret.address("tokenurl")?
        } else {
            address::below(&base, &["oauth2", "apitoken", "v1"], "connect")?
        };
        let proof = ClientProof::Basic(secret.text("clientsecret")?.clone());
        let account = with.account(Client::new(token_url, id(secret)?, proof).in_query())?;
        let session = |name| at(&base, &account, &Api { name, limits: LIMITS, dialect: &PLAIN, probe: None });
        let (members, applications) = (session("neo-members"), session("neo-authorization"));
        let grants: Arc<dyn Grants> =
            Arc::new(Neo::new(self.subaccount.clone(), members.clone(), applications.clone()));
        let mut place = Whereabouts::at(format!("neo {}/{}", host.trim_end_matches('/'), self.subaccount));
        let mut driver = Driver {
            grants: [RoleKind::MemberRole, RoleKind::ApplicationRole].map(|kind| (kind, Arc::clone(&grants))).into(),
            sessions: vec![members, applications],
            ..Driver::default()
        };
        if let Some(tenant) = &self.identity_service {
            place = place.beside(&join(&mut driver, tenant, with)?);
        }
        if let Some(tenant) = &self.cloud_integration {
            place = place.beside(&cloud_integration::join(&mut driver, tenant, with)?);
        }
        driver.landing = Landing::Address(place);
        Ok(driver)
    }
}

/// The user base of a tenant is its host, and Neo spells it in either case.
fn join(driver: &mut Driver, tenant: &IdentityService, with: &Connecting<'_>) -> Result<Whereabouts> {
    let base = address::base(&tenant.url, "identityService.url").map_err(|error| in_spec(&error))?;
    let user_base = tenant.origin.as_deref().or(base.host_str()).unwrap_or_default().to_lowercase();
    identity_service::join(driver, tenant, &Trust { origin: &user_base, manners: &BY_USER_ID }, &TABLE, with)
}

//! The way to a subaccount of the Neo environment.

use std::sync::Arc;

use super::{Neo, cloud_integration};
use crate::api::environment::Neo as Environment;
use crate::api::{IdentityKind, RoleKind};
use crate::platform::budget::{Limit, Limits, Pace};
use crate::platform::connect::{Api, Connecting, Connects, at, id, in_spec};
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
        let place = format!("neo {}/{}", host.trim_end_matches('/'), self.subaccount);
        let tenant =
            self.cloud_integration.as_ref().map(|tenant| cloud_integration::connect(tenant, with)).transpose()?;
        let (certificates, tenant) = tenant.unzip();
        Ok(Driver {
            makers: certificates.map(|maker| (IdentityKind::CertificateUser, maker)).into_iter().collect(),
            grants: [RoleKind::MemberRole, RoleKind::ApplicationRole].map(|kind| (kind, Arc::clone(&grants))).into(),
            sessions: [members, applications].into_iter().chain(tenant).collect(),
            landing: Landing::Address(Whereabouts::at(place)),
        })
    }
}

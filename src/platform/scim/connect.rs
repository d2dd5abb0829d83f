//! The way to a directory that speaks SCIM.

use std::sync::Arc;

use super::Scim;
use super::dialect::DIALECT;
use super::manners::PLAIN;
use crate::api::environment::Scim as Environment;
use crate::api::{IdentityKind, RoleKind};
use crate::plan::environment::scim::{ITSELF, TABLE};
use crate::platform::accounts::Credential;
use crate::platform::admin_secret::AdminSecret;
use crate::platform::budget::{Limit, Limits};
use crate::platform::connect::{Api, Connecting, Connects, at, in_spec};
use crate::platform::error::Result;
use crate::platform::http::address;
use crate::platform::session::Probe;
use crate::platform::whereabouts::Whereabouts;
use crate::platform::{Driver, Landing, Maker};

/// The RFCs know no limit. Some directories show their `ServiceProviderConfig` to anybody, and none its users.
const API: Api = Api {
    name: "scim",
    limits: Limits::one(Limit::Unknown),
    dialect: &DIALECT,
    probe: Some(Probe { path: &["Users"], query: &[("count", "1"), ("attributes", "id")] }),
};

impl Connects for Environment {
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver> {
        let base = address::base(&self.url, "url").map_err(|error| in_spec(&error))?;
        let account = with.account(credential(with.secret(&self.credentials_secret_ref)?)?)?;
        let session = at(&base, &account, &API);
        let directory = Arc::new(Scim::new(session.clone(), base.as_str(), ITSELF, &PLAIN));
        let users = Maker::of(Arc::clone(&directory), TABLE.recall(IdentityKind::DirectoryUser));
        Ok(Driver {
            makers: [(IdentityKind::DirectoryUser, users)].into(),
            grants: [(RoleKind::GroupMembership, directory as _)].into(),
            sessions: vec![session],
            landing: Landing::Address(Whereabouts::at(format!("scim {base}"))),
        })
    }
}

/// Tokens are fetched where the credential says where; otherwise it is shown with every call.
pub fn credential(secret: &AdminSecret) -> Result<Credential> {
    if secret.has("tokenurl") { Ok(secret.client_at_its_token_url()?.into()) } else { Ok(secret.shown()?.into()) }
}

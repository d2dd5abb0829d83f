//! The way to any directory that speaks SCIM 2.0.

use std::sync::Arc;

use super::budget::{Limit, Limits};
use super::connect::{Api, Connecting, Connects, at, in_spec};
use super::directory::dialect::DIALECT;
use super::directory::manners::PLAIN;
use super::directory::{Directory, credential};
use super::error::Result;
use super::http::address;
use super::session::Probe;
use super::whereabouts::Whereabouts;
use super::{Driver, Landing, Maker};
use crate::api::environment::Scim;
use crate::api::{IdentityKind, RoleKind};
use crate::plan::environment::scim::{ITSELF, TABLE};

/// The RFCs know no limit. Some directories show their `ServiceProviderConfig` to anybody, and none its users.
const API: Api = Api {
    name: "scim",
    limits: Limits::one(Limit::Unknown),
    dialect: &DIALECT,
    probe: Some(Probe { path: &["Users"], query: &[("count", "1"), ("attributes", "id")] }),
};

impl Connects for Scim {
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver> {
        let base = address::base(&self.url, "url").map_err(|error| in_spec(&error))?;
        let account = with.account(credential(with.secret(&self.credentials_secret_ref)?)?)?;
        let session = at(&base, &account, &API);
        let directory = Arc::new(Directory::new(session.clone(), base.as_str(), ITSELF, &PLAIN));
        let users = Maker::of(Arc::clone(&directory), TABLE.recall(IdentityKind::DirectoryUser));
        Ok(Driver {
            makers: [(IdentityKind::DirectoryUser, users)].into(),
            grants: [(RoleKind::GroupMembership, directory as _)].into(),
            sessions: vec![session],
            landing: Landing::Address(Whereabouts::at(format!("scim {base}"))),
        })
    }
}

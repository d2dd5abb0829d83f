//! The way to a UAA that one runs oneself.

use std::sync::Arc;

use super::Uaa;
use super::dialect::DIALECT;
use super::groups::Groups;
use super::users::Users;
use crate::api::environment::Uaa as Environment;
use crate::api::{IdentityKind, RoleKind};
use crate::plan::environment::uaa::TABLE;
use crate::platform::budget::{Limit, Limits};
use crate::platform::connect::{Api, Connecting, Connects, at, id, in_spec};
use crate::platform::error::Result;
use crate::platform::http::address;
use crate::platform::token::{Client, ClientProof};
use crate::platform::whereabouts::Whereabouts;
use crate::platform::{Driver, Landing, Maker};

/// It documents no limit.
const API: Api = Api { name: "uaa", limits: Limits::one(Limit::Unknown), dialect: &DIALECT, probe: None };

impl Connects for Environment {
    fn connect(&self, with: &Connecting<'_>) -> Result<Driver> {
        let secret = with.secret(&self.credentials_secret_ref)?;
        let base = address::base(&self.url, "url").map_err(|error| in_spec(&error))?;
        let token_url = address::below(&base, &["oauth", "token"], "connect")?;
        let proof = ClientProof::Body(secret.text("clientsecret")?.clone());
        let account = with.account(Client::new(token_url.clone(), id(secret)?, proof))?;
        let session = at(&base, &account, &API);
        let clients = Arc::new(Uaa::new(session.clone(), with.prover(token_url)?, base.as_str()));
        let clients = Maker::of(clients, TABLE.recall(IdentityKind::OauthClient));
        let users = Arc::new(Users::new(session.clone(), base.as_str()));
        let users = Maker::of(users, TABLE.recall(IdentityKind::DirectoryUser));
        Ok(Driver {
            makers: [(IdentityKind::OauthClient, clients), (IdentityKind::DirectoryUser, users)].into(),
            grants: [(RoleKind::GroupMembership, Arc::new(Groups::new(session.clone())) as _)].into(),
            sessions: vec![session],
            landing: Landing::Address(Whereabouts::at(format!("uaa {base}"))),
        })
    }
}

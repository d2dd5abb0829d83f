//! Who asks, and what the roles of whoever asks allow. The token says who, the roles in organizations and spaces say
//! what (cloud_controller_ng, `lib/cloud_controller/permissions.rb`).

use axum::http::HeaderMap;

use crate::frame::{Grant, TokenRefusal};

use super::refusal::Refusal;
use super::role_type::{DEVELOPS, MANAGES_ORGANIZATION, MANAGES_SPACE, OF_ORGANIZATIONS, OF_SPACES};
use super::store::Store;
use super::{CloudFoundry, REALM};

/// Whoever asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Guid of the user; of a client it is the client's id.
    pub(super) guid: String,
    admin: bool,
}

/// What a route needs of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Read,
    Write,
}

impl CloudFoundry {
    /// Whoever asks, if the token is valid and good for it.
    pub(super) fn permit(&self, headers: &HeaderMap, need: Need) -> Result<Caller, Refusal> {
        let grant = self.frame().grant(headers, REALM).map_err(|refusal| match refusal {
            TokenRefusal::Missing => Refusal::not_authenticated(),
            TokenRefusal::Unknown | TokenRefusal::Fresh | TokenRefusal::Expired => Refusal::invalid_token(),
        })?;
        let holds = |scope: &str| grant.scopes.iter().any(|held| held == scope);
        let admin = holds("cloud_controller.admin");
        let wanted = if need == Need::Read { "cloud_controller.read" } else { "cloud_controller.write" };
        if !admin && !holds(wanted) {
            return Err(Refusal::insufficient_scope());
        }
        Ok(Caller { guid: user_of(&grant), admin })
    }
}

/// The guid of the user that a token was issued for.
pub(super) fn user_of(grant: &Grant) -> String {
    grant.claims["user_id"].as_str().unwrap_or(&grant.client_id).to_owned()
}

impl Caller {
    /// Whether everything is allowed.
    pub(super) const fn is_admin(&self) -> bool {
        self.admin
    }

    /// Whether the organization can be seen.
    pub(super) fn sees_organization(&self, store: &Store, organization: &str) -> bool {
        self.admin || store.holds(&self.guid, organization, OF_ORGANIZATIONS)
    }

    /// Whether roles of the organization can be given and taken.
    pub(super) fn manages_organization(&self, store: &Store, organization: &str) -> bool {
        self.admin || store.holds(&self.guid, organization, MANAGES_ORGANIZATION)
    }

    /// Whether some organization is managed.
    pub(super) fn manages_any_organization(&self, store: &Store) -> bool {
        store.organizations.iter().any(|one| self.manages_organization(store, &one.base.guid))
    }

    /// Whether the space can be seen.
    pub(super) fn sees_space(&self, store: &Store, space: &str) -> bool {
        self.admin
            || store.holds(&self.guid, space, OF_SPACES)
            || store.holds(&self.guid, store.organization_of(space), MANAGES_ORGANIZATION)
    }

    /// Whether roles of the space can be given and taken.
    pub(super) fn manages_space(&self, store: &Store, space: &str) -> bool {
        self.manages_organization(store, store.organization_of(space)) || store.holds(&self.guid, space, MANAGES_SPACE)
    }

    /// Whether instances and keys of the space can be made, and credentials read.
    pub(super) fn develops(&self, store: &Store, space: &str) -> bool {
        self.admin || store.holds(&self.guid, space, DEVELOPS)
    }

    /// Whether the user can be seen: oneself, and everybody with a role in an organization that can be seen.
    pub(super) fn sees_user(&self, store: &Store, user: &str) -> bool {
        let with_roles = store.roles.iter().filter(|role| role.user == user);
        self.admin
            || self.guid == user
            || with_roles.into_iter().any(|role| {
                let organization =
                    if role.kind.is_of_space() { store.organization_of(&role.place) } else { role.place.as_str() };
                self.sees_organization(store, organization)
            })
    }
}

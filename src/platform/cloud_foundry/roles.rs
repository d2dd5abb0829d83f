//! Roles in organizations and spaces: where they are, and who has them.
//!
//! Only roles of users that are asked about are kept. One read answers for a whole place; a look at single grants asks for
//! one type of role at one place. What the list shows of a user is a guid, and beside it the user's name and origin.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::list::{List, only};
use super::places::Place;
use super::{CloudFoundry, another, role_changes, wire};
use crate::api::Role;
use crate::api::role::{OrganizationRole, OrganizationRoleType, SpaceRole, SpaceRoleType};
use crate::plan::grant::{Grant, Holder, HolderKind};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::side_by_side::side_by_side;
use crate::platform::{Grants, Scope};

const READ: &str = "list roles";

/// Calls of one batch that are on their way at once.
pub(super) const SIDE_BY_SIDE: usize = 8;
/// Changes that go out together. Each is awaited, and a revocation that comes meanwhile waits some seconds at most.
const BATCH: usize = 32;

/// A role that somebody has.
pub(super) struct Held {
    /// Its guid.
    pub(super) guid: String,
    /// Who has what.
    pub(super) grant: Grant,
}

#[async_trait]
impl Grants for CloudFoundry {
    fn scope(&self, grant: &Grant) -> Scope {
        match at(&grant.role) {
            Some(place) if grant.holder.kind() == HolderKind::User => written(&place),
            _ => Scope(String::new()),
        }
    }

    fn batch_size(&self, _: &Scope) -> usize {
        BATCH
    }

    async fn read(&self, scope: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
        let place = meant(scope).ok_or_else(|| unsupported(READ))?;
        let guid = self.places.guid(&place).await?;
        let held = self.held_at(&place, &guid, None, Urgency::Last).await?;
        Ok(held.into_iter().map(|held| held.grant).filter(|grant| of.contains(grant)).collect())
    }

    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
        side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.role, |grants| self.look_up(grants)).await
    }

    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
        side_by_side(grants, SIDE_BY_SIDE, |grant| &grant.holder, |grants| self.give_all(grants)).await
    }

    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
        role_changes::revoke(self, grants).await
    }
}

impl CloudFoundry {
    /// Which of these, all of one role, are in force.
    pub(super) async fn look_up(&self, grants: Vec<&Grant>) -> Vec<Result<bool>> {
        let Some(first) = grants.first() else { return Vec::new() };
        match self.holders_of(&first.role, Urgency::Normal).await {
            Ok(held) => {
                let held: BTreeSet<Grant> = held.into_iter().map(|held| held.grant).collect();
                grants.iter().map(|grant| Ok(held.contains(*grant))).collect()
            }
            Err(error) => grants.iter().map(|_| Err(error.share())).collect(),
        }
    }

    /// Everybody who has this role.
    pub(super) async fn holders_of(&self, role: &Role, urgency: Urgency) -> Result<Vec<Held>> {
        let place = at(role).ok_or_else(|| unsupported(READ))?;
        let guid = self.places.guid(&place).await?;
        self.held_at(&place, &guid, Some(role.name()), urgency).await
    }

    async fn held_at(&self, place: &Place, guid: &str, kind: Option<&str>, urgency: Urgency) -> Result<Vec<Held>> {
        let guids = only(guid);
        let here = if place.space.is_some() { "space_guids" } else { "organization_guids" };
        let mut query = vec![(here, guids.as_str()), ("include", "user")];
        query.extend(kind.map(|kind| ("types", kind)));
        let listed = List::new(READ, "roles", &query).urgency(urgency).read::<wire::Role>(&self.session).await?;
        let is_asked_for = |role: &wire::Role| role.place() == guid && kind.is_none_or(|kind| role.kind == kind);
        if !listed.items.iter().all(is_asked_for) {
            return Err(another(READ));
        }
        let users: BTreeMap<&str, Holder> =
            listed.users.iter().filter_map(|user| Some((user.guid.as_str(), holder(user)?))).collect();
        let held = listed.items.into_iter().filter_map(|shown| {
            let holder = users.get(wire::guid(shown.relationships.user.as_ref()))?.clone();
            Some(Held { grant: Grant::new(holder, role(place, &shown.kind)?), guid: shown.guid })
        });
        Ok(held.collect())
    }
}

/// A client, and a user whom the UAA has forgotten, has no name, and is nobody whom a RoleBinding can mean.
fn holder(user: &wire::User) -> Option<Holder> {
    Some(Holder::named(HolderKind::User, user.username.as_deref()?, user.origin.as_deref()?))
}

/// Where a role is.
pub(super) fn at(role: &Role) -> Option<Place> {
    match role {
        Role::OrganizationRole(role) => Some(Place { organization: role.organization.clone(), space: None }),
        Role::SpaceRole(role) => {
            Some(Place { organization: role.organization.clone(), space: Some(role.space.clone()) })
        }
        _ => None,
    }
}

/// The role of this type at a place. A type that nobody knows yet is none.
fn role(place: &Place, kind: &str) -> Option<Role> {
    let organization = place.organization.clone();
    match &place.space {
        None => {
            use OrganizationRoleType::{
                OrganizationAuditor, OrganizationBillingManager, OrganizationManager, OrganizationUser,
            };
            let known = [OrganizationUser, OrganizationAuditor, OrganizationManager, OrganizationBillingManager];
            let kind = known.into_iter().find(|known| known.name() == kind)?;
            Some(Role::OrganizationRole(OrganizationRole { organization, kind }))
        }
        Some(space) => {
            use SpaceRoleType::{SpaceAuditor, SpaceDeveloper, SpaceManager, SpaceSupporter};
            let known = [SpaceAuditor, SpaceDeveloper, SpaceManager, SpaceSupporter];
            let kind = known.into_iter().find(|known| known.name() == kind)?;
            Some(Role::SpaceRole(SpaceRole { organization, space: space.clone(), kind }))
        }
    }
}

/// A scope is a list of names: any sign may be in them.
fn written(place: &Place) -> Scope {
    let names: Vec<&str> =
        [Some(&place.organization), place.space.as_ref()].into_iter().flatten().map(String::as_str).collect();
    Scope(serde_json::json!(names).to_string())
}

/// Reads a scope back.
fn meant(scope: &Scope) -> Option<Place> {
    let mut names = serde_json::from_str::<Vec<String>>(&scope.0).ok()?.into_iter();
    Some(Place { organization: names.next()?, space: names.next() })
}

pub(super) fn unsupported(operation: &'static str) -> Error {
    Error::new(Kind::Invalid, operation)
        .detail("on Cloud Foundry, users hold organizationRole and spaceRole, and nobody else does")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_back_as_it_was_written() {
        for (organization, space) in [("acme", None), ("a/b \"c\", d", Some("e/f".to_owned()))] {
            let place = Place { organization: organization.into(), space };
            assert_eq!(meant(&written(&place)), Some(place));
        }
        assert_eq!(meant(&Scope(String::new())), None);
    }

    #[test]
    fn every_type_is_read_back_and_a_new_one_is_none() {
        let place = Place { organization: "o".into(), space: Some("s".into()) };
        assert_eq!(role(&place, "space_supporter").map(|role| role.name().to_owned()), Some("space_supporter".into()));
        assert_eq!(at(&role(&place, "space_auditor").unwrap()), Some(place.clone()));
        assert_eq!(role(&place, "organization_user"), None);
        assert_eq!(role(&Place { space: None, ..place }, "organization_owner"), None);
    }
}

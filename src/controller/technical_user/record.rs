//! The identity as the status records it. Pure.

use std::collections::BTreeSet;

use crate::api::{IdentityStatus, TechnicalUserStatus};
use crate::platform::ObservedIdentity;

/// The record of this identity. What was recorded of another says nothing about this one, except where its id was not
/// known yet.
pub fn identity<'a>(status: &'a mut TechnicalUserStatus, seen: &ObservedIdentity) -> &'a mut IdentityStatus {
    let id = Some(seen.id.clone()).filter(|id| *id != seen.name);
    let known =
        status.identity.take().filter(|known| known.name == seen.name && (known.id == id || known.id.is_none()));
    let (name, user) = (seen.name.clone(), seen.user.clone());
    status.identity.insert(IdentityStatus { name, id, user, ..known.unwrap_or_default() })
}

/// It carries these roles, as the platform has just confirmed; `None` where it carries none by nature.
pub fn created(status: &mut TechnicalUserStatus, seen: &ObservedIdentity, roles: Option<&BTreeSet<String>>) {
    let identity = identity(status, seen);
    identity.roles = roles.map(|roles| roles.iter().cloned().collect());
    identity.roles_asked_for = None;
}

/// It was seen: what the platform tells of its roles is what there is.
pub fn seen(status: &mut TechnicalUserStatus, seen: &ObservedIdentity) {
    let identity = identity(status, seen);
    if let Some(told) = &seen.roles {
        identity.roles = Some(told.iter().cloned().collect());
        identity.roles_asked_for = None;
    }
}

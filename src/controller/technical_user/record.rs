//! The identity and its superseded credentials as the status records them. Pure.

use std::collections::BTreeSet;

use crate::api::{IdentityStatus, SupersededStatus, TechnicalUserStatus};
use crate::platform::{ObservedCredential, ObservedIdentity};

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

/// The credential of this number is about to take the place of the one on record, which software may use for a while.
pub fn superseded(status: &mut TechnicalUserStatus, by: i64) {
    status.superseded.retain(|one| one.sequence != by);
    let Some(old) = status.credential.as_ref().filter(|old| old.sequence != by) else { return };
    if status.superseded.iter().all(|one| one.sequence != old.sequence) {
        let (name, id, sequence) = (old.name.clone(), old.id.clone(), old.sequence);
        status.superseded.push(SupersededStatus { name, id, sequence, overlapped_seconds: 0, waits_for: vec![] });
    }
}

/// Strikes off what the platform, asked now, does not have, and what stands in the Secret again.
pub fn strike(status: &mut TechnicalUserStatus, found: &[ObservedCredential]) {
    let live = status.credential.as_ref().filter(|_| status.intent.is_none()).map(|credential| credential.sequence);
    let is_there = |one: &SupersededStatus| found.iter().any(|credential| credential.name == one.name);
    status.superseded.retain(|one| is_there(one) && Some(one.sequence) != live);
}

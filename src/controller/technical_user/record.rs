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

/// So many superseded credentials are left in force at most: whoever keeps the source of a certificate can replace it as
/// often as they like, and neither the platform nor the record may fill up with what was before.
const MOST_SUPERSEDED: usize = 8;

/// The credential of this number is about to take the place of the one on record, which software may use for a while. The
/// oldest beyond the most goes off the record, and so ends at the next look.
pub fn superseded(status: &mut TechnicalUserStatus, by: i64) {
    status.superseded.retain(|one| one.sequence != by);
    let Some(old) = status.credential.as_ref().filter(|old| old.sequence != by) else { return };
    if status.superseded.iter().all(|one| one.sequence != old.sequence) {
        let (name, id, sequence) = (old.name.clone(), old.id.clone(), old.sequence);
        status.superseded.push(SupersededStatus { name, id, sequence, overlapped_seconds: 0, waits_for: vec![] });
    }
    let beyond = status.superseded.len().saturating_sub(MOST_SUPERSEDED);
    status.superseded.drain(..beyond);
}

/// Strikes off what the platform, asked now, does not have, and what stands in the Secret again.
pub fn strike(status: &mut TechnicalUserStatus, found: &[ObservedCredential]) {
    let live = status.credential.as_ref().filter(|_| status.intent.is_none()).map(|credential| credential.sequence);
    let is_there = |one: &SupersededStatus| found.iter().any(|credential| credential.name == one.name);
    status.superseded.retain(|one| is_there(one) && Some(one.sequence) != live);
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    use super::*;
    use crate::api::CredentialStatus;

    fn credential(sequence: i64) -> CredentialStatus {
        let issued_at = Time(Timestamp::UNIX_EPOCH);
        serde_json::from_value(serde_json::json!({
            "name": format!("tuo-{sequence}"), "sequence": sequence, "issuedAt": issued_at, "fingerprint": "",
        }))
        .unwrap()
    }

    fn sequences(status: &TechnicalUserStatus) -> Vec<i64> {
        status.superseded.iter().map(|one| one.sequence).collect()
    }

    #[test]
    fn whoever_replaces_a_credential_again_and_again_fills_nothing_up() {
        let mut status = TechnicalUserStatus::default();
        for sequence in 1..=20 {
            status.credential = Some(credential(sequence));
            superseded(&mut status, sequence + 1);
        }
        assert_eq!(sequences(&status), (13..=20).collect::<Vec<_>>());
    }

    #[test]
    fn what_takes_its_place_again_is_superseded_no_more() {
        let mut status = TechnicalUserStatus { credential: Some(credential(1)), ..TechnicalUserStatus::default() };
        superseded(&mut status, 2);
        status.credential = Some(credential(2));
        superseded(&mut status, 1);
        assert_eq!(sequences(&status), [2]);
    }
}

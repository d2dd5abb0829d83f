//! The condition types and reasons we use, and how a condition is set.
//!
//! Conditions follow kstatus: `Ready` says whether the object serves its purpose, `Reconciling=True` that the
//! operator is still at work, `Stalled=True` that nothing will move until somebody acts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The object serves its purpose.
pub const READY: &str = "Ready";
/// Work is under way (kstatus: InProgress).
pub const RECONCILING: &str = "Reconciling";
/// Nothing will move until somebody acts (kstatus: Failed).
pub const STALLED: &str = "Stalled";
/// The identity is of a kind that SAP advises against in production.
pub const DISCOURAGED: &str = "Discouraged";
/// A credential that was replaced is still in force, because software may use it.
pub const OVERLAPPING: &str = "Overlapping";
/// The credential could not be replaced when it was due; the one before goes on working. There only while it is `False`.
pub const ROTATED: &str = "Rotated";
/// What a Platform's admin Secrets hold now is not in use; what they held before is.
pub const ADMIN_SECRET_REJECTED: &str = "AdminSecretRejected";
/// An admin credential ends soon, has ended, or says so in words that cannot be read.
pub const CREDENTIAL_EXPIRING: &str = "CredentialExpiring";
/// An admin credential lacks a right that the Platform needs.
pub const RIGHTS_MISSING: &str = "RightsMissing";

/// What a condition shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One CamelCase word from a closed set.
    pub reason: &'static str,
    /// A sentence for people. Deterministic: no times and no request ids, or every retry would be a status write.
    pub message: String,
}

/// Sets condition `kind`, keeping its transition time unless its status changes.
pub fn set(conditions: &mut Vec<Condition>, kind: &str, verdict: Verdict, generation: Option<i64>, now: &Time) {
    let before = conditions.iter().position(|condition| condition.type_ == kind);
    let last_transition_time = match before.map(|at| &conditions[at]) {
        Some(old) if old.status == verdict.status => old.last_transition_time.clone(),
        _ => now.clone(),
    };
    let condition = Condition {
        type_: kind.to_owned(),
        status: verdict.status.to_owned(),
        reason: verdict.reason.to_owned(),
        message: verdict.message,
        observed_generation: generation,
        last_transition_time,
    };
    match before {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
}

/// Drops condition `kind`: for conditions that are only there while they are true.
pub fn clear(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|condition| condition.type_ != kind);
}

/// The condition of this type, if it was ever set.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::jiff::Timestamp;

    fn verdict(status: &'static str, message: &str) -> Verdict {
        Verdict { status, reason: "Test", message: message.to_owned() }
    }

    #[test]
    fn transition_time_moves_only_with_the_status() {
        let (early, late) = (Time(Timestamp::from_second(1).unwrap()), Time(Timestamp::from_second(2).unwrap()));
        let mut conditions = vec![];
        set(&mut conditions, READY, verdict("False", "one"), Some(1), &early);
        set(&mut conditions, READY, verdict("False", "two"), Some(2), &late);
        assert_eq!((conditions.len(), &conditions[0].last_transition_time), (1, &early));
        assert_eq!(conditions[0].message, "two");
        set(&mut conditions, READY, verdict("True", ""), Some(2), &late);
        assert_eq!(conditions[0].last_transition_time, late);
    }
}

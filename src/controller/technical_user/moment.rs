//! What the statuses of all TechnicalUsers come to at a moment, for the metrics.

use kube::runtime::reflector::Store;

use k8s_openapi::jiff::Timestamp;

use crate::api::{CredentialStatus, TechnicalUser};
use crate::metrics::Moment;

/// Counts them.
pub fn of(users: &Store<TechnicalUser>, now: Timestamp) -> Moment {
    let mut moment = Moment::default();
    for user in users.state() {
        let credential = user.status.as_ref().and_then(|status| status.credential.as_ref());
        if let Some(credential) = credential.filter(|_| user.metadata.deletion_timestamp.is_none()) {
            add(&mut moment, &user.spec.platform_ref.name, credential, now);
        }
    }
    moment
}

fn add(moment: &mut Moment, platform: &str, credential: &CredentialStatus, now: Timestamp) {
    moment.overdue += usize::from(credential.rotate_at.as_ref().is_some_and(|at| at.0 <= now));
    if let Some(ends) = credential.made_of.expires_at.as_ref().map(|at| at.0.as_second()) {
        let first = moment.first_ends.entry(platform.to_owned()).or_insert(ends);
        *first = ends.min(*first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_first_end_counts_and_what_is_due_is_overdue() {
        let credential = |rotate_at: &str, expires_at: Option<&str>| -> CredentialStatus {
            serde_json::from_value(serde_json::json!({
                "name": "tuo-1", "sequence": 1, "issuedAt": "2026-01-01T00:00:00Z", "fingerprint": "",
                "rotateAt": rotate_at, "expiresAt": expires_at,
            }))
            .unwrap()
        };
        let (mut moment, now) = (Moment::default(), "2026-01-10T00:00:00Z".parse().unwrap());
        add(&mut moment, "a", &credential("2026-01-09T00:00:00Z", Some("2026-01-20T00:00:00Z")), now);
        add(&mut moment, "a", &credential("2026-01-11T00:00:00Z", Some("2026-01-15T00:00:00Z")), now);
        add(&mut moment, "b", &credential("2026-01-10T00:00:00Z", None), now);
        let first: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
        assert_eq!((moment.overdue, moment.first_ends), (2, [("a".to_owned(), first.as_second())].into()));
    }
}

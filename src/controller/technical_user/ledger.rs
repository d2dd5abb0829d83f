//! Identities that are but names, on platforms that keep no mark of ours: what there is of them, and which of their
//! credentials the ledger in the status says are ours. Everybody else's are let alone.

use std::time::Duration;

use crate::api::technical_user::LedgerCredential;
use crate::api::{TechnicalUser, TechnicalUserStatus};
use crate::controller::error::Result;
use crate::plan::technical_user::Brought;
use crate::platform::mirror::Mirrored;
use crate::platform::{ObservedCredential, ObservedIdentity};

/// The identity, if it is but a name: it is there without being made.
pub fn named(user: &TechnicalUser, mirrored: &Mirrored) -> Option<ObservedIdentity> {
    let named = user.spec.identity.user().filter(|_| mirrored.takes_names());
    named.map(|user| ObservedIdentity::named(&user.name))
}

/// Ours, as they were seen in bulk.
pub async fn pictured(
    identity: &ObservedIdentity,
    ledger: &[LedgerCredential],
    mirrored: &Mirrored,
) -> Result<Vec<ObservedCredential>> {
    Ok(ours(&mirrored.credentials_of(identity, Duration::MAX).await?, ledger))
}

/// Ours, as the platform tells now; and whether what is brought along is there already and not ours.
pub async fn told(
    identity: &ObservedIdentity,
    ledger: &[LedgerCredential],
    brought: Option<&Brought>,
    mirrored: &Mirrored,
) -> Result<(Vec<ObservedCredential>, bool)> {
    let found = mirrored.find_credentials(identity).await?;
    let ours = ours(&found, ledger);
    let Some(brought) = brought.filter(|brought| ours.iter().all(|one| one.id != brought.id)) else {
        return Ok((ours, false));
    };
    // It may stand for another user.
    let taken = found.iter().any(|one| one.id == brought.id) || mirrored.look_up(&brought.id).await?.is_some();
    Ok((ours, taken))
}

/// Those that the ledger says are ours, under the names that we know them by.
fn ours(found: &[ObservedCredential], ledger: &[LedgerCredential]) -> Vec<ObservedCredential> {
    let named = |one: &ObservedCredential| {
        let entry = ledger.iter().find(|entry| entry.id == one.id)?;
        Some(ObservedCredential { name: entry.name.clone(), ..one.clone() })
    };
    found.iter().filter_map(named).collect()
}

/// Strikes off what the platform, asked now, does not have, once nothing that was ordered can appear any more.
pub fn strike(status: &mut TechnicalUserStatus, found: &[ObservedCredential]) {
    status.ledger.retain(|entry| found.iter().any(|one| one.id == entry.id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Health;

    fn credential(id: &str) -> ObservedCredential {
        ObservedCredential {
            name: id.into(),
            id: id.into(),
            identity: "tu".into(),
            health: Health::Usable,
            material: None,
        }
    }

    #[test]
    fn only_what_the_ledger_names_is_ours_and_what_is_not_there_is_struck_off() {
        let entry = |name: &str, id: &str| LedgerCredential { name: name.into(), id: id.into() };
        let ledger = vec![entry("tuo-1", "a"), entry("tuo-2", "gone")];
        let found = ours(&[credential("a"), credential("somebody's")], &ledger);
        assert_eq!(found.iter().map(|one| (one.name.as_str(), one.id.as_str())).collect::<Vec<_>>(), [("tuo-1", "a")]);
        let mut status = TechnicalUserStatus { ledger, ..TechnicalUserStatus::default() };
        strike(&mut status, &found);
        assert_eq!(status.ledger, [entry("tuo-1", "a")]);
    }
}

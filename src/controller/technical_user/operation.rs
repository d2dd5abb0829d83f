//! A change that the platform has begun: followed where the platform tells how it goes, over restarts and however long it
//! takes. Meanwhile it is not sent again.

use crate::api::TechnicalUser;
use crate::api::technical_user::{OperationKind, OperationStatus};
use crate::controller::error::Result;
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::plan::owner::Owner;
use crate::platform::mirror::Mirrored;
use crate::platform::{self, Operation, Progress};

/// What a change is called in messages.
pub const fn word(change: OperationKind) -> &'static str {
    match change {
        OperationKind::Create => "create identity",
        OperationKind::SetRoles => "set roles of identity",
        OperationKind::Issue => "issue credential",
        OperationKind::Revoke => "revoke credential",
        OperationKind::Delete => "remove identity",
    }
}

/// Looks how the change stands that is on record, if there is one. What has ended is taken off the record; a change that
/// failed is told as an error once that is written.
pub async fn follow(
    live: &mut Live<TechnicalUser>,
    owner: &Owner,
    journal: &mut Journal,
    mirrored: &Mirrored,
) -> Result<()> {
    let Some(OperationStatus { change, location }) = live.status.operation.clone() else { return Ok(()) };
    match mirrored.follow(&Operation(location)).await? {
        Progress::Running => return Ok(()),
        Progress::Succeeded => succeeded(live, owner, journal, mirrored, change).await?,
        // What has come of it, a targeted read tells.
        Progress::Gone => {}
        Progress::Failed(error) => return failed(live, change, error).await,
    }
    live.status.operation = None;
    Ok(())
}

async fn succeeded(
    live: &mut Live<TechnicalUser>,
    owner: &Owner,
    journal: &mut Journal,
    mirrored: &Mirrored,
    change: OperationKind,
) -> Result<()> {
    match change {
        OperationKind::Create | OperationKind::SetRoles => {
            let identities = mirrored.find_identities(owner).await?;
            if let [one] = identities.as_slice() {
                let identity = super::record::identity(&mut live.status, one);
                if let Some(roles) = identity.roles_asked_for.take() {
                    identity.roles = Some(roles);
                }
            }
            journal.note("Provisioned", format!("{} has ended", word(change)));
        }
        OperationKind::Issue => {}
        OperationKind::Revoke | OperationKind::Delete => {
            journal.note("Deprovisioned", format!("{} has ended", word(change)));
        }
    }
    Ok(())
}

async fn failed(live: &mut Live<TechnicalUser>, change: OperationKind, error: platform::Error) -> Result<()> {
    live.status.operation = None;
    if change == OperationKind::SetRoles
        && let Some(identity) = &mut live.status.identity
    {
        identity.roles_asked_for = None;
    }
    live.record().await?;
    Err(error.into())
}

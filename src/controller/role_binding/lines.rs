//! The lines of a RoleBinding's status, for people: made from what the spec means and from the ledger, and never read
//! back. Pure.

use std::collections::BTreeMap;

use super::Failures;
use super::resolve::{Draft, Meaning};
use crate::api::{GrantState, RoleLine};
use crate::controller::report::Outcome;
use crate::plan::environment::Rules;
use crate::plan::grant::Grant;
use crate::plan::role_binding::{Entry, Ledger};

/// What the spec names and the platform can have, and whether the access rules allow it, with what it does not stand
/// without. One subject may be denied what another one, which is the same user, is allowed.
pub fn wanted(drafts: &[Draft], rules: &dyn Rules) -> BTreeMap<Grant, bool> {
    let mut wanted = BTreeMap::new();
    for draft in drafts {
        if let Meaning::Grant { grant, allowed } = &draft.meaning {
            for grant in [grant.clone()].into_iter().chain(rules.implied(grant)) {
                *wanted.entry(grant).or_default() |= allowed;
            }
        }
    }
    wanted
}

/// A line for each draft, in their order.
pub fn lines(drafts: &[Draft], ledger: &Ledger, failures: &Failures, platform: &str) -> Vec<RoleLine> {
    drafts.iter().map(|draft| line(draft, ledger, failures, platform)).collect()
}

fn line(draft: &Draft, ledger: &Ledger, failures: &Failures, platform: &str) -> RoleLine {
    let (state, message) = match &draft.meaning {
        Meaning::Waiting(message) => (GrantState::Pending, message.clone()),
        Meaning::Impossible(message) => (GrantState::Failed, message.clone()),
        Meaning::OwnRole { allowed: false, .. } | Meaning::Grant { allowed: false, .. } => {
            (GrantState::Denied, format!("Platform {platform} does not allow this; its spec.access must list it"))
        }
        Meaning::OwnRole { carried: true, .. } => (GrantState::Granted, String::new()),
        Meaning::OwnRole { carried: false, .. } => {
            (GrantState::Pending, "waiting for the technical user to carry it".to_owned())
        }
        Meaning::Grant { grant, .. } => of_grant(ledger.get(grant), failures.get(grant)),
    };
    let principal = match &draft.meaning {
        Meaning::Grant { grant, .. } => Some(grant.holder.principal()),
        _ => None,
    };
    RoleLine { subject: draft.subject.clone(), role: draft.role.clone(), state, principal, message }
}

fn of_grant(recorded: Option<&Entry>, failure: Option<&crate::platform::Error>) -> (GrantState, String) {
    match (failure, recorded) {
        (Some(failure), _) => (GrantState::Failed, failure.to_string()),
        (None, Some(entry)) if entry.owned => (GrantState::Granted, String::new()),
        (None, Some(_)) => (GrantState::PreExisting, String::new()),
        (None, None) => (GrantState::Pending, "about to be granted".to_owned()),
    }
}

/// How many of the wanted grants are in force.
pub fn tally(lines: &[RoleLine]) -> String {
    let in_force = lines.iter().filter(|line| matches!(line.state, GrantState::Granted | GrantState::PreExisting));
    format!("{}/{}", in_force.count(), lines.len())
}

/// The worst line speaks for the binding.
pub fn outcome(lines: &[RoleLine]) -> Outcome {
    let worst = |state: GrantState| {
        let line = lines.iter().find(|line| line.state == state)?;
        Some(format!("{} {}: {}", line.role.kind(), line.role.name(), line.message))
    };
    if let Some(message) = worst(GrantState::Failed) {
        return Outcome::Stalled("Unsupported", message);
    }
    if let Some(message) = worst(GrantState::Denied) {
        return Outcome::Stalled("AccessDenied", message);
    }
    match worst(GrantState::Pending) {
        Some(message) => Outcome::Holding("Pending", message),
        None => Outcome::Ready(format!("{} grants are in force", tally(lines))),
    }
}

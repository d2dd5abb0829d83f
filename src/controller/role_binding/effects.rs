//! Carries out a RoleBinding's plan: takes away and grants, what others need before what needs it. It decides nothing.

use std::mem;

use super::Failures;
use crate::controller::report::Journal;
use crate::plan::environment::Rules;
use crate::plan::grant::Grant;
use crate::plan::role_binding::Waves;
use crate::platform;
use crate::platform::mirror::{Coming, Mirror};

/// What is said of a change, and which way it goes.
pub struct Change {
    reason: &'static str,
    verb: &'static str,
    direction: &'static str,
    revokes: bool,
}

/// To grant.
pub const GRANT: Change = Change { reason: "Granted", verb: "granted", direction: "to", revokes: false };
/// To take away.
pub const REVOKE: Change = Change { reason: "Revoked", verb: "took", direction: "from", revokes: true };

/// Makes a change; the calls that failed, by the grant they were for. The second wave leaves out what hangs on something
/// of the first that failed. Whoever was `coming` is there with the first call.
pub async fn carry_out(
    waves: &Waves,
    change: &Change,
    rules: &dyn Rules,
    mirror: &Mirror,
    mut coming: Coming,
) -> Failures {
    let mut failures = wave(waves.first.clone(), change, mirror, &mut coming).await;
    let mut then = vec![];
    for grant in &waves.then {
        match stands_in_the_way(grant, waves, &failures, rules) {
            Some(failure) => drop(failures.insert(grant.clone(), failure)),
            None => then.push(grant.clone()),
        }
    }
    failures.extend(wave(then, change, mirror, &mut coming).await);
    failures
}

/// Notes what was changed, and hands on what failed.
pub fn noted(waves: &Waves, change: &Change, failures: Failures, journal: &mut Journal) -> Failures {
    for grant in waves.iter().filter(|grant| !failures.contains_key(grant)) {
        journal.note(change.reason, said(change.verb, grant, change.direction));
    }
    failures
}

/// The failure of the first wave that this one hangs on: of what it rests on, or of what rests on it.
fn stands_in_the_way(grant: &Grant, waves: &Waves, failures: &Failures, rules: &dyn Rules) -> Option<platform::Error> {
    let hangs_on =
        |other: &&Grant| rules.implied(grant).as_ref() == Some(*other) || rules.implied(other).as_ref() == Some(grant);
    waves.first.iter().filter(hangs_on).find_map(|other| failures.get(other)).map(platform::Error::share)
}

async fn wave(grants: Vec<Grant>, change: &Change, mirror: &Mirror, coming: &mut Coming) -> Failures {
    if grants.is_empty() {
        return Failures::new();
    }
    let results = if change.revokes {
        mirror.revoke(grants.clone()).await
    } else {
        mirror.grant_announced(grants.clone(), mem::take(coming)).await
    };
    grants.into_iter().zip(results).filter_map(|(grant, result)| Some((grant, result.err()?))).collect()
}

/// A change in words.
pub fn said(verb: &str, Grant { holder, role }: &Grant, direction: &str) -> String {
    format!("{verb} {role} {direction} {} ({})", holder.name(), holder.origin())
}

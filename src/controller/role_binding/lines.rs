//! The lines of a RoleBinding's status: drafts in, lines out. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::Failures;
use super::resolve::{Draft, Meaning};
use crate::api::{GrantState, RoleLine};
use crate::controller::index::grant_of;
use crate::controller::report::Outcome;
use crate::plan::grant::Grant;
use crate::plan::role_binding::{Ledger, Plan, Stance};

/// What the spec asks for, and what the status recorded.
pub struct Lines {
    drafts: Vec<Draft>,
    recorded: Vec<RoleLine>,
    ledger: Ledger,
    /// What the plan found to be in force, or made so.
    kept: Ledger,
    /// What is being taken away, until it is.
    revoking: BTreeSet<Grant>,
}

impl Lines {
    pub fn new(drafts: Vec<Draft>, recorded: &[RoleLine]) -> Self {
        let ledger = super::ledger(recorded);
        Self { drafts, recorded: recorded.to_vec(), ledger, kept: Ledger::new(), revoking: BTreeSet::new() }
    }

    /// Whether any line, wanted or recorded, is a grant on the platform.
    pub fn concern_grants(&self) -> bool {
        !self.ledger.is_empty() || !self.wanted().is_empty()
    }

    /// Whether any recorded grant is ours.
    pub fn owns_any(&self) -> bool {
        self.ledger.values().any(|owned| *owned)
    }

    pub fn wanted(&self) -> BTreeMap<Grant, Stance> {
        let stances = self.drafts.iter().filter_map(|draft| match &draft.meaning {
            Meaning::Grant(grant) => Some((grant.clone(), Stance::Want)),
            Meaning::Denied { grant, .. } => grant.clone(),
            _ => None,
        });
        // One subject may be denied what another one, which is the same user, is allowed.
        let mut wanted = BTreeMap::new();
        for (grant, stance) in stances {
            let entry = wanted.entry(grant).or_insert(stance);
            if stance == Stance::Want {
                *entry = stance;
            }
        }
        wanted
    }

    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Takes over what the plan decided.
    pub fn follow(&mut self, plan: &Plan) {
        self.kept = plan.ledger.clone();
        self.revoking = plan.revoke.iter().cloned().collect();
    }

    /// The lines to record before any effect.
    pub fn before(&self, plan: &Plan) -> Vec<RoleLine> {
        let under_way: BTreeSet<&Grant> = plan.grant.iter().collect();
        let lines = self.drafts.iter().map(|draft| {
            let pending = matches!(&draft.meaning, Meaning::Grant(grant) if under_way.contains(grant));
            let line = self.line(draft, None);
            if pending {
                RoleLine { state: GrantState::Pending, message: "being granted".into(), ..line }
            } else {
                line
            }
        });
        lines.chain(self.leaving(|_| Some("being taken away".to_owned()))).collect()
    }

    /// The lines once the effects are done, or have failed.
    pub fn after(&mut self, failures: &Failures) -> Vec<RoleLine> {
        self.revoking.retain(|grant| failures.contains_key(grant));
        let lines = self.drafts.iter().map(|draft| {
            let failure = match &draft.meaning {
                Meaning::Grant(grant) => failures.get(grant),
                _ => None,
            };
            self.line(draft, failure.map(ToString::to_string))
        });
        lines.chain(self.leaving(|grant| failures.get(grant).map(ToString::to_string))).collect()
    }

    /// Recorded lines that no draft speaks of any more, and whose grants are still to be remembered: they are being
    /// taken away, for which there is something to say, or handed over.
    fn leaving(&self, say: impl Fn(&Grant) -> Option<String>) -> Vec<RoleLine> {
        let wanted = self.wanted();
        let lines = self.recorded.iter().filter_map(|line| {
            let grant = grant_of(line).filter(|grant| self.remembers(grant) && !wanted.contains_key(grant))?;
            let still_listed = self.drafts.iter().any(|draft| draft.subject == line.subject && draft.role == line.role);
            let handed_over = || Some("another RoleBinding takes it over".to_owned());
            let message = if self.revoking.contains(&grant) { say(&grant) } else { handed_over() };
            let message = message.filter(|_| !still_listed)?;
            Some(RoleLine { state: GrantState::Pending, message, owned: true, ..line.clone() })
        });
        lines.collect()
    }

    /// Whether the ledger must go on speaking of a grant.
    fn remembers(&self, grant: &Grant) -> bool {
        self.revoking.contains(grant) || self.kept.contains_key(grant)
    }

    fn line(&self, draft: &Draft, failure: Option<String>) -> RoleLine {
        let mut line = RoleLine {
            subject: draft.subject.clone(),
            role: draft.role.clone(),
            state: GrantState::Pending,
            owned: false,
            principal: None,
            denied_since: None,
            message: String::new(),
        };
        match &draft.meaning {
            Meaning::Grant(grant) => {
                self.hold(&mut line, grant);
                line.state = match (&failure, line.owned) {
                    (Some(_), _) => GrantState::Failed,
                    (None, true) => GrantState::Granted,
                    (None, false) => GrantState::PreExisting,
                };
                line.message = failure.unwrap_or_default();
            }
            Meaning::OwnRole { carried: true } => line.state = GrantState::Granted,
            Meaning::OwnRole { carried: false } => line.message = "waiting for the technical user to carry it".into(),
            Meaning::Waiting(message) => {
                line.message.clone_from(message);
                self.remember(&mut line);
            }
            Meaning::Impossible(message) => {
                line.state = GrantState::Failed;
                line.message.clone_from(message);
                self.remember(&mut line);
            }
            Meaning::Denied { since, grant, message, .. } => {
                line.state = GrantState::Denied;
                line.message.clone_from(message);
                line.denied_since = Some(since.clone());
                self.hold_denied(&mut line, grant.as_ref().map(|(grant, _)| grant));
            }
        }
        line
    }

    fn hold(&self, line: &mut RoleLine, grant: &Grant) {
        line.principal = Some(grant.holder.principal());
        line.owned = self.kept.get(grant).copied().unwrap_or_default();
    }

    /// A denied grant is remembered while it is kept for its grace.
    fn hold_denied(&self, line: &mut RoleLine, kept: Option<&Grant>) {
        match kept.filter(|grant| self.kept.contains_key(grant)) {
            Some(grant) => self.hold(line, grant),
            None => self.remember(line),
        }
    }

    /// What a line stood for before is remembered until it has been taken away: it was ours, and a crash meanwhile
    /// must not make us forget that.
    fn remember(&self, line: &mut RoleLine) {
        let recorded = self.recorded.iter().find(|one| one.subject == line.subject && one.role == line.role);
        let leaving = recorded.filter(|one| grant_of(one).is_some_and(|grant| self.remembers(&grant)));
        line.principal = leaving.and_then(|one| one.principal.clone());
        line.owned = leaving.is_some_and(|one| one.owned);
    }

    /// How many of the wanted grants are in force.
    pub fn tally(&self, lines: &[RoleLine]) -> String {
        let wanted = &lines[..self.drafts.len().min(lines.len())];
        let in_force = wanted.iter().filter(|line| matches!(line.state, GrantState::Granted | GrantState::PreExisting));
        format!("{}/{}", in_force.count(), wanted.len())
    }

    /// When the first denied grant is withdrawn.
    pub fn again(&self, now: Timestamp) -> Option<Duration> {
        let due = self.drafts.iter().filter_map(|draft| match &draft.meaning {
            Meaning::Denied { until, .. } => *until,
            _ => None,
        });
        Duration::try_from(due.min()?.duration_since(now)).ok()
    }

    /// The worst line speaks for the binding.
    pub fn outcome(&self, lines: &[RoleLine]) -> Outcome {
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
            None => Outcome::Ready(format!("{} grants are in force", self.tally(lines))),
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::super::ledger;
    use super::*;
    use crate::api::role_binding::RoleName;
    use crate::api::{Principal, Role, Subject, TechnicalUserRef};
    use crate::plan::role_binding::{World, plan};

    fn role() -> Role {
        Role::RoleCollection(RoleName { name: "r".into() })
    }

    fn subject() -> Subject {
        Subject::TechnicalUser(TechnicalUserRef { name: "orders".into() })
    }

    /// A line that records a grant as ours.
    fn recorded() -> RoleLine {
        RoleLine {
            subject: subject(),
            role: role(),
            state: GrantState::Granted,
            owned: true,
            principal: Some(Principal { name: "P1".into(), origin: Some("sap.default".into()) }),
            denied_since: None,
            message: String::new(),
        }
    }

    /// The ledger before the effects, and after them, must be the plan's, whatever has become of the line.
    fn keeps_the_ledger(meaning: Option<Meaning>, claimed: bool) {
        let drafts = meaning.map(|meaning| Draft { subject: subject(), role: role(), meaning });
        let mut lines = Lines::new(drafts.into_iter().collect(), &[recorded()]);
        let have = lines.ledger().into_keys().collect::<BTreeSet<_>>();
        let claimed_elsewhere = if claimed { have.clone() } else { BTreeSet::new() };
        let world =
            World { wanted: lines.wanted(), ledger: lines.ledger(), have, claimed_elsewhere, ..World::default() };
        let plan = plan(&world);
        lines.follow(&plan);
        assert_eq!(ledger(&lines.before(&plan)), plan.intent);
        assert_eq!(ledger(&lines.after(&Failures::new())), plan.ledger);
    }

    #[test]
    fn what_is_ours_is_recorded_until_it_is_gone() {
        let denied = || Meaning::Denied {
            since: Time(Timestamp::UNIX_EPOCH),
            grant: None,
            until: None,
            message: "not allowed".into(),
        };
        for claimed in [false, true] {
            keeps_the_ledger(None, claimed);
            keeps_the_ledger(Some(Meaning::Waiting("gone".into())), claimed);
            keeps_the_ledger(Some(Meaning::Impossible("never".into())), claimed);
            keeps_the_ledger(Some(denied()), claimed);
            keeps_the_ledger(grant_of(&recorded()).map(Meaning::Grant), claimed);
        }
    }
}

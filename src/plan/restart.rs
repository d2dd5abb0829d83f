//! Which workload is restarted so that it takes up a new credential: those that read the Secret only when they start, one
//! at a time, once for each publication, and none that somebody keeps still.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::rollout::{Margins, User, Waiting, Why, Workload, WorkloadKind};

/// Of which publication it is the restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication<'a> {
    /// The Secret.
    pub secret: &'a str,
    /// The uid of the TechnicalUser: another one of its name, which publishes in the same Secret, counts from 1 again.
    pub owner: &'a str,
    /// The sequence of the credential that it holds now.
    pub sequence: i64,
}

/// How far a workload is with making its pods new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// Its last rollout has come to its end, with all pods available.
    Settled,
    /// It has not.
    Rolling,
    /// Somebody has paused it, or lets only a part of it roll.
    Paused,
    /// Its pods are replaced only when somebody deletes them.
    OnDelete,
}

/// A workload that could be restarted, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub workload: Workload,
    /// Whether its template uses the Secret. Pods may claim to be anybody's.
    pub uses_the_secret: bool,
    /// How its pods become new ones.
    pub rollout: Rollout,
    /// What it was restarted for, as [`record`] wrote it.
    pub restarted_for: String,
    /// A disruption budget of its pods that allows none.
    pub budget: Option<String>,
}

/// What keeps a workload, or a pod, from being restarted. `Display` goes on after its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing that we know how to restart.
    NoWorkload,
    /// Its pods are replaced only when somebody deletes them.
    OnDelete,
    /// It uses the Secret in another way than by its template, or is gone.
    NotInTemplate,
    /// It was restarted for this publication and has not moved; once more would not help.
    Restarted,
    /// It is paused, or rolls in part only.
    Paused,
    /// It is rolling, or its last rollout has not come to its end.
    Rolling,
    /// A disruption budget allows none.
    Budget(String),
    /// Its turn comes after another one's.
    Turn,
    /// What starts now could not be told from what started before the publication.
    TooEarly,
}

impl Display for Hold {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkload => to.write_str("is not restarted by the operator"),
            Self::OnDelete => to.write_str("replaces its pods only when somebody deletes them"),
            Self::NotInTemplate => to.write_str("does not use the Secret in its template"),
            Self::Restarted => to.write_str("was restarted and has not moved"),
            Self::Paused => to.write_str("is paused"),
            Self::Rolling => to.write_str("has not finished its last rollout"),
            Self::Budget(name) => write!(to, "is held by PodDisruptionBudget {name}"),
            Self::Turn => to.write_str("comes after another one"),
            Self::TooEarly => to.write_str("is restarted in a moment"),
        }
    }
}

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Restart this one now.
    pub restart: Option<Workload>,
    /// The others that only a start helps, and what keeps them.
    pub held: Vec<(User, Hold)>,
}

/// Whether anybody waits whom only a restart helps. Where not, nothing needs to be read for [`judge`].
pub fn is_needed(waiting: &[Waiting]) -> bool {
    waiting.iter().any(needs_it)
}

/// Whether this is a kind that can be restarted.
pub const fn is_restartable(kind: &WorkloadKind) -> bool {
    matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet)
}

/// How long after a publication the first restart may be: whatever starts then is told from what started before, whichever
/// way the clocks of nodes are off.
pub const fn earliest(margins: &Margins) -> Duration {
    margins.clocks.saturating_mul(2).saturating_add(margins.sync)
}

/// Whom to restart of those that wait. `candidates` are all workloads with pods that use the Secret, also those that have
/// moved: while one of them rolls for this publication, no other does.
pub fn judge(
    publication: Publication<'_>,
    waiting: &[Waiting],
    candidates: &[Candidate],
    since_published: Duration,
    margins: &Margins,
) -> Judgement {
    let mut judgement = Judgement::default();
    let mut busy =
        candidates.iter().any(|one| one.rollout == Rollout::Rolling && is_recorded(&one.restarted_for, publication));
    for waiting in waiting.iter().filter(|waiting| needs_it(waiting)) {
        let hold = match held(publication, waiting, candidates) {
            Ok(_) if since_published < earliest(margins) => Hold::TooEarly,
            Ok(_) if busy => Hold::Turn,
            Ok(workload) => {
                busy = true;
                judgement.restart = Some(workload.clone());
                continue;
            }
            Err(hold) => hold,
        };
        judgement.held.push((waiting.user.clone(), hold));
    }
    judgement
}

fn needs_it(waiting: &Waiting) -> bool {
    waiting.why == Why::NotRestarted
}

/// The workload that may be restarted, or what keeps it of itself.
fn held<'a>(
    publication: Publication<'_>,
    waiting: &Waiting,
    candidates: &'a [Candidate],
) -> Result<&'a Workload, Hold> {
    let User::Workload(workload) = &waiting.user else { return Err(Hold::NoWorkload) };
    if !is_restartable(&workload.kind) {
        return Err(Hold::NoWorkload);
    }
    let found = candidates.iter().find(|one| &one.workload == workload).ok_or(Hold::NotInTemplate)?;
    match found {
        Candidate { uses_the_secret: false, .. } => Err(Hold::NotInTemplate),
        Candidate { rollout: Rollout::OnDelete, .. } => Err(Hold::OnDelete),
        Candidate { rollout: Rollout::Rolling, .. } => Err(Hold::Rolling),
        Candidate { restarted_for, .. } if is_recorded(restarted_for, publication) => Err(Hold::Restarted),
        Candidate { rollout: Rollout::Paused, .. } => Err(Hold::Paused),
        Candidate { budget: Some(budget), .. } => Err(Hold::Budget(budget.clone())),
        Candidate { workload, .. } => Ok(workload),
    }
}

/// What is to be recorded on a workload that is restarted, in the same write: its earlier record with this publication in
/// it. A workload may use several Secrets, and each has its place.
pub fn record(earlier: &str, publication: Publication<'_>) -> String {
    let others = entries(earlier).filter(|(secret, _)| *secret != publication.secret);
    let own = (publication.secret, (publication.sequence, publication.owner));
    let written = |(secret, (sequence, owner))| format!("{secret}/{sequence}/{owner}");
    others.chain([own]).map(written).collect::<Vec<_>>().join(",")
}

/// Whether it was restarted for this publication, or for a later one.
fn is_recorded(record: &str, publication: Publication<'_>) -> bool {
    let same = |(secret, owner)| secret == publication.secret && owner == publication.owner;
    entries(record).any(|(secret, (sequence, owner))| same((secret, owner)) && sequence >= publication.sequence)
}

/// Secret by Secret: the sequence, and the uid of whose.
fn entries(record: &str) -> impl Iterator<Item = (&str, (i64, &str))> {
    record.split(',').filter_map(|entry| {
        let (secret, rest) = entry.trim().split_once('/')?;
        let (sequence, owner) = rest.split_once('/')?;
        Some((secret, (sequence.parse().ok()?, owner)))
    })
}

#[cfg(test)]
#[path = "restart_tests.rs"]
mod tests;

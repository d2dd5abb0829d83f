//! Who still uses an old credential after a new one was published in the Secret.
//!
//! A pod has the new credential when every container that uses the Secret has it: because it started late enough, or
//! because it reads the Secret from a volume that follows it and has had the time to. Whatever is not sure counts as not
//! moved: what is named here keeps the old credential alive, and a mistake in that direction costs time only.
//!
//! Two clocks are at work, and neither is believed alone. A container's start is told by the clock of its node. How long
//! ago the publication was is told by a clock that does not jump; a start that lies further ahead than that clock has run
//! is no proof of anything.
//!
//! The edges, as they are decided here:
//!
//! - *Not running* (pending, waiting in a crash loop): it holds nothing and reads anew when it starts. It has moved as soon
//!   as whatever starts from now on gets the new credential.
//! - *An init container that is done*: what it read may live on, in a file that it wrote for the others. It counts as it
//!   started, until the pod is replaced.
//! - *Never Ready*: what runs and follows a volume is not believed to have followed, for ever. `maxOverlap` ends that.
//! - *Ended* (`Succeeded`, `Failed`): no container of it ever starts again.
//! - *Terminating*: a pod counts until it is gone; its containers work to the last moment.
//! - *`optional`*: counts like any other use. A pod may have started without the Secret and have none of it; it may also
//!   have started with it.
//! - *Mirror pods* are no case: a static pod cannot refer to a Secret. A *bare pod* is named by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

/// A kind of what keeps pods running.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// `apps` Deployment.
    Deployment,
    /// `apps` StatefulSet.
    StatefulSet,
    /// `apps` DaemonSet.
    DaemonSet,
    /// `batch` CronJob.
    CronJob,
    /// `batch` Job that no CronJob made.
    Job,
    /// Any other, by the name of its kind: a ReplicaSet without Deployment, or a kind of somebody else's.
    Other(String),
}

impl Display for WorkloadKind {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::CronJob => "CronJob",
            Self::Job => "Job",
            Self::Other(kind) => kind,
        })
    }
}

/// What keeps a pod running, as a person knows it: the Deployment rather than its ReplicaSet, the CronJob rather than its
/// Job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
}

/// How a container comes by what is in the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// `env` or `envFrom`: as the Secret is when the container starts.
    Environment,
    /// A volume mounted with `subPath`: as the volume is when the container starts.
    SubPath,
    /// A volume, projected or not: the kubelet brings it up to date, and the container reads it when it likes.
    Volume,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not run; it may start at any moment.
    Idle,
    /// It runs since then.
    Running(Timestamp),
    /// An init container that started then, has done its work and leaves it to the others.
    Done(Timestamp),
}

/// A container that uses the Secret: an ordinary one, an init container, a sidecar or an ephemeral one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerFact {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// Every way in which it reads the Secret.
    pub reads: BTreeSet<Reads>,
}

impl Display for Workload {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}", self.kind, self.name)
    }
}

/// A pod that uses the Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFact {
    /// Its name.
    pub name: String,
    /// What keeps it running; `None` for a bare pod.
    pub workload: Option<Workload>,
    /// Whether it is Ready: then also its kubelet is alive.
    pub ready: bool,
    /// Whether its phase is `Succeeded` or `Failed`.
    pub ended: bool,
    /// Its containers that use the Secret, and no others.
    pub containers: Vec<ContainerFact>,
}

/// How far away from the publication is far enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// How much the clock of a node may differ from the API server's.
    pub clocks: Duration,
    /// How long a kubelet may take to bring a volume up to date.
    pub sync: Duration,
    /// How long a reader may hold on to what it has read from a volume.
    pub settling: Duration,
}

impl Default for Margins {
    /// One minute between clocks: nodes are synchronised to well below a second where TLS and leases work, and the minute
    /// also covers what a kubelet that does not watch Secrets still believes of one (`changeDetectionStrategy`). Two
    /// minutes for the kubelet, which looks every 60 s and a little more. Nine minutes for `@sap/xsenv`, the most patient
    /// of SAP's readers.
    fn default() -> Self {
        Self { clocks: Duration::from_mins(1), sync: Duration::from_mins(2), settling: Duration::from_mins(9) }
    }
}

/// Why somebody is not known to have moved; the later, the more it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Too little time has passed since the publication.
    Settling,
    /// It follows a volume and is not Ready, so nobody knows whether it has followed.
    NotReady,
    /// It says that it started in the future.
    ClockAhead,
    /// It started before the publication and reads the Secret only when it starts: only a new start helps.
    NotRestarted,
}

impl Display for Why {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Settling => "the time to take up the new one has not passed",
            Self::NotReady => "not Ready",
            Self::ClockAhead => "started in the future, by the clock of its node",
            Self::NotRestarted => "not restarted since",
        })
    }
}

/// Who still uses the old credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// Pods of a workload.
    Workload(Workload),
    /// A bare pod, by its name.
    Pod(String),
}

impl Display for User {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(name) => write!(to, "pod {name}"),
            Self::Workload(workload) => workload.fmt(to),
        }
    }
}

/// What has to be waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub user: User,
    /// How many of its pods.
    pub pods: usize,
    /// What it takes for the one that takes most.
    pub why: Why,
}

impl Display for Waiting {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match &self.user {
            User::Pod(_) => self.user.fmt(to),
            User::Workload(_) if self.pods == 1 => write!(to, "1 pod of {}", self.user),
            User::Workload(_) => write!(to, "{} pods of {}", self.pods, self.user),
        }
    }
}

/// Who may still use a credential that a newer one took the place of in the Secret. In the order of kinds and names, so
/// that what is said of it does not change by itself.
///
/// `pods` are all that use the Secret, read after the publication. `published` is when the newer one was published, by the
/// clock of the API server and not by ours, which may have jumped. `since_published` is how long ago that was at least, by
/// a clock that does not jump.
pub fn still_using(
    pods: &[PodFact],
    published: Timestamp,
    since_published: Duration,
    margins: &Margins,
) -> Vec<Waiting> {
    let look = Look { published, since_published, margins };
    let mut found: BTreeMap<User, Waiting> = BTreeMap::new();
    for (pod, why) in pods.iter().filter_map(|pod| Some((pod, look.pod(pod)?))) {
        let user = pod.workload.clone().map_or_else(|| User::Pod(pod.name.clone()), User::Workload);
        let waiting = found.entry(user.clone()).or_insert(Waiting { user, pods: 0, why });
        waiting.pods += 1;
        waiting.why = waiting.why.max(why);
    }
    found.into_values().collect()
}

/// One publication, looked at once.
struct Look<'a> {
    published: Timestamp,
    since_published: Duration,
    margins: &'a Margins,
}

/// When a container started, or will start, seen from the publication.
enum Start {
    /// Late enough to have read the new credential.
    After,
    /// Too early for that, or nobody knows.
    Before,
    /// It is not running, and too little time has passed to say what it gets when it starts.
    Soon,
    /// Later than it is now.
    Ahead,
}

impl Look<'_> {
    fn pod(&self, pod: &PodFact) -> Option<Why> {
        pod.containers.iter().filter_map(|container| self.container(pod, container)).max()
    }

    /// Whoever reads the Secret in several ways must have moved in each.
    fn container(&self, pod: &PodFact, container: &ContainerFact) -> Option<Why> {
        // A phase is told before the last container of an evicted pod is gone.
        let over = pod.ended && !matches!(container.state, State::Running(_));
        let unmoved = |reads: &Reads| self.unmoved(pod, container.state, *reads);
        if over { None } else { container.reads.iter().filter_map(unmoved).max() }
    }

    fn unmoved(&self, pod: &PodFact, state: State, reads: Reads) -> Option<Why> {
        let follows = reads == Reads::Volume && matches!(state, State::Running(_));
        match self.start(state, reads) {
            Start::After => None,
            Start::Soon => Some(Why::Settling),
            Start::Before | Start::Ahead if follows => self.following(pod),
            Start::Ahead => Some(Why::ClockAhead),
            Start::Before => Some(Why::NotRestarted),
        }
    }

    /// What runs on and reads a volume whenever it likes.
    fn following(&self, pod: &PodFact) -> Option<Why> {
        let settled = self.since_published >= self.margins.sync.saturating_add(self.margins.settling);
        match (settled, pod.ready) {
            (false, _) => Some(Why::Settling),
            (true, false) => Some(Why::NotReady),
            (true, true) => None,
        }
    }

    fn start(&self, state: State, reads: Reads) -> Start {
        let margin = self.margin(reads);
        match state {
            State::Idle if self.since_published >= margin => Start::After,
            State::Idle => Start::Soon,
            State::Running(started) | State::Done(started) => self.started(started, margin),
        }
    }

    fn started(&self, started: Timestamp, margin: Duration) -> Start {
        if started < self.later(margin) {
            Start::Before
        } else if started > self.later(self.since_published.saturating_add(self.margins.clocks)) {
            Start::Ahead
        } else {
            Start::After
        }
    }

    /// How long after the publication a container must have started to be sure to have the new credential. What is in a
    /// volume may be as old as the kubelet lets it become.
    const fn margin(&self, reads: Reads) -> Duration {
        match reads {
            Reads::Environment => self.margins.clocks,
            Reads::SubPath | Reads::Volume => self.margins.clocks.saturating_add(self.margins.sync),
        }
    }

    fn later(&self, by: Duration) -> Timestamp {
        self.published.checked_add(by).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
#[path = "rollout_tests.rs"]
mod tests;

//! What a pod tells of its use of Secrets. Pure; of a pod nothing is kept but this.
//!
//! Uses are those that bring content into a container: `env`, `envFrom`, and volumes (`secret` and `projected`) that a
//! container mounts. Image pull secrets and the secrets of storage drivers are the kubelet's own business.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStatus, EphemeralContainer, Pod, PodSpec, PodStatus, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;

use crate::plan::rollout::{ContainerFact, PodFact, Reads, State};

/// By Secret: in which ways it is read.
type Ways = BTreeMap<String, BTreeSet<Reads>>;

/// A pod's use of one Secret, and who owns the pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// What it tells, but for the workload.
    pub pod: PodFact,
    /// Its controller, if it has one that keeps pods running.
    pub owner: Option<OwnerReference>,
}

/// A pod's uses, by Secret.
pub fn uses(pod: &Pod) -> BTreeMap<String, Use> {
    let (Some(spec), none) = (&pod.spec, PodStatus::default()) else { return BTreeMap::new() };
    let status = pod.status.as_ref().unwrap_or(&none);
    let mut uses: BTreeMap<String, Use> = BTreeMap::new();
    for container in containers(spec) {
        let state = state(&container, status);
        for (secret, reads) in container.ways(spec) {
            let fact = ContainerFact { name: container.part.name.clone(), state, reads };
            uses.entry(secret).or_insert_with(|| unused(pod, status)).pod.containers.push(fact);
        }
    }
    uses
}

/// By Secret: in which ways the containers of a pod of this spec read it.
pub fn ways(spec: &PodSpec) -> Ways {
    let mut all = Ways::new();
    for (secret, reads) in containers(spec).iter().flat_map(|container| container.ways(spec)) {
        all.entry(secret).or_default().extend(reads);
    }
    all
}

fn unused(pod: &Pod, status: &PodStatus) -> Use {
    let is_true = |kind: &str| {
        status.conditions.iter().flatten().any(|condition| condition.type_ == kind && condition.status == "True")
    };
    let mut owners = pod.metadata.owner_references.iter().flatten();
    // The owner of a mirror pod is its Node.
    let owner = owners.find(|owner| owner.controller == Some(true) && owner.kind != "Node").cloned();
    let fact = PodFact {
        name: pod.metadata.name.clone().unwrap_or_default(),
        workload: None,
        ready: is_true("Ready"),
        ended: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
        containers: vec![],
    };
    Use { pod: fact, owner }
}

/// Where in a pod a container stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Main,
    /// Runs to its end before the others start.
    Init,
    /// An init container that runs on beside the others (`restartPolicy: Always`).
    Sidecar,
    Ephemeral,
}

/// The part of a container that matters here. Ephemeral ones have a type of their own with the same fields.
struct Part {
    place: Place,
    part: Container,
}

fn containers(spec: &PodSpec) -> Vec<Part> {
    let init = |container: &Container| {
        let sidecar = container.restart_policy.as_deref() == Some("Always");
        Part { place: if sidecar { Place::Sidecar } else { Place::Init }, part: relevant(container) }
    };
    let main = |container: &Container| Part { place: Place::Main, part: relevant(container) };
    let (first, then) = (spec.init_containers.iter().flatten(), spec.containers.iter());
    first.map(init).chain(then.map(main)).chain(spec.ephemeral_containers.iter().flatten().map(ephemeral)).collect()
}

fn relevant(container: &Container) -> Container {
    Container {
        name: container.name.clone(),
        env: container.env.clone(),
        env_from: container.env_from.clone(),
        volume_mounts: container.volume_mounts.clone(),
        ..Container::default()
    }
}

fn ephemeral(container: &EphemeralContainer) -> Part {
    let part = Container {
        name: container.name.clone(),
        env: container.env.clone(),
        env_from: container.env_from.clone(),
        volume_mounts: container.volume_mounts.clone(),
        ..Container::default()
    };
    Part { place: Place::Ephemeral, part }
}

impl Part {
    fn ways(&self, spec: &PodSpec) -> Ways {
        let mut ways = Ways::new();
        let mut add = |secret: &str, reads| {
            ways.entry(secret.to_owned()).or_default().insert(reads);
        };
        let variables = self.part.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref());
        for key in variables.filter_map(|source| source.secret_key_ref.as_ref()) {
            add(&key.name, Reads::Environment);
        }
        for source in self.part.env_from.iter().flatten().filter_map(|source| source.secret_ref.as_ref()) {
            add(&source.name, Reads::Environment);
        }
        for mount in self.part.volume_mounts.iter().flatten() {
            let part = |path: &Option<String>| path.as_ref().is_some_and(|path| !path.is_empty());
            let reads =
                if part(&mount.sub_path) || part(&mount.sub_path_expr) { Reads::SubPath } else { Reads::Volume };
            let volumes = spec.volumes.iter().flatten().filter(|volume| volume.name == mount.name);
            volumes.flat_map(secrets_of).for_each(|secret| add(secret, reads));
        }
        ways
    }

    fn status<'a>(&self, status: &'a PodStatus) -> Option<&'a ContainerStatus> {
        let all = match self.place {
            Place::Main => &status.container_statuses,
            Place::Init | Place::Sidecar => &status.init_container_statuses,
            Place::Ephemeral => &status.ephemeral_container_statuses,
        };
        all.iter().flatten().find(|one| one.name == self.part.name)
    }
}

fn secrets_of(volume: &Volume) -> impl Iterator<Item = &str> {
    let own = volume.secret.iter().filter_map(|secret| secret.secret_name.as_deref());
    let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    own.chain(sources.filter_map(|source| source.secret.as_ref()).map(|secret| secret.name.as_str()))
}

fn state(container: &Part, status: &PodStatus) -> State {
    // A start that is not told is one before anything that we ask about.
    let moment = |started: &Option<Time>| started.as_ref().map_or(Timestamp::MIN, |started| started.0);
    let told = container.status(status).and_then(|status| status.state.as_ref());
    match told {
        Some(ContainerState { running: Some(running), .. }) => State::Running(moment(&running.started_at)),
        Some(ContainerState { terminated: Some(end), .. }) if container.place == Place::Init && end.exit_code == 0 => {
            State::Done(moment(&end.started_at))
        }
        _ => State::Idle,
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;

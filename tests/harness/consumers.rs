//! Software that uses what is in a Secret as the pods of a namespace would see it: it fetches a token and sends a message,
//! again and again, and not one call may fail.
//!
//! kwok runs nothing, so this is what would run: for each pod whose container runs, one caller. What it holds is the latest
//! that a real one could still hold. Who reads the Secret when it starts (`envFrom`) has what stood there at the beginning of
//! the second in which it started, until it starts again. Who follows a volume has what stood there [`BEHIND`] ago. Times
//! of pods and Secrets are whole seconds, which are rounded to the same side.
//!
//! A pod that is asked to go finishes its call, and only then it goes: [`in_use`] keeps it until then. A call that its
//! container does not live to see the end of, since it crashed, is no call that failed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::kubelet::IN_USE;
use super::{credential, runtime};

/// So old is what is read from a volume at most: what the kubelet may take (`KUBELET_SYNC` of these stages), and what
/// software holds on to it, which is less than the `settling` of a second that goes with it.
const BEHIND: Duration = Duration::from_millis(1500);

/// How the operator signs a credential that it writes.
const WRITER: &str = "technical-user-operator/credential";

/// The callers of one namespace, for as long as this lives.
pub(crate) struct Consumers {
    scene: Arc<Scene>,
    watches: Vec<JoinHandle<()>>,
}

/// What is known of the namespace, and what came of the calls.
#[derive(Default)]
struct Scene {
    secrets: Mutex<HashMap<String, Vec<Version>>>,
    calls: Mutex<Calls>,
    pause: Duration,
}

/// What stood in a Secret from some second on.
struct Version {
    since: Duration,
    content: Arc<BTreeMap<String, String>>,
}

/// What came of all calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    /// How many there were.
    pub(crate) made: usize,
    /// How many different credentials they were made with.
    pub(crate) credentials: BTreeMap<String, usize>,
    /// Those that failed, in words.
    pub(crate) failed: Vec<String>,
}

/// How a pod reads a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reads {
    /// When it starts.
    AtStart,
    /// From a volume, whenever it likes.
    Volume,
}

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Running {
    secret: String,
    reads: Reads,
    since: Duration,
}

/// The caller of one pod.
struct Caller {
    running: Running,
    stop: Sender<bool>,
    task: JoinHandle<()>,
}

/// Has the pods of a workload stay until their caller has finished.
pub(crate) fn in_use(mut workload: Value) -> Value {
    workload["spec"]["template"]["metadata"]["annotations"][IN_USE] = json!("true");
    workload
}

impl Consumers {
    /// Begins to call for every pod of the namespace, with such pauses between two calls of a pod.
    pub(crate) fn begin(client: &Client, namespace: &str, pause: Duration) -> Self {
        let scene = Arc::new(Scene { pause, ..Scene::default() });
        let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let watches = vec![
            runtime().spawn(secrets_watched(secrets, Arc::clone(&scene))),
            runtime().spawn(pods_watched(pods, Arc::clone(&scene))),
        ];
        Self { scene, watches }
    }

    /// What came of all calls until now.
    pub(crate) fn calls(&self) -> Calls {
        lock(&self.scene.calls).clone()
    }
}

impl Drop for Consumers {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

impl Scene {
    /// What a container holds now.
    fn held(&self, running: &Running) -> Option<Arc<BTreeMap<String, String>>> {
        let as_of = match running.reads {
            Reads::AtStart => running.since,
            Reads::Volume => now().saturating_sub(BEHIND),
        };
        let secrets = lock(&self.secrets);
        let versions = secrets.get(&running.secret)?;
        let read = versions.iter().rev().find(|one| one.since < as_of).or_else(|| versions.first())?;
        Some(Arc::clone(&read.content))
    }

    /// One call of a pod, and the pause after it.
    async fn call(&self, pod: &str, running: &Running, stopped: &mut Receiver<bool>) {
        let held = self.held(running);
        let told = match &held {
            Some(held) => credential::used(held).await,
            None => Ok(()),
        };
        let outlived = tokio::time::timeout(self.pause, stopped.wait_for(|stopped| *stopped)).await.is_err();
        let Some(name) = held.and_then(|held| held.get("clientid").cloned()) else { return };
        let mut calls = lock(&self.calls);
        calls.made += 1;
        *calls.credentials.entry(name).or_default() += 1;
        calls.failed.extend(told.err().filter(|_| outlived).map(|told| format!("{pod}, {running:?}: {told}")));
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of day, as the API server and kwok have it: all are on this machine.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn second(time: &Time) -> Duration {
    Duration::from_secs(u64::try_from(time.0.as_second()).unwrap_or_default())
}

async fn secrets_watched(api: Api<Secret>, scene: Arc<Scene>) {
    let mut secrets = watcher::watcher(api, watcher::Config::default()).default_backoff().applied_objects().boxed();
    while let Some(told) = secrets.next().await {
        let Some(secret) = told.ok() else { continue };
        let Some(since) = written(&secret) else { continue };
        let mut all = lock(&scene.secrets);
        let versions = all.entry(secret.name_any()).or_default();
        let content = Arc::new(decoded(&secret));
        if versions.last().is_none_or(|last| last.content != content) {
            versions.push(Version { since, content });
        }
    }
}

/// When the operator wrote it, by the API server's clock.
fn written(secret: &Secret) -> Option<Duration> {
    let entries = secret.metadata.managed_fields.iter().flatten();
    let ours = entries.filter(|entry| entry.manager.as_deref() == Some(WRITER));
    ours.filter_map(|entry| entry.time.as_ref()).map(second).max()
}

fn decoded(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), String::from_utf8_lossy(&value.0).into_owned())).collect()
}

async fn pods_watched(api: Api<Pod>, scene: Arc<Scene>) {
    let mut callers: HashMap<String, Caller> = HashMap::new();
    let mut pods = watcher::watcher(api.clone(), watcher::Config::default()).default_backoff().boxed();
    while let Some(told) = pods.next().await {
        let (pod, is_there) = match told {
            Ok(Event::Apply(pod) | Event::InitApply(pod)) => (pod, true),
            Ok(Event::Delete(pod)) => (pod, false),
            Ok(Event::Init | Event::InitDone) | Err(_) => continue,
        };
        let uid = pod.uid().unwrap_or_default();
        let goes = pod.metadata.deletion_timestamp.is_some();
        let running = running(&pod).filter(|_| is_there && !goes);
        let before = callers.remove(&uid);
        if let (Some(caller), Some(running)) = (&before, &running)
            && caller.running == *running
        {
            callers.extend(before.map(|caller| (uid, caller)));
            continue;
        }
        if let Some(running) = running {
            callers.insert(uid, Caller::begin(pod.name_any(), running, &scene));
        }
        runtime().spawn(ended(before, pod, api.clone(), goes && is_there));
    }
}

/// A caller finishes its call; then its pod may go.
async fn ended(caller: Option<Caller>, pod: Pod, api: Api<Pod>, goes: bool) {
    if let Some(caller) = caller {
        let _ = caller.stop.send(true);
        let _ = caller.task.await;
    }
    if goes && pod.annotations().contains_key(IN_USE) {
        let part = Patch::Merge(json!({ "metadata": { "annotations": { IN_USE: null } } }));
        // It may be gone by now.
        let _ = api.patch(&pod.name_any(), &PatchParams::default(), &part).await;
    }
}

/// The first container, if it runs and uses a Secret.
fn running(pod: &Pod) -> Option<Running> {
    let state = pod.status.as_ref()?.container_statuses.as_ref()?.first()?.state.as_ref()?;
    let since = second(state.running.as_ref()?.started_at.as_ref()?);
    let spec = pod.spec.as_ref()?;
    let mut environment = spec.containers.first()?.env_from.iter().flatten();
    let read_at_start = environment.find_map(|one| Some(one.secret_ref.as_ref()?.name.clone()));
    if let Some(secret) = read_at_start {
        return Some(Running { secret, reads: Reads::AtStart, since });
    }
    let mounted = spec.volumes.iter().flatten().find_map(|one| one.secret.as_ref()?.secret_name.clone());
    Some(Running { secret: mounted?, reads: Reads::Volume, since })
}

impl Caller {
    fn begin(pod: String, running: Running, scene: &Arc<Scene>) -> Self {
        let (stop, mut stopped) = channel(false);
        let (scene, using) = (Arc::clone(scene), running.clone());
        let task = runtime().spawn(async move {
            while !*stopped.borrow() {
                scene.call(&pod, &using, &mut stopped).await;
            }
        });
        Self { running, stop, task }
    }
}

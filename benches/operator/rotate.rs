//! A fleet is rotated at once while software calls with every credential of it, and Secrets of others are deleted. Then an
//! operator starts over what an older version left of it, which must cost nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use technical_user_operator::api::{ROTATE_ANNOTATION, TechnicalUser};

use crate::bulk::calls;
use crate::calls::{Asked, Platform, Requests};
use crate::harness::consumers::{Calls, Consumers};
use crate::harness::kubelet::{self, Kubelet};
use crate::harness::operator::Operator;
use crate::harness::{api, eventually, runtime};
use crate::heal::{self, Harm, Patient};
use crate::objects::{Pairs, WRITERS, secret_name};
use crate::report::{Report, Target};
use crate::stage::{PLATFORM, Stage};
use crate::watch::{self, Told};
use crate::{Size, memory, restart};

const NAMESPACE: &str = "bench-rotation";

/// Longer than anything that is worth waiting for.
const LIMIT: Duration = Duration::from_mins(20);
/// Secrets that are deleted at once, and how long it is until the next.
const AT_ONCE: usize = 4;
const GAP: Duration = Duration::from_millis(500);

/// When each credential was published, and when the one before had ended; from the moment when all were asked for, ascending.
#[derive(Default)]
struct Rotated {
    published: Vec<Duration>,
    ended: Vec<Duration>,
}

/// Rotates `size.rotated` credentials.
pub(crate) fn measure(size: &Size, report: &mut Report) {
    let stage = Stage::start();
    let _kubelet = Kubelet::start(&stage.plane, &api::Api::new(&stage.plane));
    let operator = stage.operator();
    stage.connect(&operator);
    stage.namespace(NAMESPACE);
    // The last of them are not rotated: their Secrets are deleted.
    let pairs = Pairs::new(NAMESPACE, PLATFORM, size.rotated + size.heals);
    runtime().block_on(pairs.apply(&stage.client));
    runtime().block_on(deploy(&stage.client, size.rotated));
    let consumers = Consumers::begin(&stage.client, NAMESPACE, size.pause);
    all_used(&consumers, size.rotated);

    let (platform, before) = (Platform::from_now(&stage.simulator), runtime().block_on(Requests::now(&stage.client)));
    let (rotated, healed) = runtime().block_on(rotate_and_heal(&stage.client, size));
    let writes = runtime().block_on(Requests::now(&stage.client)).since(&before).writes("technicalusers");
    all_used(&consumers, 2 * size.rotated);
    let name = |what: &str| format!("{} rotated at once: {what}", size.rotated);
    tell_times(size, &rotated, report);
    tell_calls(size, &platform.asked(&stage.simulator), writes.values().sum(), report);
    tell_callers(size, &consumers.calls(), report);
    report.row(&name("heal of a Secret, P50"), heal::percentile(&healed, 50), "ms", None);
    report.row(&name("heal of a Secret, P99"), heal::percentile(&healed, 99), "ms", Some(Target::AtMost(1000.0)));
    report.row(&name("memory"), memory::resident(operator.id()), "MB", Some(Target::AtMost(64.0)));
    drop(consumers);
    upgrade(&stage, operator, size, report);
}

/// A pod for each, which reads its Secret from a volume.
async fn deploy(client: &Client, count: usize) {
    let api: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let made = (0..count).map(async |number| {
        let mount = json!({ "name": "credentials", "mountPath": "/credentials" });
        let mut pod = kubelet::pod(&[kubelet::container(json!({ "volumeMounts": [mount] }))]);
        pod["volumes"] = json!([{ "name": "credentials", "secret": { "secretName": secret_name(number) } }]);
        let pod = serde_json::from_value(kubelet::bare(NAMESPACE, &format!("orders-{number}"), &pod)).expect("a pod");
        api.create(&PostParams::default(), &pod).await.map(drop)
    });
    stream::iter(made).buffer_unordered(WRITERS).try_collect::<()>().await.expect("the pods");
}

/// Returns when software has called with so many credentials.
fn all_used(consumers: &Consumers, count: usize) {
    let used = || (consumers.calls().credentials.len() == count).then_some(());
    eventually(&format!("{count} credentials are used"), LIMIT, used);
}

/// Has all rotated at once, and heals Secrets of others until all are.
async fn rotate_and_heal(client: &Client, size: &Size) -> (Rotated, Vec<Duration>) {
    let mut patient = Patient::new(client, NAMESPACE, LIMIT).await;
    let changes = watch::begin(Api::<TechnicalUser>::namespaced(client.clone(), NAMESPACE)).await;
    let (began, done) = (Instant::now(), AtomicBool::new(false));
    let rotated = async {
        let rotated = rotated(changes, size.rotated, began).await;
        done.store(true, Ordering::Relaxed);
        rotated
    };
    let all = futures::future::join3(ask(client, size.rotated), rotated, heals(&mut patient, size, &done));
    let ((), rotated, healed) = tokio::time::timeout(LIMIT, all).await.expect("all rotated in time");
    (rotated, healed)
}

/// Asks for another credential of each, and says that its readers are quick.
async fn ask(client: &Client, count: usize) {
    let part = json!({
        "metadata": { "annotations": { ROTATE_ANNOTATION: "now" } },
        "spec": { "credential": { "rotation": { "minOverlap": "0s", "settling": "1s" } } },
    });
    patch(client, count, &part).await;
}

async fn patch(client: &Client, count: usize, part: &serde_json::Value) {
    let api: Api<TechnicalUser> = Api::namespaced(client.clone(), NAMESPACE);
    let pairs = Pairs::new(NAMESPACE, PLATFORM, count);
    let patched = (0..count).map(async |number| {
        let name = pairs.technical_user(number).name_any();
        api.patch(&name, &PatchParams::default(), &Patch::Merge(part)).await.map(drop)
    });
    stream::iter(patched).buffer_unordered(WRITERS).try_collect::<()>().await.expect("patch the TechnicalUsers");
}

/// Follows changes until every credential was replaced once and the one before has ended.
async fn rotated(mut changes: BoxStream<'static, Told<TechnicalUser>>, count: usize, began: Instant) -> Rotated {
    let (mut rotated, mut published, mut ended) = (Rotated::default(), HashSet::new(), HashSet::new());
    while ended.len() < count {
        let Told::There(user) = changes.next().await.expect("a watch without end") else { continue };
        let Some(status) = user.status.as_ref() else { continue };
        if status.credential.as_ref().is_none_or(|credential| credential.sequence < 2) {
            continue;
        }
        if published.insert(user.name_any()) {
            rotated.published.push(began.elapsed());
        }
        if status.superseded.is_empty() && ended.insert(user.name_any()) {
            rotated.ended.push(began.elapsed());
        }
    }
    rotated
}

/// Deletes Secrets of those that are not rotated, a few at a time, and waits until they are healed.
async fn heals(patient: &mut Patient, size: &Size, done: &AtomicBool) -> Vec<Duration> {
    let (mut times, all) = (vec![], size.rotated..size.rotated + size.heals);
    let mut first = all.start;
    while times.is_empty() || !done.load(Ordering::Relaxed) {
        times.extend(patient.heal(Harm::Deleted, first..all.end.min(first + AT_ONCE)).await);
        first = if first + AT_ONCE < all.end { first + AT_ONCE } else { all.start };
        tokio::time::sleep(GAP).await;
    }
    times.sort();
    times
}

#[expect(clippy::cast_precision_loss, reason = "a thousand rotations")]
fn tell_times(size: &Size, rotated: &Rotated, report: &mut Report) {
    let name = |what: &str| format!("{} rotated at once: {what}", size.rotated);
    let last = |times: &[Duration]| times.last().map_or(0.0, Duration::as_secs_f64);
    report.row(&name("until all are published"), last(&rotated.published), "s", None);
    report.row(&name("rate"), size.rotated as f64 / last(&rotated.published), "/s", None);
    report.row(&name("until all old ones have ended"), last(&rotated.ended), "s", None);
    report.curve(&format!("{} rotations", size.rotated), &rotated.published);
}

#[expect(clippy::cast_precision_loss, reason = "a thousand rotations")]
fn tell_calls(size: &Size, asked: &Asked, writes: u64, report: &mut Report) {
    let name = |what: &str| format!("{} rotated at once: {what}", size.rotated);
    let each = |count: u64| count as f64 / size.rotated as f64;
    // The bench itself has written each once, to ask.
    let writes = writes.saturating_sub(size.rotated as u64);
    report.row(&name("writes of a TechnicalUser, each"), each(writes), "", None);
    report.row(&name("platform calls each, tokens apart"), each(calls(asked, "service-manager.")), "", None);
    report.row(&name("keys issued, each"), each(calls(asked, "service-manager.create-binding")), "", None);
    report.detail("platform calls of the rotations", json!(asked.routes));
}

#[expect(clippy::cast_precision_loss, reason = "some thousand calls")]
fn tell_callers(size: &Size, calls: &Calls, report: &mut Report) {
    let name = |what: &str| format!("{} rotated at once: {what}", size.rotated);
    report.row(&name("sender calls"), calls.made as f64, "", None);
    report.row(&name("failed sender calls"), calls.failed.len() as f64, "", Some(Target::AtMost(0.0)));
    report.detail("failed sender calls", json!(calls.failed));
}

/// An operator starts over statuses as a version left them that knew of no rotation.
#[expect(clippy::cast_precision_loss, reason = "a few calls")]
fn upgrade(stage: &Stage, operator: Operator, size: &Size, report: &mut Report) {
    drop(operator.stop());
    runtime().block_on(async {
        patch(&stage.client, size.rotated, &json!({ "metadata": { "annotations": { ROTATE_ANNOTATION: null } } }))
            .await;
        forget(&stage.operators_client).await;
    });
    let (platform, began) = (Platform::from_now(&stage.simulator), Instant::now());
    let operator = stage.operator();
    restart::settled(&operator, 2 * (size.rotated + size.heals), size.rest, began);
    let asked = platform.asked(&stage.simulator);
    let changed = ["create", "delete"].map(|verb| calls(&asked, &format!("service-manager.{verb}-binding")));
    let name = format!("{} left by an older version: keys issued or revoked", size.rotated + size.heals);
    report.row(&name, changed.iter().sum::<u64>() as f64, "", Some(Target::AtMost(0.0)));
}

/// Takes out of every status what an older version did not write, and has it issued long ago.
async fn forget(client: &Client) {
    let api: Api<TechnicalUser> = Api::namespaced(client.clone(), NAMESPACE);
    let long_ago = Timestamp::try_from(SystemTime::now()).expect("a time of day") - Duration::from_hours(400 * 24);
    let users = api.list(&kube::api::ListParams::default()).await.expect("the TechnicalUsers").items;
    let written = users.into_iter().map(async |mut user| {
        let credential = user.status.as_mut().and_then(|status| status.credential.as_mut()).expect("a credential");
        (credential.published_at, credential.rotate_at, credential.rotate_every) = (None, None, None);
        (credential.demand, credential.issued_at) = (None, Time(long_ago));
        api.replace_status(&user.name_any(), &PostParams::default(), &user).await.map(drop)
    });
    stream::iter(written).buffer_unordered(WRITERS).try_collect::<()>().await.expect("write the statuses");
}

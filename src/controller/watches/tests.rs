//! Whom news wake, and whom what no watch told of: after a watch broke off (410 Gone) the list that begins the next one
//! leads to the same as the news would have.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::channel::mpsc::UnboundedReceiver;
use futures::{FutureExt, StreamExt};
use k8s_openapi::jiff::Timestamp;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::connections::{Connect, Connections, State};
use super::super::{Context, event, index, orders, overlaps, retry, rules, turns, workloads};
use super::told::{Listener, Told};
use super::{Wiring, secrets, wire};
use crate::api::{Environment, Platform, RoleBinding, TechnicalUser};
use crate::metrics::Metrics;
use crate::platform::{self, AdminSecret, Driver};

struct Nowhere;

impl Connect for Nowhere {
    fn connect(
        &self,
        _: &Environment,
        _: &std::collections::BTreeMap<String, AdminSecret>,
    ) -> platform::Result<Driver> {
        Ok(Driver::default())
    }
}

/// A context that nobody answers, and who is woken in it.
fn context() -> (Context, Wiring) {
    let now = || Timestamp::UNIX_EPOCH;
    let client = Client::new(axum::Router::<()>::new(), "default");
    let (stores, wake, wiring) = wire();
    let context = Context {
        events: event::Publisher::new(client.clone(), "test".to_owned(), now),
        client: client.clone(),
        watching: client,
        cluster: "c".to_owned(),
        namespace: "operator".to_owned(),
        connections: Connections::default(),
        outside: Arc::new(Nowhere),
        stores,
        index: index::Index::default(),
        turns: turns::Turns::new(8, wake.clone()),
        wake,
        rules: rules::Rules::default(),
        orders: orders::Orders::new(std::time::Duration::ZERO),
        overlaps: overlaps::Overlaps::default(),
        workloads: workloads::Workloads::default(),
        margins: crate::plan::rollout::Margins::default(),
        versions: Arc::default(),
        sources: super::super::sources::Sources::default(),
        written: super::super::secret::written::Written::default(),
        retries: retry::Retries::default(),
        metrics: Metrics::new(),
        now,
    };
    (context, wiring)
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn platform(name: &str) -> Platform {
    let reference = json!({"credentialsSecretRef": {"name": "admin"}});
    let spec = json!({"environment": {"btp": {"authorization": reference}}});
    read(
        json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "Platform", "metadata": {"name": name}, "spec": spec}),
    )
}

fn user() -> TechnicalUser {
    let identity = json!({"serviceKey": {"offering": "it-rt", "plan": "integration-flow"}});
    let spec =
        json!({"platformRef": {"name": "p"}, "identity": identity, "credential": {"secretName": "orders-secret"}});
    let metadata = json!({"name": "orders", "namespace": "n", "uid": "u", "generation": 1});
    read(
        json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser", "metadata": metadata, "spec": spec}),
    )
}

fn binding() -> RoleBinding {
    let spec = json!({
        "platformRef": {"name": "p"}, "subjects": [{"technicalUser": {"name": "orders"}}],
        "roles": [{"instanceRole": {"name": "send"}}],
    });
    let metadata = json!({"name": "may-send", "namespace": "n", "uid": "b", "generation": 1});
    read(json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "RoleBinding", "metadata": metadata, "spec": spec}))
}

fn secret(labels: &Value) -> PartialObjectMeta<k8s_openapi::api::core::v1::Secret> {
    read(
        json!({"metadata": {"name": "orders-secret", "namespace": "n", "uid": "s", "resourceVersion": "7", "labels": labels}}),
    )
}

/// Who was woken since this was last asked.
fn woken<K: Resource<DynamicType = ()>>(receiver: &mut UnboundedReceiver<ObjectRef<K>>) -> BTreeSet<String> {
    std::iter::from_fn(|| receiver.next().now_or_never().flatten()).map(|one| one.name).collect()
}

fn only(name: &str) -> BTreeSet<String> {
    BTreeSet::from([name.to_owned()])
}

/// A watch that broke off lists again, and this is not in the list any more.
fn missing_in_the_next_list<K: Told>(listener: &mut Listener<K>, context: &Context) {
    for event in [Event::Init, Event::InitDone] {
        listener.told(&event, context);
    }
}

#[tokio::test]
async fn whoever_a_missing_object_concerns_is_woken_as_by_the_news_of_its_end() {
    let (context, mut wiring) = context();
    let (mut users, mut bindings) = (Listener::<TechnicalUser>::default(), Listener::<RoleBinding>::default());
    users.told(&Event::Apply(user()), &context);
    bindings.told(&Event::Apply(binding()), &context);
    woken(&mut wiring.woken.users);
    woken(&mut wiring.woken.bindings);

    missing_in_the_next_list(&mut users, &context);
    assert_eq!(woken(&mut wiring.woken.bindings), only("may-send"), "its TechnicalUser is gone");
    missing_in_the_next_list(&mut bindings, &context);
    assert_eq!(woken(&mut wiring.woken.users), only("orders"), "its RoleBinding is gone");
    missing_in_the_next_list(&mut bindings, &context);
    assert_eq!(woken(&mut wiring.woken.users), BTreeSet::new(), "and is told of once");
}

#[tokio::test]
async fn a_platform_that_is_missing_is_gone_and_so_is_its_connection() {
    let (context, mut wiring) = context();
    wiring.users.apply_watcher_event(&Event::Apply(user()));
    let mut platforms = Listener::<Platform>::default();
    platforms.told(&Event::Apply(platform("p")), &context);
    context.connections.set("p", State::Down("old".to_owned()));
    woken(&mut wiring.woken.users);
    missing_in_the_next_list(&mut platforms, &context);
    assert_eq!(woken(&mut wiring.woken.users), only("orders"));
    assert!(matches!(context.connections.get("p"), State::Unknown));
}

#[tokio::test]
async fn a_secret_wakes_its_technical_user_unless_it_is_as_we_wrote_it() {
    let (context, mut wiring) = context();
    context.index.publishes(&("n".to_owned(), "orders".to_owned()), "orders-secret");
    let mut listed = BTreeSet::new();
    let mut told = |event: Event<_>| {
        secrets::told_of_published(&event, &mut listed, &context);
        woken(&mut wiring.woken.users)
    };
    let ours = secret(&json!({}));
    context.written.remember(ours.meta());
    assert_eq!(told(Event::Apply(ours.clone())), BTreeSet::new(), "our own write");
    assert_eq!(told(Event::Apply(ours.clone())), only("orders"), "anybody's");
    assert_eq!(told(Event::Delete(ours.clone())), only("orders"), "also one that lost its label");
    assert_eq!(told(Event::Init), BTreeSet::new());
    assert_eq!(told(Event::InitApply(ours)), only("orders"));
    assert_eq!(told(Event::InitDone), BTreeSet::new(), "it was listed");
    assert_eq!(told(Event::Init), BTreeSet::new());
    assert_eq!(told(Event::InitDone), only("orders"), "it went while nobody watched");
}

#[test]
fn of_a_namespace_that_is_not_known_yet_nothing_is_said() {
    let (stores, _, mut wiring) = wire();
    assert_eq!(stores.namespace("late").unwrap_err().reason(), "NamespaceUnknown");
    let labels = json!({"metadata": {"name": "late", "labels": {"team": "a"}}});
    wiring.namespaces.apply_watcher_event(&Event::Apply(read(labels)));
    assert_eq!(stores.namespace("late").unwrap().labels["team"], "a");
}

//! The caches of one process, filled from Kubernetes' news as watches fill them, as late as the test likes.
//!
//! What a watch tells goes the product's own way: into its stores, and through its listeners.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Lookup;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;
use serde_json::Value;
use technical_user_operator::api::{Platform, RoleBinding, TechnicalUser};
use technical_user_operator::controller::Context;
use technical_user_operator::controller::watches::Wiring;
use technical_user_operator::controller::watches::told::{Listener, Told};

use crate::kubernetes::store::News;
use crate::kubernetes::{Address, Kind, Store};

/// The writing ends of a process's caches, and how much of the news they have seen.
pub struct Caches {
    platforms: Cache<Platform>,
    users: Cache<TechnicalUser>,
    bindings: Cache<RoleBinding>,
    namespaces: Writer<PartialObjectMeta<Namespace>>,
    told: usize,
}

/// One kind's.
struct Cache<K: Told + Lookup<DynamicType = ()> + 'static> {
    writer: Writer<K>,
    listener: Listener<K>,
}

impl Caches {
    /// Caches that are still empty.
    pub fn new(wiring: Wiring) -> Self {
        Self {
            platforms: Cache::new(wiring.platforms),
            users: Cache::new(wiring.users),
            bindings: Cache::new(wiring.bindings),
            namespaces: wiring.namespaces,
            told: 0,
        }
    }

    /// Everything is listed: at the start, and after a watch that broke off, whatever that one missed.
    pub fn list(&mut self, store: &Store, context: &Context) {
        let listed = |kind| store.list(&Address::new(kind, "", "")).map(|(_, object)| Arc::clone(object)).collect();
        let namespaces: Vec<Arc<Value>> = listed(Kind::Namespace);
        for event in list_of(&namespaces) {
            self.namespaces.apply_watcher_event(&event);
        }
        context.stores.filled.mark("Namespace");
        self.platforms.list(listed(Kind::Platform), context);
        self.users.list(listed(Kind::TechnicalUser), context);
        self.bindings.list(listed(Kind::RoleBinding), context);
        self.told = store.news.len();
    }

    /// Tells of all but the last so many changes. What was told once stays told.
    pub fn catch_up(&mut self, store: &Store, context: &Context, lag: usize) {
        let until = store.news.len().saturating_sub(lag).max(self.told);
        for one in &store.news[self.told..until] {
            self.tell(one, context);
        }
        self.told = until;
    }

    /// How much of the news they have seen.
    pub const fn told(&self) -> usize {
        self.told
    }

    fn tell(&mut self, news: &News, context: &Context) {
        match news.address.kind {
            Kind::Platform => self.platforms.told(&event_of(news), context),
            Kind::TechnicalUser => self.users.told(&event_of(news), context),
            Kind::RoleBinding => self.bindings.told(&event_of(news), context),
            Kind::Namespace => self.namespaces.apply_watcher_event(&event_of(news)),
            Kind::Secret | Kind::Pod | Kind::Event => {}
        }
    }
}

impl<K> Cache<K>
where
    K: Told + Lookup<DynamicType = ()> + DeserializeOwned + 'static,
{
    fn new(writer: Writer<K>) -> Self {
        Self { writer, listener: Listener::default() }
    }

    fn list(&mut self, objects: Vec<Arc<Value>>, context: &Context) {
        for event in list_of(&objects) {
            self.told(&event, context);
        }
    }

    fn told(&mut self, event: &Event<K>, context: &Context) {
        self.writer.apply_watcher_event(event);
        self.listener.told(event, context);
    }
}

fn list_of<K: DeserializeOwned>(objects: &[Arc<Value>]) -> Vec<Event<K>> {
    let objects = objects.iter().map(|object| Event::InitApply(typed(object)));
    [Event::Init].into_iter().chain(objects).chain([Event::InitDone]).collect()
}

fn event_of<K: DeserializeOwned>(news: &News) -> Event<K> {
    let object = typed(&news.object);
    if news.gone { Event::Delete(object) } else { Event::Apply(object) }
}

fn typed<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).unwrap()
}

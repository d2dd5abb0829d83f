//! The caches of one process, filled from Kubernetes' news as watches fill them, as late as the test likes.

use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{Lookup, store};
use kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;
use serde_json::Value;
use technical_user_operator::api::{Platform, RoleBinding, TechnicalUser};
use technical_user_operator::controller::index::Index;
use technical_user_operator::controller::{Filled, Stores};

use crate::kubernetes::Kind;
use crate::kubernetes::store::News;
use crate::outside::Shared;

/// The writing ends of a process's caches, and how much of the news they have seen.
pub struct Caches {
    platforms: Writer<Platform>,
    technical_users: Writer<TechnicalUser>,
    role_bindings: Writer<RoleBinding>,
    namespaces: Writer<PartialObjectMeta<Namespace>>,
    told: usize,
}

impl Caches {
    /// Empty caches that count as filled.
    pub fn new() -> (Stores, Self) {
        let (platforms, platform_writer) = store();
        let (technical_users, user_writer) = store();
        let (role_bindings, binding_writer) = store();
        let (namespaces, namespace_writer) = store();
        let filled = Filled::default();
        for kind in ["Platform", "TechnicalUser", "RoleBinding", "Namespace"] {
            filled.mark(kind);
        }
        let caches = Self {
            platforms: platform_writer,
            technical_users: user_writer,
            role_bindings: binding_writer,
            namespaces: namespace_writer,
            told: 0,
        };
        (Stores { platforms, technical_users, role_bindings, namespaces, filled }, caches)
    }

    /// Tells all but the last so many changes. What was told once stays told.
    pub fn catch_up(&mut self, outside: &Shared, index: &Index, lag: usize) {
        let news: Vec<News> = {
            let outside = outside.lock().unwrap();
            let all = &outside.kubernetes.news;
            let until = all.len().saturating_sub(lag).max(self.told);
            all[self.told..until].to_vec()
        };
        self.told += news.len();
        for one in &news {
            self.tell(one, index);
        }
    }

    fn tell(&mut self, news: &News, index: &Index) {
        match news.address.kind {
            Kind::Platform => tell(&mut self.platforms, news),
            Kind::TechnicalUser => tell(&mut self.technical_users, news),
            Kind::Namespace => tell(&mut self.namespaces, news),
            Kind::RoleBinding => {
                tell(&mut self.role_bindings, news);
                let binding = typed(&news.object);
                drop(if news.gone { index.deleted(&binding) } else { index.applied(&binding) });
            }
            Kind::Secret | Kind::Event => {}
        }
    }
}

fn tell<K>(writer: &mut Writer<K>, news: &News)
where
    K: Lookup<DynamicType = ()> + DeserializeOwned + Clone + 'static,
{
    let object = typed(&news.object);
    writer.apply_watcher_event(&if news.gone { Event::Delete(object) } else { Event::Apply(object) });
}

fn typed<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).unwrap()
}

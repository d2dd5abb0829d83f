//! The Secrets of others that stand in the way of a TechnicalUser: each is watched until it goes, and whoever publishes
//! there then looks again. Nothing of them is read but that they are there.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc::UnboundedReceiver;
use futures::{StreamExt, future};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event};
use kube::{Api, Client};

use super::secrets::wake;
use crate::controller::Context;
use crate::controller::index::Key;

/// How many are watched in one namespace. Whoever waits for one beyond that looks again after minutes, like everybody
/// who waits for a person.
const WATCHED: usize = 16;

/// Watches each Secret that is asked for, once for all who ask.
pub async fn in_the_way(client: Client, asked: UnboundedReceiver<Key>, context: Arc<Context>) {
    let watched = Watched::default();
    let (watched, client, context) = (&watched, &client, &context);
    asked
        .filter(|secret| future::ready(watched.begin(secret)))
        .for_each_concurrent(None, |secret| async move {
            gone(client.clone(), &secret).await;
            watched.end(&secret);
            wake(&secret, context);
        })
        .await;
}

/// Returns when there is no such Secret.
async fn gone(client: Client, (namespace, name): &Key) {
    let api = Api::<PartialObjectMeta<Secret>>::namespaced(client, namespace);
    let only = Config::default().fields(&format!("metadata.name={name}"));
    let mut there = false;
    let mut events = watcher::watcher(api, only).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::InitApply(_) | Event::Apply(_)) => there = true,
            Ok(Event::Init) => there = false,
            Ok(Event::InitDone) if there => {}
            Ok(Event::InitDone | Event::Delete(_)) => return,
            Err(_) => {}
        }
    }
}

/// Which Secrets are watched.
#[derive(Default)]
struct Watched(Mutex<HashSet<Key>>);

impl Watched {
    /// Whether this one is not watched yet, and may be.
    fn begin(&self, secret: &Key) -> bool {
        let mut watched = self.secrets();
        let in_namespace = watched.iter().filter(|one| one.0 == secret.0).count();
        in_namespace < WATCHED && watched.insert(secret.clone())
    }

    /// It is gone.
    fn end(&self, secret: &Key) {
        self.secrets().remove(secret);
    }

    /// A panic elsewhere leaves no half-made state behind this lock, so its poison means nothing.
    fn secrets(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_watch_for_each_and_no_more_than_some_in_a_namespace() {
        let secret = |namespace: &str, number: usize| (namespace.to_owned(), number.to_string());
        let watched = Watched::default();
        assert!((0..WATCHED).all(|number| watched.begin(&secret("many", number))));
        assert!(!watched.begin(&secret("many", WATCHED)));
        assert!(watched.begin(&secret("one", 0)) && !watched.begin(&secret("one", 0)));
        watched.end(&secret("many", 0));
        assert!(watched.begin(&secret("many", WATCHED)));
    }
}

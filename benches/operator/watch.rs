//! The objects of a kind in one namespace, as a watch tells of them. Judges nothing.

use std::fmt::Debug;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// What became of an object.
pub(crate) enum Told<K> {
    /// It is there, like this.
    There(K),
    /// It is gone; this was the last of it.
    Gone(K),
}

/// A watch that has read what there is already; it tells of what changes after that.
pub(crate) async fn begin<K>(api: Api<K>) -> BoxStream<'static, Told<K>>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
    while !matches!(events.next().await.expect("a watch without end"), Ok(Event::InitDone)) {}
    let told = events.filter_map(|event| async {
        match event.ok()? {
            Event::Apply(object) | Event::InitApply(object) => Some(Told::There(object)),
            Event::Delete(object) => Some(Told::Gone(object)),
            Event::Init | Event::InitDone => None,
        }
    });
    told.boxed()
}

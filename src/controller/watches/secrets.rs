//! What the watches of Secrets tell: metadata only, and without a cache. A Secret that is as we wrote it wakes nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt, future};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{self, Config, Event};
use kube::{Api, Client, Resource, ResourceExt};

use super::wake::{mended_platform, mended_user};
use crate::api::{MANAGED_BY_LABEL, OPERATOR};
use crate::controller::Context;
use crate::controller::index::Key;
use crate::controller::technical_user::source;

type Meta = PartialObjectMeta<Secret>;

/// The Secrets that we wrote: any change but our own wakes the TechnicalUser that publishes there, whatever the Secret
/// itself still says of its owner. One that lost its label is told as deleted.
pub async fn published(client: Client, context: Arc<Context>) {
    let ours = Config::default().labels(&format!("{MANAGED_BY_LABEL}={OPERATOR}"));
    let mut listed = BTreeSet::new();
    watcher::watcher(Api::<Meta>::all(client), ours)
        .default_backoff()
        .for_each(|event| {
            if let Ok(event) = event {
                told_of_published(&event, &mut listed, &context);
            }
            future::ready(())
        })
        .await;
}

pub(super) fn told_of_published(event: &Event<Meta>, listed: &mut BTreeSet<Key>, context: &Context) {
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(secret) => {
            listed.insert(key_of(secret));
            changed(secret, context);
        }
        Event::Apply(secret) | Event::Delete(secret) => changed(secret, context),
        Event::InitDone => {
            for missing in context.index.published().difference(listed) {
                wake(missing, context);
            }
            listed.clear();
        }
    }
}

fn changed(secret: &Meta, context: &Context) {
    if !context.written.tells_of(secret.meta()) {
        wake(&key_of(secret), context);
    }
}

fn key_of(secret: &Meta) -> Key {
    (secret.namespace().unwrap_or_default(), secret.name_any())
}

/// Wakes whoever publishes in a Secret.
pub(super) fn wake(secret: &Key, context: &Context) {
    for (namespace, name) in context.index.publishers(secret) {
        mended_user(context, ObjectRef::new(&name).within(&namespace));
    }
}

/// The Secrets with certificates: whoever takes one from there looks again when it is renewed, comes or goes. A watch that broke
/// off lists them anew, and so wakes all.
pub async fn sources(client: Client, context: Arc<Context>) {
    let certificates = Config::default().fields(&format!("type={}", source::TYPE));
    watcher::watcher(Api::<Meta>::all(client), certificates)
        .default_backoff()
        .for_each(|event| {
            if let Ok(Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) = event {
                for (namespace, name) in context.sources.takers(&key_of(&secret)) {
                    mended_user(&context, ObjectRef::new(&name).within(&namespace));
                }
            }
            future::ready(())
        })
        .await;
}

/// The admin Secrets, in the operator's own namespace: a change wakes the Platforms that name it.
pub async fn admin(client: Client, context: Arc<Context>) {
    let api = Api::<Meta>::namespaced(client, &context.namespace);
    let no_releases = Config::default().fields("type!=helm.sh/release.v1");
    watcher::watcher(api, no_releases)
        .default_backoff()
        .for_each(|event| {
            match event {
                Ok(Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) => {
                    wake_platforms(&context, |name| name == secret.name_any());
                }
                // What vanished meanwhile is in no list.
                Ok(Event::InitDone) => wake_platforms(&context, |_| true),
                _ => {}
            }
            future::ready(())
        })
        .await;
}

fn wake_platforms(context: &Context, concerned: impl Fn(&str) -> bool) {
    for platform in context.stores.platforms.state() {
        if platform.spec.environment.secrets().iter().any(|reference| concerned(&reference.name)) {
            mended_platform(context, &platform);
        }
    }
}

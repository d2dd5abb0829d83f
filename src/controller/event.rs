//! Events: one object for each thing worth telling, with its own text.
//!
//! kube's `Recorder` folds events of one reason into a series whose text stays that of the first, so that the second
//! grant of a day would be invisible; ours are few, since they are published on change only.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};

use crate::api::OPERATOR;

/// Events take 1 kB.
const NOTE_LIMIT: usize = 1000;

/// Publishes events in this process's name.
pub struct Publisher {
    client: Client,
    instance: String,
    now: fn() -> Timestamp,
}

/// Something worth telling about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Whether a person should look at it.
    pub warns: bool,
    /// One word from a closed set.
    pub reason: &'static str,
    /// A sentence.
    pub note: String,
}

impl Publisher {
    /// A publisher. `instance` tells replicas apart.
    pub fn new(client: Client, instance: String, now: fn() -> Timestamp) -> Self {
        Self { client, instance, now }
    }

    /// Publishes an event about an object. One that cannot be published is lost: the log has it too.
    pub async fn publish(&self, about: &ObjectReference, news: News) {
        let (reason, event) = (news.reason, self.event(about, news));
        let namespace = about.namespace.as_deref().unwrap_or("default");
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        if api.create(&PostParams::default(), &event).await.is_err() {
            // A namespace that is being deleted takes no events.
            tracing::debug!(reason, "the event could not be published");
        }
    }

    fn event(&self, about: &ObjectReference, news: News) -> Event {
        let now = (self.now)();
        let name = format!("{}.{:x}", about.name.as_deref().unwrap_or_default(), now.as_nanosecond());
        Event {
            metadata: ObjectMeta { name: Some(name), namespace: about.namespace.clone(), ..ObjectMeta::default() },
            action: Some("Reconcile".to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(cut(news.note)),
            reason: Some(news.reason.to_owned()),
            regarding: Some(about.clone()),
            reporting_controller: Some(OPERATOR.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(if news.warns { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }
}

fn cut(mut note: String) -> String {
    if note.len() > NOTE_LIMIT {
        let end = note.char_indices().map(|(at, _)| at).take_while(|at| *at <= NOTE_LIMIT - 3).last();
        note.truncate(end.unwrap_or_default());
        note.push('…');
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_notes_are_cut_at_a_character() {
        let note = cut("é".repeat(2000));
        assert!(note.len() <= NOTE_LIMIT && note.ends_with("é…"), "{} bytes", note.len());
        assert_eq!(cut("short".into()), "short");
    }
}

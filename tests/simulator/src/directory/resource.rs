//! Resources as they are kept: what clients wrote, and what the directory adds.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::input::Body;
use super::schema::{Attribute, Kind};
use crate::frame::{clock, random};

/// A resource.
#[derive(Clone)]
pub(crate) struct Resource {
    /// Its id.
    pub(crate) id: String,
    /// What clients wrote, with `id` and `meta` so that filters find them; hidden attributes too.
    pub(crate) body: Body,
    /// Grows with every change.
    pub(crate) version: u64,
}

impl Resource {
    /// A new one, with an id of its own.
    pub(crate) fn new(kind: &Kind, body: Body, now: Duration) -> Self {
        let id = random::uuid();
        let mut resource = Self { id: id.clone(), body, version: 0 };
        resource.body.insert("id".to_owned(), json!(id));
        let stamp = stamp(now);
        resource.body.insert(
            "meta".to_owned(),
            json!({"resourceType": kind.name, "created": stamp, "lastModified": stamp, "version": resource.tag()}),
        );
        resource
    }

    /// What it is after a change; one that changes nothing is none.
    pub(crate) fn become_other(&mut self, mut body: Body, now: Duration) {
        for kept in ["id", "meta"] {
            self.body.get(kept).map(|value| body.insert(kept.to_owned(), value.clone()));
        }
        if body != self.body {
            self.body = body;
            self.touch(now);
        }
    }

    /// Counts a change.
    pub(crate) fn touch(&mut self, now: Duration) {
        self.version += 1;
        let tag = self.tag();
        if let Some(meta) = self.body.get_mut("meta") {
            meta["lastModified"] = json!(stamp(now));
            meta["version"] = json!(tag);
        }
    }

    /// Its entity tag, a weak one (RFC 7644, section 3.14).
    pub(crate) fn tag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// A text of it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// The resource as answers show it; `url` is that of the directory.
    pub(crate) fn shown(&self, kind: &'static Kind, url: &str) -> Map<String, Value> {
        let mut shown = readable(&self.body, kind.attributes);
        let extensions = kind.extensions.iter().filter(|one| shown.contains_key(one.name)).map(|one| one.name);
        let schemas: Vec<&str> = std::iter::once(kind.schema).chain(extensions).collect();
        shown.insert("schemas".to_owned(), json!(schemas));
        shown["meta"]["location"] = json!(self.location(kind, url));
        shown
    }

    /// Its URL.
    pub(crate) fn location(&self, kind: &Kind, url: &str) -> String {
        format!("{url}{}/{}", kind.endpoint, self.id)
    }
}

/// Without what nobody ever reads.
fn readable(body: &Body, attributes: &[Attribute]) -> Body {
    let hidden = |name: &str| attributes.iter().any(|one| one.is_hidden() && one.name == name);
    body.iter().filter(|(name, _)| !hidden(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn stamp(now: Duration) -> String {
    clock::format(now, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

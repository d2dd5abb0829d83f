//! A credential from the Secret that holds it: where a platform shows a value once, nobody else has it. Pure.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde_json::Value;

use super::content::{CREDENTIALS, PROVENANCE, key_of};
use super::form::Shape;
use crate::api::{Form, LayoutStatus};
use crate::controller::error::{Error, Result};
use crate::platform::{Field, Health, Issued, ObservedCredential, Provenance};

/// The content that a Secret has, and how it was made.
pub struct Held<'a> {
    /// The content.
    pub content: &'a BTreeMap<String, ByteString>,
    /// How it was made.
    pub layout: Option<&'a LayoutStatus>,
}

impl Held<'_> {
    /// The credential with these fields, as far as this shape has use for them.
    pub fn credential(&self, name: &str, fields: &[&str], shape: &Shape) -> Result<Issued> {
        let object = self.whole();
        let found = fields.iter().filter_map(|field| Some(((*field).to_owned(), self.field(field, object.as_ref())?)));
        let mut issued = issued(name, found.collect());
        let needed = fields.iter().map(|field| key_of(field));
        let lost = needed.filter(|key| !issued.fields.contains_key(key)).find(|key| !shape.leaves_out_field(key));
        let lost = lost.or_else(|| {
            let is_gone = |key: &str| self.entry(key).is_none() && !shape.leaves_out(key);
            PROVENANCE.into_iter().find(|key| is_gone(key)).map(str::to_owned)
        });
        if let Some(key) = lost {
            return Err(gone(&key));
        }
        issued.provenance = self.provenance();
        Ok(issued)
    }

    fn field(&self, name: &str, object: Option<&Value>) -> Option<Field> {
        let Some(object) = object else { return self.entry(&key_of(name)).map(|text| Field::Text(text.into())) };
        object.get(name)?.as_str().map(|text| Field::Text(text.into()))
    }

    /// The credential as one JSON object, where it was written so.
    fn whole(&self) -> Option<Value> {
        let is_whole = self.layout.is_some_and(|layout| layout.form == Form::Json);
        let text = self.entry(CREDENTIALS).filter(|_| is_whole)?;
        serde_json::from_str(text).ok()
    }

    fn provenance(&self) -> Provenance {
        let text = |key| self.entry(key).unwrap_or_default().to_owned();
        Provenance {
            label: text("label"),
            plan: text("plan"),
            instance_name: text("instance_name"),
            instance_guid: text("instance_guid"),
            tags: serde_json::from_str(&text("tags")).unwrap_or_default(),
        }
    }

    /// What stands under a key, or under the name that it was given. Another of the same name may stand where one was omitted.
    fn entry(&self, key: &str) -> Option<&str> {
        if self.layout.is_some_and(|layout| layout.omit.iter().any(|one| one == key)) {
            return None;
        }
        let renamed = self.layout.and_then(|layout| layout.rename.get(key)).map_or(key, String::as_str);
        std::str::from_utf8(&self.content.get(renamed)?.0).ok()
    }
}

/// A credential with these fields, of which nothing else is known.
pub fn issued(name: &str, fields: BTreeMap<String, Field>) -> Issued {
    let (name, id, identity) = (name.to_owned(), String::new(), String::new());
    let credential = ObservedCredential { name, id, identity, health: Health::Usable, material: None };
    Issued { credential, provenance: Provenance::default(), fields }
}

fn gone(key: &str) -> Error {
    Error::ValueLost(format!(
        "the Secret does not hold `{key}` any more, and the platform shows it only once: omit it again, or delete the Secret to have another credential issued"
    ))
}

//! The form that a TechnicalUser asks for: which keys its Secret has, and what is in them. Pure; what cannot be is refused with
//! the name of the key, never with a value.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::content::{self, Entries, Entry, PROVENANCE, Part};
use super::template::{self, Fault, Names};
use super::{Content, recover};
use crate::api::conditions;
use crate::api::{Form, LayoutStatus, SecretTemplate, TechnicalUser};
use crate::controller::error::{Error, Result};
use crate::plan::capability::Recall;
use crate::plan::{digest, fields};
use crate::platform::{Field, Issued};

/// The keys that a Secret of this type must have, each with the fields that it is taken from: the first that is there.
fn required(kind: &str) -> &'static [(&'static str, [&'static str; 2])] {
    match kind {
        "kubernetes.io/tls" => &[("tls.crt", ["tls.crt", "certificate"]), ("tls.key", ["tls.key", "key"])],
        "kubernetes.io/basic-auth" => {
            &[("username", ["username", "clientid"]), ("password", ["password", "clientsecret"])]
        }
        _ => &[],
    }
}

/// The form that a TechnicalUser asks for.
pub struct Shape {
    form: Form,
    template: SecretTemplate,
    names: Names,
}

impl Shape {
    /// That of a TechnicalUser.
    pub fn of(user: &TechnicalUser) -> Self {
        let credential = user.spec.credential.as_ref();
        let form = credential.map(|credential| credential.form).unwrap_or_default();
        let template = credential.and_then(|credential| credential.secret_template.clone()).unwrap_or_default();
        Self { form, template, names: Names::of(user) }
    }

    /// What is to be remembered of it with the content; nothing where it is the one that is had without asking.
    pub fn layout(&self) -> Option<LayoutStatus> {
        let SecretTemplate { data, rename, omit, .. } = &self.template;
        let plain = data.is_empty() && rename.is_empty() && omit.is_empty() && self.template.kind() == "Opaque";
        (!plain || self.form != Form::Descriptor).then(|| LayoutStatus {
            digest: self.digest(),
            form: self.form,
            rename: rename.clone(),
            omit: omit.clone(),
        })
    }

    fn digest(&self) -> String {
        let SecretTemplate { data, rename, omit, .. } = &self.template;
        let form = format!("{:?}", self.form);
        let pairs = |map: &'static str, texts: &BTreeMap<String, String>| {
            let pairs = texts.iter().flat_map(move |(key, text)| [map.to_owned(), key.clone(), text.clone()]);
            pairs.collect::<Vec<_>>()
        };
        let omit = omit.iter().flat_map(|key| ["omit".to_owned(), key.clone()]);
        let parts = [form, self.template.kind().to_owned()].into_iter().chain(pairs("data", data));
        let parts: Vec<String> = parts.chain(pairs("rename", rename)).chain(omit).collect();
        digest::of(parts.iter().map(String::as_bytes), 16)
    }

    /// Refuses what can be seen to be wrong before there is a credential.
    fn judge(&self, known: Option<&[&str]>) -> Result<()> {
        let Some(known) = known else {
            self.template
                .data
                .iter()
                .try_for_each(|(key, text)| template::check(text).map_err(|fault| invalid(key, fault)))?;
            return self.spares_provenance();
        };
        let stand_in = |name: &&str| ((*name).to_owned(), Field::Text("0123456789abcdefghijklmnopqrstuv".into()));
        let issued = recover::issued("", known.iter().map(stand_in).collect());
        self.content(&issued).map(drop)
    }

    /// The keys that say where a credential comes from are there whatever its fields are.
    fn spares_provenance(&self) -> Result<()> {
        let gone = |key: &str| self.leaves_out(key) || self.template.rename.contains_key(key);
        let mut taken = self.template.data.keys().chain(self.template.rename.values());
        taken.find(|key| PROVENANCE.contains(&key.as_str()) && !gone(key)).map_or(Ok(()), |key| Err(collision(key)))
    }

    /// The content of the Secret for a credential.
    pub fn content(&self, issued: &Issued) -> Result<Content> {
        let kind = self.template.kind().strip_prefix("servicebinding.io/");
        let mut entries = content::entries(issued, self.form, kind);
        self.omit(&mut entries);
        self.rename(&mut entries)?;
        self.add(&mut entries, issued)?;
        self.complete(&mut entries, issued)?;
        Ok(content::assembled(&entries, self.form))
    }

    fn omit(&self, entries: &mut Entries) {
        entries.retain(|key, _| !self.template.omit.contains(key));
    }

    fn rename(&self, entries: &mut Entries) -> Result<()> {
        // All are taken before any is put back: two keys may change places.
        let taken = self.template.rename.iter().map(|(key, name)| (key, name, entries.remove(key)));
        for (key, name, entry) in taken.collect::<Vec<_>>() {
            let entry = entry.ok_or_else(|| {
                missing(&format!("rename.{key}"), &format!("it names `{key}`, which the Secret does not have"))
            })?;
            put(entries, name, entry)?;
        }
        Ok(())
    }

    fn add(&self, entries: &mut Entries, issued: &Issued) -> Result<()> {
        for (key, text) in &self.template.data {
            let value = template::render(text, &issued.fields, &self.names).map_err(|fault| invalid(key, fault))?;
            put(entries, key, self.further(value))?;
        }
        Ok(())
    }

    /// What the Secret's type requires.
    fn complete(&self, entries: &mut Entries, issued: &Issued) -> Result<()> {
        let kind = self.template.kind();
        for (key, sources) in required(kind) {
            if entries.contains_key(*key) {
                continue;
            }
            let text = sources.iter().find_map(|source| match issued.fields.get(*source) {
                Some(Field::Text(text)) => Some(text.clone()),
                _ => None,
            });
            let [first, second] = sources;
            let lacks = || {
                missing(
                    "type",
                    &format!(
                        "a Secret of type {kind} needs `{key}`, and the credential has neither `{first}` nor `{second}`"
                    ),
                )
            };
            entries.insert((*key).to_owned(), self.further(text.ok_or_else(lacks)?));
        }
        Ok(())
    }

    /// A key that the credential does not have by itself. Where all properties are in one, that is all of them.
    fn further(&self, value: SecretString) -> Entry {
        Entry { value, part: if self.form == Form::Json { Part::Unlisted } else { Part::Text } }
    }

    /// Whether a key is left out of the Secret.
    pub fn leaves_out(&self, key: &str) -> bool {
        self.template.omit.iter().any(|one| one == key)
    }

    /// Whether a field of the credential is left out of the Secret.
    pub fn leaves_out_field(&self, key: &str) -> bool {
        self.form != Form::Json && self.leaves_out(key)
    }
}

/// Refuses what can be seen to be wrong with a TechnicalUser's form before anything is issued for it.
pub fn judge(user: &TechnicalUser, recall: Recall) -> Result<()> {
    Shape::of(user).judge(fields::known(user.spec.identity.kind()))?;
    if recall.is_shown_once() { was_possible(user) } else { Ok(()) }
}

/// Where a value is shown once, one that could not be written is lost. If only the value itself showed that a template
/// cannot be rendered, another is not issued before the spec changes.
fn was_possible(user: &TechnicalUser) -> Result<()> {
    let ready = user.status.as_ref().and_then(|status| conditions::find(&status.conditions, conditions::READY));
    let failed = ready.filter(|ready| ready.status == "False" && ready.observed_generation == user.metadata.generation);
    match failed.map(|ready| (ready.reason.as_str(), ready.message.clone())) {
        Some(("TemplateInvalid", message)) => Err(Error::TemplateInvalid(message)),
        Some(("FieldMissing", message)) => Err(Error::FieldMissing(message)),
        _ => Ok(()),
    }
}

fn put(entries: &mut Entries, key: &str, entry: Entry) -> Result<()> {
    match entries.insert(key.to_owned(), entry) {
        None => Ok(()),
        Some(_) => Err(collision(key)),
    }
}

fn collision(key: &str) -> Error {
    let said =
        format!("secretTemplate has two keys `{key}`: omit or rename the one, or choose another name for the other");
    Error::TemplateInvalid(said)
}

fn invalid(key: &str, fault: Fault) -> Error {
    match fault {
        Fault::Missing(_) => missing(&format!("data.{key}"), &fault.to_string()),
        Fault::Syntax(_) | Fault::Rendering(_) => Error::TemplateInvalid(format!("secretTemplate.data.{key}: {fault}")),
    }
}

fn missing(place: &str, said: &str) -> Error {
    Error::FieldMissing(format!("secretTemplate.{place}: {said}"))
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;

//! An OpenAPI document, 3.0 or 3.1, or Swagger 2.0, in JSON or YAML, as far as checking an exchange needs it. Nothing is judged here.

use std::io;
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// A document.
pub(crate) struct Document(Value);

/// One operation of a document.
pub(crate) struct Operation<'a> {
    /// Upper case.
    method: String,
    /// The path with its parameters in braces.
    template: &'a str,
    content: &'a Value,
    document: &'a Document,
}

/// A request body or an answer: a schema per content type.
pub(crate) struct Content<'a>(&'a Value);

impl Document {
    /// Reads a document.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(file)?;
        if file.extension().is_some_and(|extension| extension == "yaml") {
            return serde_saphyr::from_str(&text).map(Self).map_err(io::Error::other);
        }
        serde_json::from_str(&text).map(|document| Self(super::swagger::lifted(document))).map_err(io::Error::other)
    }

    /// Its title.
    pub(crate) fn title(&self) -> &str {
        self.0["info"]["title"].as_str().unwrap_or_default()
    }

    /// The operation that a request is for: of the path templates that match, the one with most literal segments.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let paths = self.0["paths"].as_object()?;
        let matching = paths.iter().filter(|(template, operations)| {
            operations.get(method.to_lowercase()).is_some() && matches(template, path)
        });
        let (template, operations) = matching.min_by_key(|(template, _)| template.matches('{').count())?;
        let content = operations.get(method.to_lowercase())?;
        Some(Operation { method: method.to_owned(), template, content, document: self })
    }

    /// What is meant, where a `$ref` may stand for it.
    fn meant<'a>(&'a self, value: &'a Value) -> &'a Value {
        value["$ref"].as_str().and_then(|reference| self.resolve(reference)).unwrap_or(value)
    }

    /// What a `$ref` inside the document points to.
    pub(crate) fn resolve(&self, reference: &str) -> Option<&Value> {
        self.0.pointer(reference.strip_prefix('#')?)
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(given).all(|(wanted, given)| {
            if wanted.starts_with('{') { !given.is_empty() } else { *wanted == given || is_entity(wanted, given) }
        })
}

/// Whether this is the key of an OData entity, as in `Set('{Id}')`.
fn is_entity(wanted: &str, given: &str) -> bool {
    let Some((before, after)) =
        wanted.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)))
    else {
        return false;
    };
    let given = percent_decode_str(given).decode_utf8_lossy();
    let key = given.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    key.is_some_and(|key| !key.is_empty())
}

impl<'a> Operation<'a> {
    /// `METHOD /path/{parameter}`: how exceptions name it.
    pub(crate) fn id(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// The type of a query parameter; `None` if it is not documented.
    pub(crate) fn query_type(&self, name: &str) -> Option<&'a str> {
        let parameters = self.content["parameters"].as_array()?;
        let stem = name.split('[').next().unwrap_or_default();
        let mut meant = parameters.iter().map(|one| self.document.meant(one));
        let found = meant.find(|one| one["in"] == "query" && one["name"] == stem)?;
        Some(found["schema"]["type"].as_str().unwrap_or("string"))
    }

    /// The request body; `None` if there is to be none.
    pub(crate) fn request(&self) -> Option<Content<'a>> {
        self.content.get("requestBody").map(|body| Content(self.document.meant(body)))
    }

    /// The answer with this status; `None` if it is not listed.
    pub(crate) fn response(&self, status: u16) -> Option<Content<'a>> {
        self.content["responses"].get(status.to_string()).map(|answer| Content(self.document.meant(answer)))
    }
}

impl<'a> Content<'a> {
    /// Whether any body is documented.
    pub(crate) fn has_content(&self) -> bool {
        self.all().is_some()
    }

    /// The schema for a content type, whatever its parameters.
    pub(crate) fn schema(&self, content_type: &str) -> Option<&'a Value> {
        let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_lowercase();
        let wanted = essence(content_type);
        let found = self.all()?.iter().find(|(listed, _)| *listed == "*/*" || essence(listed) == wanted);
        found.map(|(_, media)| &media["schema"])
    }

    fn all(&self) -> Option<&'a Map<String, Value>> {
        self.0.get("content").and_then(Value::as_object).filter(|content| !content.is_empty())
    }
}

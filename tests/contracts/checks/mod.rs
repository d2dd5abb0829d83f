//! Checks of HTTP exchanges against OpenAPI documents: the route, the query, the bodies, the status.
//!
//! Stricter than the documents in one point: a field they do not name is a violation, for a misspelled one would
//! otherwise pass. Where a document is known to be wrong, `exceptions` says so and why.

mod document;
mod exceptions;
mod schema;
mod swagger;

use std::io;
use std::path::Path;

use document::{Document, Operation};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The documents, each for the routes below one prefix of the simulator.
pub(crate) struct Contracts(Vec<(&'static str, Document)>);

/// One request and what came of it.
pub(crate) struct Exchange {
    /// HTTP method.
    pub(crate) method: String,
    /// Path as sent, with the simulator's prefix.
    pub(crate) path: String,
    /// Query as sent.
    pub(crate) query: Option<String>,
    /// Content type of the request.
    pub(crate) content_type: Option<String>,
    /// Body of the request.
    pub(crate) body: Option<Value>,
    /// Status of the answer.
    pub(crate) status: u16,
    /// Content type and body of the answer, where they are known.
    pub(crate) answer: Option<(String, Value)>,
}

impl Contracts {
    /// Reads the documents from their folder.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let files = [
            ("/service-manager", "service-manager.json"),
            ("/xsuaa", "xsuaa.json"),
            ("/cloud-foundry", "cloudfoundry-v3-subset.bundled.yaml"),
            ("/identity-service/scim", "identity-directory-scim.json"),
            ("/cloud-integration/api/v1", "cloud-integration-security-content.json"),
        ];
        let documents = files.map(|(prefix, file)| Ok((prefix, Document::read(&folder.join(file))?)));
        documents.into_iter().collect::<io::Result<_>>().map(Self)
    }

    /// What is wrong with the request: its route, its query, its content type, its body.
    pub(crate) fn request_violations(&self, exchange: &Exchange) -> Vec<String> {
        let Some((document, path)) = self.document(exchange) else { return Vec::new() };
        let Some(operation) = document.operation(&exchange.method, path) else {
            let known = exceptions::undocumented(&exchange.method, path);
            return if known { Vec::new() } else { vec![told(exchange, "no such route")] };
        };
        let mut wrong = query_violations(&operation, exchange);
        wrong.extend(body_violations(document, &operation, exchange));
        wrong.iter().map(|what| told(exchange, what)).collect()
    }

    /// What is wrong with the answer: its status, its content type, its body.
    pub(crate) fn answer_violations(&self, exchange: &Exchange) -> Vec<String> {
        let Some((document, path)) = self.document(exchange) else { return Vec::new() };
        let Some(operation) = document.operation(&exchange.method, path) else { return Vec::new() };
        let Some(response) = operation.response(exchange.status) else {
            let known = exceptions::status(&operation, exchange.status);
            return if known { Vec::new() } else { vec![told(exchange, "a status that is not listed")] };
        };
        let Some((content_type, body)) = &exchange.answer else { return Vec::new() };
        let error = exchange.status >= 400;
        if error && exceptions::ERRORS_WITHOUT_A_SCHEMA.contains(&document.title()) {
            let named = body["error"].is_string();
            return if named { Vec::new() } else { vec![told(exchange, "an error without a text")] };
        }
        let Some(schema) = response.schema(exceptions::content_type(exchange.status, content_type)) else {
            let documented = response.has_content();
            return if documented { vec![told(exchange, "a content type that is not listed")] } else { Vec::new() };
        };
        let wrong = schema::violations(document, schema, body, &operation.id());
        wrong.iter().map(|what| told(exchange, what)).collect()
    }

    fn document<'a>(&'a self, exchange: &'a Exchange) -> Option<(&'a Document, &'a str)> {
        self.0.iter().find_map(|(prefix, document)| {
            let path = exchange.path.strip_prefix(prefix)?;
            Some((document, if path.is_empty() { "/" } else { path }))
        })
    }
}

/// Every violation in the entries of `GET /_simulator/log`: requests, and the statuses they were answered with.
/// Entries that a fault has spoiled are not judged by their status.
pub(crate) fn violations_in_log(contracts: &Contracts, log: &[Value]) -> Vec<String> {
    let text = |entry: &Value, name: &str| entry[name].as_str().map(str::to_owned);
    let checked = log.iter().map(|entry| {
        let exchange = Exchange {
            method: text(entry, "method").unwrap_or_default(),
            path: text(entry, "path").unwrap_or_default(),
            query: text(entry, "query"),
            content_type: text(entry, "contentType"),
            body: Some(entry["body"].clone()).filter(|body| !body.is_null()),
            status: entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default(),
            answer: None,
        };
        let mut wrong = contracts.request_violations(&exchange);
        if entry["fault"].is_null() {
            wrong.extend(contracts.answer_violations(&exchange));
        }
        wrong
    });
    checked.flatten().collect()
}

fn told(exchange: &Exchange, what: &str) -> String {
    format!("{} {} ({}): {what}", exchange.method, exchange.path, exchange.status)
}

fn query_violations(operation: &Operation<'_>, exchange: &Exchange) -> Vec<String> {
    let query = exchange.query.as_deref().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut wrong = Vec::new();
    for (name, value) in pairs {
        let name = &*percent_decode_str(name).decode_utf8_lossy();
        match operation.query_type(name) {
            Some("boolean") if value != "true" && value != "false" => wrong.push(format!("query {name} is no boolean")),
            Some("integer") if value.parse::<i64>().is_err() => wrong.push(format!("query {name} is no integer")),
            Some(_) => {}
            None if exceptions::undocumented_query(operation, name) => {}
            None => wrong.push(format!("query {name} is not documented")),
        }
    }
    wrong
}

fn body_violations(document: &Document, operation: &Operation<'_>, exchange: &Exchange) -> Vec<String> {
    let Some(request) = operation.request() else {
        let sent = exchange.body.is_some();
        return if sent { vec!["a body where none is documented".to_owned()] } else { Vec::new() };
    };
    let Some(body) = &exchange.body else { return vec!["no body, or none that is JSON".to_owned()] };
    match request.schema(exchange.content_type.as_deref().unwrap_or_default()) {
        Some(schema) => schema::violations(document, schema, body, &operation.id()),
        None => vec!["a content type that is not listed".to_owned()],
    }
}

//! Lists: queries, pages, and the envelope they come in.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::LINK;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::{Settings, answer};

use super::query::{self, Criterion};
use super::refusal::Refusal;

/// Items of a page when the client does not say.
const USUAL_PAGE: usize = 50;
/// Fields by which something is looked up rather than listed.
const NAMING: [&str; 3] = ["id", "name", "service_instance_id"];

/// The query parameters of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    #[serde(rename = "fieldQuery")]
    field_query: Option<String>,
    #[serde(rename = "labelQuery")]
    label_query: Option<String>,
    token: Option<String>,
    max_items: Option<String>,
    attach_last_operations: Option<String>,
}

/// A list query that has been understood.
pub(crate) struct Selection {
    /// Conditions on fields.
    pub(crate) fields: Vec<Criterion>,
    /// Conditions on labels.
    pub(crate) labels: Vec<Criterion>,
    /// How young an object may be and still be missing.
    pub(crate) unseen: Duration,
    after: u64,
    page: usize,
}

impl ListQuery {
    /// Only then do items carry their `last_operation`.
    pub(crate) fn with_last_operations(&self) -> bool {
        self.attach_last_operations.as_deref() == Some("true")
    }

    /// Reads the query; `known` are the fields it may ask for.
    pub(crate) fn understood(&self, known: &[&str], settings: &Settings) -> Result<Selection, Refusal> {
        let fields = self.field_query.as_deref().map(query::parse).transpose()?.unwrap_or_default();
        if let Some(wrong) = fields.iter().find(|criterion| !known.contains(&criterion.key.as_str())) {
            return Err(Refusal::bad_request(format!("unsupported field query key: {}", wrong.key)));
        }
        let labels = self.label_query.as_deref().map(query::parse).transpose()?.unwrap_or_default();
        let looked_up = fields.iter().any(|criterion| NAMING.contains(&criterion.key.as_str()));
        let unseen = if looked_up { 0 } else { settings.list_delay_millis };
        let (after, page) = (self.after()?, self.page(settings.service_manager_page)?);
        Ok(Selection { fields, labels, unseen: Duration::from_millis(unseen), after, page })
    }

    /// How many items; more than the `largest` page has are cut without a word.
    fn page(&self, largest: usize) -> Result<usize, Refusal> {
        let Some(text) = self.max_items.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(USUAL_PAGE.min(largest));
        };
        let wrong = |what: &str| Refusal::wrong("InvalidMaxItems", format!("max_items {what}"));
        let items: i64 = text.parse().map_err(|_| wrong("should be integer"))?;
        usize::try_from(items).map(|items| items.min(largest)).map_err(|_| wrong("cannot be negative"))
    }

    /// The position after which the page starts: that is what the token says, in base64.
    fn after(&self) -> Result<u64, Refusal> {
        let Some(token) = self.token.as_deref().filter(|token| !token.is_empty()) else { return Ok(0) };
        let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = decoded.and_then(|text| text.parse().ok());
        position.ok_or_else(|| Refusal::wrong("TokenInvalid", "Invalid token provided."))
    }
}

impl Selection {
    /// The page of all matching items that this query asks for. `shown` is called for the items of the page only.
    pub(crate) fn page<T>(&self, path: &str, matching: &[(u64, T)], shown: impl Fn(&T) -> Value) -> Response {
        if self.page == 0 {
            return answer::json(StatusCode::OK, json!({"num_items": matching.len()}));
        }
        let first = matching.partition_point(|(position, _)| *position <= self.after);
        let end = matching.len().min(first.saturating_add(self.page));
        let items: Vec<Value> = matching[first..end].iter().map(|(_, item)| shown(item)).collect();
        let mut body = json!({"num_items": matching.len(), "items": items});
        let last = matching.get(end.wrapping_sub(1)).filter(|_| end > first && end < matching.len());
        let Some((position, _)) = last else { return answer::json(StatusCode::OK, body) };
        let token = STANDARD.encode(position.to_string());
        body["token"] = json!(token);
        let link = format!("<{path}?max_items={}&token={}>; rel=\"next\"", self.page, token.replace('=', "%3D"));
        answer::with_header(answer::json(StatusCode::OK, body), LINK, &link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn page(query: &ListQuery, count: u64) -> Value {
        let matching: Vec<(u64, u64)> = (1..=count).map(|position| (position, position)).collect();
        let response =
            query.understood(&["name"], &Settings::default()).unwrap().page("/v1/x", &matching, |item| json!(item));
        serde_json::from_slice(&axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn pages_follow_each_other_to_the_end() {
        let mut query = ListQuery { max_items: Some("2".into()), ..ListQuery::default() };
        let mut seen = Vec::new();
        loop {
            let body = page(&query, 5).await;
            assert_eq!(body["num_items"], 5);
            seen.extend(body["items"].as_array().unwrap().iter().map(|item| item.as_u64().unwrap()));
            match body["token"].as_str() {
                Some(token) => query.token = Some(token.to_owned()),
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn unknown_fields_are_refused() {
        let query = ListQuery { field_query: Some("colour eq 'red'".into()), ..ListQuery::default() };
        assert!(query.understood(&["name"], &Settings::default()).is_err());
    }

    #[tokio::test]
    async fn a_page_is_cut_to_the_largest_and_may_have_no_items_at_all() {
        let asked = |text: &str| ListQuery { max_items: Some(text.into()), ..ListQuery::default() };
        assert_eq!(page(&asked("500"), 201).await["items"].as_array().unwrap().len(), 200);
        assert_eq!(page(&asked("0"), 3).await, json!({"num_items": 3}));
        for wrong in ["many", "-1"] {
            let refused = asked(wrong).understood(&[], &Settings::default()).err().unwrap();
            assert_eq!(refused.body()["error"], "InvalidMaxItems");
        }
        let token = ListQuery { token: Some("?".into()), ..ListQuery::default() };
        assert_eq!(token.understood(&[], &Settings::default()).err().unwrap().body()["error"], "TokenInvalid");
    }
}

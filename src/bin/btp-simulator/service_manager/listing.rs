//! Lists: queries, pages, and the envelope they come in.

use axum::http::StatusCode;
use axum::http::header::LINK;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::frame::answer;

use super::query::{self, Criterion};
use super::refusal::Refusal;

/// Items of a page when the client does not say.
const USUAL_PAGE: usize = 50;
/// Most items of a page, whatever the client says.
const LARGEST_PAGE: usize = 200;

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
    /// Only then do items carry their `last_operation`.
    pub(crate) attach_last_operations: bool,
}

/// A list query that has been understood.
pub(crate) struct Selection {
    /// Conditions on fields.
    pub(crate) fields: Vec<Criterion>,
    /// Conditions on labels.
    pub(crate) labels: Vec<Criterion>,
    after: u64,
    page: usize,
}

impl ListQuery {
    /// Reads the query; `known` are the fields it may ask for.
    pub(crate) fn understood(&self, known: &[&str]) -> Result<Selection, Refusal> {
        let fields = self.field_query.as_deref().map(query::parse).transpose()?.unwrap_or_default();
        if let Some(wrong) = fields.iter().find(|criterion| !known.contains(&criterion.key.as_str())) {
            return Err(Refusal::bad_request(format!("unsupported field query key: {}", wrong.key)));
        }
        let labels = self.label_query.as_deref().map(query::parse).transpose()?.unwrap_or_default();
        Ok(Selection { fields, labels, after: self.after()?, page: self.page()? })
    }

    fn page(&self) -> Result<usize, Refusal> {
        let Some(text) = &self.max_items else { return Ok(USUAL_PAGE) };
        let wrong = || Refusal::bad_request(format!("max_items should be integer: {text}"));
        Ok(text.parse::<usize>().map_err(|_| wrong())?.min(LARGEST_PAGE))
    }

    /// The position after which the page starts: that is what the token says, in base64.
    fn after(&self) -> Result<u64, Refusal> {
        let Some(token) = self.token.as_deref().filter(|token| !token.is_empty()) else { return Ok(0) };
        let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = decoded.and_then(|text| text.parse().ok());
        position.ok_or_else(|| Refusal::bad_request("Invalid token provided"))
    }
}

impl Selection {
    /// The page of all matching items that this query asks for. `shown` is called for the items of the page only.
    pub(crate) fn page<T>(&self, path: &str, matching: &[(u64, T)], shown: impl Fn(&T) -> Value) -> Response {
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
        let response = query.understood(&["name"]).unwrap().page("/v1/x", &matching, |item| json!(item));
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
        assert!(query.understood(&["name"]).is_err());
    }
}

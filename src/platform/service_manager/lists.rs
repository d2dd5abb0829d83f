//! Lists of the Service Manager, page by page.
//!
//! A list that is cut short must not look like a short one: what says that there is something and shows nothing is an
//! error, and a 404 never means that there is none.

use serde::de::DeserializeOwned;

use super::{BINDINGS, INSTANCES, wire};
use crate::platform::budget::{Lane, Urgency};
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::{Call, Session};

/// How many items a page has. The platform may give fewer.
const PAGE: &str = "500";
/// More pages than any subaccount fills: 2500 instances, 1000 bindings each.
const MOST_PAGES: usize = 10_000;

/// A list to be read.
pub struct List<'a> {
    operation: &'static str,
    collection: &'static str,
    query: (&'static str, &'a str),
    urgency: Urgency,
}

impl<'a> List<'a> {
    /// What a `fieldQuery` or `labelQuery` finds in a collection.
    pub fn new(operation: &'static str, collection: &'static str, query: (&'static str, &'a str)) -> Self {
        Self { operation, collection, query, urgency: Urgency::Normal }
    }

    /// Says how urgent it is.
    pub fn urgency(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }

    /// Every item, page by page.
    pub async fn read<T: DeserializeOwned>(self, session: &Session) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        for page in 0..MOST_PAGES {
            let shown: wire::Page<T> = self.page(session, token.as_deref()).send_json().await?;
            let next = shown.token.clone().filter(|token| !token.is_empty());
            items.extend(of_page(shown, (page == 0).then_some(next.is_none()), self.operation)?);
            match next {
                None => return Ok(items),
                next if next == token => break,
                next => token = next,
            }
        }
        Err(Error::new(Kind::UnexpectedAnswer, self.operation).detail("the list does not end"))
    }

    fn page(&self, session: &Session, token: Option<&str>) -> Call {
        let is_of_bindings = self.collection == BINDINGS;
        let lane = if is_of_bindings { Lane::Bindings } else { Lane::Rest };
        let call = session.get(self.operation, &["v1", self.collection]).urgency(self.urgency).lane(lane);
        let call = call.query("max_items", PAGE).query(self.query.0, self.query.1);
        let with_operations = is_of_bindings || self.collection == INSTANCES;
        let call = if with_operations { call.query("attach_last_operations", "true") } else { call };
        match token {
            Some(token) => call.query("token", token),
            None => call,
        }
    }
}

/// The items of a page; of the first one it is said whether it is the only one. A list that is empty says so in its
/// total, and an only page shows as many as there are. Later pages may have lost what they showed meanwhile.
fn of_page<T>(page: wire::Page<T>, first: Option<bool>, operation: &'static str) -> Result<Vec<T>> {
    let items = match (page.items, page.num_items) {
        (Some(items), _) if first.is_none() => Some(items),
        (Some(items), total)
            if !items.is_empty() && (first == Some(false) || total.is_none_or(|total| total <= items.len())) =>
        {
            Some(items)
        }
        (_, Some(0)) => Some(Vec::new()),
        _ => None,
    };
    items.ok_or_else(|| Error::new(Kind::UnexpectedAnswer, operation).detail("the list is not complete"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(page: &str, first: Option<bool>) -> Option<usize> {
        let page: wire::Page<u8> = serde_json::from_str(page).unwrap();
        of_page(page, first, "list").ok().map(|items| items.len())
    }

    #[test]
    fn a_list_that_is_cut_short_is_no_short_list() {
        for empty in [r#"{"num_items":0,"items":[]}"#, r#"{"num_items":0,"items":null}"#, r#"{"num_items":0}"#] {
            assert_eq!(items(empty, Some(true)), Some(0), "{empty}");
        }
        assert_eq!(items(r#"{"num_items":2,"items":[1,2]}"#, Some(true)), Some(2));
        assert_eq!(items(r#"{"num_items":9,"items":[1,2]}"#, Some(false)), Some(2));
        assert_eq!(items(r#"{"num_items":9,"items":[]}"#, None), Some(0), "all that was left has gone");
        for cut in ["{}", r#"{"items":[]}"#, r#"{"num_items":3}"#, r#"{"num_items":3,"items":[]}"#] {
            assert_eq!(items(cut, Some(true)), None, "{cut}");
            assert_eq!(items(cut, Some(false)), None, "{cut}");
        }
        assert_eq!(items(r#"{"num_items":9,"items":[1,2]}"#, Some(true)), None);
        assert_eq!(items("{}", None), None);
    }
}

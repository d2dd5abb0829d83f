//! Lists: which query parameters there are, and the pages that lists come in (cloud_controller_ng,
//! `app/messages/list_message.rb`, `app/presenters/v3/paginated_list_presenter.rb`).

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::selector::Selector;

/// Items of a page when the client does not say.
const USUAL_PAGE: usize = 50;
/// Most items a client may ask for.
const LARGEST_PAGE: usize = 5000;
/// What every list takes.
const COMMON: [&str; 4] = ["page", "per_page", "order_by", "guids"];

/// A list query that has been read.
pub(super) struct ListQuery {
    given: Vec<(String, String)>,
    page: usize,
    per_page: usize,
    labels: Selector,
}

/// What lists can be ordered by.
pub(super) struct Order<'a> {
    /// Its name; empty where it has none.
    pub(super) name: &'a str,
    /// When it was made.
    pub(super) created_at: &'a str,
    /// When it last changed.
    pub(super) updated_at: &'a str,
}

impl ListQuery {
    /// Reads a query; `refuse` says how this list refuses, since they differ in it.
    pub(super) fn read(
        raw: Option<&str>,
        known: &[&str],
        largest: usize,
        refuse: fn(String) -> Refusal,
    ) -> Result<Self, Refusal> {
        let given = pairs(raw.unwrap_or_default());
        let is_known = |name: &str| {
            let stem = name.split('[').next().unwrap_or_default();
            COMMON.contains(&stem) || known.contains(&stem)
        };
        let unknown: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).filter(|name| !is_known(name)).collect();
        if !unknown.is_empty() {
            let valid = [&COMMON, known].concat().join("', '");
            let unknown = unknown.join("', '");
            return Err(refuse(format!("Unknown query parameter(s): '{unknown}'. Valid parameters are: '{valid}'")));
        }
        let number = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.parse().ok());
        let page = number("page").unwrap_or(Some(1)).filter(|page| *page > 0);
        let per_page = number("per_page").unwrap_or(Some(USUAL_PAGE)).filter(|size| *size > 0);
        let (Some(page), Some(per_page)) = (page, per_page) else {
            return Err(refuse("Page must be a positive integer, Per page must be a positive integer".to_owned()));
        };
        if per_page > LARGEST_PAGE {
            return Err(refuse("Per page must be between 1 and 5000".to_owned()));
        }
        let labels = given.iter().find(|(name, _)| name == "label_selector").map(|(_, text)| Selector::read(text));
        let labels = labels.transpose().map_err(|text| refuse(text.to_owned()))?.unwrap_or_default();
        Ok(Self { given, page, per_page: per_page.min(largest), labels })
    }

    /// The one value of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Whether a value is among those that the parameter names; also if the parameter is not there.
    pub(super) fn allows(&self, name: &str, value: &str) -> bool {
        self.text(name).is_none_or(|list| list.split(',').any(|one| decoded(one) == value))
    }

    /// The conditions on labels.
    pub(super) fn labels(&self) -> &Selector {
        &self.labels
    }

    /// Whether the parameter `include` names it.
    pub(super) fn includes(&self, what: &str) -> bool {
        self.text("include").is_some_and(|list| list.split(',').any(|one| one == what))
    }

    /// Sorts as the client wishes; without a wish the oldest stands first.
    pub(super) fn sort<T>(&self, items: &mut [T], order: impl Fn(&T) -> Order<'_>) {
        let wish = self.text("order_by").unwrap_or("created_at");
        let (field, backwards) = wish.strip_prefix('-').map_or((wish, false), |field| (field, true));
        items.sort_by(|one, other| {
            let (one, other) = (order(one), order(other));
            match field {
                "name" => one.name.cmp(other.name),
                "updated_at" => one.updated_at.cmp(other.updated_at),
                _ => one.created_at.cmp(other.created_at),
            }
        });
        if backwards {
            items.reverse();
        }
    }

    /// The items of the page that is asked for.
    pub(super) fn slice<'a, T>(&self, items: &'a [T]) -> &'a [T] {
        let first = items.len().min((self.page - 1).saturating_mul(self.per_page));
        &items[first..items.len().min(first + self.per_page)]
    }

    /// The envelope of a page; `list` is the list's URL.
    pub(super) fn envelope(&self, list: &str, total: usize, resources: Vec<Value>) -> Value {
        let pages = total.div_ceil(self.per_page).max(1);
        let link = |page: usize| json!({"href": self.href(list, page)});
        let next = if self.page < pages { link(self.page + 1) } else { Value::Null };
        let previous = if self.page > 1 { link(self.page - 1) } else { Value::Null };
        json!({
            "pagination": {"total_results": total, "total_pages": pages, "first": link(1), "last": link(pages),
                           "next": next, "previous": previous},
            "resources": resources,
        })
    }

    fn href(&self, list: &str, page: usize) -> String {
        let kept = self.given.iter().filter(|(name, _)| name != "page" && name != "per_page");
        let mut query: Vec<String> = kept.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        query.push(format!("page={page}&per_page={}", self.per_page));
        format!("{list}?{}", query.join("&"))
    }
}

fn pairs(raw: &str) -> Vec<(String, String)> {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let halves = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    halves.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " ")))).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<ListQuery, Refusal> {
        ListQuery::read(Some(raw), &["names"], LARGEST_PAGE, Refusal::bad_query)
    }

    #[test]
    fn pages_name_each_other_and_keep_the_filters() {
        let query = read("names=a%2Cb&per_page=2&page=2").unwrap();
        assert_eq!(query.slice(&[1, 2, 3, 4, 5]), [3, 4]);
        let page = query.envelope("/v3/x", 5, Vec::new());
        assert_eq!(page["pagination"]["next"]["href"], "/v3/x?names=a%2Cb&page=3&per_page=2");
        assert_eq!(page["pagination"]["total_pages"], 3);
        assert!(query.allows("names", "b") && !query.allows("names", "c") && query.allows("guids", "c"));
    }

    #[test]
    fn what_no_list_knows_is_refused() {
        for wrong in ["colour=red", "per_page=5001", "per_page=0", "page=x", "label_selector=a%20in"] {
            assert!(ListQuery::read(Some(wrong), &["label_selector"], 1, Refusal::bad_query).is_err(), "{wrong}");
        }
    }
}

//! Lists by the page (RFC 7644, section 3.4.2.4).

use serde_json::{Value, json};

use super::fault::Fault;

/// Which page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Number of the first resource, from one.
    pub(crate) start: usize,
    /// Most resources.
    pub(crate) count: usize,
}

impl Page {
    /// Reads a query; what is too small is read as the least, what is too large as the most there may be.
    pub(crate) fn read(start: Option<&str>, count: Option<&str>, most: usize) -> Result<Self, Fault> {
        let number = |text: Option<&str>, least: i64| {
            let number = text.map(str::parse::<i64>).transpose();
            let number = number.map_err(|_| Fault::bad("invalidValue", "startIndex and count are numbers"))?;
            Ok::<_, Fault>(number.map(|number| usize::try_from(number.max(least)).unwrap_or(usize::MAX)))
        };
        Ok(Self { start: number(start, 1)?.unwrap_or(1), count: number(count, 0)?.unwrap_or(most).min(most) })
    }

    /// The part of a list that is on it.
    pub(crate) fn of<T>(self, all: &[T]) -> impl Iterator<Item = &T> {
        all.iter().skip(self.start - 1).take(self.count)
    }
}

/// `ListResponse`.
pub(crate) fn list(total: usize, start: usize, resources: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "itemsPerPage": resources.len(),
        "startIndex": start,
        "Resources": resources,
    })
}

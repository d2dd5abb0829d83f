//! Lists of a UAA, of clients, users and groups alike. Pages are by index, so what goes meanwhile moves what comes after
//! it out of sight: a list that changed while it was read is read again.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::another;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::reading::{Listed, MOST_READS, Reading};
use crate::platform::session::Session;

/// The largest page that a UAA gives.
const PAGE: usize = 500;
/// More pages than anybody fills.
const MOST_PAGES: usize = 1000;

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub resources: Vec<T>,
    pub total_results: usize,
}

/// What to list.
pub struct List<'a> {
    /// What for.
    pub operation: &'static str,
    /// Where the list is.
    pub path: &'a [&'a str],
    /// Which of it.
    pub filter: &'a str,
    /// The attributes to show, separated by commas; all where it is empty.
    pub attributes: &'static str,
    /// How urgent it is.
    pub urgency: Urgency,
}

impl List<'_> {
    /// All of it.
    pub async fn all<T: Listed + DeserializeOwned + Send>(&self, session: &Session) -> Result<Vec<T>> {
        let mut found = self.read(session).await?;
        for _ in 0..MOST_READS {
            if found.is_whole() {
                break;
            }
            found = self.read(session).await?;
        }
        Ok(found.into_entries().collect())
    }

    /// All of it, where it fits into a page. An answer that shows something else than was asked for says nothing.
    pub async fn few<T: Listed + DeserializeOwned + Send>(
        &self,
        session: &Session,
        is_meant: impl Fn(&T) -> bool + Send,
    ) -> Result<Vec<T>> {
        let page: Page<T> = self.page(session, 1).await?;
        if page.resources.len() != page.total_results || !page.resources.iter().all(is_meant) {
            return Err(another(self.operation));
        }
        Ok(page.resources)
    }

    async fn read<T: Listed + DeserializeOwned + Send>(&self, session: &Session) -> Result<Reading<T>> {
        let mut reading = Reading::default();
        for _ in 0..MOST_PAGES {
            let page: Page<T> = self.page(session, reading.shown() + 1).await?;
            let (count, total) = (page.resources.len(), page.total_results);
            reading.add(self.operation, total, page.resources)?;
            if count == 0 || reading.shown() >= total {
                return Ok(reading);
            }
        }
        Err(Error::new(Kind::UnexpectedAnswer, self.operation).detail("the list does not end"))
    }

    async fn page<T: Listed + DeserializeOwned + Send>(&self, session: &Session, start: usize) -> Result<Page<T>> {
        let call = session.get(self.operation, self.path).urgency(self.urgency).query("filter", self.filter);
        let call = if self.attributes.is_empty() { call } else { call.query("attributes", self.attributes) };
        call.query("startIndex", &start.to_string()).query("count", &PAGE.to_string()).send_json().await
    }
}

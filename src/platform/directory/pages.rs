//! Lists, read to their end, and searches in them.
//!
//! Pages are by index, so what goes meanwhile moves what comes after it out of sight: a list that changed while it was
//! read is read again. Where a directory has no filters, or refuses ours, we read all and look for ourselves.

use std::sync::atomic::Ordering;

use serde::de::DeserializeOwned;

use super::Directory;
use super::manners::Paging;
use super::wire::Page;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::reading::{Listed, MOST_READS, Reading};

/// More pages than anybody fills.
const MOST_PAGES: usize = 10_000;

/// A kind of resource, and what to show of it.
pub struct Shelf {
    pub(super) path: &'static str,
    pub(super) attributes: &'static str,
}

/// Users.
pub(super) const USERS: Shelf = Shelf { path: "Users", attributes: "id,userName,externalId,displayName,emails" };
/// Groups, without their members.
pub(super) const GROUPS: Shelf = Shelf { path: "Groups", attributes: "id,displayName" };

/// A search: what the directory is asked, and for what.
pub(super) struct Search<'a> {
    pub(super) shelf: &'a Shelf,
    pub(super) filter: String,
    pub(super) operation: &'static str,
    pub(super) urgency: Urgency,
}

impl Directory {
    /// What is wanted of a list, and whether what is not there is not in the directory.
    pub(super) async fn search<T: Listed + DeserializeOwned>(
        &self,
        search: &Search<'_>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<T>, bool)> {
        if self.can_filter(search.urgency).await? {
            if let Some(reading) = self.filtered::<T>(search).await? {
                let is_whole = reading.is_whole();
                return Ok((reading.into_entries().filter(wanted).collect(), is_whole));
            }
            self.refuses_filters.store(true, Ordering::Relaxed);
        }
        self.look_through(search, wanted).await
    }

    /// Whether the directory searches, as far as is known.
    pub(super) async fn can_filter(&self, urgency: Urgency) -> Result<bool> {
        Ok(self.abilities(urgency).await?.filter.supported && !self.refuses_filters.load(Ordering::Relaxed))
    }

    /// What the directory itself finds; `None` where it understood the request, and does not take the filter.
    pub(super) async fn filtered<T: Listed + DeserializeOwned>(
        &self,
        search: &Search<'_>,
    ) -> Result<Option<Reading<T>>> {
        match self.all::<T>(search, Some(&search.filter)).await {
            Ok(reading) => Ok(Some(reading)),
            Err(error) if error.kind() == Kind::Invalid => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same without the directory's help.
    pub(super) async fn look_through<T: Listed + DeserializeOwned>(
        &self,
        search: &Search<'_>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<T>, bool)> {
        let reading = self.all::<T>(search, None).await?;
        let is_whole = reading.is_whole();
        Ok((reading.into_entries().filter(wanted).collect(), is_whole))
    }

    async fn all<T: Listed + DeserializeOwned>(&self, search: &Search<'_>, filter: Option<&str>) -> Result<Reading<T>> {
        let mut reading = self.all_pages(search, filter).await?;
        for _ in 0..MOST_READS {
            if reading.is_whole() {
                break;
            }
            reading = self.all_pages(search, filter).await?;
        }
        Ok(reading)
    }

    async fn all_pages<T: Listed + DeserializeOwned>(
        &self,
        search: &Search<'_>,
        filter: Option<&str>,
    ) -> Result<Reading<T>> {
        let mut reading = Reading::default();
        let mut start = self.manners.paging.start();
        for _ in 0..MOST_PAGES {
            let page: Page<T> = self.page(search, filter, &start).await?;
            let (count, total, next) = (page.resources.len(), page.total_results, page.next().map(str::to_owned));
            reading.add(search.operation, total, page.resources)?;
            start = match (self.manners.paging, next) {
                (Paging::ByIndex, _) if count == 0 || reading.shown() >= total => return Ok(reading),
                (Paging::ByIndex, _) => (reading.shown() + 1).to_string(),
                (Paging::ById, Some(next)) => next,
                (Paging::ById, None) => return Ok(reading),
            };
        }
        Err(Error::new(Kind::UnexpectedAnswer, search.operation).detail("the list does not end"))
    }

    async fn page<T: DeserializeOwned>(
        &self,
        search: &Search<'_>,
        filter: Option<&str>,
        start: &str,
    ) -> Result<Page<T>> {
        let call = self.get(search.operation, &[search.shelf.path]).urgency(search.urgency);
        let call = filter.into_iter().fold(call, |call, filter| call.query("filter", filter));
        let call = call.query("attributes", search.shelf.attributes);
        call.query(self.manners.paging.parameter(), start)
            .query("count", &self.manners.page.to_string())
            .send_json()
            .await
    }
}

impl Paging {
    /// Where a list begins.
    fn start(self) -> String {
        match self {
            Self::ByIndex => "1",
            Self::ById => "initial",
        }
        .to_owned()
    }

    const fn parameter(self) -> &'static str {
        match self {
            Self::ByIndex => "startIndex",
            Self::ById => "startId",
        }
    }
}

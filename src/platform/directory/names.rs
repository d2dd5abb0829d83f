//! Who is meant by a name: the ids of users by the names that others know them by, many looked up at a time.
//!
//! A directory may read no more of a filter than its beginning. So what a search for many shows is there, and what it does
//! not show is asked for by itself, or looked for among all where the directory cannot search for such names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use futures::{StreamExt, stream};

use super::Directory;
use super::pages::Search;
use super::wire::User;
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::reading::quoted;

/// Searches under way at once. The rate of the calls is the budget's business.
const SIDE_BY_SIDE: usize = 8;
/// Users that one filter asks for. Each may take two comparisons, and SAP advises against more than fifty.
const MOST_TOGETHER: usize = 25;
/// Characters of a filter, before they are encoded. Servers take 8 KiB of request line at most.
const LONGEST_FILTER: usize = 2000;

/// What is known of each name: the id of the user, if there is one.
pub(super) type Ids = BTreeMap<String, Result<Option<String>>>;

/// A name, and the filter that finds it.
type Asked = (String, String);

/// What is asked for, and how urgently.
#[derive(Clone, Copy)]
struct Reason {
    operation: &'static str,
    urgency: Urgency,
}

impl Directory {
    /// The ids of users by their names, looked up now.
    pub(super) async fn ids_of<'a>(
        &self,
        operation: &'static str,
        names: impl IntoIterator<Item = &'a str>,
        urgency: Urgency,
    ) -> Ids {
        let reason = Reason { operation, urgency };
        let mut left: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
        match self.can_filter(urgency).await {
            Ok(true) => {}
            Ok(false) => return self.found_among_all(reason, left).await,
            Err(error) => return left.into_iter().map(|name| (name, Err(error.share()))).collect(),
        }
        let mut ids = self.found_together(reason, &left).await;
        left.retain(|name| !ids.contains_key(name));
        ids.extend(match self.manners.by_name {
            Some(by_name) => self.found_alone(reason, left, by_name).await,
            None => self.found_among_all(reason, left).await,
        });
        ids
    }

    pub(super) fn remember_id(&self, name: &str, id: &str) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(name.to_lowercase(), id.to_owned());
    }

    pub(super) fn remembered_id(&self, name: &str) -> Option<String> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).get(&name.to_lowercase()).cloned()
    }

    /// Those whom searches for several show, and those of whom nobody could be asked.
    async fn found_together(&self, reason: Reason, names: &BTreeSet<String>) -> Ids {
        let asked: Vec<Asked> = names.iter().filter_map(|name| Some((name.clone(), self.filter_for(name)?))).collect();
        let is_one = asked.len() < 2 && self.manners.by_name.is_some();
        if is_one || self.refuses_alternatives.load(Ordering::Relaxed) {
            return Ids::new();
        }
        let searches = together(asked).into_iter().map(|asked| self.some(reason, asked));
        let found: Vec<Ids> = stream::iter(searches.collect::<Vec<_>>()).buffer_unordered(SIDE_BY_SIDE).collect().await;
        found.into_iter().flatten().collect()
    }

    /// Finds a user by name, or where the directory cannot, by the id that it was seen with.
    fn filter_for(&self, name: &str) -> Option<String> {
        match self.manners.by_name {
            Some(by_name) => Some(by_name(name)),
            None => self.remembered_id(name).map(|id| format!("id eq {}", quoted(&id))),
        }
    }

    /// Those of a search that it shows. An error is everybody's, unless it is the directory's way to say that it cannot
    /// search so.
    async fn some(&self, reason: Reason, asked: Vec<Asked>) -> Ids {
        let filter = asked.iter().map(|(_, filter)| filter.as_str()).collect::<Vec<_>>().join(" or ");
        let search = self.search_for(reason, filter);
        let users = match self.filtered::<User>(&search).await {
            Ok(Some(reading)) => reading.into_entries().collect::<Vec<_>>(),
            Ok(None) => {
                self.refuses_alternatives.store(true, Ordering::Relaxed);
                return Ids::new();
            }
            Err(error) => return asked.into_iter().map(|(name, _)| (name, Err(error.share()))).collect(),
        };
        let names = asked.into_iter().map(|(name, _)| name);
        let found = names.filter_map(|name| self.known(&users, &name).map(|id| (name, Ok(Some(id)))));
        found.collect()
    }

    /// Each by a search of its own.
    async fn found_alone(&self, reason: Reason, names: BTreeSet<String>, by_name: fn(&str) -> String) -> Ids {
        let look_up = names.into_iter().map(|name| async move {
            let search = self.search_for(reason, by_name(&name));
            let id = self.search(&search, |_: &User| true).await.and_then(|(users, is_whole)| {
                let id = self.known(&users, &name).or_else(|| self.called(&users, &name));
                believed(id, is_whole, reason)
            });
            (name, id)
        });
        stream::iter(look_up.collect::<Vec<_>>()).buffer_unordered(SIDE_BY_SIDE).collect().await
    }

    /// All of them in one read of all users.
    async fn found_among_all(&self, reason: Reason, names: BTreeSet<String>) -> Ids {
        if names.is_empty() {
            return Ids::new();
        }
        let wanted: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let known_as = self.manners.known_as;
        let is_wanted = |user: &User| known_as(user).is_some_and(|name| wanted.contains(&name.to_lowercase()));
        let read = self.look_through(&self.search_for(reason, String::new()), is_wanted).await;
        let id = |name: &str| match &read {
            Ok((users, is_whole)) => believed(self.known(users, name), *is_whole, reason),
            Err(error) => Err(error.share()),
        };
        names.into_iter().map(|name| (name.clone(), id(&name))).collect()
    }

    fn search_for(&self, reason: Reason, filter: String) -> Search<'_> {
        Search { shelf: self.manners.users, filter, operation: reason.operation, urgency: reason.urgency }
    }

    /// The user that others know by this name, remembered from then on.
    fn known(&self, users: &[User], name: &str) -> Option<String> {
        let known_as = self.manners.known_as;
        let user = users.iter().find(|user| known_as(user).is_some_and(|one| is_same(one, name)))?;
        self.remember_id(name, &user.id);
        Some(user.id.clone())
    }

    /// The user that the directory itself calls so. Whoever took somebody else's address for a name is not the one that
    /// others mean.
    fn called(&self, users: &[User], name: &str) -> Option<String> {
        let user = users.iter().find(|user| is_same(&user.name, name))?;
        self.remember_id(name, &user.id);
        Some(user.id.clone())
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// That somebody is not there is believed of a list that did not change while it was read.
fn believed(id: Option<String>, is_whole: bool, reason: Reason) -> Result<Option<String>> {
    if id.is_none() && !is_whole {
        return Err(Error::new(Kind::Unavailable, reason.operation).detail("the list changes while it is read"));
    }
    Ok(id)
}

/// As many in one filter as it takes; at least one.
fn together(asked: Vec<Asked>) -> Vec<Vec<Asked>> {
    let mut filters: Vec<Vec<Asked>> = Vec::new();
    let mut length = 0;
    for one in asked {
        length += one.1.len();
        let last = filters.last_mut().filter(|last| last.len() < MOST_TOGETHER && length <= LONGEST_FILTER);
        if let Some(last) = last {
            last.push(one);
        } else {
            length = one.1.len();
            filters.push(vec![one]);
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_asks_for_few_enough_and_stays_short() {
        let asked = |length: usize| (0..60).map(|number| (number.to_string(), "f".repeat(length))).collect();
        let sizes = |length| together(asked(length)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(20), [25, 25, 10]);
        assert_eq!(sizes(500), [4; 15]);
        assert_eq!(sizes(3000), [1; 60]);
    }
}

//! Lists of a Cloud Controller, page by page.
//!
//! A list that is cut short must not look like a short one, and one whose users have no names must not look like one of
//! strangers.

use serde::de::DeserializeOwned;

use super::wire::{Page, User};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::{Call, Session};

/// How many items a page has: as many as the platform gives.
const PAGE: &str = "5000";
/// More pages than any platform fills.
const MOST_PAGES: usize = 10_000;

/// A list to be read.
pub struct List<'a> {
    operation: &'static str,
    collection: &'static str,
    query: Vec<(&'static str, &'a str)>,
    urgency: Urgency,
}

/// What a list shows.
pub struct Listed<T> {
    /// Its items.
    pub items: Vec<T>,
    /// The users that it shows beside.
    pub users: Vec<User>,
    /// The offerings that it shows beside.
    pub offerings: Vec<super::wire::Offering>,
}

impl<'a> List<'a> {
    /// What a query finds in a collection.
    pub fn new(operation: &'static str, collection: &'static str, query: &[(&'static str, &'a str)]) -> Self {
        Self { operation, collection, query: query.to_vec(), urgency: Urgency::Normal }
    }

    /// Says how urgent it is.
    pub fn urgency(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }

    /// Every item, page by page. A list that grew or shrank meanwhile may have skipped one, and is an error.
    pub async fn read<T: DeserializeOwned>(self, session: &Session) -> Result<Listed<T>> {
        let mut listed = Listed { items: Vec::new(), users: Vec::new(), offerings: Vec::new() };
        let mut total = None;
        for number in 1..=MOST_PAGES {
            let page: Page<T> = self.page(session, number).send_json().await.map_err(|error| self.not_here(error))?;
            let included = page.included.unwrap_or_default();
            if !names_are_told(&included.users) {
                return Err(Error::new(Kind::Unavailable, self.operation).detail("it does not tell who its users are"));
            }
            listed.items.extend(page.resources);
            listed.users.extend(included.users);
            listed.offerings.extend(included.service_offerings);
            if *total.get_or_insert(page.pagination.total_results) != page.pagination.total_results {
                return Err(self.incomplete("the list changed while it was read"));
            }
            if number >= page.pagination.total_pages {
                let is_whole = total == Some(listed.items.len());
                return if is_whole { Ok(listed) } else { Err(self.incomplete("the list is not complete")) };
            }
        }
        Err(self.incomplete("the list does not end"))
    }

    fn page(&self, session: &Session, number: usize) -> Call {
        let call = session.get(self.operation, &["v3", self.collection]).urgency(self.urgency).query("per_page", PAGE);
        let call = self.query.iter().fold(call, |call, (name, value)| call.query(name, value));
        if number > 1 { call.query("page", &number.to_string()) } else { call }
    }

    /// Every Cloud Controller has these lists: who does not know them is none.
    fn not_here(&self, error: Error) -> Error {
        match error.kind() {
            Kind::NotFound => self.incomplete(error.detail_text()),
            _ => error,
        }
    }

    fn incomplete(&self, detail: &str) -> Error {
        Error::new(Kind::UnexpectedAnswer, self.operation).detail(detail)
    }
}

/// A value of a filter that takes several: commas divide them, and each is decoded for itself.
pub fn only(value: &str) -> String {
    value.replace('%', "%25").replace(',', "%2C")
}

/// A Cloud Controller whose UAA does not answer shows its users without names (cloud_controller_ng,
/// `lib/cloud_controller/uaa/uaa_client.rb`, `users_for_ids`), as it does those whom the UAA has forgotten. Clients never
/// have one, and their guids are no UUIDs.
fn names_are_told(users: &[User]) -> bool {
    let is_uuid = |guid: &str| guid.len() == 36 && guid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    users.iter().any(|user| user.username.is_some()) || !users.iter().any(|user| is_uuid(&user.guid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_become_two() {
        assert_eq!(only("a,b%2C"), "a%2Cb%252C");
    }

    #[test]
    fn users_without_names_are_an_outage_unless_somebody_has_one() {
        let user = |guid: &str, name: Option<&str>| User {
            guid: guid.into(),
            username: name.map(str::to_owned),
            origin: name.map(|_| "o".into()),
        };
        let person = "6f1d1a3e-0000-4000-8000-0000000000aa";
        assert!(names_are_told(&[]));
        assert!(names_are_told(&[user("some-client", None)]));
        assert!(names_are_told(&[user(person, None), user(person, Some("jane"))]));
        assert!(!names_are_told(&[user(person, None), user("some-client", None)]));
    }
}

//! Reads a role collection user by user, so that nothing of those who are not asked about is kept: a role collection of
//! an identity provider's whole staff has more users than memory is meant for.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::wire::UserReference;

/// Hands every user of the role collection of this name to `each`. Another role collection, or none, is an error.
pub struct UsersOf<'c, F> {
    pub name: &'c str,
    pub each: F,
}

impl<'de, F: FnMut(UserReference)> DeserializeSeed<'de> for UsersOf<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(UserReference)> Visitor<'de> for UsersOf<'_, F> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a role collection")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut named = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => named = map.next_value::<String>()? == self.name,
                "userReferences" => map.next_value_seed(Users(&mut self.each))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if named { Ok(()) } else { Err(A::Error::custom("not the role collection that was asked for")) }
    }
}

/// The list of users. A role collection that nobody holds may show `null`.
struct Users<'f, F>(&'f mut F);

impl<'de, F: FnMut(UserReference)> DeserializeSeed<'de> for Users<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(UserReference)> Visitor<'de> for Users<'_, F> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a list of users")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut users: A) -> Result<(), A::Error> {
        while let Some(user) = users.next_element()? {
            (self.0)(user);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(text: &str) -> Result<Vec<String>, serde_json::Error> {
        let mut found = Vec::new();
        let each = |user: UserReference| found.push(user.username);
        UsersOf { name: "RC", each }.deserialize(&mut serde_json::Deserializer::from_str(text))?;
        Ok(found)
    }

    #[test]
    fn every_user_of_the_right_role_collection_is_seen_once() {
        let text = r#"{"description":{"a":[1]},"userReferences":[{"id":"1","username":"a","origin":"o"},
            {"username":"b","origin":"o","email":null}],"name":"RC","isReadOnly":true}"#;
        assert_eq!(users(text).unwrap(), ["a", "b"]);
        assert!(users(r#"{"name":"RC","userReferences":null}"#).unwrap().is_empty());
        assert!(users(r#"{"name":"RC"}"#).unwrap().is_empty());
    }

    #[test]
    fn what_is_not_that_role_collection_is_no_answer() {
        for text in ["{}", "[]", "null", r#"{"name":"Other","userReferences":[]}"#, r#"{"userReferences":[]}"#] {
            assert!(users(text).is_err(), "{text}");
        }
        assert!(users(r#"{"name":"RC","userReferences":[{"username":"a"}]}"#).is_err(), "a user without an origin");
        assert!(users(r#"{"name":"RC","userReferences":{}}"#).is_err());
    }
}

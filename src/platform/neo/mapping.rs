//! What the JSON of Cloud Integration's certificate mappings looks like (OData 2), as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};

/// How OData wraps whatever it answers.
#[derive(Deserialize)]
pub struct Entity<T> {
    pub d: T,
}

/// A list.
#[derive(Deserialize)]
pub struct Results {
    pub results: Vec<Mapping>,
}

/// A certificate that stands for a user.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mapping {
    pub id: String,
    pub user: String,
}

/// A mapping to be made.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewMapping<'a> {
    pub user: &'a str,
    pub certificate: &'a str,
}

/// A refusal in the API's own form. Nothing of it is repeated; that it can be read shows whose it is.
#[derive(Deserialize)]
pub struct Refusal {
    #[serde(rename = "error")]
    _error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(rename = "message")]
    _message: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "value")]
    _value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_itself_refuses_in_its_own_form() {
        let own = r#"{"error":{"code":"Not Found","message":{"lang":"en","value":"not found"}}}"#;
        assert!(serde_json::from_str::<Refusal>(own).is_ok());
        for others in ["{}", r#"{"error":"Not Found"}"#, r#"{"error":{"code":"x"}}"#, "[]"] {
            assert!(serde_json::from_str::<Refusal>(others).is_err(), "{others}");
        }
        assert!(serde_json::from_str::<Entity<Results>>(r#"{"d":{}}"#).is_err(), "no list is not an empty one");
    }
}

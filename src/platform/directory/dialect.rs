//! The words in which a SCIM directory refuses (RFC 7644 §3.12). Pure.

use serde_json::Value;

use crate::platform::error::Kind;
use crate::platform::http::dialect::{Dialect, Reading, Told};

/// The word for a name that is taken. Some directories say it with 400.
const TAKEN: &str = "uniqueness";

/// How to read its error bodies.
pub const DIALECT: Dialect = Dialect {
    word,
    words: &[
        "invalidFilter",
        "tooMany",
        TAKEN,
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
    ],
    read: |told: &Told<'_>| Reading {
        kind: (told.word == Some(TAKEN)).then_some(Kind::Conflict),
        ..Reading::default()
    },
    counts_exactly: true,
};

fn word(body: &Value) -> Option<&str> {
    body.get("scimType")?.as_str()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::platform::http::Answer;
    use crate::platform::http::verdict::judge;

    fn told(status: u16, body: &str) -> (Option<Kind>, String) {
        let verdict = judge(&Answer::for_test(status, &[], body), &DIALECT, SystemTime::UNIX_EPOCH);
        (verdict.refusal, verdict.detail)
    }

    #[test]
    fn a_name_that_is_taken_is_a_conflict_whatever_the_status() {
        for status in [400, 409] {
            let (kind, detail) = told(status, r#"{"scimType":"uniqueness","detail":"hunter2"}"#);
            assert_eq!(kind, Some(Kind::Conflict));
            assert!(detail.ends_with("uniqueness"), "{detail}");
        }
    }

    #[test]
    fn what_a_directory_writes_for_people_is_not_repeated() {
        let (kind, detail) = told(400, r#"{"scimType":"hunter2","detail":"hunter2","status":400}"#);
        assert_eq!((kind, detail.as_str()), (Some(Kind::Invalid), "status 400"));
    }
}

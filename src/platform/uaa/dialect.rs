//! The words in which a UAA refuses. Pure.

use crate::platform::error::Kind;
use crate::platform::http::dialect::{Dialect, PLAIN, Reading, Told};

/// How to read its error bodies.
pub const DIALECT: Dialect = Dialect {
    words: &[
        "bad_credentials",
        "client_already_exists",
        "invalid_password",
        "invalid_scim_resource",
        "member_already_exists",
        "member_not_found",
        "scim_resource_already_exists",
        "scim_resource_conflict",
        "scim_resource_not_found",
    ],
    read,
    ..PLAIN
};

/// It says 401 to whoever sets the password of a user that is not there.
fn read(told: &Told<'_>) -> Reading {
    let kind = (told.status == 401 && told.word == Some("bad_credentials")).then_some(Kind::NotFound);
    Reading { kind, ..Reading::default() }
}

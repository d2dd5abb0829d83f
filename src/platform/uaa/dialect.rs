//! The words in which a UAA refuses. Pure.

use crate::platform::http::dialect::{Dialect, PLAIN};

/// How to read its error bodies.
pub const DIALECT: Dialect = Dialect { words: &["client_already_exists"], ..PLAIN };

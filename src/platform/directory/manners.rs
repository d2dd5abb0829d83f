//! What one directory does otherwise than another: values and small pure functions, so that the driver stays one.

use serde_json::Value;

use super::pages::{Shelf, USERS};
use super::wire::{Abilities, User};
use crate::api::identity::DirectoryUser;
use crate::platform::reading::quoted;

/// The manners of a directory.
pub struct Manners {
    /// What Secrets say where their credential is from.
    pub label: &'static str,
    /// What it can do, where it does not say so itself.
    pub abilities: Option<Abilities>,
    /// The largest page to ask for. Directories give less where they want to.
    pub page: usize,
    /// How its lists go on.
    pub paging: Paging,
    /// Users, and what to show of them.
    pub users: &'static Shelf,
    /// The name that the platform's other APIs know a user by.
    pub known_as: fn(&User) -> Option<&str>,
    /// The filter that finds a user by that name; `None` where the directory cannot search for it.
    pub by_name: Option<fn(&str) -> String>,
    /// Adds to a new user what the directory wants to be told.
    pub complete: fn(&mut Value, &DirectoryUser),
    /// What is written with a password, so that it works: paths and values.
    pub works: &'static [(&'static str, &'static str)],
    /// What ends a password, where that is not another one that nobody holds.
    pub ends: &'static [(&'static str, &'static str)],
    /// Why it may refuse a password, beyond what it says.
    pub refuses_passwords: &'static str,
}

/// How lists go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// By the number of the first resource (RFC 7644 §3.4.2.4).
    ByIndex,
    /// By the id of the next one, which the page before names.
    ById,
}

/// Those of the RFCs.
pub static PLAIN: Manners = Manners {
    label: "scim",
    abilities: None,
    page: 500,
    paging: Paging::ByIndex,
    users: &USERS,
    known_as: |user| Some(&user.name),
    by_name: Some(|name| format!("userName eq {}", quoted(name))),
    complete: |_, _| {},
    works: &[],
    ends: &[],
    refuses_passwords: "",
};

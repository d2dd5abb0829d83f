//! A directory that speaks SCIM 2.0 (RFC 7643, RFC 7644): its users are identities, each has one credential, its
//! password, and membership in its groups is a role.
//!
//! What is ours carries our mark in `externalId`. Which credential a user's password is stands there too, and both are
//! written at once: whoever holds the one before sees that it has been superseded. A password is never shown again. What a
//! directory can do it says itself, and is asked once: without `PATCH` whole resources are written, without filters all is
//! read, and where it keeps versions no write of ours undoes another's. What one directory does otherwise than the RFCs is
//! its manners.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use tokio::sync::OnceCell;

use super::accounts::Credential;
use super::admin_secret::AdminSecret;
use super::budget::Urgency;
use super::error::{Error, Kind, Result};
use super::http::Answer;
use super::session::{Call, Session};
use manners::Manners;
use wire::{Abilities, SCIM};

mod change;
pub mod dialect;
mod groups;
pub mod identity_service;
pub mod manners;
mod mark;
mod names;
mod pages;
mod passwords;
mod users;
mod wire;

/// The driver for one directory.
pub struct Directory {
    session: Session,
    url: String,
    /// The identity provider that the other APIs of the platform know its users by.
    origin: String,
    manners: &'static Manners,
    abilities: OnceCell<Abilities>,
    refuses_filters: AtomicBool,
    /// Whether it has refused a filter that asks for several users at once.
    refuses_alternatives: AtomicBool,
    /// Whether a filter for our marks has ever found one. Until then, that it finds none proves nothing.
    finds_marks: AtomicBool,
    /// Ids of users by their names in lower case, as they were seen: a bulk read needs them all, and proves presence only.
    ids: Mutex<BTreeMap<String, String>>,
}

impl Directory {
    /// A driver for the directory at this address.
    pub(super) fn new(session: Session, url: &str, origin: &str, manners: &'static Manners) -> Self {
        Self {
            session,
            url: url.trim_end_matches('/').to_owned(),
            origin: origin.to_owned(),
            manners,
            abilities: OnceCell::new_with(manners.abilities),
            refuses_filters: AtomicBool::new(false),
            refuses_alternatives: AtomicBool::new(false),
            finds_marks: AtomicBool::new(false),
            ids: Mutex::default(),
        }
    }

    /// What the directory says that it can do.
    async fn abilities(&self, urgency: Urgency) -> Result<Abilities> {
        let ask = || self.get("read ServiceProviderConfig", &["ServiceProviderConfig"]).urgency(urgency).send_json();
        self.abilities.get_or_try_init(ask).await.copied()
    }

    fn get(&self, operation: &'static str, path: &[&str]) -> Call {
        self.session.get(operation, path).header("accept", SCIM)
    }
}

/// What an admin Secret of a directory holds: tokens are fetched where it says where; otherwise it is shown with every call.
pub(super) fn credential(secret: &AdminSecret) -> Result<Credential> {
    if secret.has("tokenurl") { Ok(secret.client_at_its_token_url()?.into()) } else { Ok(secret.shown()?.into()) }
}

/// The answer shows something else than was asked for.
fn another(operation: &'static str) -> Error {
    Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about something else")
}

/// Whether a 404 is the directory's own. One of anybody in between says nothing of users and groups, and is no answer.
fn is_gone(answer: &Answer, operation: &'static str) -> Result<bool> {
    match answer.status() {
        404 if wire::is_own_refusal(answer) => Ok(true),
        404 => Err(Error::new(Kind::Unavailable, operation).detail("a 404 that is not the directory's")),
        _ => Ok(false),
    }
}

//! A UAA that one runs oneself: OAuth clients with up to two secrets each, users with a password, and groups.
//!
//! What is ours carries our mark in fields that the UAA keeps and shows. Secrets and passwords are never shown again. Which
//! credentials they are stands with the mark, and is written before they are set: one that somebody else has issued
//! meanwhile is seen, and revoking one that was superseded does not end its successor. Clients have no guard against
//! writes that cross (no `If-Match`), so every write of one names only the fields that it is about.

use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;

use super::budget::Urgency;
use super::error::{Error, Kind, Result};
use super::proof::Prover;
use super::session::Session;
use super::{Health, ObservedIdentity};
use wire::Client;

mod clients;
mod connect;
mod dialect;
mod groups;
mod pages;
mod passwords;
mod people;
mod secrets;
mod users;
mod wire;

/// Characters of a secret that we make; 62 kinds, so these are some 256 bits. The UAA takes 255.
const SECRET_LENGTH: usize = 43;
/// What a client without any authority is given: the UAA does not take an empty list, and leaves the old one.
const NO_AUTHORITY: &str = "uaa.none";

/// The clients of one UAA.
pub struct Uaa {
    session: Session,
    prover: Prover,
    url: String,
}

impl Uaa {
    /// A driver for the UAA at this address.
    pub fn new(session: Session, prover: Prover, url: &str) -> Self {
        Self { session, prover, url: url.trim_end_matches('/').to_owned() }
    }

    /// A client, if it is there. Asked of the list: a 404 may be anybody's, an empty list says that there is none.
    async fn client(&self, operation: &'static str, id: &str, urgency: Urgency) -> Result<Option<Client>> {
        // Our ids have nothing in them that a filter could take for its syntax. It compares without regard to case.
        let filter = format!("client_id eq \"{id}\"");
        let call = self.session.get(operation, &["oauth", "clients"]).urgency(urgency).query("filter", &filter);
        let page: pages::Page<Client> = call.send_json().await?;
        if page.resources.len() != page.total_results || page.resources.iter().any(|one| !one.is_called(id)) {
            return Err(another(operation));
        }
        Ok(page.resources.into_iter().find(|client| client.id == id))
    }
}

/// The answer shows something else than was asked for.
fn another(operation: &'static str) -> Error {
    Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about something else")
}

/// What cannot be read of an answer to a change leaves open whether it was made.
fn open(error: Error) -> Error {
    if error.kind() == Kind::UnexpectedAnswer { Error::new(Kind::OutcomeUnknown, error.operation()) } else { error }
}

/// A secret that nobody can guess, of characters that need no encoding anywhere.
fn new_secret() -> SecretString {
    // Seeded by the operating system, and cryptographically strong.
    Alphanumeric.sample_string(&mut rand::rng(), SECRET_LENGTH).into()
}

fn observed(client: Client) -> ObservedIdentity {
    let mark = client.mark();
    let roles = client.authorities.into_iter().filter(|authority| authority != NO_AUTHORITY).collect();
    let (name, id) = (client.id.clone(), client.id);
    ObservedIdentity { name, id, health: Health::Usable, roles: Some(roles), mark, user: None, credential: None }
}

/// A UAA says 400 to an administrator who may write clients but not give them authorities of its choice.
fn refused(error: Error) -> Error {
    if error.kind() != Kind::Invalid {
        return error;
    }
    let detail = format!("{}; the admin client needs the authority clients.admin", error.detail_text());
    Error::new(Kind::Invalid, error.operation()).detail(detail)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn secrets_differ_and_need_no_encoding() {
        let (one, other) = (new_secret(), new_secret());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!(one.expose_secret().len(), SECRET_LENGTH);
        assert!(one.expose_secret().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn no_authority_is_no_role() {
        let client: Client = serde_json::from_str(r#"{"client_id":"tuo-1","authorities":["uaa.none"]}"#).unwrap();
        assert_eq!(observed(client).roles.unwrap().len(), 0);
    }

    #[test]
    fn a_mark_names_up_to_two_secrets_and_none_that_nobody_holds() {
        let credentials = |text: &str| serde_json::from_str::<Client>(text).unwrap().credentials();
        assert_eq!(credentials(r#"{"client_id":"a","tuo_credential":"a-2"}"#), ["a-2"]);
        assert_eq!(credentials(r#"{"client_id":"a","tuo_credential":"a-2 a-3"}"#), ["a-2", "a-3"]);
        assert_eq!(credentials(r#"{"client_id":"a","tuo_credential":"a-1 a-2 a-3"}"#), ["a-2", "a-3"]);
        let none: [&str; 0] = [];
        assert_eq!(credentials(r#"{"client_id":"a","tuo_credential":""}"#), none);
        assert_eq!(credentials(r#"{"client_id":"a"}"#), none);
    }
}

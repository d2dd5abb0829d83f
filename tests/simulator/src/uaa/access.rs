//! Who asks, and whether the token allows it. `uaa.admin` and `clients.admin` allow everything here; the narrower
//! scopes allow less than their names promise, see [`Caller::may_give`].

use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use super::client::{Client, NONE};
use super::refusal::{Refusal, invalid_client};
use super::{REALM, Uaa};
use crate::frame::{Grant, TokenRefusal, random};

/// What a route needs: one of the scopes in this list, which is also what a refusal shows.
#[derive(Clone, Copy)]
pub(super) struct Need(pub(super) &'static str);

/// Reading clients.
pub(super) const READ: Need = Need("uaa.admin clients.read clients.admin zones.uaa.admin");
/// Making, changing and deleting clients.
pub(super) const WRITE: Need = Need("uaa.admin clients.write clients.admin zones.uaa.admin");
/// Changing secrets.
pub(super) const SECRET: Need = Need("uaa.admin clients.secret clients.admin zones.uaa.admin");
/// Many clients in one call.
pub(super) const BATCH: Need = Need("uaa.admin clients.admin zones.uaa.admin");

/// The client behind an accepted token.
pub(super) struct Caller {
    /// Its id.
    pub(super) client_id: String,
    /// Whether it is an administrator of clients.
    pub(super) administrator: bool,
}

impl Caller {
    /// Only an administrator gives authorities: anyone else may name but two that mean nothing, whatever they hold.
    pub(super) fn may_give(&self, client: &Client) -> Result<(), Refusal> {
        let harmless = ["uaa.resource", NONE];
        match client.authorities.iter().find(|one| !harmless.contains(&one.as_str())) {
            Some(authority) if !self.administrator => Err(invalid_client(format!(
                "{authority} is not an allowed authority for caller={}. Must be one of: [uaa.resource, uaa.none]",
                self.client_id
            ))),
            _ => Ok(()),
        }
    }
}

impl Uaa {
    /// The caller, if its token is valid and holds one of the scopes.
    pub(super) fn permit(&self, headers: &HeaderMap, need: Need) -> Result<Caller, Refusal> {
        let grant = self.valid_grant(headers)?;
        let holds = |scope: &str| grant.scopes.iter().any(|held| held == scope);
        if !need.0.split(' ').any(holds) {
            return Err(Refusal::InsufficientScope(need.0));
        }
        let administrator = holds("uaa.admin") || holds("clients.admin");
        Ok(Caller { client_id: grant.client_id.clone(), administrator })
    }

    /// The grant of the request's token. A token dies with its client, with the secret it was asked with, and with
    /// any of its authorities.
    pub(super) fn valid_grant(&self, headers: &HeaderMap) -> Result<Grant, Refusal> {
        let checked = self.frame.grant(headers, REALM);
        let grant = checked.map_err(|refusal| match refusal {
            TokenRefusal::Missing => Refusal::NoToken,
            TokenRefusal::Unknown | TokenRefusal::Fresh | TokenRefusal::Expired => {
                Refusal::InvalidToken("The token expired, was revoked, or the token ID is incorrect.".to_owned())
            }
        })?;
        self.clients.read(|clients| still_valid(&grant, clients.get(&grant.client_id)))?;
        Ok(Grant::clone(&grant))
    }

    /// The client with this id and secret.
    pub(super) fn authenticated(&self, id: &str, secret: &str) -> Result<Client, Refusal> {
        let found = self.clients.read(|clients| clients.get(id).cloned());
        found.filter(|client| client.secrets.iter().any(|one| one == secret)).ok_or(Refusal::BadCredentials)
    }
}

fn still_valid(grant: &Grant, client: Option<&Client>) -> Result<(), Refusal> {
    let Some(client) = client else {
        return Err(Refusal::InvalidToken(format!("Invalid client ID {}", grant.client_id)));
    };
    let signed = |secret: &String| grant.claims["rev_sig"] == revocable_signature(&client.id, secret);
    if !client.secrets.iter().any(signed) {
        return Err(Refusal::InvalidToken("revocable signature mismatch".to_owned()));
    }
    let lost: Vec<&str> = grant.scopes.iter().filter(|one| !client.authorities.contains(*one)).map(|s| &**s).collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Refusal::InvalidToken(format!("Some required &quot;scope&quot; are missing: [{}]", lost.join(", "))))
}

/// The claim `rev_sig`: ties a token to the secret it was asked with.
pub(super) fn revocable_signature(id: &str, secret: &str) -> String {
    let digest = Sha256::digest(format!("{id}:{secret}"));
    random::hex(&digest[..4])
}

/// 409, which says nothing about the client that is there.
pub(super) fn already_exists(id: &str) -> Refusal {
    Refusal::InvalidClient(StatusCode::CONFLICT, format!("Client already exists: {id}"))
}

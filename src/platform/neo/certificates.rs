//! Certificates that are mapped to users of Cloud Integration (Security Content API, `CertificateUserMappings`).
//!
//! A mapping has a certificate, the user that whoever shows it is, and an id that follows from the certificate. It carries no
//! mark, so whose it is stands in our record alone. To map a certificate again changes its user and is no error: an order looks
//! first, and takes over nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use reqwest::Url;

use super::forgery::Guarded;
use super::mapping::{Entity, Mapping, NewMapping, Refusal, Results};
use crate::platform::budget::Urgency;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::session::Session;
use crate::platform::{
    Certificate, Credentials, Field, Health, Issued, Making, NewCredential, ObservedCredential, ObservedIdentity,
    Ordered, Proof, Provenance,
};

const LIST: &str = "list certificate mappings";
const FIND: &str = "find certificate mappings of user";
const LOOK: &str = "find certificate mapping";
const MAP: &str = "map certificate";
const UNMAP: &str = "remove certificate mapping";

/// Characters of a certificate, as it is sent (the API's document).
const LONGEST: usize = 8192;
const FIELDS: &str = "Id,User";

/// The mappings of one tenant.
pub struct Certificates {
    session: Session,
    guarded: Guarded,
    runtime: Option<Url>,
}

impl Certificates {
    /// A driver for the tenant of this session. Senders call its runtime node.
    pub fn new(session: Session, runtime: Option<Url>) -> Self {
        Self { guarded: Guarded::new(session.clone()), session, runtime }
    }

    /// Everybody's mappings, or those of one user. The API shows all that there are, in one answer.
    async fn mappings(&self, operation: &'static str, user: Option<&str>) -> Result<Vec<Mapping>> {
        let urgency = if user.is_some() { Urgency::Normal } else { Urgency::Last };
        let call = self.session.get(operation, &path(None)).query("$select", FIELDS).urgency(urgency);
        let call = match user {
            // A quote in a text of OData is doubled.
            Some(user) => call.query("$filter", &format!("User eq '{}'", user.replace('\'', "''"))),
            None => call,
        };
        let found: Entity<Results> = call.send_json().await?;
        let found = found.d.results;
        let is_asked_for = |one: &Mapping| user.is_none_or(|user| one.user == user);
        if found.iter().all(is_asked_for) { Ok(found) } else { Err(another(operation)) }
    }

    /// The mapping of this id. Only the API itself says that there is none: a 404 may be anybody's.
    async fn mapping(&self, operation: &'static str, id: &str) -> Result<Option<Mapping>> {
        let entity = entity(id);
        let answer = self.session.get(operation, &path(Some(&entity))).accept(&[404]).send().await?;
        if answer.status() == 404 {
            return answer.json::<Refusal>(operation).map(|_| None);
        }
        let found: Entity<Mapping> = answer.json(operation)?;
        if found.d.id.eq_ignore_ascii_case(id) { Ok(Some(found.d)) } else { Err(another(operation)) }
    }

    fn issued(&self, credential: ObservedCredential) -> Issued {
        let user = credential.identity.clone();
        let url = self.runtime.as_ref().map(|url| ("url", url.as_str().trim_end_matches('/').to_owned()));
        let fields = [("username", user.clone())].into_iter().chain(url);
        let fields: BTreeMap<_, _> =
            fields.map(|(field, value)| (field.to_owned(), Field::Text(value.into()))).collect();
        let provenance = Provenance {
            label: "cloud-integration".to_owned(),
            instance_name: user,
            instance_guid: credential.id.clone(),
            ..Provenance::default()
        };
        Issued { credential, provenance, fields }
    }
}

#[async_trait]
impl Credentials for Certificates {
    /// Of every user: the tenant holds some 2,000 at most.
    async fn list(&self, _: &str) -> Result<Vec<ObservedCredential>> {
        Ok(self.mappings(LIST, None).await?.into_iter().map(observed).collect())
    }

    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>> {
        Ok(self.mappings(FIND, Some(&identity.id)).await?.into_iter().map(observed).collect())
    }

    /// Nothing protects what is there from the order itself, so it is looked at right before.
    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>> {
        let none = || Error::new(Kind::Invalid, MAP).detail("there is no certificate to map");
        let Making::Brought(certificate) = &wanted.making else { return Err(none()) };
        let id = self.id_of(certificate)?;
        match self.mapping(MAP, &id).await? {
            Some(found) if found.user == identity.id => return Ok(Ordered::Found),
            Some(_) => return Err(Error::new(Kind::Conflict, MAP).detail(format!("certificate mapping `{id}`"))),
            None => {}
        }
        let mapping = NewMapping { user: &identity.id, certificate: &text(certificate) };
        let order = || self.session.post(MAP, &path(None)).json(&mapping).accept(&[403]);
        let answer = self.guarded.send(MAP, order).await?;
        let unknown = || Error::new(Kind::OutcomeUnknown, MAP);
        let made: Entity<Mapping> = answer.json(MAP).map_err(|_| unknown())?;
        if !made.d.id.eq_ignore_ascii_case(&id) || made.d.user != identity.id {
            return Err(unknown());
        }
        Ok(Ordered::Done(self.issued(ObservedCredential { name: wanted.name.clone(), ..observed(made.d) })))
    }

    /// Who it is, and where they call. The certificate itself is with whoever brought it.
    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>> {
        Ok(Some(self.issued(credential.clone())))
    }

    /// A mapping whose user somebody else has changed meanwhile is theirs.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>> {
        let is_ours = |found: &Mapping| found.user == credential.identity;
        if !self.mapping(UNMAP, &credential.id).await?.as_ref().is_some_and(is_ours) {
            return Ok(Ordered::Done(()));
        }
        let entity = entity(&credential.id);
        let order = || self.session.delete(UNMAP, &path(Some(&entity))).urgency(Urgency::First).accept(&[403, 404]);
        let answer = self.guarded.send(UNMAP, order).await?;
        // Only an answer without a body says that it is done; after any other the mapping tells.
        let says_gone = answer.status() == 204;
        if !says_gone && self.mapping(UNMAP, &credential.id).await?.as_ref().is_some_and(is_ours) {
            return Err(another(UNMAP));
        }
        Ok(Ordered::Done(()))
    }

    /// The MD5 of the certificate in DER, in hexadecimal: the API's own way to name a mapping, and no secret.
    fn id_of(&self, certificate: &Certificate) -> Result<String> {
        let length = text(certificate).len();
        if length > LONGEST {
            let detail = format!("the certificate takes {length} characters, and a mapping {LONGEST} at most");
            return Err(Error::new(Kind::Invalid, MAP).detail(detail));
        }
        Ok(hexadecimal(&Md5::digest(certificate.der())))
    }

    async fn look_up(&self, id: &str) -> Result<Option<ObservedCredential>> {
        Ok(self.mapping(LOOK, id).await?.map(observed))
    }

    /// Whoever shows a certificate fetches no token.
    async fn prove(&self, _: &Issued) -> Result<Proof> {
        Ok(Proof::NotTestable)
    }
}

fn path(entity: Option<&str>) -> Vec<&str> {
    ["api", "v1"].into_iter().chain([entity.unwrap_or("CertificateUserMappings")]).collect()
}

fn entity(id: &str) -> String {
    format!("CertificateUserMappings('{id}')")
}

/// The certificate as it is sent: its PEM text in base64.
fn text(certificate: &Certificate) -> String {
    BASE64_STANDARD.encode(certificate.pem())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A mapping as the platform shows it: it knows no name of ours.
fn observed(mapping: Mapping) -> ObservedCredential {
    let id = mapping.id.to_lowercase();
    ObservedCredential { name: id.clone(), id, identity: mapping.user, health: Health::Usable, material: None }
}

/// The answer shows something else than was asked for.
fn another(operation: &'static str) -> Error {
    Error::new(Kind::UnexpectedAnswer, operation).detail("the answer is about something else")
}

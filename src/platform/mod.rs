//! The outside: what a driver offers, in three small capabilities. Nothing here knows Kubernetes.
//!
//! A driver reads in bulk and writes in batches. A platform that lacks a capability has `None` for it; the plan
//! refuses what needs it before any call is made.
//!
//! A list proves that something is there, never that something is not: lists are old, cut, and read while things change.
//! That nothing is there is believed of the targeted reads alone ([`Identities::find`], [`Credentials::find`],
//! [`Grants::holds`]). An order orders, and says whether it made or found; it never takes over what it found. What the
//! platform has begun and not ended is followed, over a restart too. A driver does not order again by itself after an
//! answer was lost ([`Kind::OutcomeUnknown`]): whoever ordered looks first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;

use crate::api::{Identity, IdentityKind, Principal, RoleKind};
use crate::plan::capability::{OwnRoles, Recall};
use crate::plan::owner::Owner;
pub use crate::plan::technical_user::Health;
use crate::plan::technical_user::credential::GENERATED;

pub mod accounts;
pub mod admin_secret;
mod broker;
mod btp;
pub mod budget;
mod capabilities;
pub mod certificate;
mod cloud_foundry;
pub mod connect;
mod directory;
pub mod error;
pub mod forbidden;
pub mod http;
mod log_on;
pub mod mirror;
mod neo;
pub mod password;
pub mod pause;
pub mod proof;
pub mod reading;
mod scim;
mod service_manager;
pub mod session;
pub mod shown;
pub mod side_by_side;
#[cfg(test)]
mod stand_in;
pub mod token;
mod uaa;
pub mod whereabouts;
mod xsuaa;

pub use accounts::Accounts;
pub use admin_secret::AdminSecret;
pub use capabilities::{Credentials, Grants, Identities, Scope};
pub use certificate::{Certificate, KeyPair};
pub use connect::connect;
pub use error::{Error, Kind, Result};
pub use log_on::{Landing, LoggedOn};
use session::Session;
pub use whereabouts::Whereabouts;

/// What a platform can do for us. What is not in a map it cannot.
#[derive(Clone, Default)]
pub struct Driver {
    /// Who makes identities of each kind.
    pub makers: BTreeMap<IdentityKind, Maker>,
    /// Who grants roles of each kind.
    pub grants: BTreeMap<RoleKind, Arc<dyn Grants>>,
    /// The sessions of the admin credentials behind them.
    pub sessions: Vec<Session>,
    /// How it is found out what the platform is.
    pub landing: Landing,
}

/// Makes identities of one kind, and issues their credentials.
#[derive(Clone)]
pub struct Maker {
    /// Makes and removes them; `None` where an identity is but a name, and nothing is made for it.
    pub identities: Option<Arc<dyn Identities>>,
    /// Issues and revokes their credentials.
    pub credentials: Arc<dyn Credentials>,
    /// How a credential can be had again.
    pub recall: Recall,
}

impl Maker {
    /// One API that does both.
    pub fn of<D: Identities + Credentials + 'static>(driver: Arc<D>, recall: Recall) -> Self {
        Self { identities: Some(Arc::clone(&driver) as _), credentials: driver, recall }
    }

    /// One API that takes credentials for names, and makes nothing else.
    pub fn of_names<D: Credentials + 'static>(driver: Arc<D>, recall: Recall) -> Self {
        Self { identities: None, credentials: driver, recall }
    }
}

/// For whom something on the platform was made, as its mark says. Values may be cut to what the platform takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The uid of the TechnicalUser.
    pub uid: String,
    /// The namespace that it was in.
    pub namespace: String,
    /// The name that it had.
    pub name: String,
}

/// An identity as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedIdentity {
    /// Its name: [`Owner::identity_name`], unless somebody gave it another. Several may have one name.
    pub name: String,
    /// The platform's id for it.
    pub id: String,
    /// Whether it can be used.
    pub health: Health,
    /// The roles it carries, or `None` where the platform does not tell.
    pub roles: Option<BTreeSet<String>>,
    /// For whom it was made.
    pub mark: Option<Mark>,
    /// The user that it is to the platform's other APIs, where it is one: roles are granted to it as to any user.
    pub user: Option<Principal>,
    /// The name of the credential that its only secret is, on platforms that keep nothing but that; `None` elsewhere,
    /// and where nobody holds the secret.
    pub credential: Option<String>,
}

impl ObservedIdentity {
    /// One that is but a name: it is there without being made.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: name.to_owned(),
            health: Health::Usable,
            roles: None,
            mark: None,
            user: None,
            credential: None,
        }
    }
}

/// An identity to be made.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// Whose it is: marks and names it.
    pub owner: Owner,
    /// What it is.
    pub identity: Identity,
    /// The roles it carries from the start.
    pub roles: BTreeSet<String>,
    /// How they reach it.
    pub own_roles: OwnRoles,
}

/// A credential as the platform shows it, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedCredential {
    /// Its name: [`Owner::credential_name`].
    pub name: String,
    /// The platform's id for it.
    pub id: String,
    /// The id of the identity it belongs to.
    pub identity: String,
    /// Whether it can be used.
    pub health: Health,
    /// What it was made of, as its mark says: [`Making::material`] of its order.
    pub material: Option<String>,
}

/// A credential to be issued.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Whose it is.
    pub owner: Owner,
    /// What it is called: [`Owner::credential_name`].
    pub name: String,
    /// What it is made of.
    pub making: Making,
}

/// What a credential is made of.
#[derive(Clone, Debug, Default)]
pub enum Making {
    /// What the platform makes unless it is asked for something else: a secret, mostly.
    #[default]
    Usual,
    /// A certificate that the platform makes, with its key.
    Generated(Asked),
    /// A certificate that is brought along. Never its private key.
    Brought(Certificate),
}

impl Making {
    /// The word for it that goes into the mark of a credential, where credentials have one.
    pub fn material(&self) -> Option<String> {
        match self {
            Self::Usual => None,
            Self::Generated(_) => Some(GENERATED.to_owned()),
            Self::Brought(certificate) => Some(certificate.digest()),
        }
    }
}

/// What is asked for of a certificate that the platform makes. What is left out is the platform's to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// For how many days it shall be good.
    pub days: Option<u64>,
    /// The length of its key, in bits.
    pub key_length: Option<u32>,
}

impl NewCredential {
    /// One that the platform makes.
    pub fn made(owner: &Owner, name: &str) -> Self {
        Self { owner: owner.clone(), name: name.to_owned(), making: Making::Usual }
    }
}

/// One field of a credential.
pub enum Field {
    /// Plain text.
    Text(SecretString),
    /// A JSON value that is not a string, as JSON text.
    Json(SecretString),
}

/// Where a credential comes from, in the words of the BTP service catalogue: fills the Secret's `.metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The service offering, for example `it-rt`.
    pub label: String,
    /// The plan.
    pub plan: String,
    /// Name of the instance, or of the client.
    pub instance_name: String,
    /// Id of the instance, or of the client.
    pub instance_guid: String,
    /// Tags of the offering.
    pub tags: Vec<String>,
}

/// A credential with its value, in memory only. It has no `Debug` and no `Clone`.
#[must_use = "publish it in its Secret or revoke it"]
pub struct Issued {
    /// The credential.
    pub credential: ObservedCredential,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Its fields, flat: `clientid`, `clientsecret`, `tokenurl`, `url`, …
    pub fields: BTreeMap<String, Field>,
}

/// Where the platform tells how a change goes on: opaque to everybody but its driver. Short text without a secret, so
/// it can be kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation(pub String);

/// How an order was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered<T> {
    /// It is done.
    Done(T),
    /// Something of that name with the owner's mark is there already, and nothing was ordered. A targeted read tells
    /// what it is.
    Found,
    /// The platform has begun, and had not ended when the driver stopped watching.
    Begun(Operation),
}

/// How a change that was begun stands.
#[derive(Debug)]
pub enum Progress {
    /// The platform is still at work.
    Running,
    /// It is done. A targeted read tells what there is now.
    Succeeded,
    /// It was not done, and will not be.
    Failed(Error),
    /// The platform knows nothing of it any more, nor of what it was about. A targeted read tells what there is.
    Gone,
}

/// What a proof showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A token was issued for the credential, good for these scopes, where the token service says so.
    Works(Option<Vec<String>>),
    /// The credential's fields name no token endpoint, so there is nothing to ask.
    NotTestable,
}

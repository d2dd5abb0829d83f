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

use async_trait::async_trait;
use secrecy::SecretString;

use crate::api::{Identity, IdentityKind, Principal, RoleKind};
use crate::plan::capability::{OwnRoles, Recall};
use crate::plan::grant::Grant;
use crate::plan::owner::Owner;
pub use crate::plan::technical_user::Health;

pub mod accounts;
pub mod admin_secret;
mod broker;
mod btp;
pub mod budget;
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
    /// What it was made of, as its mark says: [`NewCredential::material`] of its order.
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
    /// A word for that, which goes into the mark of the credential where it has one.
    pub material: Option<String>,
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
        Self { owner: owner.clone(), name: name.to_owned(), making: Making::Usual, material: None }
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

/// Makes and removes identities that carry our mark.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Every identity that carries this cluster's mark. Costs pages, not objects. Proves presence only.
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>>;
    /// Everything that carries this owner's mark, several of one name among them, read now. An empty answer proves that
    /// there is nothing. Something under our name without our mark is [`Kind::Conflict`].
    async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>>;
    /// Orders it. Nothing is ordered where the name is taken: by ours it is [`Ordered::Found`], by something without the
    /// owner's mark [`Kind::Conflict`].
    async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>>;
    /// Makes the roles that the identity carries exactly these.
    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>>;
    /// Removes it, with every credential it still has, whoever made that. Absent is done.
    async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>>;
    /// Whether the platform refuses a second order of one name also while it carries out the first. Where it does not,
    /// an order whose answer was lost may appear beside the one that was sent after it.
    fn guards_names(&self) -> bool;
    /// How a change goes on, of an identity or of a credential, also one that another process began.
    async fn follow(&self, operation: &Operation) -> Result<Progress>;
}

/// Issues and revokes credentials of identities that carry our mark. Where the platform keeps just the one that was issued
/// last ([`Recall::LastOnly`]), `list` and `find` are empty, and [`ObservedIdentity::credential`] names it. Where credentials
/// are brought along ([`Recall::Brought`]) nothing tells ours from others: both show everybody's, under the platform's id.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Every credential that carries this cluster's mark, without values. Costs pages, not objects. Proves presence only.
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>>;
    /// Every credential of an identity, whoever made it, read now: the identity is ours, so they are. An empty answer
    /// proves that there is none.
    async fn find(&self, identity: &ObservedIdentity) -> Result<Vec<ObservedCredential>>;
    /// Orders one under this name. Where the name is taken by ours it is [`Ordered::Found`], by something without the
    /// owner's mark [`Kind::Conflict`]. Where the platform keeps no names, the old one stops working.
    async fn issue(&self, identity: &ObservedIdentity, wanted: &NewCredential) -> Result<Ordered<Issued>>;
    /// The platform's own copy; `None` where the platform shows a value only once ([`Recall::Revealed`] is the other). Of
    /// one that was brought along ([`Recall::Brought`]) what the platform adds to it.
    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>>;
    /// Ends it. Absent is done.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<Ordered<()>>;
    /// The platform's id of the credential that a certificate will be, where they are brought along. Makes no call.
    fn id_of(&self, _: &Certificate) -> Result<String> {
        Err(Error::new(Kind::Invalid, "take certificate").detail("the platform takes no certificates"))
    }
    /// The credential of this id, whosever it is, read now. An empty answer proves that there is none. Asked where they are
    /// brought along.
    async fn look_up(&self, _id: &str) -> Result<Option<ObservedCredential>> {
        Ok(None)
    }
    /// Asks for one token with it, once. [`Kind::ProofRefused`] where the platform says no.
    async fn prove(&self, issued: &Issued) -> Result<Proof>;
}

/// A part of the platform's grants that one bulk read answers for, such as all members, or one role collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(pub String);

/// Grants roles to users and groups, and takes them away.
#[async_trait]
pub trait Grants: Send + Sync {
    /// The bulk read that tells of this grant.
    fn scope(&self, grant: &Grant) -> Scope;
    /// The most grants of a scope to change together: as many as the platform takes at once, and no more than leave a
    /// revocation waiting for seconds.
    fn batch_size(&self, scope: &Scope) -> usize;
    /// Which of these, all of one scope, are in force, in as few calls as pages. Proves presence only. Nothing is kept
    /// of grants that were not asked about.
    async fn read(&self, scope: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>>;
    /// Whether each of these is in force, read now for them alone. One result for each, in their order; they need not
    /// share a scope.
    async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>>;
    /// Grants all of these, which share a scope, in as few calls as the platform allows. One result for each, in their order.
    async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>>;
    /// Takes all of these away, which share a scope. Absent is success. One result for each, in their order.
    async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>>;
}

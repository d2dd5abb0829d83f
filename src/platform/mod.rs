//! The outside: what a driver offers, in three small capabilities. Nothing here knows Kubernetes.
//!
//! A driver reads in bulk and writes in batches. A platform that lacks a capability has `None` for it; the plan
//! refuses what needs it before any call is made. Every method is idempotent: repeating it after a lost answer
//! finds what the first call did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::api::Identity;
use crate::plan::grant::Grant;
use crate::plan::owner::Owner;
pub use crate::plan::technical_user::Health;

pub mod admin_secret;
pub mod budget;
pub mod connect;
pub mod error;
pub mod http;
pub mod mirror;
pub mod neo;
pub mod pause;
pub mod proof;
pub mod service_manager;
pub mod session;
pub mod side_by_side;
pub mod token;
pub mod uaa;
pub mod xsuaa;

pub use admin_secret::AdminSecret;
pub use connect::connect;
pub use error::{Error, Kind, Result};
use session::Session;

/// What a platform can do for us. `None`: it cannot.
#[derive(Clone, Default)]
pub struct Driver {
    /// Makes and removes identities.
    pub identities: Option<Arc<dyn Identities>>,
    /// Issues and revokes their credentials.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// Grants roles to users and groups.
    pub grants: Option<Arc<dyn Grants>>,
    /// The sessions of the admin credentials behind them.
    pub sessions: Vec<Session>,
}

impl Driver {
    /// Logs on with every admin credential: shows that the Platform can be worked with.
    pub async fn log_on(&self) -> Result<()> {
        for session in &self.sessions {
            session.log_on().await?;
        }
        Ok(())
    }
}

/// An identity as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedIdentity {
    /// Its name: [`Owner::identity_name`].
    pub name: String,
    /// The platform's id for it.
    pub id: String,
    /// Whether it can be used.
    pub health: Health,
    /// The roles it carries, or `None` where the platform does not tell.
    pub roles: Option<BTreeSet<String>>,
}

/// An identity to be made.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// Whose it is: marks and names it.
    pub owner: Owner,
    /// What it is.
    pub identity: Identity,
    /// The roles it carries from the start, and the instance parameter that takes them where there is one.
    pub roles: BTreeSet<String>,
    /// Name of the instance parameter that takes the roles; `None` where roles are not a parameter.
    pub roles_parameter: Option<String>,
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

/// What a proof showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A token was issued for the credential.
    Works,
    /// The credential's fields name no token endpoint, so there is nothing to ask.
    NotTestable,
}

/// Makes and removes identities that carry our mark.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Every identity that carries this cluster's mark. Costs pages, not objects.
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedIdentity>>;
    /// Makes it. One of that name with our owner's mark is found, not made again, and given the wanted roles; one
    /// without the mark is [`Kind::Conflict`].
    async fn create(&self, wanted: &NewIdentity) -> Result<ObservedIdentity>;
    /// Makes the roles that the identity carries exactly these.
    async fn set_roles(&self, identity: &ObservedIdentity, wanted: &NewIdentity) -> Result<ObservedIdentity>;
    /// Removes it, with every credential it still has. Absent is success.
    async fn delete(&self, identity: &ObservedIdentity) -> Result<()>;
}

/// Issues and revokes credentials of identities that carry our mark.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Whether the platform keeps credentials under our names and shows their values again. Where it does not, an
    /// identity has just the credential that was issued last, `list` is empty, and `reveal` has nothing to show.
    fn keeps(&self) -> bool;
    /// Every credential that carries this cluster's mark, without values. Costs pages, not objects.
    async fn list(&self, cluster: &str) -> Result<Vec<ObservedCredential>>;
    /// Issues one under this name. One of that name with our mark is found, not issued again, where the platform can
    /// show it; where it cannot, the old one stops working.
    async fn issue(&self, identity: &ObservedIdentity, owner: &Owner, name: &str) -> Result<Issued>;
    /// The platform's own copy, or `None` where the platform shows a value only once.
    async fn reveal(&self, credential: &ObservedCredential) -> Result<Option<Issued>>;
    /// Ends it. Absent is success.
    async fn revoke(&self, credential: &ObservedCredential) -> Result<()>;
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

//! What a driver offers, in three small capabilities. Types of what they speak of are in the folder's own file.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{
    Certificate, Error, Issued, Kind, NewCredential, NewIdentity, ObservedCredential, ObservedIdentity, Operation,
    Ordered, Progress, Proof, Result,
};
#[cfg(doc)]
use crate::plan::capability::Recall;
use crate::plan::grant::Grant;
use crate::plan::owner::Owner;

/// Makes and removes identities that carry our mark.
///
/// ```
/// # use std::sync::Mutex;
/// # use async_trait::async_trait;
/// # use technical_user_operator::api::Identity;
/// # use technical_user_operator::plan::capability::OwnRoles;
/// # use technical_user_operator::plan::owner::Owner;
/// # use technical_user_operator::platform::{
/// #     Identities, NewIdentity, ObservedIdentity, Operation, Ordered, Progress, Result,
/// # };
/// /// Clients of a platform that knows no second of one name. Their names are the mark.
/// #[derive(Default)]
/// struct Clients(Mutex<Vec<ObservedIdentity>>);
///
/// #[async_trait]
/// impl Identities for Clients {
///     async fn list(&self, _cluster: &str) -> Result<Vec<ObservedIdentity>> {
///         Ok(self.0.lock().unwrap().clone())
///     }
///     async fn find(&self, owner: &Owner) -> Result<Vec<ObservedIdentity>> {
///         let (name, mut found) = (owner.identity_name(), self.list(&owner.cluster).await?);
///         found.retain(|one| one.name == name);
///         Ok(found)
///     }
///     async fn create(&self, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
///         if !self.find(&wanted.owner).await?.is_empty() {
///             return Ok(Ordered::Found); // it is not taken over: whoever ordered looks
///         }
///         let named = ObservedIdentity::named(&wanted.owner.identity_name());
///         let made = ObservedIdentity { roles: Some(wanted.roles.clone()), ..named };
///         self.0.lock().unwrap().push(made.clone());
///         Ok(Ordered::Done(made))
///     }
/// #     async fn set_roles(&self, one: &ObservedIdentity, _: &NewIdentity) -> Result<Ordered<ObservedIdentity>> {
/// #         Ok(Ordered::Done(one.clone()))
/// #     }
///     async fn delete(&self, identity: &ObservedIdentity) -> Result<Ordered<()>> {
///         self.0.lock().unwrap().retain(|one| one.id != identity.id);
///         Ok(Ordered::Done(())) // absent is done
///     }
///     fn guards_names(&self) -> bool {
///         true
///     }
///     async fn follow(&self, _: &Operation) -> Result<Progress> {
///         Ok(Progress::Gone) // nothing of it goes on after the answer
///     }
/// }
/// # let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "orders".into(), name: "orders".into() };
/// # let identity: Identity = serde_json::from_str(r#"{ "oauthClient": {} }"#)?;
/// # let wanted = NewIdentity { owner, identity, roles: ["send".to_owned()].into(), own_roles: OwnRoles::Authorities };
/// # let clients = Clients::default();
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// assert!(matches!(clients.create(&wanted).await?, Ordered::Done(_)));
/// assert!(matches!(clients.create(&wanted).await?, Ordered::Found));
/// # Ok::<(), technical_user_operator::platform::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// # use std::sync::Arc;
/// # use technical_user_operator::plan::owner::Owner;
/// # use technical_user_operator::platform::{Credentials, Issued, NewCredential, ObservedIdentity, Ordered, Result};
/// /// Whoever orders looks first, and never orders again before a look has said that there is nothing.
/// async fn issued(
///     credentials: Arc<dyn Credentials>,
///     identity: &ObservedIdentity,
///     owner: &Owner,
/// ) -> Result<Option<Issued>> {
///     let name = owner.credential_name(1);
///     if let Some(found) = credentials.find(identity).await?.into_iter().find(|one| one.name == name) {
///         return credentials.reveal(&found).await; // where a value is shown once it is lost
///     }
///     match credentials.issue(identity, &NewCredential::made(owner, &name)).await? {
///         Ordered::Done(issued) => Ok(Some(issued)),
///         Ordered::Found | Ordered::Begun(_) => Ok(None), // the next look tells
///     }
/// }
/// ```
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
///
/// ```
/// # use std::collections::BTreeSet;
/// # use std::sync::Mutex;
/// # use async_trait::async_trait;
/// # use technical_user_operator::api::Role;
/// # use technical_user_operator::plan::grant::{Grant, Holder, HolderKind};
/// # use technical_user_operator::platform::{Grants, Result, Scope};
/// /// The members of a platform, of which one list tells, and which takes fifty changes at once.
/// #[derive(Default)]
/// struct Members(Mutex<BTreeSet<Grant>>);
///
/// #[async_trait]
/// impl Grants for Members {
///     fn scope(&self, _: &Grant) -> Scope {
///         Scope("members".into())
///     }
///     fn batch_size(&self, _: &Scope) -> usize {
///         50
///     }
///     async fn read(&self, _: &Scope, of: &BTreeSet<Grant>) -> Result<BTreeSet<Grant>> {
///         Ok(self.0.lock().unwrap().intersection(of).cloned().collect()) // nothing is kept of others
///     }
///     async fn holds(&self, grants: &[Grant]) -> Vec<Result<bool>> {
///         let members = self.0.lock().unwrap();
///         grants.iter().map(|one| Ok(members.contains(one))).collect()
///     }
///     async fn grant(&self, grants: &[Grant]) -> Vec<Result<()>> {
///         self.0.lock().unwrap().extend(grants.iter().cloned());
///         grants.iter().map(|_| Ok(())).collect()
///     }
///     async fn revoke(&self, grants: &[Grant]) -> Vec<Result<()>> {
///         self.0.lock().unwrap().retain(|one| !grants.contains(one));
///         grants.iter().map(|_| Ok(())).collect()
///     }
/// }
/// # let role: Role = serde_json::from_str(r#"{ "memberRole": { "name": "Developer" } }"#)?;
/// # let members = Members::default();
/// let jane = Grant::new(Holder::named(HolderKind::User, "jane", "accounts.sap.com"), role);
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// members.grant(std::slice::from_ref(&jane)).await;
/// assert!(matches!(members.holds(&[jane]).await[..], [Ok(true)]));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

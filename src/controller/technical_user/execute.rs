//! Carries out the strands of a TechnicalUser's plan. It decides nothing: each step is one effect, in the plan's order,
//! and a step that fails ends its strand alone.

use std::collections::BTreeSet;

use kube::ResourceExt;

use super::observe::Seen;
use crate::api::technical_user::{IntentStatus, LedgerCredential, OperationKind, OperationStatus};
use crate::api::{IdentityStatus, MadeOf, Platform, TechnicalUser};
use crate::controller::Context;
use crate::controller::error::{Class, Error, Result};
use crate::controller::live::Live;
use crate::controller::report::Journal;
use crate::controller::secret::form::Shape;
use crate::controller::turns::Turn;
use crate::plan::capability;
use crate::plan::technical_user::{self as plan, SecretFact, Step, Strand, Want};
use crate::platform::mirror::Mirrored;
use crate::platform::{
    self, Health, Issued, KeyPair, Kind, NewCredential, NewIdentity, ObservedCredential, ObservedIdentity, Operation,
    Ordered,
};

/// One plan being carried out.
pub struct Execution<'a> {
    pub live: &'a mut Live<TechnicalUser>,
    pub journal: &'a mut Journal,
    pub context: &'a Context,
    pub mirrored: &'a Mirrored,
    pub platform: &'a Platform,
    pub want: &'a Want,
    pub seen: &'a mut Seen,
    /// Leave to order something new: kept from the first order of a strand to its last.
    pub turn: Option<Turn>,
    /// What is brought along as the credential, if anything is.
    pub pair: Option<&'a KeyPair>,
    /// Whether the platform is at work on something that this execution ordered, or may be: nothing else is ordered
    /// then, or the two would cross.
    pub at_work: bool,
}

impl Execution<'_> {
    /// Carries out every strand, each to its end or its first failure. Nothing is begun before the object is held and
    /// known to be as we have it. The worst failure is told: one that leaves the Secret without a working credential. What
    /// kept a credential that works from being replaced is told apart, where only a person can mend it.
    pub async fn carry_out(&mut self, strands: &[Strand]) -> Result<Option<Error>> {
        self.live.hold().await?;
        self.live.confirm().await?;
        let (mut failure, mut unrotated) = (None, None);
        // One without steps needs no turn, and must not let go of that of the next.
        for strand in strands.iter().filter(|strand| !strand.steps.is_empty()) {
            let done = self.strand(strand).await;
            self.turn = None;
            match done {
                Ok(()) => {}
                Err(Error::LostRace) => return Err(Error::LostRace),
                Err(Error::NotYet) => drop(failure.get_or_insert(Error::NotYet)),
                Err(error) if strand.restores_service() || self.may_have_ended_what_worked(strand) => {
                    failure = Some(Error::Unserved(Box::new(error)));
                }
                Err(error) if strand.rotates && !passes_by_itself(&error) => unrotated = Some(error),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        failure.map_or(Ok(unrotated), Err)
    }

    /// Whether another credential was ordered where there is but one, and nobody has said that it was not made.
    fn may_have_ended_what_worked(&self, strand: &Strand) -> bool {
        strand.rotates && !self.seen.have.recall.is_listed() && self.live.status.intent.is_some()
    }

    async fn strand(&mut self, strand: &Strand) -> Result<()> {
        for step in &strand.steps {
            if self.at_work && step.orders() {
                return Err(in_progress("change identity"));
            }
            let done = self.step(step).await;
            let open = |error: &Error| matches!(error, Error::Platform(error) if leaves_open(error));
            self.at_work |= done.as_ref().is_err_and(open);
            done?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::DeleteIdentity(id) => self.delete_identity(id).await,
            Step::Intend(sequence) => self.intend(*sequence, None, MadeOf::default()).await,
            Step::Desist => self.desist().await,
            Step::Claim { sequence, id } => self.claim(*sequence, id).await,
            Step::IntendRoles(roles) => self.intend_roles(roles).await,
            Step::CreateIdentity(roles) => self.create_identity(roles).await,
            Step::SetRoles(roles) => self.set_roles(roles).await,
            Step::Issue(sequence) => self.issue(*sequence).await,
            Step::Publish { sequence, id } => self.restore(*sequence, id).await,
            Step::Reform(sequence) => self.reform(*sequence).await,
            Step::Acknowledge(sequence) => self.acknowledge(*sequence),
            Step::Dress => self.dress().await,
            Step::Revoke { id, .. } => self.revoke(id).await,
            Step::RemoveSecret => self.remove_secret().await,
        }
    }

    async fn delete_identity(&mut self, id: &str) -> Result<()> {
        let identity = self.identity(id)?.clone();
        match self.mirrored.delete_identity(&identity).await? {
            Ordered::Begun(operation) => return self.begun(OperationKind::Delete, operation).await,
            Ordered::Done(()) | Ordered::Found => {}
        }
        self.seen.identities.retain(|one| one.id != id);
        self.seen.credentials.retain(|one| one.identity != id);
        self.journal.note("Deprovisioned", format!("removed {} and its credentials", identity.name));
        Ok(())
    }

    pub(super) async fn intend(&mut self, sequence: i64, fingerprint: Option<String>, made_of: MadeOf) -> Result<()> {
        let layout = Shape::of(self.live.object()).layout();
        self.live.status.intent = Some(IntentStatus { sequence, fingerprint, made_of, layout });
        self.live.record().await
    }

    async fn desist(&mut self) -> Result<()> {
        self.live.status.intent = None;
        self.live.record().await
    }

    async fn claim(&mut self, sequence: i64, id: &str) -> Result<()> {
        let name = self.want.owner.credential_name(sequence);
        self.strike(id);
        self.live.status.ledger.push(LedgerCredential { name, id: id.to_owned() });
        self.live.record().await
    }

    /// Takes a credential off the ledger: it is gone, or was never ours.
    fn strike(&mut self, id: &str) {
        self.live.status.ledger.retain(|entry| entry.id != id);
    }

    async fn intend_roles(&mut self, roles: &BTreeSet<String>) -> Result<()> {
        let kept = self.kept()?.clone();
        self.leave_to_give(roles).await?;
        let identity = super::record::identity(&mut self.live.status, &kept);
        identity.roles_asked_for = Some(roles.iter().cloned().collect());
        self.live.record().await
    }

    async fn create_identity(&mut self, roles: &BTreeSet<String>) -> Result<()> {
        self.turn_to_order().await?;
        let ordered = self.mirrored.create(&self.wanted(roles)).await;
        match self.answered(ordered)? {
            Ordered::Done(identity) => {
                self.journal.note("Provisioned", format!("created {} with {}", identity.name, listed(roles)));
                super::record::created(&mut self.live.status, &identity, self.want.roles.as_ref().map(|_| roles));
                let usable = identity.health == Health::Usable;
                self.seen.identities.push(identity);
                if usable { Ok(()) } else { Err(in_progress("create identity")) }
            }
            Ordered::Found => Err(in_progress("create identity")),
            Ordered::Begun(operation) => {
                self.live.status.identity = Some(IdentityStatus {
                    name: self.want.owner.identity_name(),
                    roles_asked_for: self.want.roles.as_ref().map(|_| roles.iter().cloned().collect()),
                    ..IdentityStatus::default()
                });
                self.begun(OperationKind::Create, operation).await
            }
        }
    }

    async fn set_roles(&mut self, roles: &BTreeSet<String>) -> Result<()> {
        let identity = self.kept()?.clone();
        self.leave_to_give(roles).await?;
        match self.mirrored.set_roles(&identity, &self.wanted(roles)).await {
            Ok(Ordered::Done(changed)) => {
                self.journal.note("RolesChanged", format!("{} now carries {}", changed.name, listed(roles)));
                super::record::created(&mut self.live.status, &changed, Some(roles));
                Ok(())
            }
            Ok(Ordered::Begun(operation)) => self.begun(OperationKind::SetRoles, operation).await,
            Ok(Ordered::Found) => Err(in_progress("set roles")),
            Err(error) => {
                if is_refusal(&error) {
                    super::record::identity(&mut self.live.status, &identity).roles_asked_for = None;
                }
                Err(error.into())
            }
        }
    }

    async fn issue(&mut self, sequence: i64) -> Result<()> {
        self.turn_to_order().await?;
        let name = self.want.owner.credential_name(sequence);
        let identity = self.kept()?.clone();
        let making = super::source::making(self.live.object(), self.pair);
        let wanted = NewCredential { owner: self.want.owner.clone(), name: name.clone(), making };
        let ordered = self.mirrored.issue(&identity, &wanted).await;
        self.turn = None;
        // Nothing came of it, and what worked before works on.
        if ordered.as_ref().is_err_and(is_refusal) && self.live.status.credential.is_some() {
            self.desist().await?;
        }
        match self.answered(ordered)? {
            Ordered::Done(issued) => {
                let issued = self.completed(issued);
                let replaces = self.live.status.credential.is_some();
                self.context.metrics.issued();
                self.publish(&issued, sequence).await?;
                if replaces {
                    self.rest();
                }
                self.journal.note("Issued", format!("issued credential {name} and wrote it into the Secret"));
                Ok(())
            }
            Ordered::Found => self.appeared(),
            Ordered::Begun(operation) => self.begun(OperationKind::Issue, operation).await,
        }
    }

    /// What was not there is there before it was ordered. Where it has no mark, it is ours only if an order of ours was still
    /// on its way.
    fn appeared(&mut self) -> Result<()> {
        if let Some(brought) = self.want.brought.as_ref().filter(|_| !self.seen.have.order_in_doubt) {
            self.strike(&brought.id);
        }
        Err(in_progress("issue credential"))
    }

    /// With what was brought along for it.
    pub(super) fn completed(&self, issued: Issued) -> Issued {
        match self.pair {
            Some(pair) if issued.credential.material == self.want.material => pair.complete(issued),
            _ => issued,
        }
    }

    /// Whoever changes the Secret again and again is not answered each time.
    pub(super) fn rest(&self) {
        self.context.retries.rest(&self.live.object().uid().unwrap_or_default());
    }

    async fn dress(&mut self) -> Result<()> {
        let SecretFact::Ours { fingerprint, .. } = &self.seen.have.secret else {
            return Ok(());
        };
        if let Some(secret) = &mut self.seen.secret {
            secret.dress(fingerprint, &self.context.written).await?;
            self.journal.note("SecretRestored", "put the Secret's owner, labels and annotations right");
        }
        Ok(())
    }

    async fn revoke(&mut self, id: &str) -> Result<()> {
        let credential = self.credential(id)?.clone();
        match self.mirrored.revoke_credential(&credential).await? {
            Ordered::Begun(operation) => return self.begun(OperationKind::Revoke, operation).await,
            Ordered::Done(()) | Ordered::Found => {}
        }
        self.strike(&credential.id);
        let name = credential.name;
        self.live.status.superseded.retain(|one| one.name != name);
        self.journal.note("Revoked", format!("revoked credential {name}, which the Secret does not hold"));
        Ok(())
    }

    async fn remove_secret(&mut self) -> Result<()> {
        match &mut self.seen.secret {
            Some(secret) => secret.remove().await,
            None => Ok(()),
        }
    }

    /// Before something new is ordered: the rules are as the cache has them, and it is this object's turn.
    async fn turn_to_order(&mut self) -> Result<()> {
        self.rules_are_known().await?;
        if self.turn.is_none() {
            let turn = self.context.turns.order(&self.platform.name_any(), self.live.object());
            self.turn = Some(turn.ok_or(Error::NotYet)?);
        }
        Ok(())
    }

    /// Before the identity gets these roles: what it is not known to carry is given by rules that are as the cache has
    /// them. Taking away waits for nothing.
    async fn leave_to_give(&self, roles: &BTreeSet<String>) -> Result<()> {
        let kept = plan::identity::kept(&self.seen.have);
        let carried = kept.and_then(|kept| plan::roles::carried(kept, &self.seen.have).0);
        if roles.is_subset(&carried.unwrap_or_default()) { Ok(()) } else { self.rules_are_known().await }
    }

    async fn rules_are_known(&self) -> Result<()> {
        self.context.rules.confirm(&self.platform.name_any(), self.context).await
    }

    /// Remembers an order whose answer was lost: it may yet appear.
    fn answered<T>(&self, ordered: platform::Result<Ordered<T>>) -> Result<Ordered<T>> {
        let uid = self.live.object().uid().unwrap_or_default();
        match &ordered {
            Err(error) if error.kind() == Kind::OutcomeUnknown => self.context.orders.unknown(&uid),
            Ok(_) => self.context.orders.known(&uid),
            Err(_) => {}
        }
        Ok(ordered?)
    }

    /// Records a change that the platform is at work on. It is followed from there, also by another process.
    async fn begun(&mut self, change: OperationKind, Operation(location): Operation) -> Result<()> {
        self.live.status.operation = Some(OperationStatus { change, location });
        self.live.record().await?;
        Err(in_progress(super::operation::word(change)))
    }

    fn identity(&self, id: &str) -> Result<&ObservedIdentity> {
        self.seen.identities.iter().find(|one| one.id == id).ok_or(Error::LostRace)
    }

    /// The identity that is kept of all that carry the mark.
    fn kept(&self) -> Result<&ObservedIdentity> {
        let kept = plan::identity::kept(&self.seen.have).map(|kept| kept.id.clone());
        let made = || self.seen.identities.last().ok_or(Error::LostRace);
        kept.map_or_else(made, |id| self.identity(&id))
    }

    pub(super) fn credential(&self, id: &str) -> Result<&ObservedCredential> {
        self.seen.credentials.iter().find(|credential| credential.id == id).ok_or(Error::LostRace)
    }

    fn wanted(&self, roles: &BTreeSet<String>) -> NewIdentity {
        let identity = self.live.object().spec.identity.clone();
        let own_roles = capability::own_roles(&self.platform.spec, &identity);
        NewIdentity { owner: self.want.owner.clone(), identity, roles: roles.clone(), own_roles }
    }
}

/// Whether nobody needs to be told why a credential was not replaced: the next try mends it.
fn passes_by_itself(error: &Error) -> bool {
    matches!(error.class(), Class::Time | Class::Work | Class::Race)
}

/// Whether the platform may be at work on what it was asked for.
fn leaves_open(error: &platform::Error) -> bool {
    matches!(error.kind(), Kind::InProgress | Kind::OutcomeUnknown)
}

/// Whether the platform understood and said no, so that everything is as it was.
fn is_refusal(error: &platform::Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::NotFound | Kind::Forbidden)
}

fn listed(roles: &BTreeSet<String>) -> String {
    match roles.iter().map(String::as_str).collect::<Vec<_>>().join(", ") {
        roles if roles.is_empty() => "no roles".to_owned(),
        roles => format!("roles {roles}"),
    }
}

/// Somebody else's, which an order would take over.
pub fn taken() -> Error {
    let detail = "the certificate is mapped already, and not by this TechnicalUser; it is left alone";
    platform::Error::new(Kind::Conflict, "map certificate").detail(detail).into()
}

/// The platform is at work: look again soon.
pub fn in_progress(operation: &'static str) -> Error {
    platform::Error::new(Kind::InProgress, operation).into()
}

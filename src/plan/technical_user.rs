//! What to do for a TechnicalUser: make the identity, give it its roles, issue a credential, publish it, drop the rest.
//!
//! Where the platform keeps our names, a lost answer is found again by name and no intent needs to be written: the
//! finalizer on the object is the record. Where it keeps none (a UAA client has just the secret that was set last),
//! the intent is written before the effect. The Secret is the commit record of which credential is live.

use std::collections::BTreeSet;
use std::fmt;

use super::owner::Owner;

/// What the TechnicalUser shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Whose identity it is.
    pub owner: Owner,
    /// The roles that the identity itself carries; `None` where it carries none by nature.
    pub roles: Option<BTreeSet<String>>,
    /// Whether the identity is only made once it has a role.
    pub waits_for_roles: bool,
}

/// Whether something on the platform can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It can.
    Usable,
    /// The platform is still at work on it.
    InProgress,
    /// Its creation failed; it is in the way.
    Failed,
}

/// The identity as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFact {
    /// Whether it can be used.
    pub health: Health,
    /// The roles it carries, where the platform tells.
    pub roles: Option<BTreeSet<String>>,
}

/// A credential of the identity as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFact {
    /// Its name on the platform.
    pub name: String,
    /// Whether it can be used.
    pub health: Health,
}

/// The Secret, as one live read found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFact {
    /// There is none.
    Absent,
    /// There is one, and it belongs to somebody else.
    Foreign,
    /// It is ours.
    Ours {
        /// The number of the issue that it says it holds.
        sequence: Option<i64>,
        /// The fingerprint that its content has.
        fingerprint: String,
        /// The fingerprint that we wrote beside the content.
        claimed: Option<String>,
        /// Whether labels and annotations are as wanted.
        dressed: bool,
    },
}

/// What the status records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The roles last given to the identity; `None` if it was never made, or if a change of them may be half done.
    pub roles: Option<BTreeSet<String>>,
    /// The credential last published: its sequence and the fingerprint of the Secret's content.
    pub credential: Option<(i64, String)>,
    /// The credential that we last set out to issue, on platforms that keep no credentials under our names.
    pub intent: Option<i64>,
}

/// Everything that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// The identity, if the platform has it.
    pub identity: Option<IdentityFact>,
    /// Its credentials that carry our names.
    pub credentials: Vec<CredentialFact>,
    /// The Secret.
    pub secret: SecretFact,
    /// The status.
    pub recorded: Recorded,
    /// Whether the platform keeps credentials under our names and shows their values again. Where it does not, an
    /// identity has just the one that was issued last, and `credentials` is empty.
    pub keeps: bool,
}

/// One effect. Steps are carried out in order; the first that fails ends the round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Remove the identity with all its credentials.
    DeleteIdentity,
    /// Record that this credential is about to be issued.
    Intend(i64),
    /// Record that it is not known which roles the identity carries: they are about to be changed.
    ForgetRoles,
    /// Make the identity, carrying these roles.
    CreateIdentity(BTreeSet<String>),
    /// Make the identity's roles exactly these.
    SetRoles(BTreeSet<String>),
    /// Issue this credential, prove it, and write it into the Secret.
    Issue(i64),
    /// Fetch this credential from the platform's own copy, prove it, and write it into the Secret.
    Publish(i64),
    /// Put the Secret's labels and annotations right, keeping its content.
    Dress,
    /// End a credential that the Secret does not hold.
    Revoke(String),
    /// Remove the Secret.
    RemoveSecret,
}

/// Why the object cannot be Ready although every step was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// No RoleBinding gives it a role.
    NoRoles,
    /// The platform is still at work.
    InProgress,
    /// A Secret of that name belongs to somebody else.
    SecretNotOurs,
}

/// The steps, and what keeps the object from being Ready after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What is left to wait for.
    pub hold: Option<Hold>,
}

impl Plan {
    /// Whether the Secret holds no credential that works until the steps are done.
    pub fn restores_service(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Issue(_) | Step::Publish(_)))
    }

    fn hold(hold: Hold) -> Self {
        Self { steps: vec![], hold: Some(hold) }
    }
}

/// The way from what there is to what is wanted. The plan of a converged world has no steps.
pub fn plan(want: &Want, have: &Have) -> Plan {
    if have.secret == SecretFact::Foreign {
        return Plan::hold(Hold::SecretNotOurs);
    }
    let roles = want.roles.clone().unwrap_or_default();
    let no_roles = want.waits_for_roles && roles.is_empty();
    match &have.identity {
        Some(identity) if identity.health == Health::InProgress => Plan::hold(Hold::InProgress),
        Some(identity) if identity.health == Health::Usable => {
            let hold = no_roles.then_some(Hold::NoRoles);
            let steps = correct_roles(want, identity, have).into_iter().chain(credential(want, have)).collect();
            if in_progress(have) { Plan::hold(Hold::InProgress) } else { Plan { steps, hold } }
        }
        broken => {
            let discard = broken.is_some().then_some(Step::DeleteIdentity);
            if no_roles {
                return Plan { steps: discard.into_iter().collect(), hold: Some(Hold::NoRoles) };
            }
            let sequence = next_sequence(want, have);
            let fresh = [Step::CreateIdentity(roles), Step::Issue(sequence)];
            let before = forget(want, have).into_iter().chain(intent(have, sequence));
            Plan { steps: discard.into_iter().chain(before).chain(fresh).collect(), hold: None }
        }
    }
}

/// The way to nothing: what a deleted object, or one that is no longer allowed, leaves behind on the platform.
pub fn farewell(have: &Have) -> Vec<Step> {
    let identity = have.identity.is_some().then_some(Step::DeleteIdentity);
    let secret = matches!(have.secret, SecretFact::Ours { .. }).then_some(Step::RemoveSecret);
    identity.into_iter().chain(secret).collect()
}

fn in_progress(have: &Have) -> bool {
    have.credentials.iter().any(|credential| credential.health == Health::InProgress)
}

/// Roles are compared with what the platform says; where it does not tell, with what was last asked for.
fn correct_roles(want: &Want, identity: &IdentityFact, have: &Have) -> Vec<Step> {
    let Some(wanted) = &want.roles else { return vec![] };
    let (told, recorded) = (identity.roles.as_ref(), have.recorded.roles.as_ref());
    if told.or(recorded) == Some(wanted) {
        return vec![];
    }
    let before = if told.is_none() { forget(want, have) } else { None };
    before.into_iter().chain([Step::SetRoles(wanted.clone())]).collect()
}

/// The record owed before roles are given: should the answer be lost and the wish be taken back, the roles last
/// recorded would look right on a platform that does not tell.
fn forget(want: &Want, have: &Have) -> Option<Step> {
    (want.roles.is_some() && have.recorded.roles.is_some()).then_some(Step::ForgetRoles)
}

/// What the credential and its Secret need, then the end of every credential that is not the live one.
fn credential(want: &Want, have: &Have) -> Vec<Step> {
    let usable = |sequence: i64| {
        let name = want.owner.credential_name(sequence);
        !have.keeps || have.credentials.iter().any(|one| one.name == name && one.health == Health::Usable)
    };
    let (live, mut steps) = match published(have).filter(|(sequence, _)| usable(*sequence)) {
        Some((sequence, Content::Right)) => (sequence, vec![]),
        Some((sequence, Content::Undressed)) => (sequence, vec![Step::Dress]),
        Some((sequence, Content::Altered)) if have.keeps => (sequence, vec![Step::Publish(sequence)]),
        _ => replacement(want, have),
    };
    let keep = want.owner.credential_name(live);
    let others = have.credentials.iter().filter(|one| one.name != keep);
    steps.extend(others.map(|one| Step::Revoke(one.name.clone())));
    steps
}

/// A credential that never reached the Secret is published if its value can still be had; otherwise a new one is issued.
/// One that is older than the recorded one did reach it, and was superseded: it never comes back.
fn replacement(want: &Want, have: &Have) -> (i64, Vec<Step>) {
    let usable = have.credentials.iter().filter(|one| one.health == Health::Usable);
    let recorded = have.recorded.credential.as_ref().map_or(0, |(sequence, _)| *sequence);
    let unpublished = usable.filter_map(|one| want.owner.sequence_of(&one.name)).filter(|one| *one > recorded);
    match unpublished.max() {
        Some(sequence) if have.keeps => (sequence, vec![Step::Publish(sequence)]),
        _ => {
            let sequence = next_sequence(want, have);
            (sequence, intent(have, sequence).into_iter().chain([Step::Issue(sequence)]).collect())
        }
    }
}

/// The record owed before an effect that the platform keeps no name of.
fn intent(have: &Have, sequence: i64) -> Option<Step> {
    (!have.keeps).then_some(Step::Intend(sequence))
}

/// How the content of the Secret compares with what we wrote.
enum Content {
    Right,
    Undressed,
    Altered,
}

/// Which credential is the published one, and how its Secret looks.
///
/// The Secret may be one issue ahead of the status: we crashed between the two writes. Then its own claim counts if
/// the intent names that issue. Without an intent the claim is anybody's, and the platform's own copy is at hand.
fn published(have: &Have) -> Option<(i64, Content)> {
    let recorded = have.recorded.credential.as_ref();
    match &have.secret {
        SecretFact::Ours { sequence: Some(sequence), fingerprint, claimed, dressed } => {
            // An issue that was begun and never reached the Secret has ended the one that the Secret holds.
            let overtaken = have.recorded.intent.is_some_and(|intent| intent > *sequence);
            let trusted = match recorded {
                _ if overtaken => None,
                Some((known, print)) if known >= sequence => (known == sequence).then_some(print),
                _ if have.recorded.intent == Some(*sequence) => claimed.as_ref(),
                _ => None,
            };
            match (trusted == Some(fingerprint), dressed) {
                (true, true) if claimed.as_ref() == trusted => Some((*sequence, Content::Right)),
                (true, _) => Some((*sequence, Content::Undressed)),
                (false, _) => Some((recorded.map_or(*sequence, |(known, _)| *known), Content::Altered)),
            }
        }
        _ => recorded.map(|(known, _)| (*known, Content::Altered)),
    }
}

/// One more than any number that was ever used, as far as anything remembers.
fn next_sequence(want: &Want, have: &Have) -> i64 {
    let on_platform = have.credentials.iter().filter_map(|one| want.owner.sequence_of(&one.name));
    let recorded = have.recorded.credential.as_ref().map(|(sequence, _)| *sequence);
    let known = on_platform.chain(recorded).chain(have.recorded.intent).max().unwrap_or(0);
    let in_secret = match &have.secret {
        SecretFact::Ours { sequence, .. } => sequence.filter(|one| *one <= known.saturating_add(FARTHEST_AHEAD)),
        _ => None,
    };
    known.max(in_secret.unwrap_or(0)).saturating_add(1)
}

/// The Secret is ahead of every other record by as many issues as died before theirs was written. A number beyond
/// that was put there by somebody else, and counting on from it would soon exceed what a credential's name can hold.
const FARTHEST_AHEAD: i64 = 100;

impl fmt::Display for Step {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |roles: &BTreeSet<String>| roles.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::DeleteIdentity => write!(text, "delete the identity and its credentials"),
            Self::Intend(sequence) => write!(text, "record that credential {sequence} is about to be issued"),
            Self::ForgetRoles => write!(text, "record that the identity's roles are about to change"),
            Self::CreateIdentity(roles) => write!(text, "create the identity with roles [{}]", list(roles)),
            Self::SetRoles(roles) => write!(text, "set the identity's roles to [{}]", list(roles)),
            Self::Issue(sequence) => write!(text, "issue credential {sequence} and write the Secret"),
            Self::Publish(sequence) => {
                write!(text, "write the Secret from the platform's copy of credential {sequence}")
            }
            Self::Dress => write!(text, "put the Secret's labels and annotations right"),
            Self::Revoke(name) => write!(text, "revoke credential {name}"),
            Self::RemoveSecret => write!(text, "remove the Secret"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want() -> Want {
        let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "x".into() };
        Want { owner, roles: None, waits_for_roles: false }
    }

    fn secret(sequence: i64, content: &str) -> SecretFact {
        let text = content.to_owned();
        SecretFact::Ours { sequence: Some(sequence), claimed: Some(text.clone()), fingerprint: text, dressed: true }
    }

    /// A usable identity, these usable credentials, and a status that records credential 1 with content `a`.
    fn have(keeps: bool, credentials: &[i64], secret: SecretFact) -> Have {
        let name = |sequence: &i64| want().owner.credential_name(*sequence);
        let usable = |sequence| CredentialFact { name: name(sequence), health: Health::Usable };
        Have {
            identity: Some(IdentityFact { health: Health::Usable, roles: None }),
            credentials: credentials.iter().map(usable).collect(),
            secret,
            recorded: Recorded { credential: Some((1, "a".into())), ..Recorded::default() },
            keeps,
        }
    }

    #[test]
    fn content_that_claims_to_be_newer_is_believed_only_where_an_intent_says_so() {
        let mut forged = have(false, &[], secret(2, "forged"));
        assert_eq!(plan(&want(), &forged).steps, vec![Step::Intend(3), Step::Issue(3)]);
        forged.recorded.intent = Some(2);
        assert_eq!(plan(&want(), &forged), Plan::default());
        let kept = have(true, &[1], secret(2, "forged"));
        assert_eq!(plan(&want(), &kept).steps, vec![Step::Publish(1)]);
    }

    #[test]
    fn a_sequence_that_somebody_made_up_is_not_counted_on_from() {
        let forged = have(false, &[], secret(i64::MAX, "forged"));
        assert_eq!(plan(&want(), &forged).steps, vec![Step::Intend(2), Step::Issue(2)]);
    }

    #[test]
    fn a_superseded_credential_never_comes_back() {
        // An old listing shows credential 1; the status records 2, which replaced it.
        let mut behind = have(true, &[1], secret(2, "b"));
        behind.recorded.credential = Some((2, "b".into()));
        let revoke = Step::Revoke(want().owner.credential_name(1));
        assert_eq!(plan(&want(), &behind).steps, vec![Step::Issue(3), revoke]);
    }

    #[test]
    fn roles_that_the_platform_does_not_tell_are_forgotten_before_they_change() {
        let roles = |role: &str| BTreeSet::from([role.to_owned()]);
        let mut world = have(true, &[1], secret(1, "a"));
        world.recorded.roles = Some(roles("send"));
        let want = Want { roles: Some(roles("read")), ..want() };
        assert_eq!(plan(&want, &world).steps, vec![Step::ForgetRoles, Step::SetRoles(roles("read"))]);
        world.recorded.roles = None;
        assert_eq!(plan(&want, &world).steps, vec![Step::SetRoles(roles("read"))]);
    }
}

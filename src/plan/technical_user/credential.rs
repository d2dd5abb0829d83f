//! What the credential and its Secret need, and the end of every credential that is not the live one.

use k8s_openapi::jiff::Timestamp;

use super::facts::{CredentialFact, Have, Health, IdentityFact, Intent, SecretFact, Want};
use super::form;
use super::steps::{Hold, Step, Strand};
use super::{overlap, rotation};

/// The Secret is ahead of every other record by as many issues as died before theirs was written. A number beyond
/// that was put there by somebody else, and counting on from it would soon exceed what a credential's name can hold.
const FARTHEST_AHEAD: i64 = 100;

/// What a credential is made of whose certificate the platform makes, key and all.
pub const GENERATED: &str = "generated";

/// How the content of the Secret compares with what we wrote.
enum Content {
    Right,
    /// Right, and the record does not say so yet.
    Unrecorded,
    Undressed,
    Altered,
}

/// The credential that shall be in the Secret, and what it takes to get it there.
struct Live {
    /// The platform's id for it, if it is one that is there already.
    id: Option<String>,
    steps: Vec<Step>,
}

/// What is needed, and what there is to wait for. First the live credential gets into the Secret; only then do the
/// others end.
pub fn tend(want: &Want, have: &Have, kept: &IdentityFact, now: Timestamp) -> (Strand, Option<Hold>) {
    if have.secret == SecretFact::Foreign {
        let live = known(want, have, kept).and_then(|live| live.id);
        return (Strand::of(others(want, have, kept, live.as_deref(), now)), Some(Hold::SecretNotOurs));
    }
    // What stands in the Secret works until another can take its place.
    if have.taken {
        return (Strand::default(), Some(Hold::Taken));
    }
    let Some(live) = known(want, have, kept).or_else(|| replacement(want, have, kept)) else {
        return (Strand::default(), Some(Hold::InProgress));
    };
    if live.id.is_none() && is_blocked(want, have, now) {
        return (Strand::default(), Some(Hold::Lost));
    }
    let others = others(want, have, kept, live.id.as_deref(), now);
    let unfinished = ours(want, have, kept).any(|one| one.health == Health::InProgress) || may_appear(have);
    (Strand::of(live.steps.into_iter().chain(others)), unfinished.then_some(Hold::InProgress))
}

/// Whether a person wants to be asked before a value that was lost is replaced. What is ours to finish is finished.
fn is_blocked(want: &Want, have: &Have, now: Timestamp) -> bool {
    let is_lost = have.recorded.credential.is_some() && have.recorded.intent.is_none();
    let is_missed = have.recall.is_shown_once();
    want.blocks_on_loss && is_lost && is_missed && !rotation::is_due(want, have, now)
}

/// Whether the credential of the Secret is the one that shall be there, and nothing is to be done for it.
pub fn is_right(want: &Want, have: &Have, kept: &IdentityFact) -> bool {
    known(want, have, kept).is_some_and(|live| live.steps.is_empty())
}

/// What puts another credential in the place of the one that works: none, while the platform is at work on it.
pub fn successor(want: &Want, have: &Have, kept: &IdentityFact) -> Vec<Step> {
    replacement(want, have, kept).map(|live| live.steps).unwrap_or_default()
}

/// Whether the ledger, or the intent, speaks of something that is not there and may yet appear.
fn may_appear(have: &Have) -> bool {
    let is_there = |id: &str| have.credentials.iter().any(|one| one.id == id);
    let missing = have.recorded.ledger.iter().any(|entry| !is_there(&entry.id));
    have.order_in_doubt && (missing || have.recorded.intent.is_some())
}

/// What can be done for the Secret while the platform is at work on the identity.
pub fn heal(want: &Want, have: &Have, kept: &IdentityFact) -> Strand {
    let live = if have.secret == SecretFact::Foreign { None } else { known(want, have, kept) };
    Strand::of(live.map(|live| live.steps).unwrap_or_default())
}

/// The record owed before an issue: of a value that the platform shows once, since after a crash nobody else can vouch for
/// it; of one that is brought along, since the platform will not say whose it is.
pub fn intent(want: &Want, have: &Have, sequence: i64) -> Option<Step> {
    if have.recall.is_brought() {
        return want.brought.as_ref().map(|brought| Step::Claim { sequence, id: brought.id.clone() });
    }
    have.recall.is_shown_once().then_some(Step::Intend(sequence))
}

/// One more than any number that was ever used, as far as anything remembers.
pub fn next_sequence(want: &Want, have: &Have) -> i64 {
    let marks = have.identities.iter().filter_map(|one| one.credential.as_ref());
    let names = have.credentials.iter().map(|one| &one.name).chain(marks);
    let names = names.chain(have.recorded.ledger.iter().map(|one| &one.name));
    let on_platform = names.filter_map(|name| want.owner.sequence_of(name));
    let recorded = have.recorded.credential.as_ref().map(|published| published.sequence);
    let intended = have.recorded.intent.as_ref().map(|intent| intent.sequence);
    let known = on_platform.chain(recorded).chain(intended).max().unwrap_or(0);
    let in_secret = match &have.secret {
        SecretFact::Ours { sequence, .. } => sequence.filter(|one| *one <= known.saturating_add(FARTHEST_AHEAD)),
        _ => None,
    };
    known.max(in_secret.unwrap_or(0)).saturating_add(1)
}

/// The published credential, if the platform still has it: the one that was about to be written into the Secret when we
/// crashed, else the one that is on record.
fn known(want: &Want, have: &Have, kept: &IdentityFact) -> Option<Live> {
    begun(have).into_iter().chain(recorded(have)).find_map(|found| of_number(want, have, kept, found))
}

/// The credential of this number, if the platform has it and nothing speaks against it.
fn of_number(want: &Want, have: &Have, kept: &IdentityFact, (sequence, content): (i64, Content)) -> Option<Live> {
    let found = if have.recall.is_listed() {
        Some(listed(want, have, kept, sequence)?)
    } else if kept.credential.as_ref() == Some(&want.owner.credential_name(sequence)) {
        None
    } else {
        // Somebody set another secret: an old leader, a crash of ours, or a person.
        return None;
    };
    let content = if is_renewed(want, have, found) { Content::Altered } else { content };
    let id = found.map(|one| one.id.clone());
    let reform = || form::anew(sequence, id.as_ref(), !have.recall.is_shown_once());
    let steps = match (content, &id) {
        (Content::Unrecorded, _) if form::is_another_once_recorded(want, have) => {
            vec![Step::Acknowledge(sequence), reform()]
        }
        (Content::Unrecorded, _) => vec![Step::Acknowledge(sequence)],
        (Content::Right | Content::Undressed, _) if form::is_another(want, have) => vec![reform()],
        (Content::Right, _) if have.recorded.intent.is_some() && !have.order_in_doubt => vec![Step::Desist],
        (Content::Right, _) => vec![],
        (Content::Undressed, _) => vec![Step::Dress],
        (Content::Altered, Some(id)) if found.is_some_and(|one| can_be_had(want, have, one)) => {
            vec![Step::Publish { sequence, id: id.clone() }]
        }
        (Content::Altered, _) => return None,
    };
    Some(Live { id, steps })
}

/// The credential of this number among those that the platform lists, if nothing speaks against it.
fn listed<'a>(want: &'a Want, have: &'a Have, kept: &'a IdentityFact, sequence: i64) -> Option<&'a CredentialFact> {
    if have.recall.is_shown_once() && is_followed(want, have, kept, sequence) {
        return None;
    }
    usable(want, have, kept, sequence).filter(|one| !have.recall.is_brought() || is_brought(want, one))
}

/// Whether it is the credential that is brought along, or is made of what is.
fn is_brought(want: &Want, credential: &CredentialFact) -> bool {
    let is_it = |id: &String| *id == credential.id || Some(id) == credential.material.as_ref();
    want.brought.as_ref().is_some_and(|brought| is_it(&brought.id))
}

/// Whether what the Secret took over is not what is brought along now for the same credential, such as a chain whose
/// authority was renewed.
fn is_renewed(want: &Want, have: &Have, found: Option<&CredentialFact>) -> bool {
    let is_the_same = found.is_some_and(|one| one.material == want.material);
    let recorded = have.recorded.credential.as_ref().and_then(|published| published.source.as_ref());
    is_the_same && want.brought.as_ref().is_some_and(|brought| recorded != Some(&brought.source))
}

/// Whether its value can be had again: nobody has the key any more of a certificate that was brought along and is not now.
fn can_be_had(want: &Want, have: &Have, credential: &CredentialFact) -> bool {
    let was_brought = credential.material.as_ref().is_some_and(|material| material != GENERATED);
    !have.recall.is_shown_once() && (!was_brought || credential.material == want.material)
}

/// Whether a later one was issued and never reached the Secret. Where a value is shown once nobody can vouch for either,
/// and there are platforms where a later one does not end without the earlier.
fn is_followed(want: &Want, have: &Have, kept: &IdentityFact, sequence: i64) -> bool {
    let usable = ours(want, have, kept).filter(|one| one.health == Health::Usable);
    usable.filter_map(|one| want.owner.sequence_of(&one.name)).any(|one| one > sequence)
}

/// The usable credential of this number: the one that the record names, or of several the first by id.
fn usable<'a>(want: &'a Want, have: &'a Have, kept: &'a IdentityFact, sequence: i64) -> Option<&'a CredentialFact> {
    let name = want.owner.credential_name(sequence);
    let published = have.recorded.credential.as_ref().filter(|published| published.sequence == sequence);
    let recorded =
        published.filter(|_| have.recorded.is_credential_of(kept)).and_then(|published| published.id.as_ref());
    let named = ours(want, have, kept).filter(|one| one.name == name && one.health == Health::Usable);
    named.filter(|one| recorded.is_none_or(|id| *id == one.id)).min_by_key(|one| &one.id)
}

/// A credential that never reached the Secret is published if its value can still be had; otherwise a new one is issued.
/// One that is older than the recorded one did reach it, and was superseded: it never comes back, unless it is brought
/// along again. Nothing is issued while something that was ordered may yet appear.
fn replacement(want: &Want, have: &Have, kept: &IdentityFact) -> Option<Live> {
    let recorded = have.recorded.credential.as_ref().filter(|_| have.recorded.is_credential_of(kept));
    let recorded = recorded.map_or(0, |published| published.sequence);
    let unpublished = |one: &&CredentialFact| want.owner.sequence_of(&one.name).is_some_and(|one| one > recorded);
    // Whoever keeps what is brought along decides which it is, also if that is one from before.
    let can_be = |one: &&CredentialFact| is_brought(want, one) || !have.recall.is_brought() && unpublished(one);
    let candidates: Vec<&CredentialFact> = ours(want, have, kept).filter(can_be).collect();
    let is_wanted = |one: &&&CredentialFact| one.material == want.material && !have.recall.is_shown_once();
    let ready = candidates.iter().filter(|one| one.health == Health::Usable).filter(is_wanted);
    let newest = ready.filter_map(|one| Some((want.owner.sequence_of(&one.name)?, &one.id)));
    if let Some((sequence, id)) = newest.max_by_key(|(sequence, id)| (*sequence, std::cmp::Reverse(*id))) {
        let publish = Step::Publish { sequence, id: id.clone() };
        return Some(Live { id: Some(id.clone()), steps: vec![publish] });
    }
    let pending = candidates.iter().any(|one| one.health == Health::InProgress);
    // A second order for what is brought along is the same as the first, whichever comes later.
    if pending || have.order_in_doubt && !have.recall.is_brought() {
        return None;
    }
    let sequence = next_sequence(want, have);
    let steps = intent(want, have, sequence).into_iter().chain([Step::Issue(sequence)]).collect();
    Some(Live { id: None, steps })
}

/// The end of every credential under our names that is not the live one. What the platform is at work on is left until
/// it is done, what software may use until it has moved, and what was issued to take the live one's place is about to.
fn others(want: &Want, have: &Have, kept: &IdentityFact, live: Option<&str>, now: Timestamp) -> Vec<Step> {
    let rotates = rotation::is_due(want, have, now) && !have.recall.is_shown_once();
    let published = have.recorded.credential.as_ref().map_or(0, |published| published.sequence);
    let is_later = |one: &CredentialFact| want.owner.sequence_of(&one.name).is_some_and(|one| one > published);
    let comes = |one: &CredentialFact| rotates && one.material == want.material && is_later(one);
    let others = ours(want, have, kept).filter(|one| Some(one.id.as_str()) != live);
    let others = others.filter(|one| one.health != Health::InProgress);
    let others = others.filter(|one| !comes(one) && !overlap::protects(want, have, one));
    others.map(|one| Step::Revoke { id: one.id.clone(), name: one.name.clone() }).collect()
}

/// The credentials of the kept identity that carry our names.
fn ours<'a>(want: &'a Want, have: &'a Have, kept: &'a IdentityFact) -> impl Iterator<Item = &'a CredentialFact> {
    let of_kept = have.credentials.iter().filter(|one| one.identity == kept.id);
    of_kept.filter(|one| want.owner.sequence_of(&one.name).is_some())
}

/// The credential that was about to be written into the Secret, and is not on record yet: we crashed between the two
/// writes. The Secret's own claim is anybody's; the fingerprint in the intent is not.
fn begun(have: &Have) -> Option<(i64, Content)> {
    let Intent { sequence, fingerprint: Some(print) } = have.recorded.intent.as_ref()? else { return None };
    if have.recorded.credential.as_ref().is_some_and(|published| published.sequence >= *sequence) {
        return None;
    }
    match &have.secret {
        SecretFact::Ours { sequence: Some(held), fingerprint, .. } if held == sequence && fingerprint == print => {
            Some((*sequence, Content::Unrecorded))
        }
        _ => Some((*sequence, Content::Altered)),
    }
}

/// The credential on record, and how its Secret looks. Where there is but one, an issue that was begun has ended it.
fn recorded(have: &Have) -> Option<(i64, Content)> {
    let published = have.recorded.credential.as_ref()?;
    let intent = have.recorded.intent.as_ref().map_or(0, |intent| intent.sequence);
    if !have.recall.is_listed() && intent > published.sequence {
        return None;
    }
    if form::is_unrecorded(have) {
        return Some((published.sequence, Content::Unrecorded));
    }
    let content = match &have.secret {
        SecretFact::Ours { sequence: Some(held), fingerprint, claimed, dressed }
            if (*held, fingerprint) == (published.sequence, &published.fingerprint) =>
        {
            if *dressed && claimed.as_ref() == Some(fingerprint) { Content::Right } else { Content::Undressed }
        }
        _ => Content::Altered,
    };
    Some((published.sequence, content))
}

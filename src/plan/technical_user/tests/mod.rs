//! Single worlds: each was once got wrong, or would be easy to get wrong.

mod certificate;
mod rotation;

use super::*;
use crate::plan::capability::Recall;
use crate::plan::owner::Owner;

fn roles(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn want() -> Want {
    let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "x".into() };
    Want { owner, ..Want::default() }
}

fn name(sequence: i64) -> String {
    want().owner.credential_name(sequence)
}

fn identity(id: &str) -> IdentityFact {
    IdentityFact { id: id.into(), health: Health::Usable, roles: None, credential: None }
}

fn credential(id: &str, sequence: i64, health: Health) -> CredentialFact {
    CredentialFact { id: id.into(), name: name(sequence), identity: "i".into(), health, material: None }
}

fn secret(sequence: i64, content: &str) -> SecretFact {
    let text = content.to_owned();
    SecretFact::Ours { sequence: Some(sequence), claimed: Some(text.clone()), fingerprint: text, dressed: true }
}

fn published(sequence: i64, id: &str, fingerprint: &str) -> Published {
    let (id, fingerprint) = (Some(id.into()), fingerprint.into());
    Published { sequence, id, fingerprint, material: None, source: None, life: None, rotate_at: None, demand: None }
}

/// A platform that keeps credentials, with a usable identity and credential 1 of content `a`, all recorded.
fn kept() -> Have {
    let published = published(1, "b1", "a");
    Have {
        identities: vec![identity("i")],
        credentials: vec![credential("b1", 1, Health::Usable)],
        secret: secret(1, "a"),
        recorded: Recorded { identity: Some("i".into()), credential: Some(published), ..Recorded::default() },
        ..Have::default()
    }
}

/// A platform that keeps no more than the name of the only secret.
fn single() -> Have {
    let mut have = kept();
    have.credentials.clear();
    have.recall = Recall::LastOnly;
    have.identities[0].credential = Some(name(1));
    have.recorded.credential.iter_mut().for_each(|one| one.id = None);
    have
}

/// A platform that keeps credentials under our names and shows a value once.
fn listed() -> Have {
    Have { recall: Recall::Listed, ..kept() }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn steps(want: &Want, have: &Have) -> Vec<Step> {
    plan(want, have, now()).steps().cloned().collect()
}

fn publish(sequence: i64, id: &str) -> Step {
    Step::Publish { sequence, id: id.into() }
}

fn revoke(id: &str, sequence: i64) -> Step {
    Step::Revoke { id: id.into(), name: name(sequence) }
}

#[test]
fn a_converged_world_needs_nothing() {
    assert_eq!((steps(&want(), &kept()), plan(&want(), &kept(), now()).hold), (vec![], None));
    assert_eq!((steps(&want(), &single()), plan(&want(), &single(), now()).hold), (vec![], None));
}

#[test]
fn content_that_claims_to_be_newer_is_believed_only_where_an_intent_names_it() {
    let mut forged = Have { secret: secret(2, "forged"), ..single() };
    assert_eq!(steps(&want(), &forged), vec![Step::Intend(3), Step::Issue(3)]);
    forged.identities[0].credential = Some(name(2));
    forged.recorded.intent = Some(Intent { sequence: 2, fingerprint: None });
    assert_eq!(steps(&want(), &forged), vec![Step::Intend(3), Step::Issue(3)], "nobody said what its content would be");
    forged.recorded.intent = Some(Intent { sequence: 2, fingerprint: Some("forged".into()) });
    assert_eq!(steps(&want(), &forged), vec![Step::Acknowledge(2)]);
    let kept = Have { secret: secret(2, "forged"), ..kept() };
    assert_eq!(steps(&want(), &kept), vec![publish(1, "b1")]);
}

#[test]
fn a_secret_that_somebody_else_set_is_replaced() {
    let mut have = single();
    have.identities[0].credential = Some(name(2));
    assert_eq!(steps(&want(), &have), vec![Step::Intend(3), Step::Issue(3)]);
}

#[test]
fn a_value_that_is_shown_once_is_replaced_and_what_was_before_goes_after_that() {
    assert_eq!(steps(&want(), &listed()), vec![]);
    let mut lost = Have { secret: SecretFact::Absent, ..listed() };
    assert_eq!(steps(&want(), &lost), vec![Step::Intend(2), Step::Issue(2)]);
    lost.credentials.push(credential("b2", 2, Health::Usable));
    let replaced = vec![Step::Intend(3), Step::Issue(3), revoke("b2", 2)];
    assert_eq!(steps(&want(), &lost), replaced, "nobody holds the one that never reached the Secret");
}

#[test]
fn a_sequence_that_somebody_made_up_is_not_counted_on_from() {
    let forged = Have { secret: secret(i64::MAX, "forged"), ..single() };
    assert_eq!(steps(&want(), &forged), vec![Step::Intend(2), Step::Issue(2)]);
}

#[test]
fn a_superseded_credential_never_comes_back() {
    // A listing shows credential 1; the status records 2, which replaced it.
    let mut behind = kept();
    behind.secret = secret(2, "b");
    behind.recorded.credential = Some(published(2, "b2", "b"));
    assert_eq!(steps(&want(), &behind), vec![Step::Issue(3), revoke("b1", 1)]);
}

#[test]
fn of_several_identities_the_recorded_one_is_kept_and_the_others_go_after_the_secret_is_right() {
    let mut have = kept();
    have.identities.insert(0, identity("a"));
    have.secret = SecretFact::Absent;
    assert_eq!(steps(&want(), &have), vec![publish(1, "b1"), Step::DeleteIdentity("a".into())]);
    let gone: Vec<Step> = farewell(&have).steps().cloned().collect();
    assert_eq!(gone, vec![Step::DeleteIdentity("a".into()), Step::DeleteIdentity("i".into())]);
}

#[test]
fn of_several_credentials_of_one_name_the_recorded_one_is_kept() {
    let mut have = kept();
    have.credentials.insert(0, credential("b0", 1, Health::Usable));
    assert_eq!(steps(&want(), &have), vec![revoke("b0", 1)]);
}

#[test]
fn a_refused_role_holds_back_neither_a_heal_nor_a_removal() {
    let mut have = kept();
    have.secret = SecretFact::Absent;
    have.recorded.roles = Some(roles(&["old", "send"]));
    let want = Want { roles: Some(roles(&["refused", "send"])), ..want() };
    let set = |names: &[&str]| Strand::of([Step::IntendRoles(roles(names)), Step::SetRoles(roles(names))]);
    let nothing = Strand::default();
    let expected = vec![set(&["send"]), Strand::of([publish(1, "b1")]), set(&["refused", "send"]), nothing];
    assert_eq!(plan(&want, &have, now()).strands, expected);
}

#[test]
fn roles_that_were_asked_for_may_be_in_force() {
    let mut have = kept();
    have.recorded.roles = Some(roles(&["send"]));
    have.recorded.roles_asked_for = Some(roles(&["admin"]));
    let want = Want { roles: Some(roles(&["send"])), ..want() };
    assert_eq!(steps(&want, &have), vec![Step::IntendRoles(roles(&["send"])), Step::SetRoles(roles(&["send"]))]);
    let only: Vec<Step> = forbidden(&want, &have, &roles(&["admin"])).steps().cloned().collect();
    assert_eq!(only, vec![Step::IntendRoles(roles(&["send"])), Step::SetRoles(roles(&["send"]))]);
    assert!(forbidden(&want, &have, &roles(&["other"])).is_quiet());
}

#[test]
fn nothing_is_ordered_twice_while_the_first_order_may_yet_appear() {
    let in_doubt = Have { order_in_doubt: true, ..Have::default() };
    assert_eq!(plan(&want(), &in_doubt, now()), Plan::hold(Hold::InProgress));
    assert_eq!(farewell(&in_doubt).hold, Some(Hold::InProgress), "nor is the object let go");
    let issued = Have { credentials: vec![], order_in_doubt: true, ..kept() };
    assert_eq!((steps(&want(), &issued), plan(&want(), &issued, now()).hold), (vec![], Some(Hold::InProgress)));
}

#[test]
fn a_change_under_way_is_not_sent_again_and_holds_back_no_heal() {
    let mut have = Have { under_way: true, secret: SecretFact::Absent, ..kept() };
    have.recorded.roles = Some(roles(&["send"]));
    let want = Want { roles: Some(roles(&["read"])), ..want() };
    assert_eq!((steps(&want, &have), plan(&want, &have, now()).hold), (vec![publish(1, "b1")], Some(Hold::InProgress)));
}

#[test]
fn an_identity_that_had_a_credential_is_not_believed_to_have_failed() {
    let mut have = kept();
    have.identities[0].health = Health::Failed;
    assert!(plan(&want(), &have, now()).is_quiet());
    have.recorded.credential = None;
    assert_eq!(steps(&want(), &have), vec![Step::DeleteIdentity("i".into())]);
}

#[test]
fn a_foreign_secret_stops_no_removal() {
    let mut have = Have { secret: SecretFact::Foreign, ..kept() };
    have.recorded.roles = Some(roles(&["old", "send"]));
    have.credentials.push(credential("b2", 2, Health::Usable));
    let want = Want { roles: Some(roles(&["send"])), ..want() };
    let expected = vec![Step::IntendRoles(roles(&["send"])), Step::SetRoles(roles(&["send"])), revoke("b2", 2)];
    assert_eq!((steps(&want, &have), plan(&want, &have, now()).hold), (expected, Some(Hold::SecretNotOurs)));
}

/// A platform that keeps no mark of ours: certificate `a` was brought along, and is ours by the ledger.
fn brought() -> (Want, Have) {
    let published = Published { source: Some("source a".into()), ..published(1, "a", "a") };
    let recorded = Recorded { credential: Some(published), ledger: vec![entry(1, "a")], ..kept().recorded };
    let have =
        Have { credentials: vec![credential("a", 1, Health::Usable)], recall: Recall::Brought, recorded, ..kept() };
    (bringing("a"), have)
}

fn bringing(id: &str) -> Want {
    Want { brought: Some(Brought { id: id.into(), source: format!("source {id}") }), ..want() }
}

fn entry(sequence: i64, id: &str) -> Entry {
    Entry { name: name(sequence), id: id.into() }
}

fn claim(sequence: i64, id: &str) -> Step {
    Step::Claim { sequence, id: id.into() }
}

#[test]
fn a_renewed_certificate_takes_the_old_ones_place_before_that_ends() {
    let (same, mut have) = brought();
    assert_eq!(steps(&same, &have), vec![]);
    let renewed = bringing("b");
    assert_eq!(steps(&renewed, &have), vec![claim(2, "b"), Step::Issue(2)]);
    // We crashed after the order: the ledger says whose it is, and the value is at hand.
    have.recorded.ledger.push(entry(2, "b"));
    have.credentials.push(credential("b", 2, Health::Usable));
    assert_eq!(steps(&renewed, &have), vec![publish(2, "b")]);
    assert_eq!(steps(&same, &have), vec![revoke("b", 2)], "whoever keeps the source has put the old one back");
    // We crashed between Secret and status: the Secret already holds the new one.
    have.secret = secret(2, "b");
    have.recorded.intent = Some(Intent { sequence: 2, fingerprint: Some("b".into()) });
    assert_eq!(steps(&renewed, &have), vec![publish(2, "b")]);
    assert_eq!(steps(&bringing("c"), &have), vec![claim(3, "c"), Step::Issue(3), revoke("b", 2)]);
}

#[test]
fn a_superseded_certificate_that_is_brought_again_is_not_ordered_again() {
    let (first, mut have) = brought();
    have.recorded.credential = Some(published(2, "b", "b"));
    have.secret = secret(2, "b");
    have.recorded.ledger.push(entry(2, "b"));
    have.credentials.push(credential("b", 2, Health::Usable));
    assert_eq!(steps(&first, &have), vec![publish(1, "a")]);
}

#[test]
fn what_somebody_else_has_brought_is_never_taken_over_and_nothing_is_lost_meanwhile() {
    let (_, mut have) = brought();
    have.taken = true;
    let plan = plan(&bringing("b"), &have, now());
    assert_eq!((plan.is_quiet(), plan.hold), (true, Some(Hold::Taken)));
}

#[test]
fn the_content_is_had_again_from_where_it_was_brought() {
    let (want, have) = brought();
    for secret in [SecretFact::Absent, secret(1, "altered")] {
        assert_eq!(steps(&want, &Have { secret, ..have.clone() }), vec![publish(1, "a")]);
    }
    let with_another_chain = Brought { id: "a".into(), source: "source a, with another chain".into() };
    assert_eq!(steps(&Want { brought: Some(with_another_chain), ..want.clone() }, &have), vec![publish(1, "a")]);
    let removed_by_somebody = Have { credentials: vec![], ..have };
    assert_eq!(steps(&want, &removed_by_somebody), vec![claim(2, "a"), Step::Issue(2)]);
}

#[test]
fn of_a_name_nothing_goes_but_what_the_ledger_says_is_ours() {
    let (_, mut have) = brought();
    let gone: Vec<Step> = farewell(&have).steps().cloned().collect();
    assert_eq!(gone, vec![revoke("a", 1), Step::RemoveSecret]);
    have.credentials.clear();
    have.order_in_doubt = true;
    assert_eq!(farewell(&have).hold, Some(Hold::InProgress), "an order may yet arrive");
}

#[test]
fn what_may_yet_arrive_of_an_order_is_waited_for_and_keeps_nothing_back() {
    let (_, mut have) = brought();
    have.recorded.ledger.push(entry(2, "b"));
    have.order_in_doubt = true;
    let plan = plan(&bringing("c"), &have, now());
    let expected = vec![claim(3, "c"), Step::Issue(3)];
    assert_eq!((plan.steps().cloned().collect::<Vec<_>>(), plan.hold), (expected, Some(Hold::InProgress)));
}

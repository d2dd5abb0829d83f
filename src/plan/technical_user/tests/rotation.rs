//! Credentials that are replaced although they work.

use std::time::Duration;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn demanding() -> Want {
    let terms = Terms { least: HOUR, most: 10 * HOUR, until_rolled_out: true, holds: true };
    Want { rotation: Rotation { every: None, demand: Some("now".into()), terms }, ..want() }
}

fn superseded(sequence: i64, hours: u32) -> Superseded {
    Superseded { sequence, id: Some(format!("b{sequence}")), overlapped: hours * HOUR }
}

/// Credential 2 has taken the place of 1, so many hours ago.
fn replaced(hours: u32, users: Users) -> Have {
    let mut have = Have { secret: secret(2, "b"), users, ..kept() };
    have.credentials.push(credential("b2", 2, Health::Usable));
    have.recorded.credential = Some(Published { demand: Some("now".into()), ..published(2, "b2", "b") });
    have.recorded.superseded = vec![superseded(1, hours)];
    have
}

#[test]
fn what_is_due_is_replaced_and_what_is_not_is_left() {
    let mut have = kept();
    have.recorded.credential.iter_mut().for_each(|one| one.rotate_at = Some(now()));
    let yearly = Rotation { every: Some(HOUR), ..Rotation::default() };
    let want = Want { rotation: yearly, ..want() };
    assert_eq!(steps(&want, &have), vec![Step::Issue(2)]);
    assert!(plan(&want, &have, now()).only_rotates());
    assert!(
        plan(&want, &have, now()).strands.iter().all(|strand| !strand.restores_service()),
        "nobody misses anything"
    );
    have.recorded.credential.iter_mut().for_each(|one| one.rotate_at = Some(now() + HOUR));
    assert_eq!(steps(&want, &have), vec![]);
    assert_eq!(plan(&want, &have, now() + HOUR).steps().cloned().collect::<Vec<_>>(), vec![Step::Issue(2)]);
}

#[test]
fn a_person_asks_once_with_every_new_value() {
    assert_eq!(steps(&demanding(), &kept()), vec![Step::Issue(2)]);
    assert_eq!(steps(&demanding(), &listed()), vec![Step::Intend(2), Step::Issue(2)]);
    assert_eq!(steps(&demanding(), &single()), vec![Step::Intend(2), Step::Issue(2)]);
    let mut heeded = kept();
    heeded.recorded.credential.iter_mut().for_each(|one| one.demand = Some("now".into()));
    assert_eq!(steps(&demanding(), &heeded), vec![]);
}

#[test]
fn a_rotation_is_finished_wherever_it_stopped() {
    let mut have = kept();
    have.credentials.push(credential("b2", 2, Health::Usable));
    assert_eq!(steps(&demanding(), &have), vec![publish(2, "b2")], "it was issued");
    assert_eq!(steps(&want(), &have), vec![revoke("b2", 2)], "and is not asked for any more");
    have.recorded.intent = Some(Intent { sequence: 2, fingerprint: Some("b".into()) });
    have.recorded.superseded = vec![superseded(1, 0)];
    assert_eq!(steps(&want(), &have), vec![publish(2, "b2")], "it may have stood in the Secret");
    have.secret = secret(2, "b");
    assert_eq!(steps(&want(), &have), vec![Step::Acknowledge(2)], "it stands in the Secret");
    have.credentials.pop();
    have.secret = secret(1, "a");
    assert_eq!(steps(&want(), &have), vec![Step::Desist], "it was lost again, and the one before works");
}

#[test]
fn what_is_being_made_to_replace_another_is_waited_for_and_not_ordered_again() {
    let mut have = kept();
    have.credentials.push(credential("b2", 2, Health::InProgress));
    assert_eq!((steps(&demanding(), &have), plan(&demanding(), &have, now()).hold), (vec![], Some(Hold::InProgress)));
}

#[test]
fn a_secret_is_put_right_before_its_credential_is_replaced() {
    let altered = Have { secret: SecretFact::Absent, ..kept() };
    assert_eq!(steps(&demanding(), &altered), vec![publish(1, "b1")]);
    let foreign = Have { secret: SecretFact::Foreign, ..kept() };
    assert_eq!(steps(&demanding(), &foreign), vec![]);
}

#[test]
fn what_software_uses_stays_and_what_nobody_uses_goes() {
    let (nobody, somebody) = (Users::Still(vec![]), Users::Still(vec!["pod a".into()]));
    assert_eq!(steps(&demanding(), &replaced(0, nobody.clone())), vec![]);
    assert_eq!(steps(&demanding(), &replaced(1, somebody.clone())), vec![]);
    assert_eq!(steps(&demanding(), &replaced(10, somebody.clone())), vec![], "a person decides");
    assert_eq!(steps(&demanding(), &replaced(1, nobody)), vec![revoke("b1", 1)]);
    let mut revoking = demanding();
    revoking.rotation.terms.holds = false;
    assert_eq!(steps(&revoking, &replaced(10, somebody)), vec![revoke("b1", 1)]);
}

#[test]
fn nothing_is_replaced_while_the_one_before_is_in_force() {
    let mut want = demanding();
    want.rotation.demand = Some("again".into());
    let nobody = Users::Still(vec![]);
    assert_eq!(steps(&want, &replaced(0, nobody.clone())), vec![]);
    assert_eq!(steps(&want, &replaced(1, nobody)), vec![revoke("b1", 1)], "and then the next look replaces it");
}

#[test]
fn a_superseded_credential_of_which_the_platform_says_nothing_is_asked_for() {
    let mut have = replaced(1, Users::Still(vec![]));
    assert!(!overlap::may_have_ended(&demanding(), &have));
    have.credentials.remove(0);
    assert!(overlap::may_have_ended(&demanding(), &have));
}

#[test]
fn a_lost_value_is_replaced_only_when_a_person_asks_if_a_person_wants_it_so() {
    let blocking = Want { blocks_on_loss: true, ..want() };
    let lost = Have { secret: SecretFact::Absent, ..listed() };
    assert_eq!((steps(&blocking, &lost), plan(&blocking, &lost, now()).hold), (vec![], Some(Hold::Lost)));
    let asked = Want { blocks_on_loss: true, ..demanding() };
    assert_eq!(steps(&asked, &lost), vec![Step::Intend(2), Step::Issue(2)]);
    let revealed = Have { secret: SecretFact::Absent, ..kept() };
    assert_eq!(steps(&blocking, &revealed), vec![publish(1, "b1")], "nothing is lost where it is shown again");
    let mut begun = lost;
    begun.recorded.intent = Some(Intent { sequence: 2, fingerprint: None });
    assert_eq!(steps(&blocking, &begun), vec![Step::Intend(3), Step::Issue(3)], "we began it ourselves");
}

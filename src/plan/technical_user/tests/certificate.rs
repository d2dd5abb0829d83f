//! Credentials that are certificates, made by the platform or brought along, and the way from one to the other.

use std::time::Duration;

use super::super::credential::GENERATED;
use super::*;

const DAY: Duration = Duration::from_hours(24);

fn wanting(material: &str) -> Want {
    let brought =
        (material != GENERATED).then(|| Brought { id: material.into(), source: format!("source {material}") });
    Want { material: Some(material.into()), brought, ..want() }
}

fn made_of(material: &str, id: &str, sequence: i64) -> CredentialFact {
    CredentialFact { material: Some(material.into()), ..credential(id, sequence, Health::Usable) }
}

/// Credential 1 is this certificate, and all is on record.
fn certified(material: &str) -> Have {
    let source = (material != GENERATED).then(|| format!("source {material}"));
    let mut have = Have { credentials: vec![made_of(material, "b1", 1)], ..kept() };
    have.recorded.credential = Some(Published { material: Some(material.into()), source, ..published(1, "b1", "a") });
    have
}

#[test]
fn who_wants_a_certificate_in_the_place_of_a_secret_is_moved_to_it_and_back() {
    for (want, have) in [(wanting(GENERATED), kept()), (wanting("x"), kept()), (want(), certified("x"))] {
        let plan = plan(&want, &have, now());
        assert_eq!(plan.steps().cloned().collect::<Vec<_>>(), vec![Step::Issue(2)]);
        assert!(plan.strands.iter().all(|strand| !strand.restores_service()), "the old one works on");
    }
    for material in [GENERATED, "x"] {
        assert_eq!(steps(&wanting(material), &certified(material)), vec![]);
    }
}

#[test]
fn what_was_issued_for_another_wish_is_not_published() {
    let mut have = certified("x");
    have.credentials.push(made_of("y", "b2", 2));
    assert_eq!(steps(&wanting("y"), &have), vec![publish(2, "b2")], "we crashed in between");
    assert_eq!(
        steps(&wanting("z"), &have),
        vec![revoke("b2", 2), Step::Issue(3)],
        "and it was renewed again meanwhile"
    );
    assert_eq!(steps(&wanting("x"), &have), vec![revoke("b2", 2)], "or put back");
}

#[test]
fn a_renewed_certificate_waits_for_no_overlap() {
    let mut have = certified("y");
    have.recorded.superseded = vec![Superseded { sequence: 0, id: Some("b0".into()), overlapped: DAY }];
    assert_eq!(steps(&wanting("z"), &have), vec![Step::Issue(2)]);
    let demanding = Rotation { demand: Some("now".into()), ..Rotation::default() };
    assert_eq!(steps(&Want { rotation: demanding, ..wanting("y") }, &have), vec![], "a person does");
}

#[test]
fn who_changes_the_type_again_and_again_waits_for_the_overlap() {
    let mut have = certified("y");
    have.recorded.superseded = vec![Superseded { sequence: 0, id: Some("b0".into()), overlapped: DAY }];
    assert_eq!(steps(&wanting(GENERATED), &have), vec![]);
    assert_eq!(steps(&want(), &have), vec![]);
}

#[test]
fn a_superseded_certificate_that_is_put_back_is_not_ordered_again() {
    let mut have = certified("y");
    (have.secret, have.credentials) = (secret(2, "b"), vec![made_of("x", "b1", 1), made_of("y", "b2", 2)]);
    let published = published(2, "b2", "b");
    have.recorded.credential =
        Some(Published { material: Some("y".into()), source: Some("source y".into()), ..published });
    have.recorded.superseded = vec![Superseded { sequence: 1, id: Some("b1".into()), overlapped: DAY }];
    let still = Terms { until_rolled_out: true, holds: true, ..Terms::default() };
    let want = Want { rotation: Rotation { terms: still, ..Rotation::default() }, ..wanting("x") };
    assert_eq!(steps(&want, &have), vec![publish(1, "b1")], "a platform takes a certificate for one key only");
}

#[test]
fn what_ends_by_itself_is_renewed_when_it_is_due_whoever_uses_the_one_before() {
    let mut have = certified(GENERATED);
    have.recorded.superseded = vec![Superseded { sequence: 0, id: Some("b0".into()), overlapped: DAY }];
    let life = Life { from: now(), until: now() + 30 * DAY };
    have.recorded.credential.iter_mut().for_each(|one| {
        (one.life, one.rotate_at) = (Some(life), Some(now() + 19 * DAY));
    });
    let at = |days: u32, have: &Have| -> Vec<Step> {
        plan(&wanting(GENERATED), have, now() + days * DAY).steps().cloned().collect()
    };
    assert_eq!(at(18, &have), vec![], "not yet");
    assert_eq!(at(19, &have), vec![], "due, and the one before is in force");
    assert_eq!(at(20, &have), vec![Step::Issue(2)], "two thirds are over");
    have.recorded.superseded.clear();
    assert_eq!(at(19, &have), vec![Step::Issue(2)]);
}

#[test]
fn the_content_is_had_again_from_whoever_has_the_key() {
    let lost = |have: Have| Have { secret: SecretFact::Absent, ..have };
    assert_eq!(steps(&wanting("x"), &lost(certified("x"))), vec![publish(1, "b1")], "the source");
    assert_eq!(steps(&wanting(GENERATED), &lost(certified(GENERATED))), vec![publish(1, "b1")], "the platform");
    assert_eq!(steps(&wanting("x"), &lost(certified(GENERATED))), vec![publish(1, "b1")], "and then it is replaced");
    let nobody = steps(&wanting("y"), &lost(certified("x")));
    assert_eq!(nobody, vec![Step::Issue(2)], "the source has another by now");
}

#[test]
fn another_chain_of_the_same_certificate_is_written_and_nothing_is_issued() {
    let brought = Brought { id: "x".into(), source: "source x, with another chain".into() };
    let want = Want { brought: Some(brought), ..wanting("x") };
    assert_eq!(steps(&want, &certified("x")), vec![publish(1, "b1")]);
}

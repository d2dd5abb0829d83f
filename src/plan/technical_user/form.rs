//! Whether the Secret's content has the form that is asked for, and what it takes to give it that form. A credential is never
//! issued for the sake of a form.

use super::facts::{Have, SecretFact, Want};
use super::steps::Step;

/// Whether what stands in the Secret was made in another form than the one that is asked for.
pub fn is_another(want: &Want, have: &Have) -> bool {
    have.recorded.credential.is_some() && have.recorded.form != want.form
}

/// The same, once it is on record what the Secret holds: what was intended when we crashed, or still what was before.
pub fn is_another_once_recorded(want: &Want, have: &Have) -> bool {
    let published = have.recorded.credential.as_ref().map(|published| &published.fingerprint);
    let SecretFact::Ours { fingerprint, .. } = &have.secret else { return false };
    let form = if published == Some(fingerprint) { &have.recorded.form } else { &have.recorded.intended_form };
    *form != want.form
}

/// The step that gives the Secret its form: from the copy of whoever shows the value again, or from its own content.
pub fn anew(sequence: i64, id: Option<&String>, can_be_had_again: bool) -> Step {
    match id {
        Some(id) if can_be_had_again => Step::Publish { sequence, id: id.clone() },
        _ => Step::Reform(sequence),
    }
}

/// Whether an intent of the recorded credential itself is left over: its content was about to get another form when we
/// crashed, before or after the write. Either way what the Secret holds is vouched for, and the record is owed.
pub fn is_unrecorded(have: &Have) -> bool {
    let (Some(intent), Some(published)) = (&have.recorded.intent, &have.recorded.credential) else { return false };
    let SecretFact::Ours { sequence, fingerprint, .. } = &have.secret else { return false };
    let is_the_same = intent.sequence == published.sequence && *sequence == Some(published.sequence);
    let vouched = [intent.fingerprint.as_ref(), Some(&published.fingerprint)];
    is_the_same && vouched.contains(&Some(fingerprint))
}

#[cfg(test)]
mod tests {
    use super::super::{CredentialFact, Health, IdentityFact, Intent, Published, Recorded, plan};
    use super::*;
    use crate::plan::capability::Recall;
    use crate::plan::owner::Owner;

    fn want(form: &str) -> Want {
        let owner = Owner { cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "x".into() };
        Want { owner, form: Some(form.into()), ..Want::default() }
    }

    fn holds(fingerprint: &str) -> SecretFact {
        let print = fingerprint.to_owned();
        SecretFact::Ours { sequence: Some(1), fingerprint: print.clone(), claimed: Some(print), dressed: true }
    }

    /// Credential 1 stands in the Secret with fingerprint `a`, in form `old`.
    fn have(recall: Recall) -> Have {
        let name = want("").owner.credential_name(1);
        let published = Published {
            sequence: 1,
            id: Some("b".into()),
            fingerprint: "a".into(),
            material: None,
            source: None,
            life: None,
            rotate_at: None,
            demand: None,
        };
        let credential = CredentialFact {
            id: "b".into(),
            name: name.clone(),
            identity: "i".into(),
            health: Health::Usable,
            material: None,
        };
        Have {
            identities: vec![IdentityFact {
                id: "i".into(),
                health: Health::Usable,
                roles: None,
                credential: (recall == Recall::LastOnly).then_some(name),
            }],
            credentials: if recall == Recall::LastOnly { vec![] } else { vec![credential] },
            secret: holds("a"),
            recorded: Recorded {
                identity: Some("i".into()),
                credential: Some(published),
                form: Some("old".into()),
                ..Recorded::default()
            },
            recall,
            ..Have::default()
        }
    }

    fn steps(want: &Want, have: &Have) -> Vec<Step> {
        plan(want, have, k8s_openapi::jiff::Timestamp::UNIX_EPOCH).steps().cloned().collect()
    }

    #[test]
    fn another_form_is_written_from_whatever_still_has_the_value() {
        for recall in [Recall::Revealed, Recall::Listed, Recall::LastOnly] {
            assert_eq!(steps(&want("old"), &have(recall)), vec![], "{recall:?}");
        }
        let publish = vec![Step::Publish { sequence: 1, id: "b".into() }];
        assert_eq!(steps(&want("new"), &have(Recall::Revealed)), publish);
        for recall in [Recall::Listed, Recall::LastOnly] {
            assert_eq!(steps(&want("new"), &have(recall)), vec![Step::Reform(1)], "{recall:?}");
        }
    }

    #[test]
    fn a_crash_on_the_way_to_another_form_costs_no_credential() {
        for recall in [Recall::Listed, Recall::LastOnly] {
            let mut crashed = have(recall);
            crashed.recorded.intent = Some(Intent { sequence: 1, fingerprint: Some("b".into()) });
            crashed.recorded.intended_form = Some("new".into());
            let before = vec![Step::Acknowledge(1), Step::Reform(1)];
            assert_eq!(steps(&want("new"), &crashed), before, "the Secret was not written");
            assert_eq!(steps(&want("old"), &crashed), vec![Step::Acknowledge(1)], "and the form was taken back");
            crashed.secret = holds("b");
            assert_eq!(steps(&want("new"), &crashed), vec![Step::Acknowledge(1)], "the Secret was written");
            assert_eq!(steps(&want("old"), &crashed), vec![Step::Acknowledge(1), Step::Reform(1)]);
            crashed.secret = holds("altered");
            assert!(steps(&want("new"), &crashed).contains(&Step::Issue(2)), "nobody vouches for it");
        }
    }
}

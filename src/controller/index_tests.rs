//! Who is concerned by what, and who is told.

use serde_json::json;

use super::*;

/// A RoleBinding on a Platform, with one grant in its ledger.
fn binding(name: &str, platform: &str, owned: bool, wanted: bool, message: &str) -> RoleBinding {
    let role = json!({"roleCollection": {"name": "r"}});
    let jane = json!({"user": {"name": "jane"}});
    let line = json!({"subject": jane, "role": role, "state": "Failed", "message": message});
    let holder = json!({"kind": "User", "name": "jane", "origin": "sap.default"});
    let entry = json!({"holder": holder, "role": role, "owned": owned, "wanted": wanted});
    serde_json::from_value(json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "n", "generation": 1},
        "spec": {"platformRef": {"name": platform}, "subjects": [jane], "roles": [role]},
        "status": {"observedGeneration": 1, "roles": [line], "ledger": [entry]},
    }))
    .unwrap()
}

fn grant(index: &Index) -> Grant {
    index.inner().by_grant.keys().next().unwrap().clone()
}

#[test]
fn a_failed_try_wakes_nobody_and_a_change_of_hands_does() {
    let index = Index::default();
    index.applied(&binding("a", "p", true, true, "first"));
    assert_eq!(index.applied(&binding("b", "p", true, true, "")).bindings.len(), 1);
    assert_eq!(index.applied(&binding("a", "p", true, true, "second")), Concerned::default());
    let concerned = index.applied(&binding("a", "p", true, false, "second")).bindings;
    let names: Vec<_> = concerned.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["a", "b"], "the one that wants it, and itself, whom nobody else would tell");
    assert_eq!(index.deleted(&("n".into(), "a".into())).bindings.len(), 1);
}

#[test]
fn what_was_not_reconciled_yet_may_want_what_another_lets_go_of() {
    let index = Index::default();
    let mut leaving = binding("a", "p", true, false, "");
    index.applied(&leaving);
    leaving.status = None;
    leaving.metadata.name = Some("b".into());
    index.applied(&leaving);
    let (me, grant) = (("n".to_owned(), "a".to_owned()), grant(&index));
    assert!(index.may_be_wanted(&me, "p", &grant.role));
    assert!(
        !index.may_be_wanted(&("other".into(), "a".into()), "p", &grant.role),
        "other namespaces hold nothing back"
    );
    let read = binding("b", "p", true, true, "");
    let without = RoleBinding {
        status: read.status.map(|status| crate::api::RoleBindingStatus { ledger: vec![], ..status }),
        ..leaving
    };
    assert_eq!(index.applied(&without).bindings.len(), 1, "it does not want it, and whoever waited is told");
    assert!(!index.may_be_wanted(&me, "p", &grant.role));
}

#[test]
fn who_lets_go_too_late_to_be_told_looks_again() {
    let me = ("n".to_owned(), "a".to_owned());
    let mut index = Index::default();
    let others = |index: &Index| {
        let mut other = binding("b", "p", true, true, "");
        other.status = None;
        index.applied(&other);
        other
    };
    let other = others(&index);
    assert!(index.applied(&binding("a", "p", true, false, "")).bindings.is_empty(), "the other may want it");
    assert_eq!(index.deleted(&key(&other)).bindings, BTreeSet::from([me.clone()]), "and is told of when it does not");

    index = Index::default();
    let other = others(&index);
    index.deleted(&key(&other));
    let leaving = binding("a", "p", true, false, "");
    assert_eq!(index.applied(&leaving).bindings, BTreeSet::from([me]), "nobody is left who would tell");
    assert!(index.applied(&leaving).bindings.is_empty(), "once");
}

#[test]
fn platforms_at_one_place_share_their_grants() {
    let index = Index::default();
    index.applied(&binding("a", "one", true, true, ""));
    index.applied(&binding("b", "other", true, true, ""));
    let (me, grant) = (("n".to_owned(), "a".to_owned()), grant(&index));
    let owned = || index.elsewhere(&me, "one", std::iter::once(&grant)).0.len();
    assert_eq!(owned(), 0);
    for platform in ["one", "other"] {
        index.place(platform, "subaccount 1");
    }
    assert_eq!((owned(), index.holding("one", &grant).len()), (1, 2));
}

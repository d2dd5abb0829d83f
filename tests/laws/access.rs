//! Law 7: nothing is allowed that no rule allows, and what a rule stops allowing is withdrawn only after its grace.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use proptest::prelude::*;
use technical_user_operator::api::access::NamespaceSelector;
use technical_user_operator::api::role_binding::RoleName;
use technical_user_operator::api::{AccessRule, IdentityKind, NamespaceChoice, Role, SubjectKind};
use technical_user_operator::plan::access::{Namespace, Withdrawal, allows_grant, allows_identity, withdrawal};

use crate::config;

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[xy]", "[12]", 0..3)
}

fn namespaces() -> impl Strategy<Value = Namespace> {
    ("[ab]", labels()).prop_map(|(name, labels)| Namespace { name, labels })
}

fn identities() -> impl Strategy<Value = IdentityKind> {
    prop_oneof![Just(IdentityKind::ServiceKey), Just(IdentityKind::OauthClient), Just(IdentityKind::Existing)]
}

fn subjects() -> impl Strategy<Value = SubjectKind> {
    prop_oneof![Just(SubjectKind::TechnicalUser), Just(SubjectKind::User), Just(SubjectKind::Group)]
}

prop_compose! {
    fn rules()(
        names in proptest::collection::vec("[ab]", 0..2),
        labels in proptest::option::of(labels()),
        identities in proptest::collection::vec(identities(), 0..3),
        subjects in proptest::collection::vec(subjects(), 0..3),
        roles in proptest::collection::vec("[rs*]{1,3}", 0..3),
    ) -> AccessRule {
        let selector = labels.map(|match_labels| NamespaceSelector { match_labels });
        AccessRule { namespaces: NamespaceChoice { names, selector }, identities, subjects, roles }
    }
}

/// Whether a pattern with stars means this text, decided the slow way: a star takes nothing, or one character and goes on.
fn means(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => means(rest.as_str(), text) || text.get(1..).is_some_and(|shorter| means(pattern, shorter)),
        Some(first) => text.strip_prefix(first).is_some_and(|shorter| means(rest.as_str(), shorter)),
    }
}

fn chosen(rule: &AccessRule, namespace: &Namespace) -> bool {
    let labelled = rule.namespaces.selector.as_ref().map(|selector| &selector.match_labels);
    let all = |labels: &&BTreeMap<_, _>| labels.iter().all(|(key, value)| namespace.labels.get(key) == Some(value));
    rule.namespaces.names.contains(&namespace.name)
        || labelled.filter(|one| !one.is_empty()).is_some_and(|one| all(&one))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn law_7_only_what_one_rule_allows_whole_is_allowed(
        rules in proptest::collection::vec(rules(), 0..3), namespace in namespaces(),
        identity in identities(), subject in subjects(), name in "[rs]{0,3}",
    ) {
        let role = Role::RoleCollection(RoleName { name: name.clone() });
        let speaking: Vec<&AccessRule> = rules.iter().filter(|rule| chosen(rule, &namespace)).collect();
        let identity_expected = speaking.iter().any(|rule| rule.identities.contains(&identity));
        let grant_expected = speaking.iter().any(|rule| {
            rule.subjects.contains(&subject) && rule.roles.iter().any(|pattern| means(pattern, &name))
        });
        prop_assert_eq!(allows_identity(&rules, &namespace, identity), identity_expected);
        prop_assert_eq!(allows_grant(&rules, &namespace, subject, &role), grant_expected);
    }

    #[test]
    fn law_7_withdrawal_comes_after_the_grace_and_never_before(
        since in 0..1_000_000_i64, grace in proptest::option::of(0..1_000_000_u64), passed in 0..2_000_000_i64,
    ) {
        let at = |second| Timestamp::from_second(second).unwrap();
        let verdict = withdrawal(at(since), grace.map(Duration::from_secs), at(since + passed));
        let over = grace.is_some_and(|grace| passed.unsigned_abs() >= grace);
        prop_assert_eq!(verdict == Withdrawal::Now, over, "{:?}", verdict);
    }
}

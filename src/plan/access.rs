//! Who may use a Platform: its rules against one request, and when what they stop allowing is taken away.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use crate::api::{AccessRule, IdentityKind, NamespaceChoice, Role, SubjectKind};

/// A namespace as rules see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Whether a TechnicalUser of this namespace may be such an identity.
pub fn allows_identity(rules: &[AccessRule], namespace: &Namespace, identity: IdentityKind) -> bool {
    rules.iter().any(|rule| chooses(&rule.namespaces, namespace) && rule.identities.contains(&identity))
}

/// Whether a RoleBinding of this namespace may grant this role to such a subject. One rule must allow all of it.
pub fn allows_grant(rules: &[AccessRule], namespace: &Namespace, subject: SubjectKind, role: &Role) -> bool {
    rules.iter().any(|rule| {
        chooses(&rule.namespaces, namespace)
            && rule.subjects.contains(&subject)
            && rule.roles.iter().any(|pattern| matches(pattern, role.name()))
    })
}

/// What becomes of something that exists and that the rules do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It stays until then.
    Due(Timestamp),
    /// It is taken away now.
    Now,
}

/// When something that has been denied since `since` is withdrawn. A grace that cannot be read counts as the longest.
pub fn withdrawal(since: Timestamp, grace: Option<Duration>, now: Timestamp) -> Withdrawal {
    let due = grace.and_then(|grace| since.checked_add(grace).ok()).unwrap_or(Timestamp::MAX);
    if due <= now { Withdrawal::Now } else { Withdrawal::Due(due) }
}

fn chooses(choice: &NamespaceChoice, namespace: &Namespace) -> bool {
    let by_label = choice.selector.as_ref().is_some_and(|selector| {
        !selector.match_labels.is_empty()
            && selector.match_labels.iter().all(|(key, value)| namespace.labels.get(key) == Some(value))
    });
    by_label || choice.names.contains(&namespace.name)
}

/// Whether a text follows a pattern in which `*` stands for any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    // The pieces between stars are found leftmost first; the last one must end the text.
    let mut pieces: Vec<&str> = tail.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    let mut rest = rest;
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::access::NamespaceSelector;
    use crate::api::role_binding::RoleName;

    fn rule(names: &[&str], roles: &[&str]) -> AccessRule {
        AccessRule {
            namespaces: NamespaceChoice { names: names.iter().map(ToString::to_string).collect(), selector: None },
            identities: vec![IdentityKind::ServiceKey],
            subjects: vec![SubjectKind::TechnicalUser],
            roles: roles.iter().map(ToString::to_string).collect(),
        }
    }

    fn namespace(name: &str, labels: &[(&str, &str)]) -> Namespace {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Namespace { name: name.to_owned(), labels }
    }

    fn instance_role(name: &str) -> Role {
        Role::InstanceRole(RoleName { name: name.to_owned() })
    }

    #[test]
    fn no_rule_allows_nothing() {
        assert!(!allows_identity(&[], &namespace("orders", &[]), IdentityKind::ServiceKey));
        assert!(!allows_grant(&[], &namespace("orders", &[]), SubjectKind::TechnicalUser, &instance_role("x")));
    }

    #[test]
    fn one_rule_must_allow_all_of_a_request() {
        let mut users = rule(&["orders"], &[]);
        users.subjects = vec![SubjectKind::User];
        let rules = [rule(&["orders"], &["ESBMessaging.*"]), users];
        let orders = namespace("orders", &[]);
        assert!(allows_grant(&rules, &orders, SubjectKind::TechnicalUser, &instance_role("ESBMessaging.send")));
        assert!(!allows_grant(&rules, &orders, SubjectKind::User, &instance_role("ESBMessaging.send")));
        assert!(!allows_grant(&rules, &orders, SubjectKind::TechnicalUser, &instance_role("Admin")));
        assert!(!allows_identity(&rules, &namespace("other", &[]), IdentityKind::ServiceKey));
    }

    #[test]
    fn a_selector_needs_every_label_and_an_empty_one_chooses_nobody() {
        let mut by_label = rule(&[], &["*"]);
        let team = |labels: &[(&str, &str)]| Some(NamespaceSelector { match_labels: namespace("", labels).labels });
        by_label.namespaces.selector = team(&[("team", "a"), ("tier", "prod")]);
        let allowed = |rule: &AccessRule, labels| {
            allows_identity(std::slice::from_ref(rule), &namespace("n", labels), IdentityKind::ServiceKey)
        };
        assert!(allowed(&by_label, &[("team", "a"), ("tier", "prod"), ("more", "x")]));
        assert!(!allowed(&by_label, &[("team", "a")]));
        by_label.namespaces.selector = team(&[]);
        assert!(!allowed(&by_label, &[("team", "a")]));
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("abc", "abcd", false),
            ("a*", "ba", false),
            ("*.send", "ESBMessaging.send", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} against {text}");
        }
    }

    #[test]
    fn withdrawal_waits_for_the_grace() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let grace = Some(Duration::from_mins(10));
        assert_eq!(withdrawal(at(0), grace, at(599)), Withdrawal::Due(at(600)));
        assert_eq!(withdrawal(at(0), grace, at(600)), Withdrawal::Now);
        assert_eq!(withdrawal(at(0), None, at(600)), Withdrawal::Due(Timestamp::MAX));
    }
}

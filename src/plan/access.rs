//! Who may use a Platform: one question, asked whole by everybody, and when what the answer stops allowing is taken
//! away.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::environment::rules;
use super::grant::{Grant, Holder, HolderKind};
use super::pattern::{is_spelled_out, matches};
use crate::api::access::{
    DirectoryUserPattern, ExistingPattern, HolderPattern, IdentityPattern, PrincipalPattern, RolePattern, SpacePattern,
};
use crate::api::identity::{DirectoryUser, ServiceKey, Space};
use crate::api::{AccessRule, Environment, Identity, NamespaceChoice, Principal, Role};

/// A namespace as rules see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What a namespace asks of a Platform.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub namespace: &'a Namespace,
    /// The environment of the Platform: it knows which names mean the same.
    pub environment: &'a Environment,
    /// What for.
    pub asks: Asks<'a>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Asks<'a> {
    /// That a TechnicalUser be this identity.
    ToBe(&'a Identity),
    /// That this role be granted to this holder.
    ToGrant(&'a Role, To<'a>),
    /// That what was made be left on the platform.
    ToOrphan,
}

/// Whom a role is to be granted to.
#[derive(Clone, Copy, Debug)]
pub enum To<'a> {
    /// A TechnicalUser of this identity.
    TechnicalUser(&'a Identity),
    /// A user or group that a RoleBinding names.
    Holder(&'a Holder),
}

/// Whether the rules allow all of a request.
///
/// Of a grant to a TechnicalUser both the identity and the grant must be allowed, each by a rule for the namespace. One
/// that is `existing`, or whose certificate is mapped to a user, is a user, so the grant must be allowed to a user of that
/// name.
///
/// ```
/// use technical_user_operator::api::{AccessRule, Environment, Identity};
/// use technical_user_operator::plan::access::{Asks, Namespace, Request, permit};
///
/// let rule: AccessRule = serde_json::from_value(serde_json::json!({
///     "namespaces": { "names": ["orders"] },
///     "identities": [{ "serviceKey": { "offering": "it-rt", "plan": "*" } }],
/// }))?;
/// let environment: Environment = serde_json::from_value(serde_json::json!({ "btp": {} }))?;
/// let key = |offering: &str| serde_json::json!({ "serviceKey": { "offering": offering, "plan": "apiaccess" } });
/// let (send, administer): (Identity, Identity) =
///     (serde_json::from_value(key("it-rt"))?, serde_json::from_value(key("xsuaa"))?);
/// let orders = Namespace { name: "orders".into(), ..Namespace::default() };
/// let may_be = |identity| {
///     permit(&[rule.clone()], &Request { namespace: &orders, environment: &environment, asks: Asks::ToBe(identity) })
/// };
/// assert!(may_be(&send) && !may_be(&administer));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn permit(rules: &[AccessRule], request: &Request<'_>) -> bool {
    let environment = request.environment;
    let speaking: Vec<&AccessRule> = rules.iter().filter(|one| chooses(&one.namespaces, request.namespace)).collect();
    let to_be = |identity| speaking.iter().any(|rule| rule.identities.iter().any(|one| is(one, identity, environment)));
    let to_grant = |role: &Role, to: &Recipient<'_>| {
        let rules = speaking.iter().flat_map(|rule| &rule.grants);
        rules.into_iter().any(|rule| {
            rule.roles.iter().any(|pattern| means(pattern, role, to, environment))
                && rule.to.iter().any(|pattern| reaches(pattern, to, environment))
        })
    };
    match request.asks {
        Asks::ToBe(identity) => to_be(identity),
        Asks::ToGrant(role, To::TechnicalUser(identity)) => {
            to_be(identity) && to_grant(role, &Recipient::of(identity, role, environment))
        }
        Asks::ToGrant(role, To::Holder(holder)) => to_grant(role, &Recipient::Holder(as_granted(holder, role))),
        Asks::ToOrphan => speaking.iter().any(|rule| rule.orphan),
    }
}

/// Who ends up with a role on the platform.
enum Recipient<'a> {
    /// An identity that is made for its TechnicalUser.
    Made(&'a Identity),
    /// A user or group of an identity provider, in the form in which grants compare.
    Holder(Holder),
}

impl<'a> Recipient<'a> {
    fn of(identity: &'a Identity, role: &Role, environment: &Environment) -> Self {
        match user(identity, environment) {
            Some(user) => Self::Holder(as_granted(&user, role)),
            None => Self::Made(identity),
        }
    }
}

/// The user that an identity is by its own word, in the form in which grants compare.
pub fn user(identity: &Identity, environment: &Environment) -> Option<Holder> {
    identity.user().map(|user| rules(environment).holder(HolderKind::User, &user))
}

fn as_granted(holder: &Holder, role: &Role) -> Holder {
    Grant::new(holder.clone(), role.clone()).holder
}

fn chooses(choice: &NamespaceChoice, namespace: &Namespace) -> bool {
    let by_label = choice.selector.as_ref().is_some_and(|selector| {
        !selector.match_labels.is_empty()
            && selector.match_labels.iter().all(|(key, value)| namespace.labels.get(key) == Some(value))
    });
    by_label || choice.names.contains(&namespace.name)
}

fn is(pattern: &IdentityPattern, identity: &Identity, environment: &Environment) -> bool {
    match (pattern, identity) {
        (IdentityPattern::ServiceKey(pattern), Identity::ServiceKey(ServiceKey { offering, plan, space, .. })) => {
            let spelled_out = is_spelled_out(&pattern.offering) && is_spelled_out(&pattern.plan);
            matches(&pattern.offering, offering)
                && matches(&pattern.plan, plan)
                && pattern.space.as_ref().is_none_or(|pattern| is_in(pattern, space.as_ref()))
                && (spelled_out || !rules(environment).is_administering(identity))
        }
        (IdentityPattern::OauthClient(_), Identity::OauthClient(_)) => true,
        (IdentityPattern::DirectoryUser(pattern), Identity::DirectoryUser(user)) => is_made(pattern, user),
        (IdentityPattern::Existing(ExistingPattern { user_name, origin }), Identity::Existing(_)) => {
            is_user(user_name, origin.as_ref(), identity, environment)
        }
        (IdentityPattern::CertificateUser(pattern), Identity::CertificateUser(_)) => {
            is_user(&pattern.user_name, None, identity, environment)
        }
        _ => false,
    }
}

/// Whether a pattern names the user that an identity is.
fn is_user(name: &str, origin: Option<&String>, identity: &Identity, environment: &Environment) -> bool {
    let pattern = PrincipalPattern { name: name.to_owned(), origin: origin.cloned() };
    user(identity, environment).is_some_and(|user| names(&pattern, &user, environment))
}

/// Directories compare names and addresses without regard to case. Other APIs may know a user by its address, so a
/// namespace chooses neither unless the rules say so.
fn is_made(pattern: &DirectoryUserPattern, user: &DirectoryUser) -> bool {
    let in_any_case = |pattern: &str, text: &str| matches(&pattern.to_lowercase(), &text.to_lowercase());
    let addressed = match (&pattern.email, &user.email) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(pattern), Some(email)) => in_any_case(pattern, email),
    };
    addressed && in_any_case(&pattern.user_name, &user.user_name)
}

fn is_in(pattern: &SpacePattern, space: Option<&Space>) -> bool {
    let is_it =
        |space: &Space| matches(&pattern.organization, &space.organization) && matches(&pattern.name, &space.name);
    space.is_some_and(is_it)
}

/// Whether a pattern means this role, for whoever is to have it. A role of an instance lives at its offering.
fn means(pattern: &RolePattern, role: &Role, to: &Recipient<'_>, environment: &Environment) -> bool {
    let named = |pattern: &str| matches(pattern, role.name());
    let (matched, spelled_out) = match (pattern, role) {
        (RolePattern::RoleCollection(pattern), Role::RoleCollection(_))
        | (RolePattern::MemberRole(pattern), Role::MemberRole(_))
        | (RolePattern::Authority(pattern), Role::Authority(_)) => {
            (named(&pattern.name), is_spelled_out(&pattern.name))
        }
        (RolePattern::GroupMembership(pattern), Role::GroupMembership(_)) => {
            (named(&pattern.group), is_spelled_out(&pattern.group))
        }
        (RolePattern::InstanceRole(pattern), Role::InstanceRole(_)) => match to {
            Recipient::Made(Identity::ServiceKey(key)) => {
                (matches(&pattern.offering, &key.offering) && named(&pattern.name), true)
            }
            _ => (false, false),
        },
        (RolePattern::ApplicationRole(pattern), Role::ApplicationRole(role)) => {
            let provided = match (&pattern.provider, &role.provider) {
                (Some(pattern), Some(provider)) => matches(pattern, provider),
                (None, None) => true,
                _ => false,
            };
            (provided && matches(&pattern.application, &role.application) && named(&pattern.name), true)
        }
        (RolePattern::OrganizationRole(pattern), Role::OrganizationRole(role)) => {
            let there = matches(&pattern.organization, &role.organization);
            (there && named(&pattern.kind), is_spelled_out(&pattern.kind))
        }
        (RolePattern::SpaceRole(pattern), Role::SpaceRole(role)) => {
            let there = matches(&pattern.organization, &role.organization) && matches(&pattern.space, &role.space);
            (there && named(&pattern.kind), is_spelled_out(&pattern.kind))
        }
        _ => (false, false),
    };
    matched && (spelled_out || !rules(environment).is_administering_role(role))
}

fn reaches(pattern: &HolderPattern, to: &Recipient<'_>, environment: &Environment) -> bool {
    match (pattern, to) {
        (HolderPattern::TechnicalUser(_), Recipient::Made(_)) => true,
        (HolderPattern::User(pattern), Recipient::Holder(holder)) if holder.kind() == HolderKind::User => {
            names(pattern, holder, environment)
        }
        (HolderPattern::Group(pattern), Recipient::Holder(holder)) if holder.kind() == HolderKind::Group => {
            names(pattern, holder, environment)
        }
        _ => false,
    }
}

/// Whether a pattern names this holder. Its texts are read as a holder's would be: defaults filled in, aliases resolved.
fn names(pattern: &PrincipalPattern, holder: &Holder, environment: &Environment) -> bool {
    let principal = Principal { name: pattern.name.clone(), origin: pattern.origin.clone() };
    let read = rules(environment).holder(holder.kind(), &principal);
    let named = if holder.is_case_sensitive() {
        matches(read.name(), holder.name())
    } else {
        matches(&read.name().to_lowercase(), &holder.name().to_lowercase())
    };
    named && matches(read.origin(), holder.origin())
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

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;

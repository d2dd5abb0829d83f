//! Which rights the operator's own credential needs for what a Platform can be asked for, and which of them it lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::conditions::Verdict;
use crate::api::{IdentityKind, PlatformSpec, RoleKind};
use crate::plan::environment::rules;

/// A right that an environment's API wants of whoever calls it, as its access tokens spell it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The API, in the word by which metrics name it.
    pub api: &'static str,
    /// The scope.
    pub scope: &'static str,
    /// Other scopes that are as good.
    pub or: &'static [&'static str],
    /// What needs it.
    pub opens: &'static [Use],
}

/// What a namespace can ask a Platform for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Identities of a kind.
    Identity(IdentityKind),
    /// Roles of a kind.
    Role(RoleKind),
}

impl Use {
    /// The field's own name.
    const fn name(self) -> &'static str {
        match self {
            Self::Identity(kind) => kind.name(),
            Self::Role(kind) => kind.name(),
        }
    }
}

/// The scopes of the access tokens there are, by API. An API whose tokens tell nothing is not in it.
pub type Scopes = BTreeMap<&'static str, BTreeSet<String>>;

/// A right that is missing, and what of a Platform's rules needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The API.
    pub api: &'static str,
    /// The scope.
    pub scope: &'static str,
    needed_for: BTreeSet<Use>,
}

/// What the scopes do not cover of what the rules of a Platform let anybody ask for.
pub fn missing(platform: &PlatformSpec, scopes: &Scopes) -> BTreeSet<Missing> {
    let asked = asked(platform);
    let lacks = |right: &&Right| {
        let held = scopes.get(right.api);
        held.is_some_and(|held| !held.contains(right.scope) && !right.or.iter().any(|other| held.contains(*other)))
    };
    let of = |right: &'static Right| {
        let needed_for: BTreeSet<Use> = right.opens.iter().copied().filter(|one| asked.contains(one)).collect();
        (!needed_for.is_empty()).then_some(Missing { api: right.api, scope: right.scope, needed_for })
    };
    rules(&platform.environment).rights().iter().filter(lacks).filter_map(of).collect()
}

fn asked(platform: &PlatformSpec) -> BTreeSet<Use> {
    let identities = platform.access.iter().flat_map(|rule| &rule.identities).map(|one| Use::Identity(one.kind()));
    let grants = platform.access.iter().flat_map(|rule| &rule.grants);
    let roles = grants.flat_map(|rule| &rule.roles).map(|one| Use::Role(one.kind()));
    identities.chain(roles).collect()
}

/// What the condition says of the rights that are missing, and of the operations that the platform has refused (403) and
/// not taken since, each with its API. `None` where there is nothing to say.
pub fn verdict(missing: &BTreeSet<Missing>, refused: &BTreeSet<(&'static str, &'static str)>) -> Option<Verdict> {
    let reason = match (missing.is_empty(), refused.is_empty()) {
        (false, _) => "ScopesMissing",
        (true, false) => "OperationsRefused",
        (true, true) => return None,
    };
    let lacking = missing.iter().map(lacking);
    let refused = refused.iter().map(|(api, operation)| format!("{api} refused with 403: {operation}"));
    let all: Vec<String> = lacking.chain(refused).collect();
    let message = format!("{}. Give the admin credential what is missing, or another one that has it", all.join("; "));
    Some(Verdict { status: "True", reason, message })
}

fn lacking(Missing { api, scope, needed_for }: &Missing) -> String {
    let names: Vec<&str> = needed_for.iter().map(|one| one.name()).collect();
    format!("{api}: the admin credential has no {scope}, which {} needs", names.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::environment::{TABLES, samples};

    fn platform(environment: &str, identities: &Value, roles: &Value) -> PlatformSpec {
        let environment = samples().into_iter().find(|sample| sample.get(environment).is_some()).unwrap();
        let grants = json!([{ "roles": roles, "to": [{ "technicalUser": {} }] }]);
        let rule = json!({ "namespaces": { "names": ["n"] }, "identities": identities, "grants": grants });
        serde_json::from_value(json!({ "environment": environment, "access": [rule] })).unwrap()
    }

    fn lacks(platform: &PlatformSpec, api: &'static str, scopes: &[&str]) -> Vec<&'static str> {
        let held = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        missing(platform, &[(api, held)].into()).into_iter().map(|one| one.scope).collect()
    }

    #[test]
    fn only_what_the_rules_let_somebody_ask_for_is_missed() {
        let clients = platform("uaa", &json!([{ "oauthClient": {} }]), &json!([{ "authority": { "name": "x" } }]));
        assert_eq!(lacks(&clients, "uaa", &["scim.read"]), ["clients.admin"]);
        assert_eq!(lacks(&clients, "uaa", &["clients.admin"]), [""; 0]);
        assert_eq!(lacks(&clients, "uaa", &["uaa.admin"]), [""; 0], "it stands for it");
        let users = platform("uaa", &json!([{ "directoryUser": { "userName": "*" } }]), &json!([]));
        assert_eq!(lacks(&users, "uaa", &["uaa.admin"]), ["password.write"], "it does not open passwords");
        assert_eq!(lacks(&users, "uaa", &["clients.admin"]), ["password.write", "scim.read", "scim.write"]);
    }

    #[test]
    fn tokens_that_tell_nothing_prove_nothing() {
        let clients = platform("uaa", &json!([{ "oauthClient": {} }]), &json!([]));
        assert!(missing(&clients, &Scopes::new()).is_empty());
    }

    #[test]
    fn each_platform_spells_its_rights_in_its_own_way() {
        let members = platform("neo", &json!([]), &json!([{ "memberRole": { "name": "*" } }]));
        assert_eq!(lacks(&members, "neo-members", &["hcp.readAccountMembers"]), ["manageAccountMembers"]);
        let collections = platform("btp", &json!([]), &json!([{ "roleCollection": { "name": "*" } }]));
        assert_eq!(lacks(&collections, "xsuaa", &["xs_authorization.read"]), ["xs_authorization.write"]);
        let role = json!([{ "organizationRole": { "organization": "*", "type": "*" } }]);
        let roles = platform("cloudFoundry", &json!([]), &role);
        assert_eq!(lacks(&roles, "cloud-foundry", &["cloud_controller.read"]), ["cloud_controller.write"]);
        assert_eq!(lacks(&roles, "cloud-foundry", &["cloud_controller.admin"]), [""; 0]);
    }

    #[test]
    fn every_right_is_needed_for_something_that_the_environment_has() {
        for (name, table) in TABLES {
            for right in rules(&platform(name, &json!([]), &json!([])).environment).rights() {
                assert!(!right.opens.is_empty(), "{name} {right:?}");
                let has = |one: &Use| match one {
                    Use::Identity(kind) => table.identities.iter().any(|cell| cell.kind == *kind),
                    Use::Role(kind) => table.roles.iter().any(|cell| cell.kind == *kind),
                };
                assert!(right.opens.iter().all(has), "{name} {right:?}");
            }
        }
    }

    #[test]
    fn what_is_said_names_the_right_what_needs_it_and_what_was_refused() {
        let clients = platform("uaa", &json!([{ "oauthClient": {} }]), &json!([{ "authority": { "name": "x" } }]));
        let missing = missing(&clients, &[("uaa", BTreeSet::new())].into());
        let said = verdict(&missing, &[("uaa", "create client")].into()).unwrap();
        assert_eq!((said.status, said.reason), ("True", "ScopesMissing"));
        let names = "uaa: the admin credential has no clients.admin, which oauthClient, authority needs";
        assert!(said.message.starts_with(names), "{}", said.message);
        assert!(said.message.contains("uaa refused with 403: create client. Give"), "{}", said.message);
        let refused = verdict(&BTreeSet::new(), &[("identity-service", "create user")].into()).unwrap();
        assert_eq!(refused.reason, "OperationsRefused");
        assert_eq!(verdict(&BTreeSet::new(), &BTreeSet::new()), None);
    }
}

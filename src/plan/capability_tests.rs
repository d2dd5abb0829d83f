//! What the table refuses, and in which words.

use serde_json::{Value, json};

use super::*;
use crate::api::role::{AuthorityName, RoleName};
use crate::api::{Principal, TechnicalUserRef};
use crate::plan::environment::{TABLES, samples};

fn platform(environment: Value) -> PlatformSpec {
    let offerings = json!({"x": {"rolesParameter": "scopes"}});
    serde_json::from_value(json!({"environment": environment, "offerings": offerings})).unwrap()
}

fn btp() -> PlatformSpec {
    let access = json!({"credentialsSecretRef": {"name": "s"}});
    platform(json!({"btp": {"authorization": access, "serviceManager": access}}))
}

fn uaa() -> PlatformSpec {
    platform(json!({"uaa": {"url": "https://uaa", "credentialsSecretRef": {"name": "s"}}}))
}

fn read(identity: Value) -> Identity {
    serde_json::from_value(identity).unwrap()
}

fn key(offering: &str) -> Identity {
    read(json!({"serviceKey": {"offering": offering, "plan": "p"}}))
}

fn client() -> Identity {
    read(json!({"oauthClient": {}}))
}

fn existing() -> Identity {
    read(json!({"existing": {"userName": "P1234567"}}))
}

#[test]
fn identities_follow_the_table() {
    assert!(identity(&btp(), &key("it-rt")).is_ok());
    assert!(identity(&btp(), &client()).unwrap_err().0.contains("serviceKey, directoryUser or existing"));
    assert!(identity(&uaa(), &client()).is_ok());
    assert!(identity(&uaa(), &existing()).is_err());
    let without = platform(json!({"btp": {}}));
    assert!(identity(&without, &key("it-rt")).unwrap_err().0.contains("add environment.btp.serviceManager"));
}

#[test]
fn roles_follow_the_table() {
    let orders = Subject::TechnicalUser(TechnicalUserRef { name: "orders".into() });
    let jane = Subject::User(Principal { name: "jane".into(), origin: None });
    let named = |make: fn(RoleName) -> Role| make(RoleName { name: "r".into() });
    let authority = Role::Authority(AuthorityName { name: "r".into() });
    let (collection, instance) = (named(Role::RoleCollection), named(Role::InstanceRole));
    assert!(role(&btp(), &orders, Some(&key("it-rt")), &instance).is_ok());
    assert!(role(&btp(), &orders, Some(&key("y")), &instance).unwrap_err().0.contains("spec.offerings"));
    assert!(role(&btp(), &orders, Some(&key("x")), &instance).is_ok());
    let refusal = role(&btp(), &orders, Some(&key("it-rt")), &collection).unwrap_err().0;
    let holders = "a user, a group or a technicalUser whose identity is directoryUser or existing";
    assert!(refusal.contains(holders), "{refusal}");
    assert!(role(&btp(), &orders, Some(&existing()), &collection).is_ok());
    assert!(role(&btp(), &jane, None, &collection).is_ok());
    assert!(role(&btp(), &jane, None, &instance).is_err());
    assert!(role(&btp(), &jane, None, &authority).unwrap_err().0.contains("has no authority; it has"));
    assert!(role(&uaa(), &orders, Some(&client()), &authority).is_ok());
}

#[test]
fn what_is_carried_is_not_granted() {
    let named = |make: fn(RoleName) -> Role| make(RoleName { name: "r".into() });
    assert!(is_carried(&btp().environment, &named(Role::InstanceRole)));
    assert!(!is_carried(&btp().environment, &named(Role::RoleCollection)));
    assert!(!is_carried(&uaa().environment, &named(Role::InstanceRole)), "nobody has it there");
}

/// Everything that anybody could ask for of an environment: what is in its table is accepted, the rest is refused.
#[test]
fn every_cell_is_accepted_or_refused_with_a_reason() {
    for ((name, table), sample) in TABLES.into_iter().zip(samples()) {
        let platform = &platform(sample);
        assert_eq!(platform.environment.name(), name);
        for kind in IdentityKind::ALL {
            let outcomes = [false, true].map(|in_space| identity(platform, &sample_identity(kind, in_space)));
            let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(accepted > 0, table.identity(kind).is_some(), "{name} {}: {outcomes:?}", kind.name());
        }
        for kind in RoleKind::ALL {
            for (subject, technical_user) in subjects() {
                let outcome = role(platform, &subject, technical_user.as_ref(), &sample_role(kind));
                let possible = table.role(kind).is_some_and(|cell| cell.held.by(&subject, technical_user.as_ref()));
                assert_eq!(outcome.is_ok(), possible, "{name} {kind} {subject:?} {technical_user:?}: {outcome:?}");
                assert!(outcome.err().is_none_or(|reason| reason.0.len() > 30), "a reason is a sentence");
            }
        }
    }
}

/// Whether a key is in a space is a matter of its environment: some want it, the others refuse it.
fn sample_identity(kind: IdentityKind, in_space: bool) -> Identity {
    match kind {
        IdentityKind::ServiceKey if in_space => {
            let space = json!({"organization": "o", "name": "s"});
            read(json!({"serviceKey": {"offering": "it-rt", "plan": "p", "space": space}}))
        }
        IdentityKind::ServiceKey => key("it-rt"),
        IdentityKind::OauthClient => client(),
        IdentityKind::DirectoryUser => read(json!({"directoryUser": {"userName": "tu-orders"}})),
        IdentityKind::CertificateUser => read(json!({"certificateUser": {"userName": "tu-orders"}})),
        IdentityKind::Existing => existing(),
    }
}

fn sample_role(kind: RoleKind) -> Role {
    let fields = match kind {
        RoleKind::ApplicationRole => json!({"application": "a", "name": "r"}),
        RoleKind::GroupMembership => json!({"group": "g"}),
        RoleKind::OrganizationRole => json!({"organization": "o", "type": "organization_user"}),
        RoleKind::SpaceRole => json!({"organization": "o", "space": "s", "type": "space_auditor"}),
        _ => json!({"name": "r"}),
    };
    serde_json::from_value(json!({kind.name(): fields})).unwrap()
}

fn subjects() -> Vec<(Subject, Option<Identity>)> {
    let orders = || Subject::TechnicalUser(TechnicalUserRef { name: "orders".into() });
    let jane = || Principal { name: "jane".into(), origin: None };
    let technical = IdentityKind::ALL.map(|kind| (orders(), Some(sample_identity(kind, false))));
    technical.into_iter().chain([(Subject::User(jane()), None), (Subject::Group(jane()), None)]).collect()
}

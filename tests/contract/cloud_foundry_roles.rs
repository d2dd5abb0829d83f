//! What only roles of Cloud Foundry have: refusals with many meanings, and places that are not to be seen.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use technical_user_operator::api::Principal;
use technical_user_operator::api::Role;
use technical_user_operator::api::role::OrganizationRoleType::{OrganizationManager, OrganizationUser};
use technical_user_operator::api::role::SpaceRoleType::SpaceDeveloper;
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::Kind;

use crate::cloud_foundry::{CLOUD_FOUNDRY, calls, granted, organization, revoked, somebody_asks, space, user};
use crate::description::Running;
use crate::suite::{confirmed, grant, revoke_grants};

#[test]
fn refusals_of_roles_say_what_to_do() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let refused = |name: &str, origin: Option<&str>, role: Role| {
        let error = granted(&platform, &user(&platform.environment, name, origin, role)).expect_err("refused");
        platform.check(&error);
        (error.kind(), error.to_string())
    };
    let (kind, text) = refused("nobody@acme.example", None, organization(OrganizationUser));
    assert_eq!(kind, Kind::NotFound);
    assert!(text.contains("`nobody@acme.example` of origin `sap.ids`") && text.contains("logged on once"), "{text}");
    let (kind, text) = refused("joe@acme.example", Some("acme-platform"), space("integration", SpaceDeveloper));
    assert_eq!(kind, Kind::NotFound);
    assert!(text.contains("no role in the organization"), "{text}");
}

#[test]
fn a_member_of_the_organization_stays_one_while_it_has_roles_in_spaces() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let joe = |role| user(&platform.environment, "joe@acme.example", Some("acme-platform"), role);
    let (member, developer) = (joe(organization(OrganizationUser)), joe(space("integration", SpaceDeveloper)));
    grant(&platform, std::slice::from_ref(&member));
    grant(&platform, std::slice::from_ref(&developer));
    let error = revoked(&platform, &member).expect_err("still in a space");
    assert!(error.to_string().contains("still has roles in spaces"), "{error}");
    revoke_grants(&platform, &[developer]);
    revoke_grants(&platform, &[member]);
}

#[test]
fn a_place_that_cannot_be_seen_any_more_proves_nothing() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let joe = user(&platform.environment, "joe@acme.example", Some("acme-platform"), organization(OrganizationUser));
    grant(&platform, std::slice::from_ref(&joe));
    // The technical user of the admin credential loses its roles in the organization.
    let state = platform.simulator.state()["cloud-foundry"].clone();
    let mine = state["users"]
        .as_array()
        .expect("users")
        .iter()
        .find(|one| one["username"].as_str().is_some_and(|name| name.starts_with("technical-user-operator")));
    let mine = mine.expect("the technical user")["guid"].clone();
    let roles = state["roles"]
        .as_array()
        .expect("roles")
        .iter()
        .filter(|role| role["relationships"]["user"]["data"]["guid"] == mine);
    let (in_spaces, in_organizations): (Vec<_>, Vec<_>) =
        roles.partition(|role| role["type"].as_str().is_some_and(|kind| kind.starts_with("space_")));
    for role in in_spaces.into_iter().chain(in_organizations).filter(|role| role["type"] != "organization_auditor") {
        let space = role["relationships"]["space"]["data"]["guid"].clone();
        let shared = state["spaces"]
            .as_array()
            .expect("spaces")
            .iter()
            .any(|one| one["guid"] == space && one["name"] == "shared");
        if !shared {
            let path = format!("/v3/roles/{}", role["guid"].as_str().expect("a guid"));
            somebody_asks(&platform, Method::DELETE, &path, &Value::Null);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    let error = revoked(&platform, &joe).expect_err("nobody can tell");
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[test]
fn an_administrator_is_met_as_it_was() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let before = user(&platform.environment, "admin@acme.example", None, organization(OrganizationManager));
    assert_eq!(confirmed(&platform, std::slice::from_ref(&before)), std::slice::from_ref(&before));
    grant(&platform, std::slice::from_ref(&before));
    assert_eq!(calls(&platform, "cloud-foundry.create-role"), 1, "the platform says that it is given already");
}

#[test]
fn groups_and_foreign_roles_are_refused_before_any_call() {
    let platform = Running::start(&CLOUD_FOUNDRY);
    let before = platform.simulator.requests().len();
    let developers = Principal { name: "Developers".into(), origin: None };
    let holder = rules(&platform.environment).holder(HolderKind::Group, &developers);
    for refused in [
        Grant::new(holder, organization(OrganizationUser)),
        user(
            &platform.environment,
            "jane",
            None,
            serde_json::from_value(json!({"memberRole": {"name": "x"}})).expect("a role"),
        ),
    ] {
        assert_eq!(granted(&platform, &refused).expect_err("there is no such thing").kind(), Kind::Invalid);
    }
    assert_eq!(platform.simulator.requests().len(), before);
}

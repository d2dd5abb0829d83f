//! Cloud Identity Services in environment `neo`: its description, and what only it has. Neo knows a tenant's users by the
//! ids that the tenant gives them, and a tenant cannot search for those.

use serde_json::{Value, json};
use technical_user_operator::api::environment::{IdentityService, Neo};
use technical_user_operator::api::role::{GroupName, RoleName};
use technical_user_operator::api::{Environment, Principal, Role, SecretRef};
use technical_user_operator::plan::environment::rules;
use technical_user_operator::plan::grant::{Grant, HolderKind};
use technical_user_operator::platform::Kind;

use crate::description::{Description, Running};
use crate::harness::runtime;
use crate::identity_service::{GROUP, SAMPLE, count, post, prepare};
use crate::suite::{create, grant, held, revoke_grants};
use crate::{faults, suite};

/// What the suite has to know.
const TENANT: Description = Description {
    environment: |simulator| environment(&format!("{}/identity-service", simulator.url()), Some(USER_BASE)),
    credentials: |simulator| {
        vec![
            ("neo", simulator.credential("neo", "secret")),
            ("tenant", simulator.credential("identity-service", "secret")),
        ]
    },
    identity: Some(SAMPLE),
    // Whom the tenant was the first to know, in either case.
    grants: |environment| vec![["P000001", "p000002"].map(|id| membership(environment, id, USER_BASE)).to_vec()],
    prepare,
    count: |simulator| count(simulator.state()["identity-service"]["users"].as_array().expect("users")),
    routes: &[
        "neo.token",
        "identity-service.list-users",
        "identity-service.create-user",
        "identity-service.get-user",
        "identity-service.change-user",
        "identity-service.delete-user",
        "identity-service.list-groups",
        "identity-service.get-group",
        "identity-service.change-group",
    ],
};

const USER_BASE: &str = "ACME.accounts.ondemand.com";

fn environment(url: &str, origin: Option<&str>) -> Environment {
    let secret = |name: &str| SecretRef { name: name.into() };
    let tenant = IdentityService {
        url: url.into(),
        origin: origin.map(str::to_owned),
        credentials_secret_ref: secret("tenant"),
    };
    Environment::Neo(Neo {
        host: "hana.ondemand.com".into(),
        subaccount: "acme".into(),
        credentials_secret_ref: secret("neo"),
        identity_service: Some(tenant),
        cloud_integration: None,
    })
}

fn membership(environment: &Environment, name: &str, user_base: &str) -> Grant {
    let principal = Principal { name: name.into(), origin: Some(user_base.into()) };
    let holder = rules(environment).holder(HolderKind::User, &principal);
    Grant::new(holder, Role::GroupMembership(GroupName { group: GROUP.into() }))
}

fn lists_of_users(platform: &Running) -> usize {
    platform.simulator.requests().iter().filter(|one| one["route"] == "identity-service.list-users").count()
}

#[test]
fn the_suite() {
    suite::run(&TENANT);
}

/// The other routes are asked as in environment `btp`.
#[test]
fn every_fault_of_a_list_is_survived() {
    const LISTS: Description = Description { routes: &["identity-service.list-users"], ..TENANT };
    faults::run_but(&LISTS, &json!({}), |fault| fault["status"] == 401);
}

#[test]
fn neo_knows_a_user_by_the_id_that_the_tenant_gave_it() {
    let platform = Running::start(&TENANT);
    let made = create(&platform, "known");
    let users = platform.simulator.state()["identity-service"]["users"].clone();
    let shown = users.as_array().expect("users").iter().find(|user| user["id"] == made.id).expect("it").clone();
    let id = &shown["urn:ietf:params:scim:schemas:extension:sap:2.0:User"]["userId"];
    let user = made.user.expect("a user");
    assert_eq!((&Value::from(user.name), user.origin.as_deref()), (id, Some("acme.accounts.ondemand.com")));
}

#[test]
fn the_user_base_is_the_tenants_host_where_nothing_else_is_said() {
    const NAMELESS: Description = Description {
        environment: |simulator| environment(&format!("{}/identity-service", simulator.url()), None),
        ..TENANT
    };
    let platform = Running::start(&NAMELESS);
    assert_eq!(create(&platform, "host").user.expect("a user").origin.as_deref(), Some("127.0.0.1"));
}

#[test]
fn a_name_that_somebody_chose_is_nobodys_id() {
    let platform = Running::start(&TENANT);
    let impostor = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "P000099", "active": true,
        "name": {"givenName": "P", "familyName": "P"},
        "emails": [{"value": "p@acme.example", "type": "work", "primary": true}],
    });
    post(&platform.simulator, "Users", &impostor);
    let batch = [membership(&platform.environment, "P000099", USER_BASE)];
    let grants = suite::granting(&platform.driver, &batch);
    let error = runtime().block_on(grants.grant(&batch)).remove(0).expect_err("no user has that id");
    assert!(error.kind() == Kind::NotFound && error.to_string().contains("P000099"), "{error}");
}

#[test]
fn many_ids_are_looked_for_in_one_read_of_all_and_found_by_what_was_seen_then() {
    let platform = Running::start(&TENANT);
    for number in 0..118 {
        let name = format!("u-{number}");
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
            "name": {"givenName": "U", "familyName": name},
            "emails": [{"value": format!("{name}@acme.example"), "type": "work", "primary": true}],
        });
        post(&platform.simulator, "Users", &user);
    }
    let id = |number: usize| membership(&platform.environment, &format!("P{number:06}"), USER_BASE);
    let batch: Vec<Grant> = (1..=120).map(id).collect();
    grant(&platform, &batch);
    assert_eq!(lists_of_users(&platform), 2, "two pages");
    revoke_grants(&platform, &batch);
    assert_eq!(lists_of_users(&platform), 2 + 5, "twenty-five at a time by what is known of them");
    assert!(held(&platform, &batch).is_empty());
}

#[test]
fn whoever_is_of_another_user_base_is_not_the_tenants() {
    let platform = Running::start(&TENANT);
    let batch = [membership(&platform.environment, "P000001", "accounts.sap.com")];
    let grants = suite::granting(&platform.driver, &batch);
    let error = runtime().block_on(grants.grant(&batch)).remove(0).expect_err("a user of SAP ID service");
    assert!(error.kind() == Kind::Invalid && error.to_string().contains("acme.accounts.ondemand.com"), "{error}");
}

#[test]
fn platform_roles_and_memberships_are_one_users() {
    let platform = Running::start(&TENANT);
    let user = create(&platform, "roles").user.expect("a user");
    let holder = rules(&platform.environment).holder(HolderKind::User, &user);
    let member = Grant::new(holder, Role::MemberRole(RoleName { name: "Developer".into() }));
    grant(&platform, std::slice::from_ref(&member));
    let members = platform.simulator.state()["neo"]["members"].clone();
    let shown = members.as_array().expect("members").iter().find(|one| one["userName"] == user.name.as_str());
    let user_base = shown.expect("a member")["userbase"].as_str().expect("a user base").to_lowercase();
    assert_eq!(Some(user_base), user.origin);
    revoke_grants(&platform, &[member]);
}
